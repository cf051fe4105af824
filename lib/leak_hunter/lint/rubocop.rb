# frozen_string_literal: true

module LeakHunter
  class Lint
    # Runs the project's own RuboCop, as a process of its own, for an explicit list of cops: whatever the project
    # enables, and without its configuration. Cops that its versions do not have are left out.
    class RuboCop
      # RuboCop's own, and those of its extensions, that say something of memory.
      COPS = %w[
        Style/ClassVars Style/GlobalVars Style/MutableConstant Style/OpenStructUse
        Performance/Caller Performance/ChainArrayAllocation Performance/CollectionLiteralInLoop
        Performance/ConstantRegexp Performance/IoReadlines Performance/MapMethodChain Performance/MethodObjectAsBlock
        Performance/OpenStruct Performance/RedundantStringChars Performance/SelectMap
        Performance/StringIdentifierArgument Performance/TimesMap Performance/UnfreezeString
        Rails/FindEach
        ThreadSafety/ClassAndModuleAttributes ThreadSafety/ClassInstanceVariable
        ThreadSafety/MutableClassInstanceVariable ThreadSafety/NewThread ThreadSafety/RackMiddlewareInstanceVariable
      ].freeze

      # Of these a collection that lives as long as the process may come; the others allocate more than they need.
      LONG_LIVED = %w[Style/ClassVars Style/GlobalVars Style/MutableConstant ThreadSafety/ClassAndModuleAttributes
                      ThreadSafety/ClassInstanceVariable ThreadSafety/MutableClassInstanceVariable
                      ThreadSafety/RackMiddlewareInstanceVariable ThreadSafety/NewThread].freeze

      EXTENSIONS = %w[rubocop-performance rubocop-thread_safety rubocop-rails].freeze
      RUNNER = File.join(__dir__, "rubocop/runner.rb")
      private_constant :RUNNER

      # What it found.
      #
      # @!attribute offences
      #   @return [Array<Hash>] `:rule`, `:path`, `:line`, `:column`, `:message`
      # @!attribute version
      #   @return [String, nil] "rubocop 1.39.0, rubocop-performance 1.7.1"; nil if it did not run
      # @!attribute problem
      #   @return [String, nil] why it did not run, or did not read all files
      Result = Struct.new(:offences, :version, :problem, keyword_init: true)

      # @param dir [String] the project's folder
      # @param files [Array<String>] relative to it
      # @param lockfile [Project::Lockfile, nil]
      def initialize(dir, files, lockfile: nil)
        @dir = dir
        @files = files
        @lockfile = lockfile
      end

      # @return [Result]
      def call
        return Result.new(offences: [], problem: absent) unless bundled? || plain?
        return Result.new(offences: []) if @files.empty?

        interpret(*run)
      rescue Errno::ENOENT => e
        Result.new(offences: [], problem: "RuboCop was not run: #{e.message}")
      end

      private

      def absent
        "RuboCop was not run: the project does not have it (add rubocop and rubocop-performance to its Gemfile)"
      end

      # Whether the project's bundle has it.
      def bundled? = !@lockfile&.[]("rubocop").nil?

      # Whether it has settings for one that is installed beside the bundle.
      def plain?
        File.exist?(File.join(@dir, ".rubocop.yml")) && Gem::Specification.any? { |spec| spec.name == "rubocop" }
      end

      def command
        ruby = [Gem.ruby, RUNNER]
        bundled? && !ENV["BUNDLE_GEMFILE"] ? ["bundle", "exec", *ruby] : ruby
      end

      # @return [Array(String, String, Process::Status)]
      def run
        require "json"
        require "open3"
        request = JSON.generate(cops: COPS, extensions: EXTENSIONS, files: @files)
        Open3.capture3({ "RUBYOPT" => ENV.fetch("RUBYOPT", nil) }, *command, stdin_data: request, chdir: @dir)
      end

      def interpret(output, errors, status)
        answer = JSON.parse(output, symbolize_names: true)
        offences = answer.fetch(:files).flat_map { |file| file[:offenses].filter_map { |it| offence(file[:path], it) } }
        Result.new(offences:, version: answer.fetch(:versions), problem: unreadable(answer.fetch(:files)))
      rescue JSON::ParserError, KeyError
        said = Printable.call(errors.lines.reverse.find { |line| !line.strip.empty? }.to_s.strip)
        Result.new(offences: [], problem: "RuboCop was not run: it ended with status #{status.exitstatus}: #{said}")
      end

      def offence(path, offence)
        return unless COPS.include?(offence[:cop_name])

        { rule: offence[:cop_name], path:, line: offence.dig(:location, :line), column: offence.dig(:location, :column),
          message: offence[:message].delete_prefix("#{offence[:cop_name]}: ") }
      end

      def unreadable(files)
        broken = files.select { |file| file[:offenses].any? { |it| it[:cop_name] == "Lint/Syntax" } }
        "RuboCop could not read #{broken.map { |file| file[:path] }.first(3).join(", ")}" if broken.any?
      end
    end
  end
end
