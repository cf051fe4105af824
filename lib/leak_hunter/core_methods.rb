# frozen_string_literal: true

require "leak_hunter/core_methods/constants"
require "leak_hunter/core_methods/lookup"

module LeakHunter
  # Ruby's own methods for looking at objects, without what an application's classes have made of them. Bound to an
  # object (`CONSTANTS.bind_call(mod, false)`) they work on any object, BasicObjects too, and run no code of its.
  #
  # An object of the application is never asked whether it is nil, equal, or of a class: `case`/`when`, `==`, `is_a?`,
  # interpolation and a Hash's look-up call methods that it, or its class, may define. {a?} and {same?} do not.
  module CoreMethods
    # @return [UnboundMethod]
    def self.core(owner, name) = Lookup.core(owner, name)

    # @return [Method] of a module itself, such as Thread.list
    def self.singleton(owner, name) = Lookup.singleton(owner, name)
    private_class_method :core, :singleton

    IS_A = core(Module, :===)
    EQUAL = core(BasicObject, :equal?)
    CLASS = core(Kernel, :class)
    TO_S = core(Kernel, :to_s)
    INSTANCE_VARIABLES = core(Kernel, :instance_variables)
    INSTANCE_VARIABLE_GET = core(Kernel, :instance_variable_get)

    CONSTANTS = core(Module, :constants)
    CONST_DEFINED = core(Module, :const_defined?)
    CONST_GET = core(Module, :const_get)
    MODULE_EVAL = core(Module, :module_eval)
    AUTOLOAD = core(Module, :autoload?)
    CONST_SOURCE_LOCATION = core(Module, :const_source_location)
    MODULE_NAME = core(Module, :name)
    SINGLETON_CLASS = core(Module, :singleton_class?)
    CLASS_VARIABLES = core(Module, :class_variables)
    CLASS_VARIABLE_GET = core(Module, :class_variable_get)
    ANCESTORS = core(Module, :ancestors)
    SUPERCLASS = core(Class, :superclass)
    METHOD_LISTS = [core(Module, :instance_methods), core(Module, :private_instance_methods)].freeze
    INSTANCE_METHOD = core(Module, :instance_method)
    METHOD_LOCATION = core(UnboundMethod, :source_location)

    BINDING = core(Proc, :binding)
    PROC_LOCATION = core(Proc, :source_location)
    LOCALS = core(Binding, :local_variables)
    LOCAL_GET = core(Binding, :local_variable_get)
    SELF = core(Binding, :receiver)
    METHOD_RECEIVER = core(Method, :receiver)
    METHOD_OWNER = core(Method, :owner)
    UNBOUND_METHOD_OWNER = core(UnboundMethod, :owner)

    ARRAY_INDEX = core(Array, :index)
    HASH_SIZE = core(Hash, :size)
    HASH_KEYS = core(Hash, :keys)
    HASH_VALUES = core(Hash, :values)
    HASH_DEFAULT = core(Hash, :default)
    HASH_DEFAULT_PROC = core(Hash, :default_proc)
    WEAK_MAP_KEYS = core(ObjectSpace::WeakMap, :keys)
    WEAK_MAP_VALUES = core(ObjectSpace::WeakMap, :values)
    RANGE_BEGIN = core(Range, :begin)
    RANGE_END = core(Range, :end)
    STRUCT_MEMBERS = core(Struct, :members)
    STRUCT_VALUES = core(Struct, :to_a)
    # Data is a class of Ruby's own since 3.2; before, the name meant something else.
    DATA_TO_H = (core(Data, :to_h) if RUBY_VERSION.to_f >= 3.2)

    # Set is one of Ruby's own classes since 4.0; before, it is written in Ruby.
    SET_ELEMENTS = (core(Set, :to_a) if RUBY_VERSION.to_f >= 4.0)

    CAUSE = core(Exception, :cause)
    RECEIVERS = [NameError, KeyError, FrozenError].map { |type| [type, core(type, :receiver)].freeze }.freeze

    THREADS = singleton(Thread, :list)
    THREAD_START = singleton(Thread, :start)
    THREAD_JOIN = core(Thread, :join)
    THREAD_KILL = core(Thread, :kill)
    THREAD_NAME = core(Thread, :name)
    FIBER_LOCALS = core(Thread, :keys)
    FIBER_LOCAL_GET = core(Thread, :[])
    THREAD_VARIABLES = core(Thread, :thread_variables)
    THREAD_VARIABLE_GET = core(Thread, :thread_variable_get)
    FIBER_STORAGE = (core(Fiber, :storage) if Fiber.method_defined?(:storage)) # Ruby >= 3.2

    GLOBALS = singleton(Kernel, :global_variables)
    EVAL = singleton(Kernel, :eval)
    SYMBOLS = singleton(Symbol, :all_symbols)
    EACH_OBJECT = singleton(ObjectSpace, :each_object)
    # objspace has it, which is loaded when it is used.
    autoload :REFERENCES, "leak_hunter/core_methods/references"
    CLOCK = singleton(Process, :clock_gettime)
    # Of this thread: what other threads and processes use does not count.
    PROCESSOR_TIME = %i[CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC]
                     .find { |name| Process.const_defined?(name) }.then { |name| Process.const_get(name) }
    WARNING_GET = singleton(Warning, :[])

    SYMBOL_NAME = core(Symbol, :name)
    SYMBOL_INSPECT = core(Symbol, :inspect)
    STRING_INSPECT = core(String, :inspect)
    STRING_SIZE = core(String, :bytesize)
    STRING_ENCODING = core(String, :encoding)
    STRING_BYTES = core(String, :b)
    INTEGER_INSPECT = core(Integer, :inspect)
    INTEGER_BITS = core(Integer, :bit_length)
    FLOAT_INSPECT = core(Float, :inspect)

    module_function

    # @return [Float] seconds of {PROCESSOR_TIME}
    def processor_time = CLOCK.call(PROCESSOR_TIME)

    # @return [Boolean] whether the object is of this class or module
    def a?(object, type) = IS_A.bind_call(type, object)

    # @return [Boolean] whether both are one object
    def same?(object, other) = EQUAL.bind_call(object, other)

    # The values of a module's own constants. Those that would have to be loaded first, or are gone, have none.
    #
    # @param names [Array<Symbol>]
    # @yieldparam name [Symbol]
    # @yieldparam value [Object]
    def each_constant(mod, names, &) = Constants.each(mod, names, &)

    # @param string [String] of any subclass, in any encoding
    # @return [String] the same text in valid UTF-8, in a String of its own
    def utf8(string)
      text = STRING_BYTES.bind_call(string).force_encoding(STRING_ENCODING.bind_call(string))
      text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
    rescue EncodingError # one that has no converter
      text.force_encoding(Encoding::UTF_8).scrub
    end

    # @return [String] the name of a variable or constant, in valid UTF-8
    def name_of(symbol) = utf8(SYMBOL_NAME.bind_call(symbol))
  end
end
