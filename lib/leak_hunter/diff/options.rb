# frozen_string_literal: true

require "leak_hunter/arguments"

module LeakHunter
  module Diff
    # Checks the options of {Diff.call} and puts them into the one form the native side takes.
    module Options
      DEFAULTS = {
        identity: :auto,
        group_by: %i[type class file line method].freeze,
        sort: :memsize,
        top: nil,
        only: [].freeze,
        ignore: [].freeze,
        threads: nil,
        samples: 5,
        holders: false,
        flame: false,
        redact: nil,
        timings: false,
        progress: nil
      }.freeze

      IDENTITIES = %w[auto address].freeze
      GROUP_KEYS = %w[type class file line method gem generation context].freeze
      SORTS = %w[memsize count bytesize].freeze

      TOP = (0..4_294_967_295)
      SAMPLES = (0..1_000_000)

      class << self
        # @return [Hash{Symbol => Object}] every option, normalised
        def check(options)
          Arguments.refuse_unknown(options, DEFAULTS.keys)
          options = DEFAULTS.merge(options)
          refuse_holders_by_address(options)
          refuse_flame_without_holders(options)
          {
            identity: Arguments.one_of(:identity, options[:identity], IDENTITIES),
            group_by: group_by(options[:group_by]),
            sort: Arguments.one_of(:sort, options[:sort], SORTS),
            top: Arguments.integer(:top, options[:top], TOP, optional: true),
            only: patterns(:only, options[:only]),
            ignore: patterns(:ignore, options[:ignore]),
            threads: Arguments.threads(options[:threads]),
            samples: Arguments.integer(:samples, options[:samples], SAMPLES),
            holders: Arguments.boolean(:holders, options[:holders]),
            flame: Arguments.boolean(:flame, options[:flame]),
            redact: Arguments.boolean(:redact, options[:redact], optional: true),
            timings: Arguments.boolean(:timings, options[:timings]),
            progress: Arguments.callable(:progress, options[:progress])
          }
        end

        private

        # That answer takes other objects for the same, whose holders would mislead.
        def refuse_holders_by_address(options)
          return unless options[:holders] && [:address, "address"].include?(options[:identity])

          raise UsageError, "holders: not with identity: :address, which does not know one object from another"
        end

        # It is drawn of the graph in which holders are found.
        def refuse_flame_without_holders(options)
          raise UsageError, "flame: needs holders: true" if options[:flame] && !options[:holders]
        end

        def group_by(value)
          keys = Array(value).map { |key| Arguments.one_of(:group_by, key, GROUP_KEYS) }.uniq
          raise UsageError, "group_by: name at least one of #{GROUP_KEYS.join(", ")}" if keys.empty?

          keys
        end

        def patterns(option, value)
          # Array() would take a Regexp apart no more than a String, but nil is "none"
          Array(value).map { |pattern| Pattern.convert(option, pattern) }
        end
      end
    end
  end
end
