# frozen_string_literal: true

require "logger"
require "pathname"

RSpec.describe LeakHunter::Configuration do
  subject(:configuration) { described_class.new }

  let(:token) { "0123456789abcdef" * 2 }

  around do |example|
    before = ENV.fetch(described_class::TOKEN_VARIABLE, nil)
    ENV.delete(described_class::TOKEN_VARIABLE)
    example.run
  ensure
    ENV[described_class::TOKEN_VARIABLE] = before
  end

  it "is closed and modest by default" do
    expect(configuration).to have_attributes(
      dir: File.join(Dir.pwd, "tmp", "leak_hunter"), token: nil, authorize: nil, allow_download: false, max_dumps: 10,
      max_bytes: 5 * (1024**3), logger: nil
    )
    expect(described_class::DEFAULTS).to be_frozen
  end

  it "takes settings as keywords" do
    expect(described_class.new(token:, max_dumps: 3)).to have_attributes(token:, max_dumps: 3, allow_download: false)
    expect { described_class.new(colour: "red") }.to raise_error(LeakHunter::UsageError, /colour/)
  end

  it "is what LeakHunter.configure yields" do
    expect { |block| LeakHunter.configure(&block) }.to yield_with_args(LeakHunter.configuration)
  end

  describe "dir" do
    it "is made absolute and takes any path" do
      configuration.dir = "dumps"
      expect(configuration.dir).to eq(File.expand_path("dumps"))
      configuration.dir = Pathname("/var/dumps")
      expect(configuration.dir).to eq("/var/dumps")
      configuration.dir = nil
      expect(configuration.dir).to end_with("/tmp/leak_hunter")
      expect { configuration.dir = 5 }.to raise_error(LeakHunter::UsageError, /dir.*5/)
    end

    it "is under Rails' root where there is one" do
      output = run_ruby(<<~'RUBY', options: ["-rpathname"])
        module Rails
          def self.root = $root
        end
        $root = Pathname("/app")
        puts LeakHunter.configuration.dir
        $root = nil
        puts LeakHunter.configuration.dir
      RUBY
      expect(output.lines(chomp: true)).to eq(["/app/tmp/leak_hunter", File.join(Dir.pwd, "tmp/leak_hunter")])
    end
  end

  describe "token" do
    it "comes from the environment unless it is set" do
      ENV[described_class::TOKEN_VARIABLE] = token
      expect(configuration.token).to eq(token)
      configuration.token = token.swapcase
      expect(configuration.token).to eq(token.swapcase)
    end

    it "is nil when the variable is empty, and refused when it is weak" do
      ENV[described_class::TOKEN_VARIABLE] = ""
      expect(configuration.token).to be_nil
      ENV[described_class::TOKEN_VARIABLE] = "secret"
      expect { configuration.token }.to raise_error(LeakHunter::UsageError, /LEAK_HUNTER_TOKEN/)
    end

    it "must be long, printable and without spaces; the message does not show it" do
      ["x" * 31, "#{"x" * 32}\n", "ä" * 32, "\xFF" * 32, :symbol, 5, ""].each do |weak|
        expect { configuration.token = weak }.to raise_error(LeakHunter::UsageError, /\A(?!.*xxx).*32/m)
      end
      configuration.token = "x" * 32
      configuration.token = nil
      expect(configuration.token).to be_nil
    end

    it "is not in what inspect shows" do
      configuration.token = token
      expect(configuration.inspect).not_to include(token)
    end
  end

  it "takes a block or something callable that authorizes" do
    configuration.authorize { |env| env["ok"] }
    expect(configuration.authorize.call("ok" => 5)).to eq(5)
    configuration.authorize = :itself.to_proc
    expect(configuration.authorize.call(7)).to eq(7)
    configuration.authorize = nil
    expect(configuration.authorize).to be_nil
    expect { configuration.authorize = true }.to raise_error(LeakHunter::UsageError, /authorize/)
  end

  it "takes a logger" do
    configuration.logger = Logger.new(File::NULL)
    expect(configuration.logger).to be_a(Logger)
    expect { configuration.logger = "log" }.to raise_error(LeakHunter::UsageError, /logger/)
  end

  it "refuses what a setting cannot be" do
    expect { configuration.allow_download = "yes" }.to raise_error(LeakHunter::UsageError, /allow_download.*"yes"/)
    [0, -1, 1.5, "3", nil].each do |number|
      expect { configuration.max_dumps = number }.to raise_error(LeakHunter::UsageError, /max_dumps/)
      expect { configuration.max_bytes = number }.to raise_error(LeakHunter::UsageError, /max_bytes/)
    end
  end
end
