# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # Names of variables, constants and methods, and keys of threads, stay for ever. Made from data, they never end.
      #
      # @example
      #   # bad
      #   def remember(id, value) = instance_variable_set("@user_#{id}", value)
      #
      #   # good
      #   def remember(id, value) = @users[id] = value
      class DynamicSymbol < Base
        include Scopes

        MSG = "Ruby never forgets a name. Made from data, such names never end; use a Hash."

        RESTRICT_ON_SEND = %i[instance_variable_set class_variable_set const_set thread_variable_set []=].freeze

        def on_send(node)
          return unless in_any_method?(node) && made_from_data?(node.first_argument) && !once?(node)
          return if %i[[]= thread_variable_set].include?(node.method_name) && !thread?(node.receiver)

          add_offense(node)
        end
        alias on_csend on_send

        private

        def made_from_data?(name)
          return false unless name

          case name.type
          when :dstr, :dsym then name.each_descendant(:lvar, :send, :ivar).any? { |part| !of_a_list?(part) }
          when :send then %i[to_sym intern].include?(name.method_name) && made_from_data?(name.receiver)
          else false
          end
        end

        # Whether it is one of a list that is written down, or of the columns of a table.
        def of_a_list?(part)
          return false unless part.lvar_type?

          block = part.each_ancestor(:block).find { |it| it.arguments.any? { |arg| arg.source == part.source } }
          list = block&.receiver
          !list.nil? && (list.array_type? || list.const_type? || list.source.match?(/(?:_names|columns|attributes)\z/))
        end

        def thread?(node) = node&.source.to_s.match?(/\A(?:::)?(?:Thread|Fiber)\.current\b|\A(?:::)?Fiber\z/)
      end
    end
  end
end
