# frozen_string_literal: true

# A report is laid out for its width: no line is longer, and no name is cut off where numbers do not stand beside it.
RSpec.describe LeakHunter::Report, "in any width" do
  def columns(line) = LeakHunter::Report::Format.columns(line.gsub(/\e\[[\d;]*m/, ""))

  # What is left of a text without blanks and without the lines of its path tree.
  def squeezed(text) = text.gsub(/\e\[[\d;]*m/, "").gsub(/[\s└]/, "")

  def self.step(name) = SampleReport.step(name, "OBJECT", "instance_variable", "@#{name.downcase.tr(":", "_")}")

  names = ["Sessions::ALL", "ActiveSupport::Notifications.@notifier.@string_subscribers[\"sql.active_record\"]",
           "threads started at app/jobs/mail/deliver_later_job.rb:7", "x" * 150, "Ünïcödé::漢字クラス#{"漢字" * 20}",
           "Shop::Cache.@pages[\"/a b/c\"].@lru → Proc"]

  # With a path through it, long and short.
  holders = names.each_with_index.map do |name, index|
    path = SampleReport.holder_path
    path.insert(4, *Array.new(index) { |at| step("Deep::Namespace#{at}::ConnectionAdapter") })
    SampleReport.holder(name:, path:, memsize: 1_000_000 - index)
  end

  groups = names.map { |name| SampleReport.group(class: name.tr(" ", ""), file: "/srv/#{name.tr(" ", "_")}.rb") }

  def self.results(holders, groups)
    { "leaks" => SampleReport.with_holders(*holders, groups:),
      "one leak" => SampleReport.with_holders(holders.first),
      "nothing certain" => SampleReport.with_holders(*holders.map do |it|
        it.merge(verdict: it[:verdict].merge(name: "inconclusive", reason: "slowing", another_moment_settles: true))
      end),
      "no holders" => SampleReport.result(groups:),
      "nothing" => SampleReport.result(groups: []) }
  end

  results(holders, groups).each do |name, result|
    it "keeps within 20 to 100 columns: #{name}" do
      (20..100).each do |width|
        [false, true].each do |color|
          text = described_class.new(result).to_s(width:, color:, sites: true)
          wide = text.lines(chomp: true).select { |line| columns(line) > width }
          expect([width, wide]).to eq([width, []])
        end
      end
    end
  end

  it "loses none of a holder's names, nor of its path" do
    (20..100).each do |width|
      text = squeezed(described_class.new(SampleReport.with_holders(*holders)).to_s(width:, holders: nil))
      expect(text).to include(*names.map { |it| squeezed(it) })
      holders.flat_map { |it| LeakHunter::Report::PathTree.new(it, roots: {}).lines }.each do |line|
        expect(text).to include(squeezed(line.label), squeezed(line.edge.to_s))
      end
    end
  end

  it "loses no name of a table where there is no room for columns" do
    (20..59).each do |width|
      text = squeezed(described_class.new(SampleReport.result(groups:)).to_s(width:))
      expect(text).to include(*groups.flat_map { |it| it.values_at(:class, :file).map { |name| squeezed(name) } })
    end
  end

  it "breaks no word that fits into a line" do
    result = SampleReport.with_holders(SampleReport.holder)
    words = described_class.new(result).to_s(width: 200).split
    (40..100).each do |width|
      pieces = described_class.new(result).to_s(width:).split - ["\\"] - words
      long = words.select { |word| columns(word) > width - 11 }
      expect(pieces.reject { |piece| long.any? { |word| word.include?(piece) } }).to be_empty
    end
  end
end
