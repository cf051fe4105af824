# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # A file, a connection or a client is opened at each call, used, and left to the garbage collector. Memory and
      # threads of clients are often not freed by it.
      #
      # @example
      #   # bad
      #   def export(rows)
      #     file = Tempfile.new("rows")
      #     file.write(rows.join)
      #   end
      #
      #   # good
      #   def export(rows)
      #     Tempfile.create("rows") { |file| file.write(rows.join) }
      #   end
      class ResourcePerCall < Base
        include Scopes

        MSG = "This is opened at each call, and not closed. Use the form with a block, or close it in `ensure`."

        OPENS = { "Tempfile" => %i[new open create], "File" => %i[new open], "IO" => %i[popen],
                  "TCPSocket" => %i[new open], "UNIXSocket" => %i[new open], "Net::HTTP" => %i[start],
                  "Redis" => %i[new], "PG" => %i[connect],
                  "Mysql2::Client" => %i[new], "SQLite3::Database" => %i[new open], "Dir" => %i[new open],
                  "Zip::File" => %i[open], "Net::SSH" => %i[start], "Net::FTP" => %i[new open] }.freeze
        # Clients and pools with threads of their own, or memory that no collection frees.
        CLIENTS = /\AAws::.*Client\z|::Stub\z|\ANet::HTTP::Persistent\z|\AConcurrent::\w+(?:Pool|Executor)\z/
        CLOSES = /\A(?:close|close!|unlink|finish|quit|disconnect!?|shutdown|stop)\z/
        RESTRICT_ON_SEND = OPENS.values.flatten.uniq.freeze

        def on_send(node)
          return unless in_any_method?(node) && opens?(node) && !node.block_node && !node.block_argument?

          variable = node.parent
          dropped = variable&.call_type? && variable.receiver.equal?(node) && !closed?(node)
          return unless dropped ? node.receiver.const_name.match?(CLIENTS) : variable&.lvasgn_type? && left?(variable)

          add_offense(node)
        end

        private

        def opens?(node)
          return false unless node.receiver&.const_type?

          name = node.receiver.const_name.delete_prefix("::")
          OPENS[name].to_a.include?(node.method_name) || (node.method?(:new) && name.match?(CLIENTS))
        end

        # Whether it is only used in this method: neither closed, nor handed on, nor returned.
        def left?(assignment)
          method = assignment.each_ancestor(:def, :defs).first or return false
          uses = method.each_descendant(:lvar).select { |use| use.children.first == assignment.children.first }
          method.body != assignment && uses.all? { |use| called?(use) } && uses.none? { |use| closed?(use) }
        end

        def called?(use) = use.parent.call_type? && use.parent.receiver.equal?(use)

        def closed?(use) = use.parent.method_name.match?(CLOSES)
      end
    end
  end
end
