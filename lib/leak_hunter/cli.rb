# frozen_string_literal: true

require "leak_hunter/version"
require "leak_hunter/arguments"
require "leak_hunter/errors"
require "leak_hunter/terminal"

module LeakHunter
  # The command line: `leak_hunter COMMAND …`. Each command is a class of its own in `leak_hunter/cli/`.
  #
  # Exit statuses: 0 success (also when the reader closed the pipe), 1 failure, 2 wrong usage, 130 interrupted. The
  # reason goes to standard error. Commands that list findings have more of them (FindingsCommand).
  class CLI
    autoload :AdvisoriesCommand, "leak_hunter/cli/advisories_command"
    autoload :CheckupCommand, "leak_hunter/cli/checkup_command"
    autoload :Command, "leak_hunter/cli/command"
    autoload :DiffCommand, "leak_hunter/cli/diff_command"
    autoload :ExportCommand, "leak_hunter/cli/export_command"
    autoload :FindingsCommand, "leak_hunter/cli/findings_command"
    autoload :FlameCommand, "leak_hunter/cli/flame_command"
    autoload :GemsCommand, "leak_hunter/cli/gems_command"
    autoload :HeapCommand, "leak_hunter/cli/heap_command"
    autoload :HelpCommand, "leak_hunter/cli/help_command"
    autoload :LastReport, "leak_hunter/cli/last_report"
    autoload :LintCommand, "leak_hunter/cli/lint_command"
    autoload :NameLookup, "leak_hunter/cli/name_lookup"
    autoload :ProgressBar, "leak_hunter/cli/progress_bar"
    autoload :Repetition, "leak_hunter/cli/repetition"
    autoload :RootPaths, "leak_hunter/cli/root_paths"
    autoload :StandardInput, "leak_hunter/cli/standard_input"
    autoload :StateFolder, "leak_hunter/cli/state_folder"
    autoload :Timings, "leak_hunter/cli/timings"
    autoload :TopCommand, "leak_hunter/cli/top_command"
    autoload :WhyCommand, "leak_hunter/cli/why_command"
    autoload :WhyReport, "leak_hunter/cli/why_report"

    # A new command is one line here and one file.
    COMMANDS = {
      "checkup" => :CheckupCommand, "diff" => :DiffCommand, "why" => :WhyCommand, "top" => :TopCommand,
      "flame" => :FlameCommand, "export" => :ExportCommand, "gems" => :GemsCommand, "advisories" => :AdvisoriesCommand,
      "lint" => :LintCommand, "help" => :HelpCommand
    }.freeze

    SUCCESS = 0
    FAILURE = 1
    WRONG_USAGE = 2
    INTERRUPTED = 130

    attr_reader :stdin, :stdout, :stderr

    # What {#run} returns where nothing failed.
    attr_writer :status

    VERSION_OPTIONS = %w[--version -v -V].freeze
    HELP_OPTIONS = %w[--help -h].freeze

    # @param name [String]
    # @return [Class]
    # @raise [UsageError]
    def self.command(name)
      constant = COMMANDS[name] or
        raise UsageError, "unknown command #{Printable.call(name)}." \
                          "#{Arguments.hint(name, [*COMMANDS.keys, *VERSION_OPTIONS, *HELP_OPTIONS])} " \
                          "The commands are: #{COMMANDS.keys.join(", ")}"
      const_get(constant)
    end

    def initialize(argv, stdin: $stdin, stdout: $stdout, stderr: $stderr)
      @argv = argv.map { |argument| utf8(argument) }
      @stdin = stdin
      @stdout = stdout
      @stderr = stderr
      @status = SUCCESS
    end

    # @return [Integer] the exit status
    def run
      # nothing is left in a buffer that Ruby would have to write when it exits
      stdout.sync = true
      dispatch(@argv.first, @argv.drop(1))
      @status
    rescue UsageError => e
      fail_with(WRONG_USAGE, e.message, help_hint)
    rescue Errno::EPIPE
      SUCCESS # the reader has seen enough
    rescue Error, SystemCallError, IOError => e
      fail_with(failure, e.message)
    rescue NoMemoryError
      fail_with(failure, "out of memory")
    rescue Interrupt
      INTERRUPTED
    end

    # Writes to standard output.
    #
    # @param text [String]
    # @raise [WriteError] unless its reader only closed the pipe
    def write(text)
      stdout.write(text)
    rescue Errno::EPIPE
      raise
    rescue SystemCallError, IOError => e
      raise WriteError.new("standard output", e)
    end

    def write_version = write("leak_hunter #{VERSION}\n")

    private

    # Where the locale says nothing of an encoding, it is UTF-8, as in dumps. Paths keep their bytes.
    def utf8(argument)
      ascii = [Encoding::US_ASCII, Encoding::BINARY].include?(argument.encoding)
      ascii ? argument.dup.force_encoding(Encoding::UTF_8) : argument
    end

    def dispatch(name, rest)
      case name
      when *VERSION_OPTIONS then write_version
      when *HELP_OPTIONS then command("help").call(rest)
      when nil then raise UsageError, "no command given"
      else command(name).call(rest)
      end
    end

    def command(name)
      @command = self.class.command(name)
      @command.new(self)
    end

    def failure = @command ? @command.failure : FAILURE

    def help_hint
      about = @command && @command != HelpCommand ? " #{COMMANDS.key(@command.name[/\w+\z/].to_sym)}" : ""
      "Try: leak_hunter help#{about}"
    end

    def fail_with(status, message, hint = nil)
      stderr.write("leak_hunter: #{Printable.lines(message).chomp}\n#{"#{hint}\n" if hint}")
      status
    rescue SystemCallError, IOError # nobody to tell
      status
    end
  end
end
