# frozen_string_literal: true

require "leak_hunter/web/action"
require "leak_hunter/web/single_flight"

module LeakHunter
  class Web
    module Actions
      # Compares three dumps.
      class Diff < Action
        DUMPS = %w[first second third].freeze
        PARAMS = [*DUMPS, "identity", "group_by", "sort", "top", "only", "ignore", "holders"].freeze
        # Groups in a text without `top`. Groups of VM caches are summed up there, so more are read.
        TOP = 20
        TOP_READ = 1_000
        # Other processes to propose when this one has too few dumps.
        PROPOSALS = 3

        def show
          report = SingleFlight::DIFF.run { Report.new(LeakHunter.diff(*dumps.map(&:path), **options)) }
          Reply.new(200, report.to_h) { report.to_s(top: params[:top] ? nil : TOP) }
        rescue ExtensionMissing => e
          raise Problem.new(501, "NoNativeExtension", e.message)
        end

        private

        def options
          options = params.except(*DUMPS.map(&:to_sym))
          options[:top] = integer(options[:top]) || (TOP_READ unless request.json?)
          options[:group_by] = options[:group_by].split(",") if options.key?(:group_by)
          # A Hash key may be a person's name or a token, and a report is read by more people than the data.
          { **options, holders: holders(options), redact: true }
        end

        def holders(options)
          return options[:identity] != "address" unless options.key?(:holders)

          { "true" => true, "false" => false }.fetch(options[:holders]) { |text| text }
        end

        # The diff refuses what is not a number.
        def integer(text) = text && (Integer(text, 10, exception: false) || text)

        def dumps
          ids = params.values_at(*DUMPS.map(&:to_sym))
          return ids.map { |id| folder.find(id) } if ids.all?
          raise UsageError, "give all of #{DUMPS.join(", ")}, or none" if ids.any?

          latest_of_this_process
        end

        def latest_of_this_process
          own = folder.own
          return own.last(Folder::DIFF) if own.size >= Folder::DIFF

          raise Problem.new(409, "TooFewDumps", [need(own.size), *proposals(folder.dumps)].join("\n"))
        end

        def need(count)
          "a diff needs three dumps of one process; this one (pid #{Process.pid}) has #{count}. " \
            "POST #{request.url("/dumps")} takes one; let the process work in between"
        end

        # Any worker of a server can compare the dumps of another.
        def proposals(all)
          all.group_by(&:process).values.select { |dumps| dumps.size >= Folder::DIFF }.last(PROPOSALS).map do |dumps|
            query = DUMPS.zip(dumps.sort_by(&:sequence).last(Folder::DIFF)).map { |name, dump| "#{name}=#{dump.id}" }
            "pid #{dumps.first.pid} has #{dumps.size}: GET #{request.url("/diff")}?#{query.join("&")}"
          end
        end
      end
    end
  end
end
