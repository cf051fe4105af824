# frozen_string_literal: true

module LeakHunter
  class Lint
    # How many bytes grew in a file: what was allocated there, and what is held by classes that it defines.
    class Grown
      MODULES = %w[CLASS MODULE].freeze
      private_constant :MODULES

      # @param result [Hash, nil] of a diff
      # @param dir [String] the project's folder, absolute
      # @param paths [Array<String>] of its files, relative to it
      def initialize(result, dir, paths)
        @dir = dir
        @by_path = Hash.new(0)
        growing = result && result[:holders] ? Report::Findings.new(result).growing : []
        return if growing.empty?

        known = paths.to_h { |path| [path, true] }
        defining = definitions(growing, paths)
        growing.each { |holder| places(holder, known, defining).each { |path| @by_path[path] += grown(holder) } }
      end

      # @return [Integer]
      def bytes(path) = @by_path[path]

      private

      def grown(holder) = Report::Findings.windows(holder).sum { |window| window[:memsize] }

      def places(holder, known, defining)
        file = holder.dig(:entries, :file)&.delete_prefix("#{@dir}/")
        [(file if known[file]), *owners(holder).flat_map { |name| defining.fetch(name, []) }].compact.uniq
      end

      # The last parts of the names of classes: the one whose variable it is ("Prices" of "Shop::Prices.@quotes"), and
      # those of the objects on the way to it. Not of the modules around them, which many files open.
      def owners(holder)
        on_the_way = holder[:path].take(holder[:position].to_i + 1).reject { |step| MODULES.include?(step[:type]) }
        names = [holder[:name].to_s[/\A[\w:]+(?=\.@)/], *on_the_way.map { |step| step[:class] }].compact
        names.filter_map { |name| name[/\A(?:[A-Z]\w*(?:::|\z))+\z/]&.split("::")&.last }.uniq
      end

      # Which files define one of these, by the last part of its name.
      def definitions(growing, paths)
        names = growing.flat_map { |holder| owners(holder) }.uniq
        return {} if names.empty?

        pattern = /^\s*(?:class|module)\s+(?:\w+::)*(#{Regexp.union(names)})\b/
        paths.each_with_object(Hash.new { |hash, name| hash[name] = [] }) do |path, found|
          text = File.binread(File.join(@dir, path))
          text.scan(pattern) { |(name)| found[name.force_encoding(Encoding::UTF_8)] << path }
        rescue SystemCallError
          next
        end
      end
    end
  end
end
