# frozen_string_literal: true

require "leak_hunter/tracing"
require "leak_hunter/web/action"
require "leak_hunter/web/single_flight"

module LeakHunter
  class Web
    module Actions
      # Tracing, dumps and limits of this process.
      class Status < Action
        def show
          data = { schema: 1, version: VERSION, ruby: RUBY_VERSION, pid: Process.pid, boot: ProcessIdentity.boot,
                   tracing:, live_slots: GC.stat(:heap_live_slots), gc_count: GC.count, dumps:, running: }
          Reply.new(200, data) { text(data) }
        end

        private

        def tracing
          since = Tracing.since
          { on: Tracing.on?, since: since&.fetch(:generation), mode: since&.fetch(:mode) }
        end

        def dumps
          all = folder.dumps
          { count: all.size, of_this_process: all.count(&:this_process?), bytes: all.sum(&:bytes),
            max_dumps: settings.max_dumps, max_bytes: settings.max_bytes, allow_download: settings.allow_download }
        end

        def running = { dump: SingleFlight::DUMP.running?, diff: SingleFlight::DIFF.running? }

        def text(data)
          dumps = data[:dumps]
          <<~TEXT
            LeakHunter #{VERSION}, Ruby #{RUBY_VERSION}, process #{data[:pid]}
            tracing     #{tracing_words(data[:tracing])}
            live slots  #{Report::Format.count(data[:live_slots])}
            GC count    #{data[:gc_count]}
            dumps       #{dumps[:count]} (#{bytes(dumps[:bytes])}), #{dumps[:of_this_process]} of this process; \
            limits: #{dumps[:max_dumps]}, #{bytes(dumps[:max_bytes])}
            running     #{running_words(data[:running])}
          TEXT
        end

        def running_words(running)
          names = running.filter_map { |name, runs| name if runs }
          names.empty? ? "nothing" : names.join(", ")
        end

        def tracing_words(tracing)
          return "off; the first dump starts it" unless tracing[:on]

          tracing[:since] ? "on since GC #{tracing[:since]}" : "on, started by another tool"
        end
      end
    end
  end
end
