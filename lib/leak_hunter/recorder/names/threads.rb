# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module Recorder
    class Names
      # What threads hold: fiber-locals of the fiber each of them runs, thread variables, and the storage of the fiber
      # that asked for the dump ({Storage}).
      module Threads
        module_function

        # Ruby makes a thread's first fiber an object when it is asked for it, and keeps that.
        #
        # @return [Fiber, nil] nil on Rubies whose fibers have no storage
        def prepare
          Fiber.current if CoreMethods::FIBER_STORAGE
        end

        def read(ledger)
          CoreMethods::THREADS.call.each do |thread|
            ledger.step
            ledger.add_thread(thread)
            fiber_locals(thread, ledger)
            thread_variables(thread, ledger)
          end
          true
        end

        def fiber_locals(thread, ledger)
          CoreMethods::FIBER_LOCALS.bind_call(thread).each do |name|
            ledger.add("fiber_local", thread, name, CoreMethods::FIBER_LOCAL_GET.bind_call(thread, name))
          end
        end

        def thread_variables(thread, ledger)
          names = CoreMethods::THREAD_VARIABLES.bind_call(thread)
          return if names.empty?

          table(thread, names, ledger)
          names.each do |name|
            ledger.add("thread_variable", thread, name, CoreMethods::THREAD_VARIABLE_GET.bind_call(thread, name))
          end
        end

        # The Hash of its variables: no method returns it. A thread may hold others, on its stack.
        def table(thread, names, ledger)
          references = CoreMethods::REFERENCES.call(thread)
          references&.each do |hash|
            ledger.step
            next unless CoreMethods.a?(hash, Hash) && CoreMethods::HASH_SIZE.bind_call(hash) == names.size

            keys = CoreMethods::HASH_KEYS.bind_call(hash)
            same = CoreMethods.same?(keys.first, names.first) && CoreMethods.same?(keys.last, names.last)
            break ledger.add("thread_variables", thread, :thread_variables, hash) if same
          end
        ensure
          references&.clear
        end

        # What a fiber's storage holds. It is read in the fiber, or in a thread started there, which has a copy of it.
        class Storage
          # @param fiber [Fiber, nil] whose storage it is
          def initialize(fiber)
            @fiber = fiber
          end

          def read(ledger)
            storage = CoreMethods::FIBER_STORAGE.bind_call(Fiber.current) if @fiber
            storage&.each { |name, value| ledger.add("fiber_storage", @fiber, name, value) }
            true
          end
        end
      end
    end
  end
end
