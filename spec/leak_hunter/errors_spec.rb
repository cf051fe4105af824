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
