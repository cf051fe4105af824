# frozen_string_literal: true

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
        redact: false,
        progress: nil
      }.freeze

      IDENTITIES = %w[auto address].freeze
      GROUP_KEYS = %w[type class file line method gem generation].freeze
      SORTS = %w[memsize count bytesize].freeze

      TOP = (0..4_294_967_295)
      THREADS = (1..1_024)
      SAMPLES = (0..1_000_000)

      class << self
        # @return [Hash{Symbol => Object}] every option, normalised
        def check(options)
          unknown(options.keys - DEFAULTS.keys)
          options = DEFAULTS.merge(options)
          refuse_holders_by_address(options)
          {
            identity: one_of(:identity, options[:identity], IDENTITIES),
            group_by: group_by(options[:group_by]),
            sort: one_of(:sort, options[:sort], SORTS),
            top: integer(:top, options[:top], TOP, optional: true),
            only: patterns(:only, options[:only]),
            ignore: patterns(:ignore, options[:ignore]),
            threads: integer(:threads, options[:threads], THREADS, optional: true),
            samples: integer(:samples, options[:samples], SAMPLES),
            holders: boolean(:holders, options[:holders]),
            redact: boolean(:redact, options[:redact]),
            progress: callable(:progress, options[:progress])
          }
        end

        private

        # That answer takes other objects for the same, whose holders would mislead.
        def refuse_holders_by_address(options)
          return unless options[:holders] && options[:identity].to_s == "address"

          raise UsageError, "holders: not with identity: :address, which does not know one object from another"
        end

        def unknown(names)
          return if names.empty?

          hint = names.filter_map { |name| similar(name, DEFAULTS.keys) }
          hint = hint.empty? ? "" : " Did you mean #{hint.join(", ")}?"
          raise UsageError, "unknown option#{"s" if names.size > 1}: #{names.join(", ")}.#{hint} " \
                            "The options are: #{DEFAULTS.keys.join(", ")}"
        end

        # did_you_mean can be switched off
        def similar(name, known)
          DidYouMean::SpellChecker.new(dictionary: known).correct(name).first if defined?(DidYouMean::SpellChecker)
        end

        def group_by(value)
          keys = Array(value).map { |key| one_of(:group_by, key, GROUP_KEYS) }.uniq
          raise UsageError, "group_by: name at least one of #{GROUP_KEYS.join(", ")}" if keys.empty?

          keys
        end

        def one_of(option, value, known)
          name = value.is_a?(Symbol) ? value.name : value
          return name if name.is_a?(String) && known.include?(name)

          hint = name.is_a?(String) ? similar(name, known) : nil
          raise UsageError, "#{option}: #{value.inspect} is not one of #{known.join(", ")}" \
                            "#{". Did you mean #{hint}?" if hint}"
        end

        def integer(option, value, range, optional: false)
          return value if value.is_a?(Integer) && range.cover?(value)
          return value if value.nil? && optional

          raise UsageError, "#{option}: expected #{range.begin} to #{range.end}#{" or nil" if optional}, " \
                            "got #{value.inspect}"
        end

        def boolean(option, value)
          return value if [true, false].include?(value)

          raise UsageError, "#{option}: expected true or false, got #{value.inspect}"
        end

        def callable(option, value)
          return value if value.nil? || value.respond_to?(:call)

          raise UsageError, "#{option}: expected something with a call method, got #{value.inspect}"
        end

        def patterns(option, value)
          # Array() would take a Regexp apart no more than a String, but nil is "none"
          Array(value).map { |pattern| Pattern.convert(option, pattern) }
        end
      end
    end
  end
end
