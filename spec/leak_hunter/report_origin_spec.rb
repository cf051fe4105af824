# frozen_string_literal: true

# Through which contexts and callers leaked objects came, in words.
RSpec.describe LeakHunter::Report::Origin do
  def caller(*through, stayed:, died: 0)
    { frames: ["/srv/shop/app/order.rb:12:in `new'"], through:, stayed:, died: }
  end

  def group(*callers, count:, **keys)
    totals = { stacks: callers.size, stayed: callers.sum { |it| it[:stayed] }, died: callers.sum { |it| it[:died] } }
    { contexts: [], context_count: 0, callers:, caller_totals: totals, count:, **keys }
  end

  def callers(*all, count:) = described_class.new(group(*all, count:)).callers

  it "says that all came through one caller" do
    create = caller("OrdersController#create", "AuditTrail.record", stayed: 480)
    other = caller("Other#make", stayed: 0, died: 20_000)
    expect(callers(create, other, count: 480)).to eq(
      "all 480 that stayed came through OrdersController#create → AuditTrail.record; " \
      "of 20,000 made elsewhere none stayed."
    )
  end

  it "says how many of those of the same caller died" do
    expect(callers(caller("A#b", stayed: 1, died: 7), count: 1))
      .to eq("the one that stayed came through A#b (where 7 others died).")
  end

  it "names the largest of several" do
    all = [300, 100, 50, 20, 0].map.with_index { |stayed, index| caller("A#m#{index}", stayed:, died: index) }
    expect(callers(*all, count: 500)).to eq(
      "of 500 that stayed, 300 through A#m0; 100 through A#m1 (where 1 other died); " \
      "50 through A#m2 (where 2 others died); 20 through others."
    )
  end

  it "says where not of all the stack is known" do
    expect(callers(caller("A#b", stayed: 3), count: 10)).to eq("3 of 10 that stayed came through A#b.")
  end

  it "names the frame where none is the application's, and shortens long ways" do
    expect(callers(caller(stayed: 2), count: 2)).to match(%r{through /srv/shop/app/order.rb:12:in `new'\.\z})
    expect(callers(caller(*%w[a b c d e f], stayed: 2), count: 2)).to end_with("through a → … → d → e → f.")
  end

  it "lists contexts" do
    contexts = [{ context: "POST /orders", count: 1480 }, { context: nil, count: 12 }]
    expect(described_class.new(group(count: 1500, contexts:, context_count: 3)).contexts)
      .to eq("POST /orders 1,480, no context 12, 2 more contexts")
    expect(described_class.new(group(count: 1)).contexts).to be_nil
  end

  it "is in every format of a report, and shows no control characters" do
    contexts = [{ context: "POST /orders\e[31m", count: 9_000 }]
    leaked = SampleReport.session.merge(group(caller("OrdersController#create", stayed: 9_000), count: 9_000,
                                                                                                contexts:))
    holder = SampleReport.holder(contexts:, context_count: 1)
    report = LeakHunter::Report.new(SampleReport.with_holders(holder, groups: [leaked]))
    said = /POST \S+.*9,000.*all 9,000 that stayed came through OrdersController#create/m
    [report.to_s(width: 80, color: false), report.to_html, report.to_markdown.delete("\\")].each do |text|
      expect(text).to match(said)
      expect(text).not_to include("\e")
    end
    expect(report.to_json).to include('"through":["OrdersController#create"]')
    expect(report.to_s(width: 80, color: false).lines.map { |line| line.chomp.size }.max).to be <= 80
  end
end
