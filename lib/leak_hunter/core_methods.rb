# frozen_string_literal: true

module LeakHunter
  # Ruby's own methods for looking at objects, as they are without what an application's classes have made of them.
  # Bound to an object (`CONSTANTS.bind_call(mod, false)`) they work on any, BasicObjects too, and run no code of its.
  module CoreMethods
    CONSTANTS = Module.instance_method(:constants)
    CONST_DEFINED = Module.instance_method(:const_defined?)
    CONST_GET = Module.instance_method(:const_get)
    AUTOLOAD = Module.instance_method(:autoload?)
    CONST_SOURCE_LOCATION = Module.instance_method(:const_source_location)
    MODULE_NAME = Module.instance_method(:name)
    SINGLETON_CLASS = Module.instance_method(:singleton_class?)
    CLASS_VARIABLES = Module.instance_method(:class_variables)
    CLASS_VARIABLE_GET = Module.instance_method(:class_variable_get)
    INSTANCE_VARIABLES = Kernel.instance_method(:instance_variables)
    INSTANCE_VARIABLE_GET = Kernel.instance_method(:instance_variable_get)
    TO_S = Kernel.instance_method(:to_s)
    EQUAL = BasicObject.instance_method(:equal?)
    FIBER_LOCALS = Thread.instance_method(:keys)
    FIBER_LOCAL_GET = Thread.instance_method(:[])
    THREAD_VARIABLES = Thread.instance_method(:thread_variables)
    THREAD_VARIABLE_GET = Thread.instance_method(:thread_variable_get)

    module_function

    # The value of a module's own constant. One that would have to be loaded first, or is gone, has none.
    #
    # A deprecated constant warns whoever reads it, wherever the process wants to hear of that. Nothing else silences
    # it; the three statements pass no point at which Ruby would let another thread run.
    #
    # @yieldparam value [Object]
    def constant(mod, name)
      return if AUTOLOAD.bind_call(mod, name, false)
      return unless CONST_DEFINED.bind_call(mod, name, false)
      return yield(CONST_GET.bind_call(mod, name, false)) unless Warning[:deprecated]

      begin
        Warning[:deprecated] = false
        value = CONST_GET.bind_call(mod, name, false)
      ensure
        Warning[:deprecated] = true
      end
      yield value
    end
  end
end
