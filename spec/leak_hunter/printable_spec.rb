# frozen_string_literal: true

require "json"

RSpec.describe LeakHunter::Printable do
  {
    "Session" => "Session",
    "漢字 👩‍💻 é" => "漢字 👩‍💻 é",
    "\e[31mred\e[0m" => '\e[31mred\e[0m',
    "\u202Etxt.exe\u2066" => '\u202Etxt.exe\u2066',
    "a\u200Bb\uFEFF" => 'a\u200Bb\uFEFF'
  }.each do |text, shown|
    it("shows #{text.inspect}") { expect(described_class.call(text)).to eq(shown) }
  end

  it "shows every control character as an escape" do
    controls = [*0..0x1F, *0x7F..0x9F, 0x200E, 0x200F, *0x2028..0x202E, *0x2066..0x2069, 0xE0041]
    controls.each do |code|
      shown = described_class.call("a#{[code].pack("U")}b")
      expect(shown).to match(/\Aa\\[^[:cntrl:]]+b\z/)
    end
  end

  it "takes text of any encoding, valid or not" do
    expect(described_class.call("caf\xE9")).to eq('caf\xE9')
    expect(described_class.call("caf\xC3\xA9".b)).to eq("café")
    expect(described_class.call("caf\xE9".dup.force_encoding("ISO-8859-1"))).to eq("café")
    expect(described_class.call("caf\xC3\xA9".dup.force_encoding("US-ASCII"))).to eq("café")
    expect(described_class.call("a\e".encode("UTF-16LE"))).to eq('a\e')
    expect(described_class.call("a\xD8".dup.force_encoding("UTF-16LE"))).to be_valid_encoding
    expect(described_class.call("a\xD8\x00".dup.force_encoding("UTF-16LE"))).to be_valid_encoding
    expect(described_class.call(:"a\nb")).to eq('a\nb')
  end

  it "keeps the lines of a text of several" do
    expect(described_class.lines("a\n\eb\n")).to eq("a\n\\eb\n")
    expect(described_class.lines("")).to eq("")
  end

  it "escapes in JSON what JSON does not" do
    value = { "a\u202E" => "\u0085\n\u{E0041}é", "b" => 1 }
    text = described_class.json(JSON.pretty_generate(value))
    expect(text).not_to match(/[^\n[:print:]]/)
    expect(text).to include("é")
    expect(JSON.parse(text)).to eq(value)
  end

  it "leaves its argument as it was" do
    text = "\xFF\e".b.freeze
    expect(described_class.call(text)).to eq('\xFF\e')
    expect(text.encoding).to eq(Encoding::BINARY)
  end
end
