# frozen_string_literal: true

require "json"

# An application's objects may define any method, and an application may replace any of Ruby's own.
RSpec.describe "Objects of an application", :tmpdir do
  fixtures = File.expand_path("../fixtures/hostile", __dir__)

  # @return [Object] what code prints as JSON
  def json_of(code, *arguments) = JSON.parse(run_ruby("require 'json'\n#{code}", *arguments))

  it "run no code when their references are named, whatever refers to whatever" do
    result = json_of(<<~RUBY)
      require "#{fixtures}/objects"
      edges = Hostile.edges
      found = children = nil
      Hostile.watch do
        found = edges.map do |_, _, parent, child|
          LeakHunter::EdgeNames.between(parent, child, redact: false)&.values_at(:kind, :name)
        end
        children = edges.map(&:last)
        edges.each { |edge| children.each { |child| LeakHunter::EdgeNames.between(edge[2], child, redact: true) } }
      end
      puts JSON.generate(expected: edges.map { |edge| edge.first(2) }, found:, ran: Hostile::RAN)
    RUBY
    expect(result["ran"]).to eq([])
    expect(result["found"]).to eq(result["expected"])
  end

  # Holders and leaked objects of which every method records its call; prints the names of the holders.
  leaking = <<~'RUBY'
    require "#{FIXTURES}/objects"
    module App
      class Box < Hostile::Blank; end
      BOX = Box.new
      ERROR = RuntimeError.new("hostile")
      THREAD = Hostile.waiting_thread
      STRUCT = Struct.new(:left, :right).new([], 1)
      METHOD = Class.new(Array).new.method(:push)
      autoload :NEVER, "/never/loaded"
    end
    # the locals of the main program would be held by its binding
    def hunt
      lists = Array.new(4) { [] }
      table = {}.compare_by_identity
      table[Hostile.blank] = lists[0]
      Hostile::INSTANCE_VARIABLE_SET.bind_call(App::BOX, :@table, table)
      App::ERROR.instance_variable_set(:@seen, lists[1])
      App::THREAD[:list] = lists[2]
      App::THREAD.name = Class.new(String).new("the clerk")
      lists[3] = App::STRUCT.left
      application = [App, App::Box, App::BOX, App::ERROR, App::THREAD, App::STRUCT, App::METHOD, table, *lists]
      HARDEN.call(application)
      application = nil
      dumps = Array.new(3) do
        Hostile.watch { LeakHunter.dump!(dir: ARGV[0]) }.tap do
          lists.each { |list| 100.times { Array.instance_method(:push).bind_call(list, Hostile.blank) } }
        end
      end
      result = Hostile.watch { LeakHunter.diff(*dumps, holders: true, redact: false) }
      live = Hostile.watch { LeakHunter::Heap.live }
      puts JSON.generate(names: result[:holders].map { |holder| holder[:name] }, live: live.size, ran: RAN.call)
    end
    hunt
  RUBY

  names = ["App::BOX.@table[#<Hostile::Blank>]", "App::ERROR.@seen", "App::STRUCT.left",
           "thread-local the clerk[:list]"]

  it "run no code when a dump is taken, the heap walked, and holders are named" do
    result = json_of(<<~RUBY, @tmpdir)
      FIXTURES = "#{fixtures}"
      HARDEN = lambda do |objects|
        verbose = $VERBOSE
        $VERBOSE = nil
        objects.each { |object| Hostile.record_all(Hostile::SINGLETON.bind_call(object)) }
        $VERBOSE = verbose
      end
      RAN = -> { Hostile::RAN }
      #{leaking}
    RUBY
    expect(result["ran"]).to eq([])
    expect(result["names"]).to include(*names)
  end

  patched = lambda do |before, after|
    <<~RUBY
      require "#{fixtures}/patches"
      FIXTURES = "#{fixtures}"
      #{before}
      HARDEN = lambda do |objects|
        #{after}
        objects.each { |object| Patches::APPLICATION[object] = true }
      end
      RAN = -> { Patches::RAN }
      #{leaking}
    RUBY
  end

  {
    "before LeakHunter is used, with alias" => ["Patches.alias_all", ""],
    "before LeakHunter is used, with prepend" => ["Patches.prepend_all", ""],
    "later, with alias" => ["[LeakHunter::EdgeNames, LeakHunter::Recorder].each(&:name)", "Patches.alias_all"],
    "later, with prepend" => ["[LeakHunter::EdgeNames, LeakHunter::Recorder].each(&:name)", "Patches.prepend_all"]
  }.each do |time, (before, after)|
    it "are examined with Ruby's own methods where an application replaced those #{time}" do
      result = json_of(patched.call(before, after), @tmpdir)
      expect(result["ran"]).to eq([])
      expect(result["names"]).to include(*names)
    end
  end

  it "are left without names where Ruby's own methods are gone, and the diff is returned" do
    result = json_of(patched.call("Patches.replace_all", ""), @tmpdir)
    expect(result["ran"]).to eq([])
    expect(result["names"].size).to be >= names.size
  end
end
