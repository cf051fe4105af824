# frozen_string_literal: true

RSpec.describe LeakHunter::Terminal::Fold do
  def columns(line) = LeakHunter::Report::Format.columns(line.gsub(/\e\[[\d;]*m/, ""))

  it "leaves alone what fits" do
    text = "one\n\n  \e[1mtwo\e[0m three\n"
    expect(described_class.call(text, 20)).to eq(text)
  end

  it "breaks between words, and indents what follows" do
    expect(described_class.call("  holds 500 of the 1,000 objects", 20)).to eq("  holds 500 of the\n    1,000 objects")
  end

  it "breaks words that are too long" do
    expect(described_class.call("#{"x" * 45} y", 20)).to eq("#{"x" * 20}\n  #{"x" * 18}\n  #{"x" * 7} y")
  end

  it "goes on with a style in the next line" do
    expect(described_class.call("a \e[1mbold text of many words\e[0m end", 20))
      .to eq("a \e[1mbold text of many\e[0m\n  \e[1mwords\e[0m end")
  end

  it "keeps every character and no line too wide, whatever the text" do
    random = Random.new(RSpec.configuration.seed)
    pieces = ["word", "x" * 50, " ", "   ", "日本語", "é", "e\u0301", "😀", "\e[1mbold", "\e[0m", "\e[2mdim words\e[0m",
              "\n", "a::b::c", "\e"]
    500.times do
      text = Array.new(random.rand(1..30)) { pieces.sample(random:) }.join
      width = random.rand(20..60)
      folded = described_class.call(text, width)
      expect(folded.lines(chomp: true).map { |line| columns(line) }).to all(be <= width)
      plain = [text, folded].map { |it| it.gsub(/\e\[[\d;]*m/, "").gsub(/\s/, "") }
      expect(plain.last).to eq(plain.first)
    end
  end
end
