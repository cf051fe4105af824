# frozen_string_literal: true

require "leak_hunter/printable"

module LeakHunter
  # In every exception that LeakHunter raises on purpose, so that `rescue LeakHunter::Error` catches them all. Those of
  # wrong use are `ArgumentError`s, too.
  #
  # Messages can be printed as they are: what a file name may have in it of control characters is shown as escapes.
  module Error
    def initialize(message = nil)
      super(message && Printable.lines(message))
    end
  end

  # An option or argument that LeakHunter does not take.
  class UsageError < ArgumentError
    include Error
  end

  # A bug of LeakHunter. Please report it, with the message.
  class InternalError < StandardError
    include Error
  end

  # Not possible on this Ruby or this platform.
  class Unsupported < StandardError
    include Error
  end

  # A heap has no such object or class.
  class NotFound < StandardError
    include Error
  end

  # A file, or standard output, cannot be written.
  class WriteError < StandardError
    include Error

    # @param target [String] what cannot be written; or the message, without a reason
    # @param reason [SystemCallError, IOError, nil]
    def initialize(target = nil, reason = nil)
      super(reason ? "cannot write #{Printable.call(target)}: #{describe(reason)}" : target)
    end

    private

    # Without the name of the system call.
    def describe(reason)
      reason.is_a?(SystemCallError) ? SystemCallError.new(nil, reason.errno).message : reason.message
    end
  end

  # The process was forked while LeakHunter worked for its parent, in a progress callback or a signal handler. Raised in
  # the child, which has no result; the parent's run goes on.
  class ForkedError < StandardError
    include Error

    def initialize(message = "this process was forked while LeakHunter was running in its parent; the run goes on " \
                             "there, and has no result here")
      super
    end
  end

  # The native extension cannot be loaded: it was not built, or for another Ruby.
  class ExtensionMissing < Unsupported; end

  # Taking a dump failed. Nothing is left behind.
  class RecordingError < StandardError
    include Error
  end

  # Another dump is being taken in this process.
  class DumpInProgress < RecordingError; end

  # The disk has too little space left for the dump.
  class NotEnoughDisk < RecordingError; end

  # A dump file cannot be used.
  class DumpError < StandardError
    include Error

    # @return [String] path of the file
    attr_reader :path
    # @return [Integer, nil] line, counted from 1, where reading failed
    attr_reader :line
    # @return [Integer, nil] offset in bytes, counted from 0, where reading failed
    attr_reader :byte

    def initialize(message = nil, path: nil, line: nil, byte: nil)
      # a line feed in the path is no line feed of the message
      super(message && path ? message.b.gsub(path.b) { Printable.call(path).b } : message)
      @path = path
      @line = line
      @byte = byte
    end
  end

  # Missing, a directory, not permitted, or the disk failed.
  class DumpUnreadable < DumpError; end

  # The file is empty.
  class EmptyDump < DumpError; end

  # The file has no heap dump record.
  class NotADump < DumpError; end

  # The file ends in the middle of a dump.
  class TruncatedDump < DumpError; end

  # The file was written to while it was read.
  class DumpChanged < DumpError; end

  # A heap has more objects or references than can be numbered. The path is nil when it is not a dump's.
  class HeapTooLarge < DumpError; end

  # A Gemfile.lock cannot be used: it is missing, damaged, not complete, or has merge conflicts.
  class LockfileError < StandardError
    include Error
  end

  # Each dump can be read, but they cannot be compared: the arguments do not fit together.
  class MismatchError < ArgumentError
    include Error
  end

  # The dumps are not in the order in which they were taken.
  class WrongOrder < MismatchError; end

  # The dumps are of different processes: their addresses and generations are unrelated.
  class DifferentProcesses < MismatchError; end

  # The same dump was given twice.
  class SameDump < MismatchError; end
end
