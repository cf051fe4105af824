# frozen_string_literal: true

require "json"

# The stacks of sampled allocations, against the backtraces that Ruby gives at the same places.
RSpec.describe LeakHunter::Tracing::Sampled, "stacks" do
  # Whether it is known how to read the stacks of this Ruby in place.
  known = %w[3.1 3.3 3.4].include?(RUBY_VERSION[/\A\d+\.\d+/])

  # Each way to come to `make`, which allocates one object on a line of its own and notes down its backtrace.
  program = "KNOWN = #{known}\n#{<<~'RUBY'}"
    require "json"
    $VERBOSE = false # methods are defined anew
    TRUTH = Hash.new(0)
    KEPT = []
    # Methods in C, or such as Ruby hides in backtraces: their lines are those of their callers.
    HIDDEN = %w[each map times new call resume instance_exec public_send tap sort_by eval loop then upto next
                each_with_index catch yield value join each_entry each_slice initialize define_method gsub [] === fetch]
    def note(locations)
      lines = locations.reject { |it| HIDDEN.include?(it.label.split(/[#.]/).last) || it.path.start_with?("<internal:") }
      lines = lines.map { |it| "#{it.path}:#{it.lineno}" }.first(64)
      lines[0] = lines[0].sub(/\d+\z/) { |line| (line.to_i - 1).to_s }
      TRUTH[lines] += 1
    end

    module Makes
      def make
        KEPT << Object.new
        note(caller_locations(0))
      end
      MAKE_LINE = __LINE__ - 3

      def make_in_a_module = make
    end

    class First
      include Makes
      def through_special_variables(text)
        text =~ /(\d+)/
        make if $~
        [1].each { text =~ /x/; make }
      end

      def through_blocks = [1, 2].each { |a| [3].map { |b| make if a + b } }
      define_method(:through_bmethod) { |deep = 2| deep.zero? ? make : through_bmethod(deep - 1) }
      def through_rescue
        raise "x"
      rescue StandardError
        make
      ensure
        make
      end
      def through_yield = yield
      def method_missing(name, ...) = name == :anything ? make : super
      def respond_to_missing?(*) = true
      def recurse(depth, &block) = depth.zero? ? block.call : recurse(depth - 1, &block)
      def branch(number)
        if number.even?
          make
        else
          make_in_a_module
        end
      end
    end

    class Second < First
      include Makes
      def through_blocks = super
      def through_rescue = instance_exec { super() }
    end
    COPY = First.dup

    def escaped(maker) = -> { [0].each { maker.make } }

    def all(round)
      [First, Second, COPY].each do |klass|
        maker = klass.new
        maker.make
        maker.make_in_a_module
        maker.through_special_variables("a#{round}")
        maker.through_blocks
        maker.through_bmethod
        maker.through_rescue if RUBY_VERSION < "3.4" # newer backtraces leave out the frames of rescue
        maker.through_yield { maker.make }
        maker.anything
        maker.public_send(:make)
        maker.branch(round)
        [0, 10, 63, 64, 70, 120].each { |depth| maker.recurse(depth) { maker.make } }
        eval("def self.template(maker) = maker.make", nil, "/template.erb", 7)
        template(maker)
        # elsewhere the VM tells of the method that evaluates, and the line of what is evaluated
        eval("maker.make", binding, "/evaluated.erb", 9) if KNOWN
        proc = escaped(maker)
        GC.start if round == 3 && klass == First
        proc.call
        Fiber.new { maker.make; Fiber.yield; maker.make_in_a_module }.tap(&:resume).resume
        Enumerator.new { |y| maker.make; y << 1 }.next
        Thread.new { maker.make_in_a_module; maker.recurse(3) { maker.make } }.join
        "abc".gsub(/b/) { maker.make; "" }
        Hash.new { |_, _| maker.make }[1]
      end
    end

    def counts
      LeakHunter::Native.trace_stacks.lines.filter_map do |line|
        record = JSON.parse(line)
        frames = record["frames"].map { |frame| frame[/\A.+?:\d+(?=:in |\z)/] }
        frames = frames.reject { |it| it.start_with?("<internal:") || it.end_with?(":0") }
        [frames.first(64), record["born"]] if frames.first == "#{__FILE__}:#{Makes::MAKE_LINE}"
      end
    end
  RUBY

  ending = <<~'RUBY'
    found = Hash.new(0)
    counts.each { |frames, born| found[frames] += born }
    # of deeper stacks there are 64 frames, methods in C included
    same = lambda { |told, true_lines| told == true_lines || (told.size > 30 && told == true_lines.first(told.size)) }
    merged = Hash.new(0)
    TRUTH.each { |lines, times| merged[found.keys.find { |told| same.(told, lines) } || lines] += times }
    puts({ differing: (merged.to_a - found.to_a).first(3), unknown: (found.to_a - merged.to_a).first(3),
           stacks: found.size, in_place: LeakHunter::Native.sampling[:stacks_in_place] }.to_json)
  RUBY

  def result(program, *options)
    JSON.parse(despite_known_bug { run_ruby(program, options:) }, symbolize_names: true)
  end

  it "are those of Ruby's backtraces, whatever calls what" do
    found = result(<<~RUBY)
      #{program}
      LeakHunter.trace!(mode: :sampled, every: 1)
      12.times { |round| all(round) }
      #{ending}
    RUBY
    expect(found).to include(differing: [], unknown: [], in_place: known)
    expect(found[:stacks]).to be > 20
  end

  it "are so when objects and code move, and code is given up and made anew" do
    found = result(<<~RUBY)
      #{program}
      LeakHunter.trace!(mode: :sampled, every: 1)
      GC.auto_compact = true if GC.respond_to?(:auto_compact=)
      8.times do |round|
        all(round)
        GC.compact if GC.respond_to?(:compact)
        500.times { |number| eval("def self.gone = KEPT << Object.new; gone; KEPT.pop", nil, "/gone/\#{number}.erb", round) }
        GC.start
      end
      #{ending}
    RUBY
    expect(found).to include(differing: [], unknown: [], in_place: known)
  end

  it "are so in code that was compiled to machine code" do
    skip "this Ruby has no compiler" unless defined?(RubyVM::YJIT)
    found = result(<<~RUBY, "--yjit", "--yjit-call-threshold=2")
      #{program}
      raise "it is off" unless RubyVM::YJIT.enabled?
      3.times { |round| all(round) }
      TRUTH.clear
      LeakHunter.trace!(mode: :sampled, every: 1)
      30.times { |round| all(round) }
      #{ending}
    RUBY
    expect(found).to include(differing: [], unknown: [], in_place: known)
  end
end
