# frozen_string_literal: true

module LeakHunter
  module Holders
    class Name
      # What holders are called that are known by what they are more than by where they are: living threads, locals of
      # threads, methods, the VM's tables.
      class OfKind
        # Stands for the name of the object that holds.
        PATH = "%PATH%"
        LOCALS = { "fiber_local" => "thread-local", "thread_variable" => "thread variable",
                   "fiber_storage" => "fiber storage" }.freeze
        private_constant :LOCALS

        # @param holder [Hash] see {Holders}
        def initialize(holder)
          @holder = holder
        end

        # @return [String, nil] nil where the path says it better
        def to_s
          case @holder[:kind]
          when "threads" then threads
          when "thread_locals" then locals
          when "methods" then singleton? ? "singleton methods of #{PATH}" : "methods of #{PATH}"
          when "method_cache" then singleton? ? "method cache of the class #{PATH}" : "method cache of #{PATH}"
          when "symbols" then "the VM's symbol table"
          when "last_value" then last_value
          end
        end

        # @return [Boolean] whether the class is the one whose singleton class this is
        def of_the_singleton_class?
          %w[methods method_cache].include?(@holder[:kind]) && singleton?
        end

        private

        def threads
          file, line = @holder[:site].values_at(:file, :line)
          name = @holder[:thread_name]
          ["threads", ("started at #{[in_project(file), line].compact.join(":")}" if file), ("(#{name})" if name)]
            .compact.join(" ")
        end

        # A thread is between the roots and its fibers.
        def last_value
          path = @holder[:path]
          execution = path.rindex { |step| %w[Thread Fiber].include?(step[:class]) }
          ["last value of an idle", execution ? path[execution][:class].downcase : "thread", thread].compact.join(" ")
        end

        def in_project(file)
          root = WorkingDirectory.path
          root ? file.delete_prefix("#{root}/") : file
        end

        def locals
          kind, pattern, count = @holder[:keys].values_at(:kind, :pattern, :count)
          words = LOCALS.fetch(kind)
          words = "#{words}s" if kind != "fiber_storage" && (pattern.nil? || count.to_i > 1)
          [words, thread, key(pattern)].compact.join(" ")
        end

        def thread = @holder[:path].filter_map { |step| step[:thread] }.last

        def key(pattern)
          return unless pattern

          pattern == Redaction::KEY ? "[#{pattern}]" : "[:#{pattern}]"
        end

        def singleton?
          step = @holder[:path][@holder[:position]]
          step[:class].to_s.start_with?("#<Class:")
        end
      end
    end
  end
end
