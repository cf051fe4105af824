# frozen_string_literal: true

RSpec.describe LeakHunter::Error do
  classes = LeakHunter.constants.map { |name| LeakHunter.autoload?(name) ? nil : LeakHunter.const_get(name) }
                      .grep(Class).select { |constant| constant <= Exception }

  it "marks all that LeakHunter raises" do
    expect(classes.size).to be >= 15
    expect(classes).to all(be < described_class)
    classes.each { |error| expect { raise error, "x" }.to raise_error(described_class, "x") }
  end

  it "is an ArgumentError for wrong use" do
    expect(LeakHunter::UsageError).to be < ArgumentError
    expect { LeakHunter.diff("a", "b", "c", colour: 1) }.to raise_error(ArgumentError)
    expect { LeakHunter::Configuration.new(max_dumps: 0) }.to raise_error(ArgumentError)
  end

  it "says of dumps alone which file it was, and where in it" do
    expect(LeakHunter::HeapTooLarge.superclass).to be(LeakHunter::DumpError)
    expect(LeakHunter::HeapTooLarge.new("x", path: "a.json", line: 3, byte: 7))
      .to have_attributes(message: "x", path: "a.json", line: 3, byte: 7)
    expect(LeakHunter::HeapTooLarge.new("of a living process")).to have_attributes(path: nil, line: nil, byte: nil)
    others = classes.reject { |error| error <= LeakHunter::DumpError }
    expect(others).to include(LeakHunter::UsageError, LeakHunter::MismatchError, LeakHunter::InternalError)
    expect(others.flat_map { |error| error.new("x").public_methods(true) & %i[path line byte] }).to be_empty
    (others - [LeakHunter::WriteError]).each do |error|
      expect { error.new("x", path: "a.json") }.to raise_error(ArgumentError)
    end
  end

  it "can be printed, whatever names are in the message" do
    classes.each do |error|
      expect(error.new("a\e[31m\nb\xFF").message).to eq("a\\e[31m\nb\\xFF")
      expect(error.new.message).to eq(error.name)
    end
    path = "/tmp/a\nb\xE9\e"
    expect(LeakHunter::DumpUnreadable.new("#{path}: no such file", path:))
      .to have_attributes(message: '/tmp/a\nb\xE9\e: no such file', path:)
  end
end
