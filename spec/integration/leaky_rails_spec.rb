# frozen_string_literal: true

require "open3"
require "rbconfig"

RSpec.describe "A Rails application with three leaks and a cache", :tmpdir do
  before { %w[puma railties activerecord sqlite3].each { |name| needs_gem(name) } }

  let(:example) { File.expand_path("../../examples/leaky_rails", __dir__) }

  def demo(dir, *options)
    Open3.capture2e({ "RUBYLIB" => RubyProcess::LIB }, RbConfig.ruby, "-w", File.join(dir, "demo.rb"), *options)
  end

  def exactly_three_grow = include("Found: three holders grow", "Found: the cache does not grow")

  it "has its leaks named, to the object, and its cache left alone" do
    output, status = demo(example)
    expect(output).to match(/^\d\. GROWING  SeededLeaks::AUDIT_TRAIL$/)
    expect(output).to match(/ AUDIT_TRAIL Array, 720 entries  \+240, \+240\n +└ \[n\] +SeededLeaks::Visit$/)
    expect(output.scan(/^(Found|NOT found): (\d+ [\w:]+|.*)/)).to include(
      ["Found", "240 SeededLeaks::Visit"],
      ["Found", match(/\A\d{2,} SeededLeaks::Query\z/)],
      ["Found", "40 ActiveSupport::HashWithIndifferentAccess"]
    )
    expect(output).to exactly_three_grow
    expect(output).not_to include("NOT found")
    expect(status).to be_success
  end

  it "has its leaks named without warm-up, too" do
    output, status = demo(example, "--cold")
    expect(output).to include("Found: 240 SeededLeaks::Visit", "Found: 40 ActiveSupport::HashWithIndifferentAccess")
    expect(output).to exactly_three_grow
    expect(output).not_to include("NOT found")
    expect(status).to be_success
  end

  it "fails when that is not what was planted" do
    FileUtils.cp_r([example, File.join(example, "../leaky_app")], @tmpdir)
    leaks = File.join(@tmpdir, "leaky_rails/lib/seeded_leaks.rb")
    File.write(leaks, File.read(leaks).sub("visits: AUDIT_TRAIL.size", "visits: AUDIT_TRAIL.size * 2"))
    output, status = demo(File.join(@tmpdir, "leaky_rails"))
    expect(output).to match(/^NOT found: 480 SeededLeaks::Visit \(240 in the report\)$/)
    expect(status.exitstatus).to eq(1)
  end
end
