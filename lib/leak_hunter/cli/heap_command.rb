# frozen_string_literal: true

module LeakHunter
  class CLI
    # What the commands share that read one dump as a graph.
    class HeapCommand < Command
      def call(argv)
        super
      ensure
        @bar&.finish
      end

      private

      def define_common(parser)
        parser.on("--redact", "leave keys of thread-locals out of all names") { @redact = true }
        parser.on("--threads N", Integer, "default: one for each core") { |threads| @threads = threads }
      end

      def define_report(parser)
        parser.on("--format FORMAT", "text (default) or json") do |format|
          @format = one_of("format", format, %w[text json])
        end
        parser.on("--[no-]color", "default: only on a terminal") { |color| @color = color }
        define_width(parser)
        define_common(parser)
      end

      def positive(option, text)
        text.match?(/\A0*[1-9]\d{0,8}\z/) or
          raise UsageError, "--#{option}: expected a number from 1 to 999999999, got #{Printable.call(text)}"
        text.to_i
      end

      def load(path)
        watching { |bar| Heap.load(path, threads: @threads || :all, redact: @redact ? true : false, progress: bar) }
      end

      # Several steps are one bar.
      #
      # @param part [Float] of the whole, at which this step ends
      def watching(part = 1.0)
        @bar = ProgressBar.for(stderr, "reading dumps") unless @bar || json?
        result = yield @bar&.up_to(part)
        @bar&.finish if part >= 1.0
        result
      end

      def json? = @format == "json"

      def write_json(hash)
        require "json"
        write("#{Printable.json({ schema: 1, **hash }.to_json)}\n")
      end

      def style = @style ||= Terminal::Style.new(Terminal.color?(@color.nil? ? stdout : @color))

      def write_text(text) = write("#{text}\n")
    end
  end
end
