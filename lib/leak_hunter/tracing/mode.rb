# frozen_string_literal: true

require "leak_hunter/ractors"

module LeakHunter
  module Tracing
    # Which tracer is used, and why.
    #
    # @!attribute name
    #   @return [Symbol] `:exact`, `:sampled`, `:objspace` or `:off`
    # @!attribute why
    #   @return [String] in words
    Mode = Struct.new(:name, :why)

    # How it is chosen.
    class Mode
      NAMES = %i[exact sampled objspace].freeze
      DEFAULT = :exact
      SWITCH = "LEAK_HUNTER_TRACER"
      # Bug #19482.
      HOOKS_CRASH = RUBY_VERSION.match?(/\A3\.2\.[0-2]\z/)

      class << self
        # @param asked [Symbol, nil] nil for the best one that is safe here
        # @return [Mode]
        # @raise [UsageError] of a mode that there is not
        # @raise [Unsupported] when the one that was asked for is not possible here
        def choose(asked = nil)
          unless [nil, *NAMES].include?(asked)
            raise UsageError, "trace!: the mode is #{names(NAMES)}, not #{asked.inspect}"
          end

          switched || wanted(asked || DEFAULT, asked)
        end

        # @param name [Symbol] `:exact` or `:sampled`
        # @return [String, nil] why LeakHunter's own tracer cannot be used here
        def refusal(name = :exact)
          if !native? then "LeakHunter's extension is not built"
          elsif HOOKS_CRASH then "Ruby #{RUBY_VERSION} crashes in hooks of allocations (Bug #19482)"
          elsif mmtk? then "the garbage collector is MMTk, which calls hooks on other threads"
          elsif !Ractors::STOPPED && Ractors.running?
            "other Ractors are running, whose allocations Ruby #{RUBY_VERSION} does not report"
          elsif name == :sampled && !Native.samples?
            "Ruby #{RUBY_VERSION} does not tell which objects a collection has marked"
          end
        end

        private

        # By the environment, whatever the application asks for.
        def switched
          case value = ENV.fetch(SWITCH, "")
          when "" then nil
          when "off", "objspace" then new(value.to_sym, "#{SWITCH} is #{value}")
          when "exact", "sampled" then wanted(value.to_sym, nil)
          else raise UsageError, "#{SWITCH} is #{value.inspect}: it can be off, objspace, exact or sampled"
          end
        end

        def wanted(name, asked)
          return new(name, "it was asked for") if name == :objspace

          why = refusal(name)
          return new(name, asked ? "it was asked for" : "it is safe here") unless why
          raise Unsupported, "trace!(mode: :#{asked}): #{why}" if asked

          new(:objspace, why)
        end

        def names(all)
          *others, last = all.map { |name| ":#{name}" }
          "#{others.join(", ")} or #{last}"
        end

        def native?
          Native.respond_to?(:trace)
        rescue ExtensionMissing
          false
        end

        def mmtk?
          RUBY_DESCRIPTION.include?("[mmtk]") || (GC.respond_to?(:config) && GC.config[:implementation] == "mmtk")
        end
      end
    end
  end
end
