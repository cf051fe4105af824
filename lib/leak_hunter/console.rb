# frozen_string_literal: true

require "leak_hunter"

module LeakHunter
  # `require "leak_hunter/console"` gives the prompts of irb and pry, also at a binding.irb or binding.pry, one helper:
  #
  #   leak_hunter            takes a dump and says what to do next; from the third on, prints what leaked
  #   leak_hunter :status    says which dumps it remembers
  #   leak_hunter :report    prints the report again, and returns it
  #   leak_hunter :reset     forgets the dumps; the files stay
  #
  # Options are those of {Recorder.dump!}: `leak_hunter fork: true`. The last three dumps count: a fourth call compares
  # the second, the third and the fourth.
  #
  # A prompt remembers results, irb in `_` and pry in `_` and `_out_`, and so keeps alive what an expression returned.
  # End the lines that exercise the suspect with `; nil`.
  class Console
    COMMANDS = %i[dump status report reset].freeze

    # What to do next, by the number of dumps.
    ADVICE = [
      "Run once what may leak, so that caches fill; then call leak_hunter.",
      "Now run what may leak, a few times; then call leak_hunter again.",
      "Run it once more, so that what is only kept for a while can go; then call leak_hunter a third time.",
      "Run it again and call leak_hunter to compare the last three dumps, or start anew with: leak_hunter :reset"
    ].freeze

    # The one that the prompts share.
    def self.instance = @instance ||= new

    def initialize
      @dumps = []
    end

    # @param command [Symbol, String] one of {COMMANDS}
    # @param options [Hash] those of {Recorder.dump!}
    # @return [Dump, Report, nil] the new dump; the report
    def call(command = :dump, **options)
      unless COMMANDS.include?(command.to_s.to_sym)
        raise UsageError, "leak_hunter takes #{COMMANDS.map(&:inspect).join(", ")}, not #{command.inspect}"
      end

      send(command, **options)
    end

    private

    def dump(**options)
      dump = LeakHunter.dump!(**options)
      @dumps.shift if @dumps.size == 3
      @dumps << dump
      say(description(dump))
      report if @dumps.size == 3
      advise
      dump
    end

    def status
      @dumps.each { |dump| say(description(dump)) }
      advise
    end

    def report
      raise UsageError, "a report takes three dumps, there are #{@dumps.size}" if @dumps.size < 3

      Report.new(LeakHunter.diff(*@dumps, holders: true)).tap { |report| say(report.to_s(color: $stdout)) }
    end

    def reset
      @dumps.clear
      advise
    end

    def advise = say(ADVICE[@dumps.size])

    def description(dump)
      [format("Dump %<sequence>d: %<megabytes>.1f MB, %<objects>d objects, %<path>s",
              sequence: dump.sequence, megabytes: dump.bytes / 1e6, objects: dump.objects, path: dump.path),
       *dump.warnings.map { |warning| "  but: #{warning}" }].join("\n")
    end

    def say(text) = $stdout.puts(text)
  end
end

# Every prompt's self, whatever it is, has Kernel's methods.
module Kernel
  private

  # @see LeakHunter::Console
  def leak_hunter(...) = LeakHunter::Console.instance.call(...)
end
