# frozen_string_literal: true

module LeakHunter
  module CoreMethods
    # Finds a method as Ruby itself defined it, where an application (or a library such as Timecop) has prepended to it
    # or replaced it before LeakHunter was loaded.
    module Lookup
      # Stands for a method that was replaced and is nowhere to be found. Whoever needs it goes without a name.
      class Lost
        def initialize(name)
          @name = name
          freeze
        end

        def bind_call(*) = raise(NoMethodError, "#{@name} was replaced before LeakHunter was loaded")
        alias call bind_call
      end

      # How Ruby calls the file of its own methods that are written in Ruby.
      INTERNAL = "<internal:"

      INSTANCE_METHOD = Module.instance_method(:instance_method)
      NAMES = [Module.instance_method(:instance_methods), Module.instance_method(:private_instance_methods)].freeze
      private_constant :INTERNAL, :INSTANCE_METHOD, :NAMES

      class << self
        # @return [UnboundMethod, Lost]
        def core(owner, name)
          method = INSTANCE_METHOD.bind_call(owner, name)
          method = method.super_method until method.nil? || (method.owner.equal?(owner) && core?(method))
          method || aliased(owner, name) || Lost.new("#{owner}##{name}")
        end

        # @return [Method, Lost]
        def singleton(owner, name)
          method = core(owner.singleton_class, name)
          method.is_a?(Lost) ? method : method.bind(owner)
        end

        private

        # Neither written in Ruby nor a wrapper around what is.
        def core?(method)
          file, = method.source_location
          file.nil? || file.start_with?(INTERNAL)
        end

        # Who replaces a method often keeps the old one under another name.
        def aliased(owner, name)
          NAMES.each do |list|
            list.bind_call(owner, false).each do |other|
              method = INSTANCE_METHOD.bind_call(owner, other)
              return method if method.original_name == name && method.owner.equal?(owner) && core?(method)
            end
          end
          nil
        end
      end
    end
    private_constant :Lookup
  end
end
