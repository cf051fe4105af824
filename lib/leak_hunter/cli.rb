# frozen_string_literal: true

require "leak_hunter/version"
require "leak_hunter/errors"

module LeakHunter
  # The command line: `leak_hunter COMMAND …`. Each command is a class of its own in `leak_hunter/cli/`.
  #
  # Exit statuses: 0 fine (also when the reader closed the pipe), 1 the dumps could not be compared, 2 wrong usage,
  # 130 interrupted.
  class CLI
    autoload :Command, "leak_hunter/cli/command"
    autoload :DiffCommand, "leak_hunter/cli/diff_command"
    autoload :ExportCommand, "leak_hunter/cli/export_command"
    autoload :FlameCommand, "leak_hunter/cli/flame_command"
    autoload :HeapCommand, "leak_hunter/cli/heap_command"
    autoload :HelpCommand, "leak_hunter/cli/help_command"
    autoload :ProgressBar, "leak_hunter/cli/progress_bar"
    autoload :TopCommand, "leak_hunter/cli/top_command"
    autoload :WhyCommand, "leak_hunter/cli/why_command"

    # A new command is one line here and one file.
    COMMANDS = {
      "diff" => :DiffCommand, "why" => :WhyCommand, "top" => :TopCommand, "flame" => :FlameCommand,
      "export" => :ExportCommand, "help" => :HelpCommand
    }.freeze

    FINE = 0
    FAILED = 1
    WRONG_USAGE = 2
    INTERRUPTED = 130

    attr_reader :stdin, :stdout, :stderr

    # @param name [String, Symbol]
    # @return [Class, nil]
    def self.command(name) = COMMANDS[name.to_s]&.then { |constant| const_get(constant) }

    def initialize(argv, stdin: $stdin, stdout: $stdout, stderr: $stderr)
      @argv = argv.dup
      @stdin = stdin
      @stdout = stdout
      @stderr = stderr
    end

    # @return [Integer] the exit status
    def run
      # nothing stays behind in a buffer that Ruby, when it exits, would wait to get rid of
      stdout.sync = true
      dispatch(@argv.first, @argv.drop(1))
      FINE
    rescue UsageError => e
      fail_with(WRONG_USAGE, e.message, hint)
    rescue Error => e
      fail_with(FAILED, e.message)
    rescue Errno::EPIPE
      FINE # whoever read us has seen enough
    rescue Interrupt
      INTERRUPTED
    end

    private

    def dispatch(name, rest)
      case name
      when "--version", "-V" then stdout.puts "leak_hunter #{VERSION}"
      when "--help", "-h" then command("help").call(rest)
      when nil then raise UsageError, "no command given"
      else command(name).call(rest)
      end
    end

    def command(name)
      @command = self.class.command(name) or
        raise UsageError, "#{name.inspect} is not a command. The commands are: #{COMMANDS.keys.join(", ")}"
      @command.new(self)
    end

    def hint
      about = @command && @command != HelpCommand ? " #{COMMANDS.key(@command.name[/\w+\z/].to_sym)}" : ""
      "Try: leak_hunter help#{about}"
    end

    def fail_with(status, *lines)
      stderr.puts("leak_hunter: #{lines.first}", *lines.drop(1))
      status
    rescue Errno::EPIPE
      status
    end
  end
end
