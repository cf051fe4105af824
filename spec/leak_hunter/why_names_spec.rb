# frozen_string_literal: true

require "json"
require "stringio"

# What a report calls a holder, `why` takes.
RSpec.describe LeakHunter::CLI, "why with a name" do
  program = <<~'RUBY'
    class Item; def initialize(number) = @label = "item #{number}"; end
    module Shop
      module Trail; ALL = []; FIRST = {}; SECOND = {}; end
      class Cache
        @pages = {}
        @@all = []
        class << self; attr_reader :pages; end
        def self.all = @@all
      end
      class Registry
        attr_reader :entries
        def initialize = @entries = []
      end
      REGISTRY = Registry.new
      class Unused; end
    end
    TOP = []
    $trail = []
    Thread.current[:jobs] = []
    Thread.current.thread_variable_set(:ticks, [])
    LeakHunter.trace!
    3.times do |index|
      LeakHunter.dump!(File.join(ARGV[0], "#{index + 1}.json"))
      60.times do |number|
        item = Item.new(number)
        Shop::Trail::FIRST["#{index} #{number}"] = item
        Shop::Trail::SECOND["#{index} #{number}"] = item
        Shop::Trail::ALL << "all #{number}"
        Shop::Cache.pages["#{index} #{number}"] = "page #{number}"
        Shop::Cache.all << "cached #{number}"
        Shop::REGISTRY.entries << "entry #{number}"
        TOP << "top #{number}"
        $trail << "trail #{number}"
        Thread.current[:jobs] << "job #{number}"
        Thread.current.thread_variable_get(:ticks) << "tick #{number}"
      end
    end
  RUBY

  before(:context) do
    @folder = Dir.mktmpdir("leak_hunter-names")
    RubyProcess.instance_method(:run_ruby).bind_call(self, program, @folder)
    @dumps = (1..3).map { |number| File.join(@folder, "#{number}.json") }
  end

  after(:context) { FileUtils.remove_entry(@folder) }

  def run(*argv)
    @stdout = StringIO.new
    @stderr = StringIO.new
    described_class.new(argv, stdout: @stdout, stderr: @stderr).run
  end

  # @return [Hash] what `why` says as JSON
  def why(name)
    expect([name, run("why", "--format", "json", @dumps.last, name), @stderr.string]).to eq([name, 0, ""])
    JSON.parse(@stdout.string, symbolize_names: true)
  end

  {
    "Shop::Trail::ALL" => "Array", "Shop::Cache.@pages" => "Hash", "Shop::Cache.@@all" => "Array",
    "Shop::REGISTRY.@entries" => "Array", "Shop::REGISTRY" => "Shop::Registry", "TOP" => "Array", "$trail" => "Array",
    "thread-local [:jobs]" => "Array", "thread variable [:ticks]" => "Array", "Shop::Trail" => "Module",
    "Shop::Cache @pages" => "Hash", "Shop::REGISTRY → Array" => "Array",
    "Shop::Trail::ALL[3]" => "String", "Shop::Unused" => "Class"
  }.each do |name, kind|
    # Before Ruby 3.2 a dump has no names of instance variables of objects, so the Array is the one that is referred to.
    unnamed = RUBY_VERSION < "3.2"
    next if name == (unnamed ? "Shop::REGISTRY.@entries" : "Shop::REGISTRY → Array")

    it "finds #{name}" do
      found = why(name)
      expect(found[:objects].map { |object| object[:class] }).to include(kind)
      expect(found).to include(count: 1, target: name)
    end
  end

  it "finds every holder of a report that the dumps alone name" do
    holders = LeakHunter.diff(*@dumps, holders: true)[:holders]
    named = holders.select { |holder| %w[dump shape].include?(holder[:named_by]) && holder[:kind] == "collection" }
    expect(named.size).to be >= 8
    named.each do |holder|
      expect([holder[:name], why(holder[:name])[:objects].first[:address]]).to eq([holder[:name], holder[:address]])
    end
  end

  it "says how far it got" do
    { "Shop::Nothing" => "it has Shop", "Shop::Cache.@none" => "it has Shop::Cache", "$none" => "nothing of this name",
      "thread-local [:none]" => "nothing", "Shop::Trail::ALL[999]" => "it has Shop::Trail::ALL", "" => "nothing",
      "::" => "nothing", "Shop::" => "nothing", "item" => "Similar classes: Item",
      "[" => "nothing" }.each do |name, words|
      expect([name, run("why", @dumps.last, name), @stdout.string]).to eq([name, 1, ""])
      expect(@stderr.string).to match(/\Aleak_hunter: [^\n]+\n\z/).and include(words)
    end
  end

  it "does not say that all are held alike where others hold them, too" do
    expect(run("why", @dumps.last, "Item")).to eq(0)
    text = @stdout.string.gsub(/\s+/, " ")
    expect(text).to include("the same shortest root path", "referenced by 2 objects")
    expect(text).to match(/also referenced by Shop::Trail::(FIRST|SECOND) \(Hash\) at 0x\h+/)
    expect(text).not_to match(/held in one way|the same path/)
    expect(why("Item")[:objects].first[:other_referrers]).to match([include(label: /Shop::Trail::/)])
  end
end
