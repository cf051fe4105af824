# frozen_string_literal: true

module LeakHunter
  module Holders
    # Takes the application's data out of the names that a dump has: applications make keys of thread-locals of their
    # data, too. Names that stand in source code, of constants and variables, stay. Live names are redacted where they
    # are made ({EdgeNames}).
    module Redaction
      KINDS = %w[fiber_local thread_variable fiber_storage].freeze
      KEY = "#<Symbol>"
      private_constant :KINDS

      # @param result [Hash] of a diff with holders
      def self.apply(result)
        result[:holders].each do |holder|
          holder[:thread_name] = nil
          holder[:keys][:pattern] &&= KEY if holder[:keys]
        end
        Holders.all_paths(result).each do |path|
          path.each do |step|
            step.delete(:thread)
            step[:edge][:name] &&= KEY if KINDS.include?(step[:edge][:kind])
          end
        end
      end
    end
  end
end
