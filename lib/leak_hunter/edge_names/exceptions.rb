# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # Exceptions. Nothing is asked for that they would make only now, such as the lines of a backtrace.
    module Exceptions
      module_function

      def name(parent, search)
        return unless CoreMethods.a?(parent, Exception)
        return %w[cause cause] if search.here?(CoreMethods::CAUSE.bind_call(parent))

        receiver(parent, search) || own(search.child)
      end

      def receiver(parent, search)
        _, method = CoreMethods::RECEIVERS.find { |type, _| CoreMethods.a?(parent, type) }
        %w[exception_receiver receiver] if method && search.here?(method.bind_call(parent))
      rescue ArgumentError
        nil # it has none
      end

      # Its own instance variables were examined before: what is left of these classes is the VM's.
      def own(child)
        if CoreMethods.a?(child, Thread::Backtrace) then %w[exception_backtrace_locations backtrace_locations]
        elsif CoreMethods.a?(child, Array) then %w[exception_backtrace backtrace]
        elsif CoreMethods.a?(child, String) then %w[exception_message message]
        end
      end
      private_class_method :receiver, :own
    end
  end
end
