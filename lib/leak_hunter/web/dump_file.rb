# frozen_string_literal: true

require "json"
require "leak_hunter/process_identity"
require "leak_hunter/report"

module LeakHunter
  class Web
    # A dump in the directory, described by its first line. Its id is its file name, so an id that is not a plain file
    # name, or not one of a file that LeakHunter wrote, finds nothing.
    class DumpFile
      SUFFIXES = Recorder::Format::SUFFIXES.values.freeze
      ID = /\A[A-Za-z0-9][A-Za-z0-9._-]{0,199}\z/
      # The names that the recorder gives.
      RECORDED = /\A\d{8}T\d{6}\.\d{6}Z-.+-pid\d+-\d{4,}\z/

      FLAGS = %i[RDONLY NOFOLLOW NONBLOCK BINARY].sum { |name| File.const_defined?(name) ? File.const_get(name) : 0 }
      MAX_LINE = 4096
      # Of a compressed file, what has its first line.
      BEGINNING = 64 * 1024

      # What the first line must contain.
      REQUIRED = {
        "type" => "DUMP", "leak_hunter" => String, "boot" => /\A\h{16}\z/, "pid" => Integer, "sequence" => Integer,
        "taken_at" => /\A[0-9T:.-]{19,26}Z\z/
      }.freeze
      NUMBERS = %w[sequence generation compactions tracing_since].freeze
      TEXTS = %w[ruby platform snapshot leak_hunter].freeze

      class << self
        # @return [DumpFile, nil]
        def find(dir, id)
          return unless ID.match?(id.b)

          SUFFIXES.each do |suffix|
            found = describe(File.join(dir, "#{id}#{suffix}"), id)
            return found if found
          end
          nil
        end

        # @param name [String] of a file
        # @return [DumpFile, nil]
        def of(dir, name)
          suffix = SUFFIXES.find { |ending| name.end_with?(ending) } or return
          id = name.delete_suffix(suffix)
          describe(File.join(dir, name), id) if ID.match?(id.b)
        end

        # Links are not followed, and only plain files are read: a pipe could block for ever. What cannot be opened is
        # not a dump, unless this process has run out of file descriptors or memory.
        #
        # @return [File, nil]
        def plain_file(path)
          io = File.open(path, FLAGS)
          return io if io.stat.file?

          io.close
          nil
        rescue Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM
          raise
        rescue SystemCallError
          nil
        end

        private

        def describe(path, id)
          io = plain_file(path)
          line = header(io) if io
          new(id.dup.force_encoding(Encoding::UTF_8), io.path, io.size, line) if line
        ensure
          io&.close
        end

        def header(io)
          line = first_line(io).force_encoding(Encoding::UTF_8)
          return unless line.start_with?("{") && line.valid_encoding?

          line = JSON.parse(line)
          line if line.is_a?(Hash) && REQUIRED.all? { |key, expected| expected === line[key] } # rubocop:disable Style/CaseEquality
        rescue JSON::JSONError, SystemCallError
          nil
        end

        # Unpacked, if need be, from the first bytes of the file.
        def first_line(io)
          start = io.read(MAX_LINE).to_s
          return start[/[^\n]*\n?/] if start.start_with?("{")

          Native.beginning("#{start}#{io.read(BEGINNING)}".b, MAX_LINE)[/[^\n]*\n?/]
        rescue LoadError, Error
          ""
        end
      end

      attr_reader :id, :path, :bytes

      def initialize(id, path, bytes, line)
        @id = id
        @path = path
        @bytes = bytes
        @line = line
      end

      # @return [Array] identifies its process
      def process = @line.values_at("boot", "pid")

      def this_process? = process == [ProcessIdentity.boot, Process.pid]

      # @return [String] name of the file
      def name = File.basename(path)

      # Of the file as it is: a browser is not to unpack it.
      def content_type
        case name
        when /\.zst\z/ then "application/zstd"
        when /\.gz\z/ then "application/gzip"
        else "application/x-ndjson"
        end
      end

      def pid = @line["pid"]

      def sequence = @line["sequence"]

      def taken_at = @line["taken_at"]

      # @return [Boolean] whether it still has the name that the recorder gave it
      def recorded_name? = RECORDED.match?(id)

      # @return [Boolean] whether it was still there
      def delete
        File.delete(path).positive?
      rescue Errno::ENOENT
        false
      end

      def to_h
        { id:, bytes:, taken_at:, pid:, boot: @line["boot"], host: text("host"),
          this_process: this_process?,
          **NUMBERS.to_h { |key| [key.to_sym, (@line[key] if @line[key].is_a?(Integer))] },
          **TEXTS.to_h { |key| [key.to_sym, text(key)] } }
      end

      private

      def text(key) = @line[key].is_a?(String) ? Printable.call(@line[key]) : nil
    end
  end
end
