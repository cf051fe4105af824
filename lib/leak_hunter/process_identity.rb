# frozen_string_literal: true

require "etc"
require "securerandom"

module LeakHunter
  # What tells this process from others in the dumps it takes. A forked child keeps {boot} but has another pid, so a
  # process is (boot, pid): a pid alone comes back after a while.
  module ProcessIdentity
    @boot = SecureRandom.hex(8).freeze
    @pid = nil
    @mutex = Mutex.new

    class << self
      # @return [String] 16 hex digits, made when this process, or the one it was forked from, loaded LeakHunter
      attr_reader :boot

      # @return [String] the machine's name
      def host = Etc.uname.fetch(:nodename).dup.force_encoding(Encoding::UTF_8).scrub("?")

      # @return [Integer] 1 for the first dump of this process, and so on; a forked child starts at 1 again
      def next_sequence
        @mutex.synchronize do
          @sequence = 0 if @pid != Process.pid
          @pid = Process.pid
          @sequence += 1
        end
      end
    end
  end
end
