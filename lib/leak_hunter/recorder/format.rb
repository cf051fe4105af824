# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/recorder/own_thread"

module LeakHunter
  module Recorder
    # What is written of a dump, and how: contents are left out and the text is compressed by the extension, so that
    # no secret reaches the disk, not for a moment.
    class Format
      VALUES = %w[none length_and_digest prefix all].freeze
      COMPRESSIONS = %w[zstd gzip none].freeze
      # By the end of a file's name.
      ENDINGS = { ".zst" => :zstd, ".gz" => :gzip, ".json" => :none }.freeze
      # Of new files.
      SUFFIXES = { zstd: ".json.zst", gzip: ".json.gz", none: ".json" }.freeze
      KEY_BYTES = 16

      SECRET = "values: :all: the file has every string of the process, passwords too; keep it as a secret"
      WITHOUT_EXTENSION = "leaving out what strings hold, and compressing, needs LeakHunter's native extension; " \
                          "without it only values: :all, compress: :none can be written, and that file is a secret"

      private_constant :WITHOUT_EXTENSION

      class << self
        # Dumps of one process have the same digests for the same contents.
        #
        # @return [String]
        def process_key = @process_key ||= Random.urandom(KEY_BYTES).freeze

        # @return [Symbol, nil] what the name of a file says
        def compression_of(path)
          ENDINGS.find { |ending, _| path.end_with?(ending) }&.last
        end
      end

      # @return [Symbol]
      attr_reader :values, :compress

      # @return [Integer, nil] that compress; nil leaves one core to the application
      attr_reader :threads

      # @param path [String, nil] of the file, if it was given
      # @raise [UsageError, Unsupported]
      def initialize(path: nil, values: :none, compress: nil, threads: nil, digest_key: nil)
        @values = Arguments.one_of(:values, values, VALUES).to_sym
        @compress = compress ? Arguments.one_of(:compress, compress, COMPRESSIONS).to_sym : by_name(path)
        @threads = Arguments.threads(threads)
        @digest_key = digest_key ? check(digest_key) : Format.process_key
        @native = native?
        raise ExtensionMissing, WITHOUT_EXTENSION unless @native || (@values == :all && @compress == :none)
      end

      def suffix = SUFFIXES.fetch(compress)

      # Whether the file holds what strings hold.
      def secret? = values == :all

      # @param io [File] at its start
      # @return [void]
      def write(io, first_line, text, ending)
        OwnThread.interruptible do
          if @native
            Native.write_dump(io.fileno, first_line, text, ending, options)
          else
            # In one piece: each write gives other threads a turn.
            io.write(first_line, text, ending)
            io.flush
          end
        end
      end

      private

      def options
        { values: values.to_s, compress: compress.to_s, threads: @threads, digest_key: @digest_key }
      end

      def by_name(path) = (Format.compression_of(Arguments.path(:path, path)) if path) || :zstd

      def check(key)
        return key.b.freeze if key.is_a?(String) && key.bytesize == KEY_BYTES

        raise UsageError, "digest_key: expected a String of #{KEY_BYTES} bytes, such as Random.urandom(#{KEY_BYTES})"
      end

      def native?
        Native.respond_to?(:write_dump)
      rescue LoadError, Error
        false
      end
    end
  end
end
