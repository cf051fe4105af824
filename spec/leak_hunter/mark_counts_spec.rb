# frozen_string_literal: true

# What a mark counts, against what Ruby itself says of the same objects.
RSpec.describe LeakHunter::Mark, :tmpdir do
  it "counts the objects of each class and their bytes as ObjectSpace does" do
    output = run_ruby(<<~'RUBY')
      require "objspace"
      class Thing; end
      class Waste; end
      class List < Array; end
      class Table < Hash; end
      class Text < String; end
      Pair = Struct.new(:one, :two)
      KEPT = [
        Array.new(1000) { Thing.new }, Array.new(70) { |size| List.new(size * 9, 0) },
        Array.new(60) { |size| Table.new.merge!((0..size).to_h { [_1, _1] }) },
        Array.new(50) { |size| Text.new("x" * (size * 200)) }, Array.new(40) { Pair.new(1, 2) },
        # these have a singleton class, and variables that are kept elsewhere
        Array.new(30) { Thing.new.tap { |thing| def thing.own = 1 } },
        Array.new(20) { List.new.tap { |list| list.instance_variable_set(:@owner, 1) } }
      ]
      5000.times { Waste.new }
      mark = LeakHunter.mark
      counted = mark.classes.to_h { |row| [row[:class], row.values_at(:count, :memsize)] }
      [Thing, List, Table, Text, Pair].each do |type|
        objects = ObjectSpace.each_object(type).select { |object| object.instance_of?(type) }
        expected = [objects.size, objects.sum { |object| ObjectSpace.memsize_of(object) }]
        puts "#{type}: #{counted[type.name]}, not #{expected}" if counted[type.name] != expected
      end
      rows = mark.classes
      puts "sums" if mark.size != rows.sum { |row| row[:count] } || mark.memsize != rows.sum { |row| row[:memsize] }
      puts "order" if rows.map { |row| -row[:memsize] } != rows.map { |row| -row[:memsize] }.sort
      puts counted["Thing"].first, counted.fetch("Waste", [0]).first < 100, mark.pause.positive?, mark.collecting.positive?, mark.counted?, mark.uncounted.inspect
    RUBY
    expect(output.lines(chomp: true)).to eq(%w[1030 true true true true nil])
  end

  it "has the objects that a live heap has" do
    output = run_ruby(<<~'RUBY')
      KEPT = Array.new(2000) { |number| [number.to_s, { number => Object.new }] }
      LeakHunter.mark
      mark = LeakHunter.mark
      heap = LeakHunter::Heap.live(names: false)
      of_heap = heap.classes.to_h { |row| [row[:class], row[:count]] }
      of_mark = mark.classes.to_h { |row| [row[:class], row[:count]] }
      puts (mark.size.to_f / heap.size).round(1), (mark.memsize.to_f / heap.memsize).round(1)
      # the second has the mark and what took it, too
      many = ->(here, there) { here.all? { |name, count| count < 50 || there.fetch(name, 0) > count / 2 } }
      puts many.(of_heap, of_mark), many.(of_mark, of_heap)
      puts of_mark.values_at("Class", "Module", "iseq") == of_heap.values_at("Class", "Module", "iseq")
    RUBY
    expect(output.lines(chomp: true)).to eq(%w[1.0 1.0 true true true])
  end

  %w[objspace exact].each do |mode|
    it "counts by allocation site what is traced (#{mode})" do
      output = run_ruby(<<~'RUBY', mode)
        class Thing; end
        def make = Array.new(300) { Thing.new }
        BEFORE = make
        LeakHunter.trace!(mode: ARGV[0].to_sym)
        KEPT = make
        GC.start
        Thread.new { KEPT.concat(make) }.join
        mark = LeakHunter.mark
        things = mark.groups(limit: 100_000).select { |row| row[:class] == "Thing" }
        puts things.map { |row| row.values_at(:file, :line, :method, :count).inspect }.sort
        puts mark.sites(limit: 100_000).find { |row| row.values_at(:file, :line) == ["-e", 2] }[:count] >= 600
        puts mark.groups.size, mark.sites(limit: 3).size, BEFORE.size
      RUBY
      expect(output).to match(/\A\["-e", 2, "(?:make|new)", 600\]\n\[nil, nil, nil, 300\]\ntrue\n20\n3\n300\n\z/)
    end
  end

  it "is inspectable, frozen and shareable, and says that it cannot be written" do
    mark = LeakHunter.mark
    expect(mark.inspect).to match(/\A#<LeakHunter::Mark generation #{mark.generation}: \d+ objects>\z/)
    expect([mark, mark.to_h]).to all(be_frozen)
    expect(Ractor.shareable?(mark)).to be(true)
    expect { Marshal.dump(mark) }.to raise_error(LeakHunter::UsageError, /cannot be written.*snapshot!/)
    expect { Marshal.dump([{ mark: }]) }.to raise_error(LeakHunter::UsageError)
    expect { mark.groups(limit: -1) }.to raise_error(LeakHunter::UsageError, /limit/)
  end

  it "is shareable, whatever was traced" do
    modes = %w[objspace exact sampled].map do |mode|
      run_ruby("LeakHunter.trace!(mode: ARGV[0].to_sym); puts Ractor.shareable?(LeakHunter.mark)", mode)
    end
    expect(modes).to all(eq("true\n"))
  end

  it "goes when nobody needs it, and is LeakHunter's own until then" do
    output = run_ruby(<<~'RUBY')
      require "objspace"
      # short and long ones, traced and untraced
      KEPT = Array.new(20_000) { |size| [0] * (size % 20) }
      LeakHunter.trace!
      KEPT.concat(Array.new(20_000) { |size| [0] * (size % 20) })
      own = ->(*moments) { LeakHunter.diff(*moments)[:dumps].map { |dump| dump[:own_memsize] } }
      natives = ObjectSpace.each_object(LeakHunter::Native::Mark)
      marks = Thread.new { Array.new(10) { LeakHunter.mark } }.value
      sizes = Thread.new { natives.map { |native| ObjectSpace.memsize_of(native) } }.value
      told = own.(marks.first, marks.last, LeakHunter::Heap.live)
      puts sizes.size, sizes.all? { |size| size.between?(400_000, 2_000_000) }
      puts told.first, told.last >= sizes.sum, told[1] >= sizes.min * 9
      marks.clear
      Thread.new { 1000.times { Object.new } }.join
      GC.start
      puts natives.count < 5
    RUBY
    expect(output.lines(chomp: true)).to eq(%w[10 true 0 true true true])
  end

  it "goes on working in a forked child, which takes its own" do
    output = run_ruby(<<~'RUBY', options: [RubyProcess::ALL_NAMES])
      KEPT = [[0] * 10]
      LeakHunter.trace!
      mark = LeakHunter.mark
      reader, writer = IO.pipe
      child = fork do
        moments = Array.new(2) { LeakHunter.mark.tap { KEPT[0].concat([0] * 500) } }
        grown = LeakHunter.diff(*moments, LeakHunter::Heap.live, holders: true)[:grown_in_place]
        grown = grown.select { |it| it[:name].to_s.start_with?("KEPT") }
        writer.puts grown.map { |it| it[:growth].inspect }, mark.size == mark.classes.sum { |row| row[:count] }
        LeakHunter.diff(mark, moments.first, LeakHunter::Heap.live)
      rescue LeakHunter::DifferentProcesses => e
        writer.puts e.class
      end
      Process.wait(child)
      writer.close
      puts reader.read, $?.success?, mark.size == mark.classes.sum { |row| row[:count] }
    RUBY
    expect(output.lines(chomp: true)).to eq(
      ["[10, 510, 1010]", "true", "LeakHunter::DifferentProcesses", "true", "true"]
    )
  end

  it "is what it was, without numbers, where the heap cannot be walked, and says so" do
    output = run_ruby(<<~'RUBY', lib: lib_without_extension(@tmpdir))
      marks = Array.new(2) { LeakHunter.mark }
      puts marks.map(&:counted?).inspect, marks.first.generation < marks.last.generation
      puts marks.first.inspect[/not counted \(the native extension/], marks.first.uncounted.include?("rake compile")
      p marks.first.size, marks.first.memsize, marks.first.pause, marks.first.collecting.positive?
      p marks.first.to_h.slice(:snapshot, :sequence), marks.first.frozen?
      begin
        marks.first.classes
      rescue LeakHunter::Unsupported => e
        puts e.message[/\Athis mark has no numbers of objects: the native/]
      end
    RUBY
    expect(output.lines(chomp: true)).to eq(
      ["[false, false]", "true", "not counted (the native extension", "true", "nil", "nil", "nil", "true",
       { snapshot: "mark", sequence: 1 }.inspect, "true", "this mark has no numbers of objects: the native"]
    )
  end

  it "is not counted beside other Ractors where these are not stopped, and enough for a diff" do
    skip "this Ruby stops Ractors" if LeakHunter::Ractors::STOPPED
    skip "this Ruby does not trace beside Ractors" if LeakHunter::Ractors::TRACING_CRASHES
    output = run_ruby(<<~'RUBY')
      class Thing; end
      Warning[:experimental] = false
      ractor = Ractor.new { Ractor.receive }
      first = LeakHunter.mark
      kept = Array.new(100) { Thing.new }
      puts first.inspect[/not counted \(other Ractors are running/]
      ractor.send(1).take
      sleep 0.01 until Ractor.count == 1
      second = LeakHunter.mark
      result = LeakHunter.diff(first, second, LeakHunter::Heap.live)
      puts result[:groups].sum { |group| group[:class] == "Thing" ? group[:count] : 0 }, kept.size
      puts result[:dumps].map { |dump| dump[:records].zero? }.inspect
    RUBY
    expect(output.lines(chomp: true)).to eq(
      ["not counted (other Ractors are running", "100", "100", "[true, false, false]"]
    )
  end
end
