# frozen_string_literal: true

require "open3"
require "rbconfig"

# Three dumps of a real process that leaks a known number of objects between each two of them.
module RealDumps
  # The method of what `new` makes. Ruby 4 compiles `new` into its caller, whose method, if any, it is then.
  IN_NEW = RUBY_VERSION < "4" ? / in new/ : /(?: in \S+)?/

  LIB = File.expand_path("../../lib", __dir__)
  EXE = File.expand_path("../../exe/leak_hunter", __dir__)

  # Sessions and their tokens stay; the requests in between do not, and leave slots to reuse.
  PROGRAM = <<~'RUBY'
    require "leak_hunter"

    class Session
      def initialize(number) = @token = "token #{number} " * 10
    end

    SESSIONS = []

    def serve(requests)
      requests.times { |number| SESSIONS << Session.new(number) }
    end

    LeakHunter.trace!
    requests = Array.new(2_000) { |number| { path: "/articles/#{number}" } }
    3.times do |index|
      LeakHunter.dump!(File.join(ARGV.fetch(0), "#{index + 1}.json"))
      requests&.clear
      serve(500)
    end
  RUBY

  LEAKED = 500

  class << self
    # @return [Array<String>] three paths
    def paths
      @paths ||= begin
        dir = Dir.mktmpdir("leak_hunter-dumps")
        at_exit { FileUtils.remove_entry(dir) }
        take(dir)
      end
    end

    # Writes 1.json, 2.json and 3.json into a folder.
    def take(dir)
      program = File.join(dir, "sessions.rb")
      File.write(program, PROGRAM)
      output, status = Open3.capture2e(RbConfig.ruby, "-w", "-I", LIB, program, dir)
      raise "the leaking process failed: #{output}" unless status.success? && output.empty?

      (1..3).map { |number| File.join(dir, "#{number}.json") }
    end

    # Runs the command line as a process of its own.
    #
    # @return [Array(String, String, Integer)] output, errors, status
    def leak_hunter(*arguments, env: {}, **options)
      env = { "NO_COLOR" => nil, "FORCE_COLOR" => nil, "COLUMNS" => nil, **env }
      output, errors, status = Open3.capture3(env, RbConfig.ruby, "-w", "-I", LIB, EXE, *arguments, **options)
      [output, errors, status.exitstatus]
    end
  end
end
