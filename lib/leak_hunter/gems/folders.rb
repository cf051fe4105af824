# frozen_string_literal: true

module LeakHunter
  module Gems
    # Whose a file is, of the gems that are loaded in this process.
    class Folders
      # Of a gem in a folder with others (Debian's vendor_ruby), the path says less.
      GEM = %r{/gems/([\w.-]+?)-\d[\w.]*(?:-[\w-]+)?/}
      private_constant :GEM

      # @param names [Array<String>] the gems that are asked for
      def initialize(names)
        @names = names.to_h { |name| [name, true] }
        @folders = HeapUse.owners.select { |_, name| @names.key?(name) }
        @known = {}
      end

      # @return [String, nil] the gem
      def owner(path)
        @known.fetch(path) { @known[path] = find(path) }
      end

      private

      def find(path)
        name = path[(path.rindex("/gems/") || 0)..][GEM, 1]
        return name if name && @names.key?(name)

        @folders.each { |folder, gem| return gem if path.start_with?("#{folder}/") }
        nil
      end
    end
  end
end
