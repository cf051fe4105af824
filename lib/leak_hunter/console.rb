# frozen_string_literal: true

require "io/console"
require "leak_hunter"

# Not lazily: what is loaded between two dumps would be in the report, and beside busy threads loading takes long.
LeakHunter::EagerLoad.call

module LeakHunter
  # `require "leak_hunter/console"` adds a helper to irb and pry, also at a binding.irb or binding.pry:
  #
  #   leak_hunter            takes a snapshot and says what to do next; from the third dump on, prints what leaked
  #   leak_hunter :status    lists the dumps
  #   leak_hunter :report    prints the report again, and returns it
  #   leak_hunter :reset     starts over; the files stay
  #
  # A snapshot is a dump without contents. With `kind: :dump`, and where the heap cannot be walked, it takes a dump.
  # Other options are those of {Recorder.snapshot!} and {Recorder.dump!}: `leak_hunter gc: false`. The last three dumps
  # are compared: after a fourth call the second, third and fourth.
  #
  # irb keeps the last result in `_`, pry in `_` and `_out_`, and so keeps alive what an expression returned. End the
  # lines that run the suspect code with `; nil`.
  class Console
    COMMANDS = %i[dump status report reset].freeze

    # What to do next, by the number of dumps.
    ADVICE = [
      "Run the suspect code once, so that caches fill; then call leak_hunter.",
      "Run it a few times; then call leak_hunter again.",
      "Run it once more so that short-lived caches expire; then call leak_hunter a third time.",
      "To compare the last three dumps, run it again and call leak_hunter. To start over: leak_hunter :reset"
    ].freeze

    # Shared by all prompts.
    def self.instance = @instance ||= new

    def initialize
      @dumps = []
    end

    # @param command [Symbol, String] one of {COMMANDS}
    # @param options [Hash] see {Recorder::Moment.take}
    # @return [Dump, Report, nil] the new dump; the report
    def call(command = :dump, **options)
      send(Arguments.one_of(:command, command, COMMANDS.map(&:name)), **options)
    end

    private

    def dump(**options)
      dump = Recorder::Moment.take(**options)
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
      raise UsageError, "a report needs three dumps; there are #{@dumps.size}" if @dumps.size < 3

      Report.new(LeakHunter.diff(*@dumps, holders: true)).tap do |report|
        say(report.to_s(color: $stdout, width: Terminal.new($stdout).width(max: 120)))
      end
    end

    def reset
      @dumps.clear
      advise
    end

    def advise = say(ADVICE[@dumps.size])

    def description(dump)
      [format("Dump %<sequence>d: %<megabytes>.1f MB, %<objects>d objects, ",
              sequence: dump.sequence, megabytes: dump.bytes / 1e6, objects: dump.objects) << Printable.call(dump.path),
       *dump.warnings.map { |warning| "  warning: #{Printable.call(warning)}" }].join("\n")
    end

    def say(text) = $stdout.puts(text)
  end
end

# Available whatever `self` is at the prompt.
module Kernel
  private

  # @see LeakHunter::Console
  def leak_hunter(...) = LeakHunter::Console.instance.call(...)
end
