# frozen_string_literal: true

require "json"

# What is in use at the last moment hangs on the stack of a thread or fiber. It shares names with what was in use
# before, since Ruby has each key of a Hash once. A list that a loop keeps in a local variable hangs there, too.
RSpec.describe "What hangs on a stack at the last moment", :tmpdir do
  program = <<~'RUBY'
    require "json"
    stack, work, kind, folder, *flags = ARGV
    # What the other side gets, and keeps on its own stack until the moment is over.
    HANDED = flags.include?("handed") ? ->(there) { there } : ->(_) { true }

    # From the second one on, a request brings the same headers.
    request = lambda do |round|
      headers = { "PATH_INFO" => "/orders/#{round}" }
      (round.zero? ? 0 : 40).times { |index| headers["HTTP_X_HEADER_#{index}"] = "value #{round} #{index}" }
      headers
    end
    entries = ->(round) { Array.new(50) { |index| "entry #{round} #{index}" } }

    # Called with what was there before and the number of the round; what they return is there then.
    STEP = {
      "request" => ->(_, round) { request.(round) },
      "job" => ->(_, round) { { "class" => "Job", "arguments" => [request.(round)] } },
      "list" => ->(list, round) { (list || []).concat(entries.(round)) },
      "table" => ->(table, round) { (table || {}).merge!(entries.(round).to_h { |it| [it, it * 9] }) }
    }.fetch(work)

    def self.in_thread
      jobs = Queue.new
      done = Queue.new
      Thread.new do
        there = nil
        while (round = jobs.pop)
          there = STEP.call(there, round)
          done << HANDED.(there)
        end
        there
      end
      lambda do |round|
        jobs << round
        done.pop
      end
    end

    def self.in_fiber
      fiber = Fiber.new do |round|
        there = nil
        while round
          there = STEP.call(there, round)
          round = Fiber.yield(HANDED.(there))
        end
        there
      end
      ->(round) { fiber.resume(round) }
    end

    def self.in_enumerator
      enumerator = Enumerator.new do |out|
        there = nil
        (0..).each do |round|
          there = STEP.call(there, round)
          out << true
        end
        there
      end
      ->(_) { enumerator.next }
    end

    run = { "thread" => -> { in_thread }, "fiber" => -> { in_fiber }, "enumerator" => -> { in_enumerator } }[stack].call
    LeakHunter.trace!
    moments = Array.new(4) do |round|
      handed = run.call(round)
      moment = kind == "dump" ? LeakHunter.dump!(dir: folder) : LeakHunter.snapshot!(dir: folder)
      handed && moment
    end
    result = LeakHunter.diff(*moments.first(3), holders: true)
    held = result[:holders].map { |it| [it[:count], *it[:verdict].values_at(:name, :reason)] }
    puts JSON.generate([result[:verdict][:name], *held])
    $stdout.flush
    exit!(0)
  RUBY

  define_method(:judged) do |stack, work, kind, *flags|
    JSON.parse(run_ruby(program, stack, work, kind, @tmpdir, *flags))
  end

  %w[thread fiber enumerator].product(%w[request job], %w[dump snapshot]).each do |stack, work, kind|
    it "is no leak when it is in use, with names of the one before: #{work} in a #{stack}, #{kind}s" do
      verdict, *held = judged(stack, work, kind)
      # a name or two may also be on another part of a stack
      expect([verdict, held]).to match(["no_leak", include([be >= 30, "replaced", "last_value"])])
    end
  end

  # Two stacks may have it: that of who waits for it, or a conservative collector finds it where it has been.
  %w[thread fiber].product(%w[request job]).each do |stack, work|
    it "is no leak when it is in use on two stacks: #{work} in a #{stack}" do
      verdict, *held = judged(stack, work, "snapshot", "handed")
      expect([verdict, held]).to match(["no_leak", include([be >= 30, "replaced", "last_value"])])
    end
  end

  %w[list table].product(%w[thread fiber], [[], ["handed"]]).each do |work, stack, flags|
    it "is a leak when it goes on#{", on two stacks" unless flags.empty?}: #{work} in a #{stack}" do
      verdict, *held = judged(stack, work, "snapshot", *flags)
      expect([verdict, held]).to match(["leak", include([be >= 40, "growing", "every_window"])])
    end
  end
end
