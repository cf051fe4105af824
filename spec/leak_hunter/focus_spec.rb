# frozen_string_literal: true

# The second round of a hunt: which callers made what stayed.
RSpec.describe "Tracing with a focus", :tmpdir do
  shop = <<~'RUBY'
    class Order; end

    module Orders
      KEPT = []

      def self.record(keep)
        order = Order.new # the site
        KEPT << order if keep
        nil
      end

      def self.create = [1].each { record(true) }
      def self.import = record(true)
      def self.preview = record(false)
      def self.work(create: 0, import: 0, preview: 0)
        Thread.new do # whose stack is gone after it
          create.times { LeakHunter.context("POST /orders") { Orders.create } }
          import.times { Orders.import }
          preview.times { Orders.preview }
        end.join
      end
    end

    def round
      first = LeakHunter.mark
      Orders.work(create: 48, import: 12, preview: 2_000)
      second = LeakHunter.mark
      Orders.work(create: 5, preview: 3)
      LeakHunter.diff(first, second, LeakHunter::Heap.live, holders: true)
    end

    def orders(result) = result[:groups].find { |group| group[:class] == "Order" }
  RUBY

  define_method(:play) do |code, **options|
    path = File.join(@tmpdir, "shop.rb")
    File.write(path, shop)
    run_ruby("require #{path.inspect}\n#{code}", @tmpdir, **options)
  end

  # Ruby 3.4 shows Hashes in another way.
  def as_inspected(text) = RUBY_VERSION.to_f < 3.4 ? text : text.gsub(/:(\w+)=>/, '\1: ')

  it "names the callers of what stayed, with the program's own numbers" do
    output = play(<<~'RUBY')
      LeakHunter.trace!(mode: :exact)
      first = round
      p orders(first)[:callers], orders(first)[:contexts].map(&:values)
      LeakHunter.trace!(focus: orders(first))
      second = round
      group = orders(second)
      group[:callers].each { |it| p it[:through], it.values_at(:stayed, :died) }
      p group[:caller_totals], group[:contexts].map(&:values)
      p group[:callers].first[:frames].first.delete_prefix(__dir__.to_s)[/shop\.rb:\d+:in .*/]
      holder = second[:holders].find { |it| it[:name] == "Orders::KEPT" }
      p holder[:contexts].map(&:values)
      puts LeakHunter::Report.new(second).to_s(width: 80, color: false)
    RUBY
    lines = output.lines(chomp: true)
    expect(lines.first(11)).to eq(
      ["[]", '[["POST /orders", 48], [nil, 12]]',
       '["Orders.work", "Orders.create", "Orders.record"]', "[48, 0]",
       '["Orders.work", "Orders.import", "Orders.record"]', "[12, 0]",
       '["Orders.work", "Orders.preview", "Orders.record"]', "[0, 2003]",
       "{:stacks=>3, :stayed=>60, :died=>2003}", '[["POST /orders", 48], [nil, 12]]',
       %("shop.rb:7:in `Orders.record'")].map { |line| as_inspected(line) }
    )
    expect(lines[11]).to eq('[["POST /orders", 48], [nil, 12]]')
    expect(output).to match(%r{^   from    POST /orders 48, no context 12$})
      .and match(/^   via     of 60 that stayed, 48 through Orders\.work → Orders\.create →\n +Orders\.record; 12 /)
      .and match(/of\s+2,003\s+made\s+elsewhere\s+none\s+stayed/)
  end

  it "takes sites, Regexps, and holders, and refuses what has no site" do
    output = play(<<~'RUBY')
      seen = ["shop.rb:7", /shop\.rb:7\z/, [{ entries: { file: File.join(ARGV[0], "shop.rb"), line: 7 } }]].map do |focus|
        LeakHunter.trace!(focus:)
        number = orders(round)[:callers].size
        LeakHunter.untrace!
        number
      end
      p seen
      ["hop.rb:7", /nothing/].each do |focus|
        LeakHunter.trace!(focus:)
        p orders(round)[:callers]
      end
      [[], {}, 7, BasicObject.new, ""].each do |focus|
        LeakHunter.trace!(focus:)
      rescue LeakHunter::UsageError => e
        puts e.message[/\A\w+: \w+/]
      end
      LeakHunter.untrace!
      LeakHunter.trace!(mode: :objspace)
      begin
        LeakHunter.trace!(focus: "a.rb:1")
      rescue LeakHunter::UsageError => e
        puts e.message
      end
    RUBY
    expect(output.lines(chomp: true)).to match(
      ["[3, 3, 3]", "[]", "[]", "focus: none", "focus: none", "focus: expected", "focus: expected", "focus: a",
       /traces in the mode :objspace already/]
    )
  end

  it "is right under GC stress, through compaction, and in threads and fibers" do
    output = despite_known_bug { play(<<~'RUBY') }
      LeakHunter.trace!(focus: "shop.rb:7")
      first = LeakHunter.mark
      GC.auto_compact = true if GC.respond_to?(:auto_compact=) && !RUBY_PLATFORM.match?(/wasm/)
      GC.stress = true
      Orders.work(create: 4, preview: 4)
      Fiber.new { Orders.import }.resume
      GC.stress = false
      threads = Array.new(4) { Thread.new { 50.times { Orders.work(import: 1, preview: 2) } } }
      threads.each(&:join)
      GC.compact if GC.respond_to?(:compact)
      second = LeakHunter.mark
      result = LeakHunter.diff(first, second, LeakHunter::Heap.live)
      callers = orders(result)[:callers]
      by = callers.group_by { |it| it[:through][-2] }.transform_values { |all| [all.sum { _1[:stayed] }, all.sum { _1[:died] }] }
      p by.sort
    RUBY
    expect(output).to eq(
      %([["Orders.create", [4, 0]], ["Orders.import", [201, 0]], ["Orders.preview", [0, 404]]]\n)
    )
  end

  { "snapshots" => "snapshot!(dir:)", "dumps" => "dump!(dir:)",
    "dumps of a forked child" => "dump!(dir:, fork: true)" }.each do |name, call|
    it "is in #{name} as in living heaps" do
      output = play(<<~RUBY)
        LeakHunter.trace!(focus: "shop.rb:7")
        dir = ARGV[0]
        moments = [LeakHunter.#{call}]
        Orders.work(create: 48, import: 12, preview: 2_000)
        moments << LeakHunter.#{call}
        Orders.work(create: 5, preview: 3)
        moments << LeakHunter.#{call}
        group = orders(LeakHunter.diff(*moments))
        group[:callers].each { |it| p it[:through], it.values_at(:stayed, :died) }
        p group[:contexts].map(&:values)
        heap = LeakHunter::Heap.load(moments.last)
        p orders(LeakHunter.diff(*moments.first(2), heap)) == group.merge(bytesize: 0)
      RUBY
      expect(output.lines(chomp: true)).to eq(
        ['["Orders.work", "Orders.create", "Orders.record"]', "[48, 0]",
         '["Orders.work", "Orders.import", "Orders.record"]', "[12, 0]",
         '["Orders.work", "Orders.preview", "Orders.record"]', "[0, 2003]",
         '[["POST /orders", 48], [nil, 12]]', "true"]
      )
    end
  end

  it "does not grow, and forgets with the tracer" do
    output = play(<<~'RUBY')
      LeakHunter.trace!(focus: "shop.rb:7")
      memory = Array.new(5) do
        100.times { Orders.work(preview: 100) }
        GC.start
        LeakHunter::Native.traced[:memory]
      end
      p memory.each_cons(2).map { |before, after| after - before }.min # what leaks grows each time
      p LeakHunter::Native.trace_stacks.scan(/"frames":.*?\]/).uniq.size
      LeakHunter.clear
      p LeakHunter::Native.trace_stacks
      LeakHunter.untrace!
      p LeakHunter::Native.trace_stacks
      100.times { LeakHunter.trace!(focus: "shop.rb:7") { Orders.work(create: 1) } }
      p LeakHunter::Native.trace_stacks
    RUBY
    growth, *rest = output.lines(chomp: true)
    expect(growth.to_i).to be <= 4_096
    expect(rest).to eq(["1", '""', '""', '""'])
  end

  it "goes on in a forked child, with the child's numbers" do
    output = play(<<~'RUBY')
      LeakHunter.trace!(focus: "shop.rb:7")
      alive = -> { LeakHunter::Native.trace_stacks.scan(/"alive":(\d+)/).flatten.sum(&:to_i) }
      Orders.work(create: 3)
      before = alive.call
      reader, writer = IO.pipe
      pid = fork do
        Orders.work(create: 2)
        GC.start
        writer.write alive.call - before
        exit!
      end
      writer.close
      Process.wait(pid)
      p before >= 3, reader.read.to_i, alive.call - before
    RUBY
    expect(output.split).to eq(%w[true 2 0])
  end
end
