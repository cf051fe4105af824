# frozen_string_literal: true

module LeakHunter
  module Tracing
    # What {Tracing.start} was asked for.
    #
    # @!attribute mode
    #   @return [Symbol, nil]
    # @!attribute sites
    #   @return [Array, nil] see {Focus.check}
    # @!attribute sampling
    #   @return [Sampling, nil]
    Wish = Struct.new(:mode, :sites, :sampling)

    # Its checks.
    class Wish
      ANY = new.freeze

      # @param sampling [Sampling, nil]
      # @return [Wish]
      # @raise [UsageError]
      def self.of(mode, focus, sampling)
        sites = Focus.check(focus) unless nil.equal?(focus)
        refuse("focus:", :exact, mode) if sites && ![nil, :exact].include?(mode)
        refuse("by:, every: and budget:", :sampled, mode) if sampling && ![nil, :sampled].include?(mode)
        raise UsageError, "trace!: focus: takes the mode :exact, by:, every: and budget: :sampled" if sites && sampling

        new(mode || (:exact if sites) || (:sampled if sampling), sites, sampling)
      end

      def self.refuse(option, mode, other)
        raise UsageError, "trace!: #{option} takes the mode :#{mode}, not #{other.inspect}"
      end
      private_class_method :refuse
    end
    private_constant :Wish
  end
end
