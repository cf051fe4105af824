# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/edge_names/key"

module LeakHunter
  module EdgeNames
    # Threads and fibers: what they were given by name, and what is on their stacks.
    module Threads
      module_function

      def name(parent, search)
        if CoreMethods.a?(parent, Thread)
          fiber_local(parent, search) || thread_variable(parent, search) || stack(parent, search, "stack")
        elsif CoreMethods.a?(parent, Fiber)
          fiber(parent, search) || stack(parent, search, "stack or local")
        end
      end

      def fiber_local(thread, search)
        found = search.name(CoreMethods::FIBER_LOCALS.bind_call(thread)) do |name|
          CoreMethods::FIBER_LOCAL_GET.bind_call(thread, name)
        end
        ["fiber_local", key(found, search)] if found
      end

      def thread_variable(thread, search)
        found = search.name(CoreMethods::THREAD_VARIABLES.bind_call(thread)) do |name|
          CoreMethods::THREAD_VARIABLE_GET.bind_call(thread, name)
        end
        ["thread_variable", key(found, search)[1...-1]] if found
      end

      # Ruby shows a fiber's own only while it runs.
      def fiber(parent, search)
        return unless Fiber.respond_to?(:current) && CoreMethods.same?(parent, Fiber.current)

        storage = CoreMethods::FIBER_STORAGE&.bind_call(parent) || {}
        found = search.name(storage.keys) { |name| storage[name] }
        found ? ["fiber_storage", key(found, search)] : fiber_local(Thread.current, search)
      end

      # Most are names that stand in source code, as those of variables do. Applications make them of their data, too.
      def key(name, search) = Key.text(name, redact: true.equal?(search.redact))

      # What it refers to without a name: locals and temporary values of its frames, the block that it runs, and of a
      # fiber that does not run what was stored in it by name.
      def stack(parent, search, name)
        references = CoreMethods::REFERENCES.call(parent)
        ["stack", name] if search.index(references)
      ensure
        references&.clear
      end
      private_class_method :stack, :fiber_local, :thread_variable, :fiber, :key
    end
  end
end
