# frozen_string_literal: true

# Boots the old shop on Puma, takes three heap dumps of it over HTTP, and runs the checkup on them, on the lock file and
# on the source:
#
#   ruby -Ilib examples/legacy_shop/demo.rb [--fixed] [CHECKUP OPTIONS]     # --fixed: with what the checkup advises
#
# Exits as the checkup does: 1 where it has something to say, 0 where not.

require "fileutils"
require "open3"
require "rbconfig"
require "securerandom"
require "tmpdir"
require_relative "../leaky_app/server"

module LegacyShop
  # The drive.
  class Demo
    TOKEN = SecureRandom.hex(32)
    LIB = LeakyApp::Server::LIB
    EXE = File.expand_path("../../exe/leak_hunter", __dir__)
    VISITS = 200

    # @param fixed [Boolean]
    # @param options [Array<String>] of the checkup
    # @return [Integer] its exit status
    def self.run(fixed:, options:)
      Dir.mktmpdir("legacy_shop") do |dir|
        demo = new(dir, fixed:)
        demo.checkup(demo.hunt, options)
      end
    end

    # @param dir [String] an empty folder for the project and its dumps
    def initialize(dir, fixed:)
      @dir = File.realpath(dir)
      FileUtils.cp_r(Dir[File.join(__dir__, "{Gemfile,config.ru,lib}")], @dir)
      FileUtils.cp_r(Dir[File.join(__dir__, "fixed/{Gemfile,lib}")], @dir) if fixed
      lock
    end

    # @return [Array<String>] paths of three dumps
    def hunt
      env = bundle.merge("LEAK_HUNTER_TOKEN" => TOKEN)
      # one thread, so that what it keeps on its stack is replaced by the next request
      LeakyApp::Server.run(File.join(@dir, "config.ru"), dir: @dir, env:, options: %w[-t 1:1]) do |server|
        server.connect do |http|
          visit(http)
          Array.new(3) { |round| dump(http).tap { visit(http) if round < 2 } }
        end
      end
    end

    # @return [Integer] the exit status
    def checkup(dumps, options)
      child = Process.spawn(bundle, RbConfig.ruby, "-I", LIB, EXE, "checkup", *options, *dumps, chdir: @dir)
      Process.wait2(child).last.exitstatus
    end

    private

    # The bundle of the shop, and LeakHunter beside it.
    def bundle = { "BUNDLE_GEMFILE" => File.join(@dir, "Gemfile"), "RUBYOPT" => "-rbundler/setup" }

    def lock
      output, status = Open3.capture2e({ "BUNDLE_GEMFILE" => nil, "RUBYOPT" => nil }, "bundle", "lock", "--local",
                                       chdir: @dir)
      raise "bundle lock failed:\n#{output}" unless status.success?
    end

    def visit(http)
      VISITS.times do |number|
        ask(http, "GET", "/products/#{number}")
        ask(http, "GET", "/medians") if (number % 4).zero?
      end
    end

    def dump(http)
      ask(http, "POST", "/leaks/dumps")
      Dir[File.join(@dir, "tmp/leak_hunter/*.json*")].max
    end

    def ask(http, method, path)
      headers = { "accept" => "text/plain", "authorization" => "Bearer #{TOKEN}",
                  "content-type" => "application/x-www-form-urlencoded" }
      response = http.send_request(method, path, ("" if method == "POST"), headers)
      raise "#{method} #{path}: #{response.code} #{response.body}" unless response.is_a?(Net::HTTPSuccess)
    end
  end
end

if $PROGRAM_NAME == __FILE__
  fixed = ARGV.delete("--fixed")
  exit(LegacyShop::Demo.run(fixed: !fixed.nil?, options: ARGV))
end
