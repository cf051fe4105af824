# frozen_string_literal: true

require "io/wait"
require "rbconfig"

module LeakHunter
  module Gems
    # What it takes to load a gem, alone and with all that it needs: memory and time, in a process of its own for each.
    module Boot
      # Seconds after which a process is ended.
      LIMIT = 60
      PROGRAM = <<~RUBY
        begin
          require "bundler/setup" if ENV["BUNDLE_GEMFILE"]
        rescue StandardError, LoadError
          nil
        end
        def resident = File.read("/proc/self/statm").split[1].to_i * 4096 rescue `ps -o rss= -p \#{$$}`.to_i * 1024
        gem ARGV[0] rescue nil
        GC.start
        before = resident
        start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        loaded = ARGV.any? { |feature| require(feature) || true rescue false }
        exit!(1) unless loaded
        seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
        GC.start
        $stdout.write([resident - before, seconds].join(" "))
        $stdout.flush
        exit!(0)
      RUBY
      private_constant :LIMIT, :PROGRAM

      class << self
        # @param rows [Array<Hash>] of {LeakHunter.gems}
        # @param dir [String]
        # @return [Array<Hash>] the same; those that are probably unused with `:rss` and `:seconds` among what is saved
        def call(rows, dir)
          gemfile = File.join(dir, "Gemfile")
          env = { "BUNDLE_GEMFILE" => (gemfile if File.file?(gemfile)), "RUBYOPT" => nil, "RUBYLIB" => nil }
          rows.map do |row|
            measured = measure(row[:name], env, dir) if row[:verdict] == "probably_unused"
            measured ? row.merge(saves: row[:saves].merge(measured)) : row
          end
        end

        private

        def measure(name, env, dir)
          features = [name, name.tr("-", "/"), name.tr("-", "_")].uniq
          reader, writer = IO.pipe
          pid = Process.spawn(env, RbConfig.ruby, "-W0", "-e", PROGRAM, *features,
                              chdir: dir, in: File::NULL, out: writer, err: File::NULL)
          writer.close
          rss, seconds = answer(reader, pid)&.split
          { rss: [rss.to_i, 0].max, seconds: seconds.to_f.round(3) } if seconds
        ensure
          reader&.close
        end

        # @return [String, nil] nil of one that cannot be loaded so, or does not end
        def answer(reader, pid)
          text = reader.wait_readable(LIMIT) ? reader.read : nil
          Process.kill(:KILL, pid) unless text
          text
        ensure
          Process.wait(pid)
        end
      end
    end
  end
end
