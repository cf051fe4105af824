# frozen_string_literal: true

require "leak_hunter/core_methods"
require "objspace"

module LeakHunter
  module EdgeNames
    # Threads and fibers: what they were given by name, and what is on their stacks.
    module Threads
      STORAGE = (Fiber.instance_method(:storage) if Fiber.method_defined?(:storage)) # Ruby >= 3.2
      private_constant :STORAGE

      module_function

      def name(parent, search)
        case parent
        when Thread then fiber_local(parent, search) || thread_variable(parent, search) || stack(parent, search)
        when Fiber then fiber(parent, search) || stack(parent, search)
        end
      end

      def fiber_local(thread, search)
        found = search.name(CoreMethods::FIBER_LOCALS.bind_call(thread)) do |name|
          CoreMethods::FIBER_LOCAL_GET.bind_call(thread, name)
        end
        ["fiber_local", "[#{found.inspect}]"] if found
      end

      def thread_variable(thread, search)
        found = search.name(CoreMethods::THREAD_VARIABLES.bind_call(thread)) do |name|
          CoreMethods::THREAD_VARIABLE_GET.bind_call(thread, name)
        end
        ["thread_variable", found.inspect] if found
      end

      # Ruby shows a fiber's own only while it runs.
      def fiber(parent, search)
        return unless Fiber.respond_to?(:current) && CoreMethods::EQUAL.bind_call(parent, Fiber.current)

        storage = STORAGE&.bind_call(parent) || {}
        found = search.name(storage.keys) { |name| storage[name] }
        found ? ["fiber_storage", "[#{found.inspect}]"] : fiber_local(Thread.current, search)
      end

      # What it refers to without a name: locals and temporary values of its frames, the block that it runs, and of a
      # fiber that does not run what was stored in it by name.
      def stack(parent, search)
        references = ObjectSpace.reachable_objects_from(parent)
        ["stack", parent.is_a?(Fiber) ? "stack or local" : "stack"] if search.index(references)
      ensure
        references&.clear
      end
      private_class_method :stack, :fiber_local, :thread_variable, :fiber
    end
  end
end
