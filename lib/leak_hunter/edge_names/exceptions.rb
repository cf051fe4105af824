# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # Exceptions. Nothing is asked for that they would make only now, such as the lines of a backtrace.
    module Exceptions
      CAUSE = Exception.instance_method(:cause)
      RECEIVERS = [NameError, KeyError, FrozenError].to_h { |type| [type, type.instance_method(:receiver)] }.freeze
      private_constant :CAUSE, :RECEIVERS

      module_function

      def name(parent, search)
        case parent
        when Exception
          return %w[cause cause] if search.here?(CAUSE.bind_call(parent))

          receiver(parent, search) || backtrace(search)
        end
      end

      def receiver(parent, search)
        _, method = RECEIVERS.find { |type, _| type === parent } # rubocop:disable Style/CaseEquality
        %w[exception_receiver receiver] if method && search.here?(method.bind_call(parent))
      rescue ArgumentError
        nil # it has none
      end

      # Its own instance variables were looked at before: what is left of these classes is the VM's.
      def backtrace(search)
        case search.child
        when Thread::Backtrace then %w[exception_backtrace_locations backtrace_locations]
        when Array then %w[exception_backtrace backtrace]
        when String then %w[exception_message message]
        end
      end
      private_class_method :receiver, :backtrace
    end
  end
end
