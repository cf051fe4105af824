# frozen_string_literal: true

RSpec.describe LeakHunter::Tracing::Mode do
  def mode_in(setting, code = "p LeakHunter.trace!.slice(:mode, :why)")
    run_ruby(code, env: { "LEAK_HUNTER_TRACER" => setting })
  end

  def inspected(**hash) = "#{hash}\n"

  it "is what was asked for, and says so" do
    expect(LeakHunter.trace!(mode: :exact)).to include(mode: :exact, why: "it was asked for")
    LeakHunter.untrace!
    expect(LeakHunter.trace!(mode: :objspace)).to include(mode: :objspace, why: "it was asked for")
  end

  it "stays until tracing ends" do
    first = LeakHunter.trace!(mode: :exact)
    expect(LeakHunter.trace!).to eq(first)
    expect(LeakHunter.trace!(mode: :exact)).to eq(first)
    expect(LeakHunter.trace! { LeakHunter::Tracing.since }).to eq(first)
    expect { LeakHunter.trace!(mode: :objspace) }
      .to raise_error(LeakHunter::UsageError, /mode :exact already, not :objspace: call LeakHunter.untrace!/)
    expect(LeakHunter::Tracing.since).to eq(first)
  end

  it "is refused when there is none of that name" do
    expect { LeakHunter.trace!(mode: :fast) }
      .to raise_error(LeakHunter::UsageError, "trace!: the mode is :exact, :sampled or :objspace, not :fast")
    expect(LeakHunter).not_to be_tracing
  end

  it "is one environment variable, whatever the application asks for" do
    expect(mode_in("objspace", "p LeakHunter.trace!(mode: :exact).slice(:mode, :why)"))
      .to eq(inspected(mode: :objspace, why: "LEAK_HUNTER_TRACER is objspace"))
    expect(mode_in("exact")).to eq(inspected(mode: :exact, why: "it is safe here"))
  end

  it "can be off by that variable: nothing is traced, and nothing fails" do
    output = mode_in("off", <<~RUBY)
      p LeakHunter.trace!(mode: :exact)
      p LeakHunter.trace! { 1 }, LeakHunter.tracing?, LeakHunter::Tracing.since, LeakHunter.mark.to_h[:tracing_since]
      p LeakHunter::Tracing.allocation(Object.new)
      LeakHunter.untrace!
    RUBY
    off = { generation: nil, time: nil, mode: :off, why: "LEAK_HUNTER_TRACER is off" }
    expect(output).to eq("#{off}\n1\nfalse\nnil\nnil\nnil\n")
  end

  it "says which values the variable takes" do
    expect(mode_in("fast", "LeakHunter.trace! rescue puts $!.message"))
      .to eq("LEAK_HUNTER_TRACER is \"fast\": it can be off, objspace, exact or sampled\n")
  end

  it "is not exact beside other Ractors, whose allocations Ruby before 4.0 does not report" do
    skip "Ruby #{RUBY_VERSION} reports them" if LeakHunter::Ractors::STOPPED
    output = run_ruby(<<~RUBY, options: ["-W0"])
      ractor = Ractor.new { Ractor.receive }
      begin
        LeakHunter.trace!(mode: :exact)
      rescue LeakHunter::Unsupported => e
        puts e.message
      end
      ractor.send(1)
      ractor.take
    RUBY
    expect(output).to match(/\Atrace!\(mode: :exact\): other Ractors are running, whose allocations Ruby [\d.]+ /)
  end
end
