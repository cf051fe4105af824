# frozen_string_literal: true

require "leak_hunter/output_file"
require "tmpdir"

module LeakHunter
  class CLI
    # `-` among the dumps. A dump is read at several places, and more than once, so standard input is copied to a file
    # that has no name, which only this user can read, and which is gone when the command ends.
    module StandardInput
      NAME = "-"

      class << self
        # @param arguments [Array<String>]
        # @param stdin [IO]
        # @yieldparam arguments [Array<String>] with the file's path in the place of `-`
        # @return what the block returns
        def open(arguments, stdin, &)
          case arguments.count(NAME)
          when 0 then yield arguments
          when 1 then copied(arguments, stdin, &)
          else raise UsageError, "-: standard input is one dump; it cannot be read twice"
          end
        end

        private

        def copied(arguments, stdin)
          raise UsageError, "-: standard input is a terminal; pipe a dump into it" if stdin.tty?

          OutputFile.scratch(Dir.tmpdir) do |io|
            copy(stdin, io)
            path = "/dev/fd/#{io.fileno}"
            named(path) { yield(arguments.map { |argument| argument == NAME ? path : argument }) }
          end
        end

        def copy(stdin, io)
          IO.copy_stream(stdin, io)
          io.flush
        rescue SystemCallError => e
          raise WriteError.new("a copy of standard input to #{Dir.tmpdir}", e)
        end

        def named(path)
          yield
        rescue DumpError => e
          raise e.class.new(e.message.gsub(path, "standard input"), path: "standard input", line: e.line, byte: e.byte)
        end
      end
    end
  end
end
