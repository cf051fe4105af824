# frozen_string_literal: true

# `rake spec:gc_stress` and `rake spec:compact`: makes the collector a nuisance while Rust makes Ruby objects, so that a
# value which the collector was not told of is gone, or elsewhere, at once. Only there: the rest is not on trial.
module GCStrain
  # Seconds of full collections in one run. They take many times longer than what they are to disturb; after that,
  # collections of the young objects must do, which are the ones that Rust makes.
  BUDGET = Float(ENV.fetch("LEAK_HUNTER_GC_SECONDS", "45"))

  NO_MAJOR = 0x01

  # The first calls of a method: some are called for every object of a heap.
  CALLS = 12

  # Having moved objects, Ruby 3.1 looks for them one word above the top of the VM's stack, too, and follows what an
  # earlier call left there (rb_vm_each_stack_value), even into a page that is gone. So objects move after the calls
  # only there, not during them, and above nils.
  MOVE_ANYTIME = RUBY_VERSION >= "3.2"
  NILS = Array.new(1_000)

  # What is prepended to a module or class that the extension defines: every method of its own under strain.
  def self.strained(names)
    left = Hash.new(CALLS)
    Module.new do
      names.each do |name|
        define_method(name) do |*arguments, &block|
          (left[name] -= 1).negative? ? super(*arguments, &block) : GCStrain.around { super(*arguments, &block) }
        end
      end
    end
  end

  class << self
    attr_accessor :strain, :spent, :calls

    def start(strain)
      self.strain = strain
      self.spent = 0.0
      self.calls = 0
      [LeakHunter::Native.singleton_class, LeakHunter::Native::Heap, LeakHunter::Native::Mark].each do |extension|
        extension.prepend(GCStrain.strained(extension.instance_methods(false)))
      end
    end

    def around(&)
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      self.calls += 1
      begin
        send(strain, &)
      ensure
        self.spent += Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
      end
    end

    def summary
      "#{strain}: #{calls} calls of the extension in #{spent.round(1)} s"
    end

    private

    def stress
      GC.stress = spent < BUDGET || NO_MAJOR
      yield
    ensure
      GC.stress = false
    end

    def compact
      GC.auto_compact = MOVE_ANYTIME
      result = yield
      above_nils { GC.compact }
      above_nils { GC.verify_compaction_references(toward: :empty) } if GC.respond_to?(:verify_compaction_references)
      result
    ensure
      GC.auto_compact = false
    end

    def above_nils
      [].push(*NILS) # arguments lie on the VM's stack
      yield
    end
  end
end

strain = :stress if ENV["LEAK_HUNTER_GC_STRESS"]
strain = :compact if ENV["LEAK_HUNTER_GC_COMPACT"]

if strain
  RSpec.configure do |config|
    config.filter_run_excluding(timing: true) # nothing is fast here
    config.filter_run_excluding(addresses: true) if strain == :compact # nothing stays where it is
    config.before(:suite) { GCStrain.start(strain) }
    config.after(:suite) do
      warn "\n#{GCStrain.summary}"
      raise "no call of the extension was under strain" if GCStrain.calls.zero?
    end
  end
end
