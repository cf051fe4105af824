# frozen_string_literal: true

module LeakHunter
  # What tells this process from others in the dumps it takes. A forked child keeps {boot} but has another pid, so a
  # process is (boot, pid): a pid alone comes back after a while.
  module ProcessIdentity
    # Where Linux has the machine's name. Elsewhere `etc` knows it, a gem, which is slow to load beside busy threads.
    HOST_FILE = "/proc/sys/kernel/hostname"
    private_constant :HOST_FILE

    @pid = nil
    @mutex = Mutex.new

    class << self
      # @return [String] 16 hex digits, made when this process, or the one it was forked from, loaded LeakHunter
      attr_reader :boot

      # @return [String] the machine's name, read once: a process stays the same when its machine is renamed
      attr_reader :host

      # @return [Integer] 1 for the first dump of this process, and so on; a forked child starts at 1 again
      def next_sequence
        @mutex.synchronize do
          @sequence = 0 if @pid != Process.pid
          @pid = Process.pid
          @sequence += 1
        end
      end

      # @return [String] hex digits, two for each byte, that nobody can guess; allocated here, not in Ruby's own files
      def random(bytes) = +"" << Random.urandom(bytes).unpack1("H*")

      private

      def host_name
        File.read(HOST_FILE).chomp
      rescue SystemCallError
        require "etc"
        Etc.uname.fetch(:nodename).dup
      end
    end

    @boot = random(8).freeze
    @host = host_name.force_encoding(Encoding::UTF_8).scrub("?").freeze
  end
end
