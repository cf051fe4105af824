# frozen_string_literal: true

module LeakHunter
  module Holders
    # What a holder is called: the last thing on the path to it that has a name of its own, and from there how each
    # object refers to the next.
    class Name
      autoload :OfKind, "leak_hunter/holders/name/of_kind"

      # Kinds of names that need nothing in front of them.
      ANCHORS = %w[global fiber_local thread_variable fiber_storage].freeze

      # From the most certain to the least.
      SOURCES = %w[dump shape position live].freeze

      ROOTS = {
        "finalizers" => "finalizers (ObjectSpace.define_finalizer)",
        "end_proc" => "at_exit blocks",
        "global_tbl" => "global variables",
        "machine_context" => "the stack",
        "trap_list" => "signal handlers"
      }.freeze

      # What joins a step to the one that refers to it.
      JOINTS = {
        "constant" => "::", "instance_variable" => ".", "class_variable" => ".", "struct_member" => "",
        "hash_value" => "", "array_element" => ""
      }.freeze

      # Edges that are not written: which element or entry it is says little, and changes.
      SILENT = %w[reference class array_element hash_entry hash_value hash_key].freeze

      # Edges from a class to a block that is a method.
      METHODS = %w[method class_attribute].freeze
      SINGLETON = " → singleton_class"
      CLASS_ATTRIBUTE = " (class_attribute)"

      # Of a class that another one of its name has replaced.
      REPLACED = " (replaced since)"

      # @param step [Hash] of a path
      # @return [Boolean] whether Ruby code could have a reference to it
      def self.visible?(step)
        name, type = step.values_at(:class, :type)
        name && !%w[IMEMO ICLASS].include?(type) && !(type == "DATA" && name.start_with?("VM/"))
      end

      # @param holder [Hash] see {Holders}; without a position, what its path leads to
      def initialize(holder)
        @holder = holder
        @path = holder[:path]
        @position = holder[:position] || (@path.size - 1)
        @position -= 1 if OfKind.new(holder).of_the_singleton_class?
        @sources = []
        @name = compose
      end

      # @return [String, nil]
      def to_s = @name

      # @return [Hash] what a holder says of it
      def to_h = { name: to_s, named_by: }

      # @return [String, nil]
      def named_by = @name && @sources.max_by { |source| SOURCES.index(source) || SOURCES.size }

      # @return [Integer] where in the path the name begins
      def self.anchor(path, position)
        path[0..position].rindex { |step| anchor?(step) }
      end

      def self.anchor?(step)
        ANCHORS.include?(step[:edge][:kind]) ||
          (%w[CLASS MODULE].include?(step[:type]) && step[:class] && !step[:class].start_with?("#<") && !step[:old])
      end

      private

      def compose
        of_the_kind = OfKind.new(@holder).to_s or return compose_path

        @sources << "dump"
        of_the_kind.sub(OfKind::PATH) { compose_path || "an unnamed class" }
      end

      def compose_path
        anchor = self.class.anchor(@path, @position)
        return root unless anchor

        name = start(@path[anchor]).dup
        @path[(anchor + 1)..@position].each { |step| append(name, step) if self.class.visible?(step) }
        name.delete_prefix("Object::")
      end

      def start(step)
        edge = step[:edge]
        unless ANCHORS.include?(edge[:kind])
          @sources << "dump"
          return step[:class]
        end

        @sources << edge[:named_by]
        local = key(edge[:name])
        case edge[:kind]
        when "global" then edge[:name]
        when "fiber_local" then "thread-local #{thread}#{local}"
        when "thread_variable" then "thread variable #{thread}#{local}"
        else "fiber storage #{local}"
        end
      end

      # A dump has a Symbol's bare name, a living object was inspected.
      def key(name)
        return "[#{name}]" if name == Redaction::KEY

        name.start_with?("[") && name.end_with?("]") ? name : "[:#{name.delete_prefix(":")}]"
      end

      # The name that a thread was given. It is the step before, or its fiber is.
      def thread = @path.filter_map { |step| step[:thread] }.last.to_s

      def append(name, step)
        kind, own, source = step[:edge].values_at(:kind, :name, :named_by)
        return if kind == "local" && name.end_with?(CLASS_ATTRIBUTE) # the value that it returns

        if METHODS.include?(kind) then append_method(name, step)
        elsif own.nil? || step[:old]
          append_class(name, step)
        else
          @sources << source
          name << (JOINTS[kind] || " → ") << own
        end
      end

      # A method that is a block, with what the block captured.
      def append_method(name, step)
        kind, own, source = step[:edge].values_at(:kind, :name, :named_by)
        @sources << source
        of_class = name.delete_suffix!(SINGLETON)
        name << (of_class ? "." : "#") << own
        name << CLASS_ATTRIBUTE if kind == "class_attribute"
      end

      # Of a linked list one link is enough, and of a collection inside a wrapper the wrapper.
      def append_class(name, step)
        last = step.equal?(@path[@position])
        return name << " → #{step[:class]}#{REPLACED}" if step[:old]

        return if SILENT.include?(step[:edge][:kind]) && last && name != "Object"

        name << " → #{step[:class]}" unless name.end_with?(" → #{step[:class]}")
      end

      def root
        step = @path.find { |it| ROOTS.key?(it[:class]) && it[:type] == "ROOT" }
        return visible_root unless step

        @sources << "dump"
        ROOTS.fetch(step[:class])
      end

      # Nothing has a name: a thread's stack, with the classes on the path.
      def visible_root
        index = @path[0..@position].rindex { |step| step[:class] == "Thread" } or return vm_root

        @sources << "dump"
        name = +"thread stack #{@path[index][:thread]}".rstrip
        @path[(index + 1)..@position].each { |step| append(name, step) if self.class.visible?(step) }
        name
      end

      # What the VM itself holds, such as the handlers of signals and of trace points.
      def vm_root
        steps = @path[1..@position].select { |step| self.class.visible?(step) }
        return if steps.size < 2

        @sources << "dump"
        steps.drop(1).each_with_object(+"a #{steps.first[:class]} of the VM") { |step, name| append(name, step) }
      end
    end
  end
end
