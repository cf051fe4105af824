# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter gems 3.json`
    class GemsCommand < FindingsCommand
      def self.summary = "list gems of the Gemfile that are probably unused"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter gems [OPTIONS] [DUMP]"
        parser.separator "\nLists the gems of a Gemfile, those that are probably unused first. A dump of the\n" \
                         "application tells most, taken when it has served for a while; without one its\n" \
                         "files are searched alone.\n\n"
        parser.on("--dir DIR", "the project; default: this directory") { |dir| @dir = dir }
        parser.on("--lockfile FILE", "another Gemfile.lock than the project's") { |file| @lockfile = file }
        parser.on("--[no-]sources", "search the project's files; default: yes") { |sources| @sources = sources }
        parser.on("--[no-]gemfile", "evaluate the Gemfile for its groups;", "default: yes") { |it| @gemfile = it }
        parser.on("--all", "say why each gem is used, too") { @all = true }
        parser.on("--boot", "measure the memory and the time that each",
                  "takes to load, in a process of its own") { @boot = true }
        parser.on("--gemfile-diff", "print a patch of the Gemfile instead") { @diff = true }
        define_findings(parser)
      end

      def execute(paths)
        raise UsageError, "gems: expected one dump at most, got #{paths.size}" if paths.size > 1

        dir = File.expand_path(@dir || ".")
        raise UsageError, "--dir: #{Printable.call(dir)} is no directory" unless File.directory?(dir)

        rows = Gems.call(paths.first, dir:, lockfile: @lockfile, sources: @sources != false, heap: paths.any?,
                                      manifest: manifest(dir))
        rows = Gems::Boot.call(rows, dir) if @boot
        report(rows, dir)
        conclude(rows.select { |row| row[:severity] }, inconclusive: rows.all? { |row| row[:verdict] == "unknown" })
      end

      # The Gemfile is the project's own code, and this is a process of its own.
      def manifest(dir)
        lock = @lockfile || Project::Lockfile.find(dir) or return
        @gemfile == false ? Gems::Manifest.new([]) : Gems::Manifest.of_lock(lock)
      end

      def report(rows, dir)
        if @diff then deliver(Gems::GemfileDiff.call(rows, dir))
        elsif json? then deliver_json(gems: rows)
        else
          deliver(Gems::Text.new(rows, style:, width:, all: @all).to_s)
        end
      end
    end
  end
end
