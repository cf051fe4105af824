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

  it "has the callers of what leaked named in a second round, by its contexts and stacks" do
    code = <<~'RUBY'
      require File.join(ARGV[0], "lib/news")
      require "leak_hunter/context/rails"
      News.boot
      number = 0
      visit = lambda do |times|
        times.times do
          number += 1
          path = "/articles/#{(number * 7 % 500) + 1}#{"/watch" if (number % 4).zero?}"
          raise path unless Rack::MockRequest.new(Rails.application).get(path).ok?
        end
      end
      round = lambda do
        first = LeakHunter.mark
        visit.call(40)
        second = LeakHunter.mark
        visit.call(8)
        LeakHunter.diff(first, second, LeakHunter::Heap.live, holders: true)
      end
      LeakHunter.trace!(mode: :exact)
      visit.call(60)
      first = round.call
      LeakHunter.trace!(focus: first[:groups].select { |it| it[:class].to_s.match?(/Visit|Indifferent/) })
      second = round.call
      trail = second[:holders].find { |it| it[:name] == "SeededLeaks::AUDIT_TRAIL" }
      p trail[:contexts].map(&:values) # a visit and its path each
      visits = second[:groups].find { |it| it[:class] == "SeededLeaks::Visit" }
      p visits[:count], visits[:callers].map { |it| [it[:through].last, it[:stayed], it[:died]] }
      kept = second[:groups].select { |it| it[:class].to_s.match?(/Indifferent/) && it[:count] == 10 }
      p kept.flat_map { |it| it[:callers].select { |caller| caller[:stayed].positive? } }
            .map { |it| [it[:through].first, it[:stayed]] }.uniq
      puts LeakHunter::Report.new(second).to_s(width: 80, color: false)
    RUBY
    output, status = Open3.capture2e({ "RUBYLIB" => RubyProcess::LIB }, RbConfig.ruby, "-e", code, example,
                                     chdir: @tmpdir)
    raise output unless status.success?

    lines = output.lines(chomp: true)
    expect(lines).to include('[["News::ArticlesController#show", 60], ["News::ArticlesController#watch", 20]]', "40",
                             '[["SeededLeaks.audit", 40, 0]]', '[["News::ArticlesController#watch", 10]]')
    expect(output).to match(/via +all 40 that stayed came through SeededLeaks\.audit\./)
  end
end
