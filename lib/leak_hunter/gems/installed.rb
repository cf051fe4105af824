# frozen_string_literal: true

module LeakHunter
  module Gems
    # What the source of an installed gem does when it is loaded, and no call from outside would show: it runs at exit,
    # it is told of events, it has tasks of its own. Files are read as text; nothing of the gem is run.
    module Installed
      # At the start of a line, so that comments do not count.
      SIGNS = {
        /^\s*(?:Kernel\.)?at_exit\b/ => "it has an at_exit block",
        /^\s*[\w:.=@ ]*\bNotifications\.(?:monotonic_)?subscribe\b/ => "it subscribes to notifications",
        /^\s*[\w:.]*I18n\.load_path\b/ => "it adds translations",
        /^\s*(?:Signal\.|Kernel\.)?trap\b/ => "it handles signals"
      }.freeze
      # A method of several lines.
      METHOD = /\A\s*(?:private |public |protected )?def\b(?!.*(?:;\s*end\b|\)\s*=\s|\w[?!]? = ))/n
      # Of a gem so many files are read, and of a file so many bytes.
      FILES = 1_000
      BYTES = 1 << 20
      # Of one sign so many places in a file are looked at.
      PLACES = 20
      private_constant :SIGNS, :METHOD, :FILES, :BYTES, :PLACES

      class << self
        # @param name [String] of a gem
        # @param version [String, nil]
        # @return [Array<String>] none where it is not installed here
        def signs(name, version)
          folder = folder(name, version) or return []
          [*("it has rake tasks" if tasks?(folder)), *("it has generators" if generators?(folder)), *in_files(folder)]
        end

        private

        # A folder of its own: what a distribution has put elsewhere may be that of many gems.
        def folder(name, version)
          specs = Gem::Specification.find_all_by_name(name)
          spec = specs.find { |it| it.version.to_s == version } || specs.max_by(&:version)
          spec&.full_gem_path if spec && File.directory?(spec.full_gem_path) && !spec.default_gem?
        end

        def tasks?(folder)
          Dir.glob("**/*.rake", base: folder).any? { |path| !path.start_with?("test/", "spec/") }
        end

        def generators?(folder) = File.directory?(File.join(folder, "lib/generators"))

        def in_files(folder)
          found = {}
          Dir.glob("lib/**/*.rb", base: folder).first(FILES).each do |path|
            text = File.binread(File.join(folder, path), BYTES).to_s
            SIGNS.each { |sign, words| found[words] ||= text.match?(sign) && at_load?(text.lines, sign) }
          rescue SystemCallError
            next
          end
          found.select { |_, seen| seen }.keys
        end

        # Whether it stands outside of all methods, so that it is done when the file is loaded.
        def at_load?(lines, sign)
          places = lines.each_index.select { |index| lines[index].match?(sign) }
          places.first(PLACES).any? { |place| !in_method?(lines, place) }
        end

        # By the indentation: a method that begins above, less indented, and has not ended there.
        def in_method?(lines, place)
          depth = indentation(lines[place])
          ended = {}
          lines.first(place).reverse_each.any? do |line|
            ended[indentation(line)] = true if line.match?(/\A\s*end\b/n)
            line.match?(METHOD) && indentation(line) < depth && !ended[indentation(line)]
          end
        end

        def indentation(line) = line[/\A[ \t]*/n].length
      end
    end
  end
end
