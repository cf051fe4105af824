# frozen_string_literal: true

require "net/http"
require "rbconfig"

module LeakyApp
  # A Rack application on a Puma of its own: a child process, on a free port of the loopback interface.
  class Server
    PUMA = '$stdout.sync = true; require "puma/cli"; Puma::CLI.new(ARGV).run'
    LIB = File.expand_path("../../lib", __dir__)
    PATIENCE = 300
    # Puma on Ruby 3.3 and 3.4 waits for ever, now and then, to close what it listened on. Then it is killed.
    STOP_PATIENCE = 20

    # @param rackup [String] path of the config.ru
    # @param dir [String] the folder to run in
    # @param env [Hash{String => String, nil}]
    # @param options [Array<String>] more for Puma
    def self.run(rackup, dir:, env: {}, options: [])
      server = new(rackup, dir:, env:, options:)
      yield server.wait
    ensure
      server&.stop
    end

    # @return [Integer] of Puma's first process
    attr_reader :pid
    # @return [Integer]
    attr_reader :port
    # @return [String] what Puma has printed so far
    attr_reader :log

    def initialize(rackup, dir:, env:, options:)
      output, theirs = IO.pipe
      puma = [RbConfig.ruby, "-I", LIB, "-e", PUMA, "--", "-C", "-", "-b", "tcp://127.0.0.1:0", "-t", "4:4"]
      @pid = Process.spawn({ "RACK_ENV" => "production", "WEB_CONCURRENCY" => nil, **env }, *puma, *options, rackup,
                           chdir: dir, in: File::NULL, out: theirs, err: theirs)
      theirs.close
      @log = +""
      @reader = Thread.new { output.each_line { |line| @log << line } }
    end

    # @return [self] when it listens
    def wait
      until_true("it does not start") { (@port = listening) || (raise "Puma ended:\n#{log}" unless @reader.alive?) }
      self
    end

    # @yieldparam http [Net::HTTP] a connection that stays open
    def connect(&) = Net::HTTP.start("127.0.0.1", port, open_timeout: PATIENCE, read_timeout: PATIENCE, &)

    def stop
      Process.kill(:TERM, pid)
      until_true("it does not stop", STOP_PATIENCE) { Process.wait(pid, Process::WNOHANG) }
    rescue RuntimeError
      Process.kill(:KILL, pid)
      Process.wait(pid)
    ensure
      @reader.kill.join
    end

    private

    def listening = log[%r{Listening on http://127\.0\.0\.1:(\d+)}, 1]&.to_i

    def until_true(trouble, patience = PATIENCE)
      deadline = now + patience
      until yield
        raise "#{trouble} within #{patience} s:\n#{log}" if now > deadline

        sleep 0.02
      end
    end

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
