# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # Variables that live as long as the process, and what a file does with them: constants, class variables, globals,
      # and instance variables of classes and modules.
      module LongLivedRoots
        include Scopes

        GROWS = %i[<< push append add add? concat merge! update unshift prepend insert store enq enqueue write puts
                   print printf compute_if_absent put_if_absent fetch_or_store].freeze
        SHRINKS = %i[delete delete_if delete_at clear shift pop reject! select! filter! keep_if slice! compact! replace
                     truncate take! deq dequeue reopen evict prune expire compare_and_set].freeze
        # Of these, what they hold is bounded, or goes when nothing else needs it.
        BOUNDED = /LRU|LruRedux|TTL|Weak|Bounded|SizedQueue|Ring|MemoryStore|Expir/i

        COLLECTIONS = %w[Array Hash Set SortedSet Concurrent::Map Concurrent::Hash Concurrent::Array
                         Concurrent::Set].freeze

        # Of these a program has few.
        FEW = %i[class klass locale singleton_class].freeze

        # What a file does with one variable.
        Root = Struct.new(:name, :assigned, :growth, :shrinks) do
          def self.named(name) = new(name, [], [], false)
        end

        # @return [Hash{Array => Root}] by namespace and name
        def long_lived_roots
          return @long_lived_roots if @roots_of.equal?(processed_source)

          @roots_of = processed_source
          @long_lived_roots = Hash.new { |roots, key| roots[key] = Root.named(key.reject(&:empty?).join(".")) }
          processed_source.ast&.each_node { |node| note(node) }
          @long_lived_roots
        end

        private

        # Reports the first place where each collection without an end grows in the way that the block accepts.
        def report_growth_without_end(&)
          long_lived_roots.each_value do |root|
            growth = root.growth.find(&) if unbounded?(root)
            add_offense(growth, message: format(self.class::MSG, name: root.name)) if growth
          end
        end

        # @return [Array(String, String), nil] what a variable is called, if it lives as long as the process
        def root_of(node)
          case node&.type
          when :gvar, :gvasgn then ["", node.children.first.to_s]
          when :cvar, :cvasgn then [namespace(node), node.children.first.to_s]
          when :ivar, :ivasgn then [namespace(node), node.children.first.to_s] if self_is_class?(node)
          when :const then [owner_of(node), node.children.last.to_s] unless node.children.last.match?(/[[:lower:]]/)
          when :casgn then [namespace(node), node.children[1].to_s]
          end
        end

        # A constant is that of the innermost scope in this file that has one of its name.
        def owner_of(node)
          return node.children.first.const_name.to_s if node.children.first&.const_type?

          scopes = node.each_ancestor(:class, :module).map { |scope| scope.identifier.const_name }
          scopes.length.downto(0) do |size|
            scope = scopes.last(size).reverse.join("::")
            return scope if constants.include?([scope, node.children.last.to_s])
          end
          namespace(node)
        end

        def constants
          return @constants if @constants_of.equal?(processed_source)

          @constants_of = processed_source
          assignments = processed_source.ast&.each_node(:casgn).to_a
          @constants = assignments.to_set { |node| [namespace(node), node.children[1].to_s] }
        end

        def note(node)
          case node.type
          when :casgn, :gvasgn, :cvasgn, :ivasgn then assigned(node)
          when :or_asgn, :op_asgn then operated(node)
          when :send, :csend then called(node)
          end
        end

        def assigned(node)
          key = root_of(node) or return
          value = node.casgn_type? ? node.children[2] : node.children[1]
          return unless value # of `x ||= …`, which says so itself

          long_lived_roots_at(key).assigned << value
          long_lived_roots_at(key).shrinks = true if in_method?(node) # a new one takes its place
        end

        # `@x ||= {}` makes it; `@x[key] ||= …` and `@x += …` let it grow.
        def operated(node)
          target = node.children.first
          value = node.children.last
          if %i[send index].include?(target.type)
            grow(target.children.first, node)
          elsif (key = root_of(target))
            node.or_asgn_type? ? long_lived_roots_at(key).assigned << value : operator(key, node, value)
          end
        end

        # Only what makes a longer one: `+=` with an Array or a text.
        def operator(key, node, value)
          longer = node.children[1] == :+ && %i[array str dstr].include?(value.type)
          long_lived_roots_at(key).growth << node if longer && in_method?(node)
        end

        def called(node)
          if GROWS.include?(node.method_name) || node.method?(:[]=) then grow(node.receiver, node)
          elsif SHRINKS.include?(node.method_name) || limits?(node) then shrink(node.receiver)
          elsif node.method?(:remove_instance_variable) || node.method?(:instance_variable_set) then forget(node)
          end
        end

        # `X.size >= 100`, `X.freeze` in a method or below what fills it
        def limits?(node)
          return node.parent&.comparison_method? if %i[size length
                                                       count].include?(node.method_name) && node.parent&.send_type?

          node.method?(:freeze) && !node.parent&.casgn_type?
        end

        def grow(receiver, node)
          key = root_of(receiver) or return
          long_lived_roots_at(key).growth << node if in_method?(node)
        end

        def shrink(receiver)
          key = root_of(receiver) and long_lived_roots_at(key).shrinks = true
        end

        def forget(node)
          name = node.first_argument
          long_lived_roots_at([namespace(node), name.value.to_s]).shrinks = true if name&.sym_type?
        end

        def long_lived_roots_at(key) = @long_lived_roots[key]

        # @return [Boolean] whether every value that it is given is a collection without an end
        def unbounded?(root)
          !root.shrinks && root.assigned.any? && root.assigned.all? { |value| collection?(value) && !bounded?(value) }
        end

        def collection?(node)
          node = node.receiver if node.send_type? && node.method?(:compare_by_identity)
          return true if node.array_type? || node.hash_type?
          return collection?(node.send_node) if node.block_type?

          node.send_type? && node.method?(:new) && node.receiver&.const_type? &&
            COLLECTIONS.include?(node.receiver.const_name.delete_prefix("::"))
        end

        def bounded?(node) = node.source.match?(BOUNDED)

        # What is not the same each time: neither a literal nor a constant.
        def dynamic?(node)
          return false if node.nil?
          return node.children.any? { |child| dynamic?(child) } if node.array_type?
          return true if node.dstr_type? || node.dsym_type?
          return false if node.send_type? && FEW.include?(node.method_name)
          return false if node.lvar_type? && FEW.include?(node.children.first)

          !node.literal? && !node.const_type? && !node.self_type?
        end
      end
    end
  end
end
