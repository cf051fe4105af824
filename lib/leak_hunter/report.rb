# frozen_string_literal: true

require "leak_hunter/terminal"
require "leak_hunter/working_directory"

module LeakHunter
  # What {LeakHunter.diff} found, for people and for programs.
  #
  #   report = LeakHunter::Report.new(LeakHunter.diff("1.json", "2.json", "3.json"))
  #   puts report
  class Report
    autoload :Classic, "leak_hunter/report/classic"
    autoload :Evidence, "leak_hunter/report/evidence"
    autoload :Findings, "leak_hunter/report/findings"
    autoload :Fix, "leak_hunter/report/fix"
    autoload :Format, "leak_hunter/report/format"
    autoload :Group, "leak_hunter/report/group"
    autoload :Groups, "leak_hunter/report/groups"
    autoload :Headline, "leak_hunter/report/headline"
    autoload :Holder, "leak_hunter/report/holder"
    autoload :Holders, "leak_hunter/report/holders"
    autoload :HTML, "leak_hunter/report/html"
    autoload :Ledger, "leak_hunter/report/ledger"
    autoload :Labelled, "leak_hunter/report/labelled"
    autoload :LeftOut, "leak_hunter/report/left_out"
    autoload :Markdown, "leak_hunter/report/markdown"
    autoload :Moments, "leak_hunter/report/moments"
    autoload :Objects, "leak_hunter/report/objects"
    autoload :Origin, "leak_hunter/report/origin"
    autoload :Overview, "leak_hunter/report/overview"
    autoload :PathTree, "leak_hunter/report/path_tree"
    autoload :ShellCommand, "leak_hunter/report/shell_command"
    autoload :Sites, "leak_hunter/report/sites"
    autoload :Text, "leak_hunter/report/text"

    # @param result [Hash{Symbol => Object}] a result of {LeakHunter.diff}, also one that was JSON in between, if it was
    #   parsed with `symbolize_names: true`
    def initialize(result)
      unless result.is_a?(Hash) && %i[groups totals evidence].all? { |key| result.key?(key) }
        raise UsageError, "expected a result of LeakHunter.diff, got #{Arguments.show(result)}"
      end

      @result = result
    end

    # The report for people.
    #
    # @param color [Boolean, IO, nil] true, false, or the IO it will be written to: in colour if that is a terminal and
    #   the environment does not say otherwise (NO_COLOR, FORCE_COLOR). nil is false
    # @param width [Integer] columns, 20 or more; no line is wider
    # @param holders [Integer, nil] holders to show, of those that grow; nil shows all, also those that do not
    # @param sites [Boolean, nil] whether to show the groups, with the places where they were allocated; nil is where
    #   the result has no holders
    # @param top [Integer, nil] groups to show; nil shows all
    # @return [String]
    def to_s(color: nil, width: 80, holders: 5, sites: nil, top: 20)
      Arguments.integer(:width, width, Text::WIDTHS)
      Text.new(@result, color: Terminal.color?(color), width:, holders:, sites:, top:).to_s
    end

    # The report as one HTML file that loads nothing, to be sent to someone.
    #
    # @return [String]
    def to_html = HTML.new(@result).to_s

    # The report in Markdown, for an issue or a pull request.
    #
    # @param holders [Integer, nil] see {#to_s}
    # @param top [Integer, nil] groups to show; nil shows all
    # @return [String]
    def to_markdown(holders: 5, top: 10) = Markdown.new(@result, holders:, top:).to_s

    # Whether something grows. Where nothing is known of holders, whether anything leaked.
    #
    # @return [Boolean]
    def leaks?
      holders ? verdict == "leak" : @result[:totals][:count].positive?
    end

    # @return [String, nil] "leak" when something grows, "no_leak", "undecided"; nil where nothing is known of holders
    def verdict = @result.dig(:verdict, :name)

    # @return [Array<Hash>, nil] what holds the leaked objects, see {LeakHunter::Holders}; nil unless asked for
    def holders = @result[:holders]

    # The report as the classic three-dump script prints it, one line for each type, file and line.
    #
    # @param sort [Symbol] `:count`, `:memsize` or `:bytesize`
    # @return [String]
    def to_classic(sort: :count) = Classic.new(@result, sort:).to_s

    # @return [Hash{Symbol => Object}] the result of {LeakHunter.diff}; see {Diff} for its keys
    def to_h = @result

    # @return [String]
    def to_json(*args)
      require "json"
      @result.to_json(*args)
    end

    # @return [String]
    def inspect
      totals = @result[:totals]
      "#<#{self.class} groups=#{totals[:groups]} objects=#{totals[:count]} memsize=#{totals[:memsize]}>"
    end
  end
end
