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

  # Each class is of one of the two: a new one has to be put into this list, or be an ArgumentError.
  it "is an ArgumentError for wrong use, and for nothing else: each class" do
    others = %i[InternalError Unsupported ExtensionMissing NotFound WriteError ForkedError RecordingError DumpInProgress
                NotEnoughDisk DumpError DumpUnreadable EmptyDump NotADump TruncatedDump DumpChanged HeapTooLarge
                LockfileError]
    wrong_use, rest = classes.partition { |error| error <= ArgumentError }
    expect(rest.map { |error| error.name[/\w+\z/].to_sym }).to match_array(others)
    expect(wrong_use).to contain_exactly(LeakHunter::UsageError, LeakHunter::MismatchError, LeakHunter::WrongOrder,
                                         LeakHunter::DifferentProcesses, LeakHunter::SameDump)
  end

  it "is an ArgumentError for dumps that do not fit together" do
    one, two, = RealDumps.paths
    expect { LeakHunter.diff(one, one, two) }.to raise_error(ArgumentError) { |e| expect(e).to be_a(described_class) }
    expect { LeakHunter.diff(*RealDumps.paths.reverse) }.to raise_error(ArgumentError)
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
      # one of them says the same each time
      expect(error.new.message).to eq(error.name) unless error == LeakHunter::ForkedError
    end
    path = "/tmp/a\nb\xE9\e"
    expect(LeakHunter::DumpUnreadable.new("#{path}: no such file", path:))
      .to have_attributes(message: '/tmp/a\nb\xE9\e: no such file', path:)
  end
end
