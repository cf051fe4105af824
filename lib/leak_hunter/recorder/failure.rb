# frozen_string_literal: true

module LeakHunter
  module Recorder
    # Says in LeakHunter's errors what went wrong while a dump was written.
    module Failure
      OVERLONG_NAME = "Ruby cannot write a source file name of more than about 4,090 bytes into a dump; code eval'd " \
                      "under such a name (by a template engine?) made an object. LeakHunter.clear makes Ruby forget " \
                      "the names recorded so far"

      module_function

      # @param dir [String] the dump's folder
      def explain(dir)
        yield
      rescue Errno::ENOSPC, Errno::EDQUOT => e
        raise NotEnoughDisk, "no room is left in #{dir} for the dump (#{e.message})"
      rescue SystemCallError => e
        raise RecordingError, "the dump cannot be written to #{dir}: #{e.message}"
      rescue NoMemoryError
        raise RecordingError, "too little memory is left for the dump, which Ruby #{RUBY_VERSION} makes in memory first"
      rescue NotADump => e
        raise RecordingError, "the dump was not written: #{e.message}"
      rescue IOError => e
        raise RecordingError, OVERLONG_NAME if e.message.include?("full buffer")

        raise RecordingError, "the dump cannot be written to #{dir}: #{e.message}"
      end
    end
  end
end
