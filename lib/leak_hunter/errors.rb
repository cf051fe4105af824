# frozen_string_literal: true

module LeakHunter
  # Everything LeakHunter raises on purpose descends from this class.
  class Error < StandardError; end

  # An option or argument that LeakHunter does not take.
  class UsageError < Error; end

  # A fault of LeakHunter itself. Please report it, with the message.
  class InternalError < Error; end

  # This Ruby, or this platform, cannot do it.
  class Unsupported < Error; end

  # Taking a dump failed. Nothing is left behind.
  class RecordingError < Error; end

  # Another dump is being taken in this process.
  class DumpInProgress < RecordingError; end

  # The folder's disk has too little room for the dump.
  class NotEnoughDisk < RecordingError; end

  # A dump file cannot be used.
  class DumpError < Error
    # @return [String] path of the file
    attr_reader :path
    # @return [Integer, nil] line, counted from 1, where reading failed
    attr_reader :line
    # @return [Integer, nil] offset in bytes, counted from 0, where reading failed
    attr_reader :byte

    def initialize(message = nil, path: nil, line: nil, byte: nil)
      super(message)
      @path = path
      @line = line
      @byte = byte
    end
  end

  # Missing, a folder, no permission, or the disk failed.
  class DumpUnreadable < DumpError; end

  # The file has no bytes.
  class EmptyDump < DumpError; end

  # The file holds no heap dump record.
  class NotADump < DumpError; end

  # The file ends in the middle of a dump.
  class TruncatedDump < DumpError; end

  # The file was written to while it was read.
  class DumpChanged < DumpError; end

  # Each dump can be read, but they cannot be compared.
  class MismatchError < Error; end

  # The dumps are not in the order in which they were taken.
  class WrongOrder < MismatchError; end

  # The dumps are of different processes, whose addresses and generations have nothing to do with each other.
  class DifferentProcesses < MismatchError; end

  # The same dump was given twice.
  class SameDump < MismatchError; end
end
