# frozen_string_literal: true

RSpec.describe LeakHunter::SignalHandler do
  # All that LeakHunter itself answers to, each with what it takes.
  calls = {
    dump!: "LeakHunter.dump!", snapshot!: "LeakHunter.snapshot!",
    trace!: "LeakHunter.trace!", start_tracing: "LeakHunter.start_tracing",
    untrace!: "LeakHunter.untrace!", stop_tracing: "LeakHunter.stop_tracing", tracing?: "LeakHunter.tracing?",
    clear: "LeakHunter.clear", clear_tracing: "LeakHunter.clear_tracing", mark: "LeakHunter.mark",
    diff: "LeakHunter.diff(1, 2, 3)", gems: "LeakHunter.gems", advisories: "LeakHunter.advisories",
    lint: "LeakHunter.lint", checkup: "LeakHunter.checkup"
  }
  # These lock nothing.
  harmless = { configuration: "LeakHunter.configuration", configure: "LeakHunter.configure { |c| c.dir = nil }",
               context: 'LeakHunter.context("signal") { nil }' }

  def in_handler(call, before: nil)
    run_ruby(<<~RUBY)
      #{before}
      trap("USR1") do
        #{call}
        print "worked"
      rescue LeakHunter::Error => e
        print e.class, " ", e.message[/Thread\\.new/]
      end
      Process.kill("USR1", Process.pid)
      sleep 0.01
    RUBY
  end

  it "knows all methods" do
    expect(LeakHunter.singleton_methods(false)).to match_array(calls.keys + harmless.keys)
  end

  calls.each do |name, call|
    error = %i[dump! snapshot!].include?(name) ? "LeakHunter::RecordingError" : "LeakHunter::UsageError"

    it "is where #{name} raises an error that says what to do" do
      expect(in_handler(call)).to eq("#{error} Thread.new")
      expect(in_handler(call, before: "LeakHunter.trace!; LeakHunter.mark")).to eq("#{error} Thread.new")
    end
  end

  {
    "Heap.load" => 'LeakHunter::Heap.load("a")', "Heap.live" => "LeakHunter::Heap.live",
    "Heap#export" => "HEAP.export(:folded, $stdout)", "Diff.call" => "LeakHunter::Diff.call(1, 2, 3)",
    "Diff.survivors" => "LeakHunter::Diff.survivors(1, 2, 3)"
  }.each do |name, call|
    # A constant that is not loaded yet fails in Ruby's own `require`.
    it "is where #{name}, once loaded, raises an error that says what to do" do
      loaded = "HEAP = LeakHunter::Heap.live; LeakHunter::Diff.name"
      expect(in_handler(call, before: loaded)).to eq("LeakHunter::UsageError Thread.new")
    end
  end

  it "is where a heap answers" do
    expect(in_handler("HEAP.top; HEAP.first.path_to_root", before: "HEAP = LeakHunter::Heap.live")).to eq("worked")
  end

  harmless.each do |name, call|
    it "is where #{name} works" do
      expect(in_handler(call, before: "LeakHunter.configuration")).to eq("worked")
    end
  end
end
