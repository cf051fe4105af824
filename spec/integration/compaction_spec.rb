# frozen_string_literal: true

# Ruby before 3.4 forgets where and when an object was made when it moves it. The dump says so.
RSpec.describe "Dumps and compaction", :tmpdir do
  before { skip "this Ruby cannot compact" unless GC.respond_to?(:compact) }

  let(:forgets) { RUBY_VERSION.to_f < 3.4 }

  def warnings_of(code, tracer: "objspace")
    run_ruby("DIR = ARGV.fetch(0)\n#{code}", @tmpdir, env: { "LEAK_HUNTER_TRACER" => tracer }).lines(chomp: true)
  end

  it "says that places were lost, from then on" do
    before, after, next_one = warnings_of(<<~'RUBY')
      puts LeakHunter.dump!(dir: DIR).warnings.join(";")
      GC.compact
      puts LeakHunter.dump!(dir: DIR).warnings.join(";"), LeakHunter.dump!(dir: DIR).warnings.join(";")
    RUBY
    expect(before).to eq("")
    expect([after, next_one]).to all(forgets ? match(/objects were moved.*#{RUBY_VERSION} forgets/) : eq(""))
  end

  it "says nothing of the kind of LeakHunter's own tracer, which follows what is moved" do
    code = "GC.auto_compact = true\nLeakHunter.trace!\nGC.compact\nputs LeakHunter.dump!(dir: DIR).warnings.join(';')"
    expect(warnings_of(code, tracer: "")).to eq([""])
  end

  it "does not mind compaction before tracing began" do
    expect(warnings_of("GC.compact\nLeakHunter.trace!\nputs LeakHunter.dump!(dir: DIR).warnings.join(';')")).to eq([""])
  end

  it "says so of automatic compaction" do
    code = "GC.auto_compact = true\nputs LeakHunter.dump!(dir: DIR).warnings.join(';')"
    expect(despite_known_bug { warnings_of(code) }.first).to forgets ? match(/objects were moved/) : eq("")
  end

  it "counts compactions in the dump, and keeps the time since when it traces" do
    run_ruby(<<~'RUBY', @tmpdir)
      LeakHunter.trace!
      LeakHunter.dump!(ARGV[0] + "/1")
      GC.compact
      LeakHunter.dump!(ARGV[0] + "/2")
    RUBY
    first, second = %w[1 2].map { |name| DumpReader.new(File.join(@tmpdir, name)).header }
    expect(second["compactions"]).to eq(first["compactions"] + 1)
    expect(second["tracing_since"]).to eq(first["tracing_since"])
  end

  # A compaction makes pages of the heap unreadable for a moment. The VM counts reads of them all the same, and crashes
  # where two threads read at once.
  it "are compared without a look at the heap by the threads that wait" do
    skip "this Ruby cannot move all it has" unless GC.respond_to?(:verify_compaction_references)
    RealDumps.paths.each_with_index { |path, index| FileUtils.cp(path, File.join(@tmpdir, "#{index}.json")) }
    faults = run_ruby(<<~'RUBY', @tmpdir)
      paths = Array.new(3) { |index| "#{ARGV[0]}/#{index}.json" }
      nils = Array.new(1_000)
      room = RUBY_VERSION.to_f < 3.3 ? :double_heap : :expand_heap
      10.times do
        threads = Array.new(4) do
          Thread.new do
            LeakHunter.diff(*paths)
            [].push(*nils) # see spec/support/gc_strain.rb
            GC.verify_compaction_references(toward: :empty, room => true)
          end
        end
        threads.each(&:join)
      end
      puts GC.stat(:read_barrier_faults)
    RUBY
    expect(faults).to eq("0\n")
  end
end
