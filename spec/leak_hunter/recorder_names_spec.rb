# frozen_string_literal: true

RSpec.describe "LeakHunter::Recorder::Names", :tmpdir do
  # @return [Array<DumpReader>] of dumps that code takes, in a process of its own, into its DIR
  def dumps_of(code, **options)
    run_ruby("DIR = ARGV.fetch(0)\n#{code}", @tmpdir, **options)
    Dir.children(@tmpdir).sort.map { |name| DumpReader.new(File.join(@tmpdir, name)) }
  end

  def dump_of(code, **options)
    options = { options: [RubyProcess::ALL_NAMES], **options }
    dumps_of("#{code}\nLeakHunter.dump!(dir: DIR, values: :all)", **options).first
  end

  # @return [Array<String>] owner's name (or type) and value's text of what has that name
  def found(reader, name)
    reader.names.select { |record| record["name"] == name }.map do |record|
      owner = record["owner"] && reader.objects.fetch(record["owner"])
      [record["kind"], owner && (owner["name"] || owner["struct"] || owner["type"]),
       reader.objects.fetch(record["value"])["value"]]
    end
  end

  it "are those of constants, of variables of classes, modules and threads, and of globals" do
    reader = dump_of(<<~'RUBY')
      module Shop
        AUDIT = "of a module"
        class Basket
          @cache = "of a class"
          @@baskets = "class variable"
          class << self
            HIDDEN = "of a singleton class"
          end
        end
      end
      $cache = "global"
      Thread.current[:request] = "fiber-local"
      Thread.current.thread_variable_set(:worker, "thread variable")
      others = Thread.new { Thread.current[:other] = "of another thread"; Thread.stop }
      Thread.pass until others.stop?
    RUBY

    expect(found(reader, "AUDIT")).to eq([["constant", "Shop", "of a module"]])
    expect(found(reader, "Basket")).to eq([["constant", "Shop", nil]])
    expect(found(reader, "@cache")).to eq([["instance_variable", "Shop::Basket", "of a class"]])
    expect(found(reader, "@@baskets")).to eq([["class_variable", "Shop::Basket", "class variable"]])
    expect(found(reader, "HIDDEN")).to eq([["constant", "CLASS", "of a singleton class"]])
    expect(found(reader, "$cache")).to eq([["global", nil, "global"]])
    expect(found(reader, "request")).to eq([["fiber_local", "VM/thread", "fiber-local"]])
    expect(found(reader, "worker")).to eq([["thread_variable", "VM/thread", "thread variable"]])
    expect(found(reader, "other")).to eq([["fiber_local", "VM/thread", "of another thread"]])
    expect(reader.trailer).to include("names" => reader.names.size, "names_complete" => true)
  end

  it "are those of the fiber's storage", if: Fiber.respond_to?(:[]) do
    expect(found(dump_of('Fiber[:tenant] = "stored"'), "tenant").map(&:last)).to eq(["stored"])
  end

  it "are those of private constants of the application, of nested and of anonymous classes' owners" do
    reader = dump_of(<<~'RUBY')
      TREE = ["top"]
      Object.send(:private_constant, :TREE)
      module Shop
        PUBLIC = ["public"]
        CACHE = ["private"]
        private_constant :CACHE
        class Inner
          MEMO = { "private" => 1 }
          Größe = ["not ASCII"]
          private_constant :MEMO
        end
        private_constant :Inner
      end
    RUBY
    owners = %w[TREE CACHE MEMO Größe].map { |name| found(reader, name).map { |_, owner, _| owner } }
    expect(owners).to eq([["Object"], ["Shop"], ["Shop::Inner"], ["Shop::Inner"]])
  end

  it "have the addresses of the objects themselves" do
    reader = dump_of(<<~'RUBY')
      CLASS_OF_ARRAYS = Array
      Weird = Class.new { def self.name = ":0x1>" }
      WEIRD = Weird.new
      ALL = [Object.new, BasicObject.new, [], {}, "text", 1.0e300, 2**70, Class.new, Class.new.new, proc {}, WEIRD]
      ALL.each_with_index { |object, index| Object.const_set("NUMBER#{index}", object) }
    RUBY
    all = reader.named("ALL").first["references"]
    numbers = reader.names.select { |record| record["name"].start_with?("NUMBER") }
                    .to_h { |record| [record["name"].delete("NUMBER").to_i, record["value"]] }
    expect(numbers).to eq((all.each_index.to_a - [5, 6]).to_h { |index| [index, all[index]] })
    expect(reader.named("CLASS_OF_ARRAYS").first["name"]).to eq("Array")
    addresses = reader.names.flat_map { |record| record.values_at("owner", "value").compact }
    expect(addresses - reader.objects.keys).to eq([])
  end

  it "are left out where the value is no object of the heap" do
    reader = dump_of("A1, A2, A3, A4, A5, A6 = nil, true, false, 1, 1.5, :symbol; $a = nil")
    expect(reader.names.map { |record| record["name"] }.grep(/\A(A\d|\$a)\z/)).to eq([])
  end

  it "are valid JSON in UTF-8, whatever they are" do
    reader = dump_of(<<~'RUBY')
      thread = Thread.current
      ["say \"hi\"\n\\", "größe", "gr\xF6\xDFe".dup.force_encoding("ISO-8859-1"), "x".encode("UTF-16LE"), "\u2028"]
        .each { |name| thread[name.to_sym] = Object.new }
      $größe = Object.new
    RUBY
    locals = reader.names.select { |record| record["kind"] == "fiber_local" }.map { |record| record["name"] }
    expect(locals).to include("say \"hi\"\n\\", "größe", "x", "\u2028")
    expect(locals.count("größe")).to eq(2)
    expect(reader.named("$größe").size).to eq(1)
    expect(reader.lines.grep(/NAME/)).to all(end_with("}\n"))
  end

  it "are read without loading, warning, or running code of the application" do
    File.write(File.join(@tmpdir, "never.rb"), "raise Exception, 'loaded'")
    dir = File.join(@tmpdir, "dumps")
    run_ruby(<<~'RUBY', @tmpdir, dir, options: [RubyProcess::ALL_NAMES])
      Warning[:deprecated] = true
      DIR, DUMPS = ARGV
      # NoMethodError and the like would be rescued: this ends the process.
      def never(*) = abort("ran #{caller(1, 2)}")
      module Shop
        autoload :Never, "#{DIR}/never.rb"
        OLD = ["deprecated"]
        deprecate_constant :OLD
        LAST = ["after"]
        METHODS = %i[constants const_get const_defined? const_missing autoload? name to_s inspect instance_variables
                     instance_variable_get class_variables class_variable_get hash == equal? === singleton_class?
                     method_missing respond_to_missing? const_source_location class singleton_class]
        METHODS.each { |method| define_singleton_method(method) { |*| never } }
      end
      class Blank < BasicObject
        def method_missing(*) = ::Object.send(:never)
        %i[== ! equal? instance_eval].each { |name| define_method(name) { |*| ::Object.send(:never) } }
      end
      BLANK = Blank.new
      $blank = BLANK
      Shop.instance_variable_set(:@blank, BLANK) rescue never
      class Thread
        class Mine < Thread
          %i[keys [] thread_variables thread_variable_get].each { |name| define_method(name) { |*| never } }
        end
      end
      thread = Thread::Mine.new { Thread.stop }
      Thread.pass until thread.stop?
      def Warning.warn(*, **) = never
      LeakHunter.dump!(dir: DUMPS)
      abort "switched" unless Warning[:deprecated]
    RUBY
    reader = DumpReader.new(Dir.glob("#{dir}/*").first)
    expect(%w[OLD LAST BLANK $blank @blank].map { |name| reader.named(name).size }).to eq([1, 1, 1, 1, 1])
    expect(reader.names.map { |record| record["name"] }).not_to include("Never")
    expect(reader.trailer["names_complete"]).to be(true)
  end

  it "do not silence other threads' warnings" do
    run_ruby(<<~'RUBY', @tmpdir)
      Warning[:deprecated] = true
      5_000.times { |index| Object.const_set("C#{index}", Object.new) }
      seen = []
      running = true
      thread = Thread.new { seen << Warning[:deprecated] while running }
      # not traced: what the thread allocates meanwhile may abort Ruby 3.1 while its tracer looks on (docs/recording.md)
      LeakHunter.dump!(dir: ARGV[0], trace: false)
      running = false
      thread.join
      abort "silenced #{seen.count(false)} of #{seen.size}" unless seen.all?
    RUBY
  end

  it "read no global that computes its value" do
    reader = dump_of(<<~'RUBY', options: ["-rEnglish"])
      def $stderr.write(*) = abort
      begin
        raise Class.new(StandardError) { def backtrace = abort }
      rescue StandardError
        LeakHunter.dump!(dir: DIR)
      end
    RUBY
    globals = reader.names.select { |record| record["kind"] == "global" }.map { |record| record["name"] }
    expect(globals).to include("$LOAD_PATH", "$stdout").and all(match(/\A(?:\$[a-zA-Z]\w+|main|ENV|ARGF|ARGV)\z/))
    expect(globals & %w[$FILENAME $ERROR_POSITION $ERROR_INFO $LAST_MATCH_INFO $SAFE $KCODE $-w]).to eq([])
  end

  it "leave nothing of themselves in the next dump" do
    _, second, third = dumps_of("3.times { LeakHunter.dump!(dir: DIR) }")
    made_by_names = third.objects.values.select { |object| object["file"]&.include?("/recorder/names") }
    expect(made_by_names.map { |object| object["type"] }.uniq - ["IMEMO"]).to eq([])
    expect(third.lines.grep(/\A{"address".*NAME\\", \\"kind\\":\\"constant/)).to eq([])
    expect(third.objects.size).to be_within(50).of(second.objects.size)
  end

  it "keep none of the objects alive" do
    run_ruby(<<~'RUBY', @tmpdir)
      def fill = 500.times { |index| Object.const_set("C#{index}", Object.new) }
      def drop = 500.times { |index| Object.send(:remove_const, "C#{index}") }
      fill
      LeakHunter.dump!("#{ARGV[0]}/1")
      before = ObjectSpace.each_object(Object).count { |object| object.instance_of?(Object) }
      drop
      3.times { GC.start }
      left = ObjectSpace.each_object(Object).count { |object| object.instance_of?(Object) }
      abort "kept #{left - (before - 500)}" if left > before - 495
    RUBY
  end

  it "can be left out" do
    reader = dumps_of("LeakHunter.dump!(dir: DIR, names: false)").first
    expect(reader.names).to eq([])
    expect(reader.trailer).to eq("type" => "DUMP_END", "id" => reader.header["id"])
  end

  it "come from the child where that takes the dump" do
    code = "CACHE = ['kept']; LeakHunter.dump!(dir: DIR, fork: true)"
    reader = dumps_of(code, options: [RubyProcess::ALL_NAMES]).first
    expect(found(reader, "CACHE").map(&:first)).to eq(["constant"])
    expect(reader.trailer["names_complete"]).to be(true)
  end

  it "stop when their time is over, and say so" do
    reader = dumps_of(<<~'RUBY').first
      LeakHunter::Recorder::Names.send(:remove_const, :LEAST)
      LeakHunter::Recorder::Names::LEAST = 0.0
      LeakHunter::Recorder::Names.send(:remove_const, :SHARE)
      LeakHunter::Recorder::Names::SHARE = 0.0001
      100_000.times { |index| Object.const_set("C#{index}", Object.new) }
      LeakHunter.dump!(dir: DIR)
    RUBY
    expect(reader.trailer).to include("names" => be_between(0, 50_000), "names_complete" => false)
  end

  it "never make a dump fail" do
    reader = dumps_of(<<~'RUBY').first
      LeakHunter::Recorder::Names::Modules.singleton_class.undef_method(:read)
      $here = ["all the same"]
      LeakHunter.dump!(dir: DIR)
    RUBY
    expect(reader.named("$here").size).to eq(1)
    expect(reader.trailer["names_complete"]).to be(false)
  end

  it "are no lines that a diff skips, nor objects" do
    readers = dumps_of("3.times { LeakHunter.dump!(dir: DIR) }")
    dumps = LeakHunter.diff(*Dir.glob("#{@tmpdir}/*"))[:dumps]
    expect(readers.map { |reader| reader.names.size }).to all(be > 100)
    expect(dumps.map { |dump| dump[:skipped][:count] }).to eq([0, 0, 0])
    expect(dumps.map { |dump| dump[:records] }).to eq(readers.map { |reader| reader.objects.size })
    expect(dumps.map { |dump| dump[:recorded][:names_complete] })
      .to eq(readers.map { |reader| reader.trailer["names_complete"] })
  end
end
