# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module Recorder
    class Names
      # What threads hold: fiber-locals of the fiber each of them runs, thread variables, and the storage of the fiber
      # that takes the dump.
      module Threads
        module_function

        # Ruby makes a thread's first fiber an object when it is asked for it, and keeps that.
        def prepare
          Fiber.current if CoreMethods::FIBER_STORAGE
        end

        def read(ledger)
          CoreMethods::THREADS.call.each do |thread|
            ledger.step
            fiber_locals(thread, ledger)
            thread_variables(thread, ledger)
          end
          fiber_storage(ledger)
          true
        end

        def fiber_locals(thread, ledger)
          CoreMethods::FIBER_LOCALS.bind_call(thread).each do |name|
            ledger.add("fiber_local", thread, name, CoreMethods::FIBER_LOCAL_GET.bind_call(thread, name))
          end
        end

        def thread_variables(thread, ledger)
          CoreMethods::THREAD_VARIABLES.bind_call(thread).each do |name|
            ledger.add("thread_variable", thread, name, CoreMethods::THREAD_VARIABLE_GET.bind_call(thread, name))
          end
        end

        def fiber_storage(ledger)
          return unless CoreMethods::FIBER_STORAGE

          fiber = Fiber.current
          storage = CoreMethods::FIBER_STORAGE.bind_call(fiber) or return
          storage.each { |name, value| ledger.add("fiber_storage", fiber, name, value) }
        end
      end
    end
  end
end
