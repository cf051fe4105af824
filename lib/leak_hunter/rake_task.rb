# frozen_string_literal: true

require "rake"
require "rake/tasklib"
require "leak_hunter"

module LeakHunter
  # Rake tasks. Without a name, tools in the namespace `leak_hunter`:
  #
  #   require "leak_hunter/rake_task"
  #   LeakHunter::RakeTask.new                    # rake leak_hunter:checkup leak_hunter:diff[1.json,2.json,3.json]
  #
  # With a name, a task that runs code repeatedly and fails if it leaks:
  #
  #   LeakHunter::RakeTask.new(:leaks) do |t|
  #     t.setup = -> { require "./app" }
  #     t.exercise = ->(round) { App.new.visit("/articles/#{round}") }
  #     t.rounds = 20
  #     t.budget = { objects: 0, bytes: 10_000 }
  #   end
  #
  # It calls the exercise {#warmup} times and takes a dump, calls it {#rounds} times and takes a dump, calls it
  # {#rounds} times again, takes the third dump, and compares. Where that does not tell whether something grows, it goes
  # on to a fourth and a fifth dump. Only what grows makes it fail: not what is loaded once, nor a cache that is full.
  class RakeTask < ::Rake::TaskLib
    autoload :Exercise, "leak_hunter/rake_task/exercise"
    autoload :Budget, "leak_hunter/rake_task/budget"

    # Options of {LeakHunter.diff} that a task may set.
    DIFF_OPTIONS = %i[identity group_by sort only ignore].freeze

    # @return [#call, nil] called once, before anything else; without arguments
    attr_accessor :setup

    # @return [#call] called in each round with its number: 1, 2, 3 … through warm-up and both batches. What it returns
    #   is ignored.
    attr_accessor :exercise

    # @return [Integer] calls of the exercise between two dumps; 10
    attr_accessor :rounds

    # @return [Integer] calls before the first dump, so that caches are filled; 3
    attr_accessor :warmup

    # What one holder that grows may have gained (objects that outlived at least one batch of rounds): `{ objects: 0 }`,
    # `{ bytes: 10_000 }` or both; an Integer is a number of objects. The default, nil, allows less than one object per
    # round. With `identity: :address` nothing is known of holders, and the budget is for each group of objects of one
    # class and allocation site. The VM's inline caches are counted apart.
    #
    # @return [Hash{Symbol => Integer}, Integer, nil]
    attr_accessor :budget

    # @return [String, nil] directory for the dumps; nil is {Configuration#dir}
    attr_accessor :dir

    # @return [Boolean] whether to keep the dumps; false
    attr_accessor :keep

    # @return [Symbol, nil] `:snapshot` or `:dump`: what is taken between the rounds; nil is a snapshot where the heap
    #   can be walked, else a dump
    attr_accessor :kind

    # @return [Symbol] format of the report: `:text`, `:classic` or `:json`
    attr_accessor :format

    # @return [Integer, nil] groups to show
    attr_accessor :top

    # @return [Object, nil] options of {LeakHunter.diff}; nil is its default
    attr_accessor :identity, :group_by, :sort, :only, :ignore

    # @param name [Symbol, String, Hash, nil] name of the task, with prerequisites as rake takes them:
    #   `leaks: :environment`
    # @yieldparam task [RakeTask]
    def initialize(name = nil)
      super()
      @rounds = 10
      @warmup = 3
      @keep = false
      @format = :text
      yield self if block_given?
      name ? define_exercise(name) : define_tools
    end

    # @return [Hash{Symbol => Object}] options for {LeakHunter.diff}
    def diff_options = DIFF_OPTIONS.to_h { |option| [option, public_send(option)] }.compact

    private

    def define_exercise(name)
      unless Arguments.responds?(exercise, :call)
        raise UsageError,
              "#{self.class}: exercise is required; the task #{name} calls it"
      end

      desc "Fail if the exercise leaks" unless ::Rake.application.last_description
      task(name) { |task| Exercise.new(self, task.name).run }
    end

    def define_tools
      raise UsageError, "#{self.class}: an exercise needs a task name: LeakHunter::RakeTask.new(:leaks)" if exercise

      namespace :leak_hunter do
        desc "Compare three heap dumps and show what leaked"
        task(:diff, %i[first second third]) { |_, paths| tool("diff", *arguments, *paths.to_a) }

        desc "Do all five steps that find a leak; with three heap dumps, also what grows"
        task(:checkup, %i[first second third]) do |_, paths|
          tool("checkup", *("--format=#{format}" unless format == :text), *paths.to_a)
        end

        desc "Find the leak of a small web application, as a demonstration"
        task(:demo) { demo }
      end
    end

    def arguments
      values = { format:, top:, identity:, sort:, group_by: group_by && Array(group_by).join(",") }
      patterns = { only:, ignore: }.flat_map { |name, list| Array(list).map { |item| [name, pattern(item)] } }
      [*values.compact, *patterns].map { |name, value| "--#{name.to_s.tr("_", "-")}=#{value}" }
    end

    # as the command line writes a Regexp
    def pattern(item) = item.is_a?(Regexp) ? item.inspect : item

    def tool(*argv)
      status = CLI.new(argv).run
      exit(status) unless status.zero?
    end

    def demo
      driver = File.expand_path("../../examples/leaky_app/demo.rb", __dir__)
      abort "leak_hunter: #{Printable.call(driver)} does not exist in this installation" unless File.file?(driver)

      ruby "-I", File.expand_path("..", __dir__), driver, verbose: false
    end
  end
end
