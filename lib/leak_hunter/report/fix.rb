# frozen_string_literal: true

module LeakHunter
  class Report
    # What usually mends a holder of this shape: a sentence for each common mechanism. The first that applies is the
    # most special one.
    class Fix
      # A mechanism: what it is called, what to do, and how it is recognized.
      Rule = Struct.new(:name, :text, :applies)

      SUBSCRIBERS = /subscri|listener|observer|callback|handler|hook/i
      LOCALS = %w[fiber_local thread_variable fiber_storage].freeze

      # @param text [String] in lines that are joined
      def self.make(name, text, &applies) = Rule.new(name, text.split("\n").join(" ").freeze, applies)
      private_class_method :make

      RULES = [
        make(:finalizer, <<~TEXT) { |it| it.root == "finalizers" },
          A finalizer's block keeps what it refers to. Make the block in a class method, so that it does not refer to
          the object itself.
        TEXT
        make(:at_exit, <<~TEXT) { |it| it.root == "end_proc" },
          Each call of at_exit adds a block. Call it once, at boot.
        TEXT
        make(:signal_handler, <<~TEXT) { |it| it.root == "trap_list" },
          A signal handler's block keeps its locals. Set the handler once, at boot.
        TEXT
        make(:symbols, <<~TEXT) { |it| it.kind == "symbols" || %w[symbols global_symbols].include?(it.root) },
          Names of variables, methods and constants stay for ever. Do not make them from data; use a Hash.
        TEXT
        make(:class_per_call, <<~TEXT) { |it| it.leaks?("CLASS", "MODULE", "ICLASS") },
          A class is made each time. Make it once, or use a block or an object instead.
        TEXT
        make(:last_value, <<~TEXT) { |it| it.kind == "last_value" },
          A thread that waits keeps its last value until the next one comes. If it is large, set the variable to nil
          before waiting.
        TEXT
        make(:methods, <<~TEXT) { |it| it.kind == "methods" },
          Methods are defined again and again. Define them once, or use a block in a Hash.
        TEXT
        make(:method_cache, <<~TEXT) { |it| it.kind == "method_cache" },
          Evaluated code makes new call sites each time. Do not eval in a loop; use public_send or a block.
        TEXT
        make(:thread_never_ended, <<~TEXT) { |it| it.kind == "threads" || it.leaks_class?("Thread") },
          These threads never end. Stop them, or use a pool.
        TEXT
        make(:thread_local, <<~TEXT) { |it| it.kind == "thread_locals" || it.edges?(LOCALS) },
          A thread that is used again keeps its locals. Clear them at the end of the request or job, and use one key,
          not one for each.
        TEXT
        make(:subscriber, <<~TEXT) { |it| it.keeps?("Proc") && it.name.match?(SUBSCRIBERS) },
          A block is added at each call, and never removed. Subscribe once, or unsubscribe. Each block keeps its locals.
        TEXT
        make(:closure, <<~TEXT) { |it| it.keeps?("Proc") || it.edges?(%w[captured]) },
          A block keeps the locals of the method that made it, also those that it does not use. Set them to nil, or
          make the block in a method of its own.
        TEXT
        make(:memo, <<~TEXT) { |it| it.type == "HASH" && it.edges?(%w[instance_variable class_variable]) },
          If this is a memo or a cache: it has an entry for each key that ever came. Limit its size, or clear it at the
          end of the request or job.
        TEXT
        make(:unbounded, <<~TEXT) { |it| %w[HASH ARRAY].include?(it.type) }
          Nothing removes these entries. Limit the size, or remove them when they are done with.
        TEXT
      ].freeze

      # @param holder [Hash] see {LeakHunter::Holders}
      # @return [Rule, nil] nil where no mechanism is recognized
      def self.rule(holder, result)
        shape = Shape.new(holder, result)
        RULES.find { |it| it.applies.call(shape) }
      end

      # What rules ask of a holder.
      class Shape
        def initialize(holder, result)
          @holder = holder
          @path, @position = holder.values_at(:path, :position)
          @result = result
        end

        # @return [String] what kind of holder it is
        def kind = @holder[:kind]

        # @return [String] what the holder is called
        def name = @holder[:name].to_s

        # @return [String, nil] category of the root that the holder is
        def root = (@path.first[:class] if @holder[:kind] == "root" || @position.zero?)

        # @return [String, nil] the type of the collection that grows, "HASH"
        def type = @path[grown]&.fetch(:type, nil)

        # Whether what it keeps first is of this class.
        def keeps?(name) = @path.drop(grown + 1).first(2).any? { |step| step[:class] == name }

        # Whether one of these kinds of edges leads to it, or from it.
        def edges?(kinds)
          @path[grown, 2].any? { |step| kinds.include?(step[:edge][:kind]) }
        end

        # Whether most of what leaked has one of these types.
        def leaks?(*types) = types.include?(largest&.fetch(:type, nil))

        def leaks_class?(name) = largest&.fetch(:class, nil) == name

        private

        def grown = @grown ||= Findings.position_of_growth(@holder)

        def largest
          share = @holder[:groups].first
          share && @result[:groups][share[:index]]
        end
      end
      private_constant :Shape
    end
  end
end
