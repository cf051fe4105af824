# frozen_string_literal: true

require "open3"

RSpec.describe LeakHunter::Recorder, "and what strings hold", :tmpdir do
  # Each ends in a number of its own, so that no two are one String.
  secrets = <<~'RUBY'
    secret = ->(kind) { "canary-#{kind}-#{ENV.fetch("NONCE")}" }
    LITERAL = "canary-literal-in-the-code"
    FROZEN = secret["frozen"].freeze
    LONG = secret["long"] * 50
    SHARED = LONG[10..]
    SYMBOL = secret["symbol"].to_sym
    HASH = { secret["key"] => 1, secret["symbol key"].to_sym => 2 }
    ENV["CANARY"] = secret["env"]
    COPY = ENV["CANARY"]
    EXCEPTION = begin; raise secret["exception"]; rescue => e; e; end
    PATTERN = Regexp.new(secret["pattern"])
    Point = Struct.new(:x)
    POINT = Point.new(secret["member"])
    OBJECT = Object.new.tap { |object| object.instance_variable_set(:@token, secret["variable"]) }
    Thread.current.name = secret["thread"]
    FLOAT = ENV["NONCE"].to_f * 1e200
  RUBY

  def take(secrets, options = "")
    run_ruby(<<~RUBY, @tmpdir, env: { "NONCE" => "4711" })
      #{secrets}
      LeakHunter.trace!
      3.times do |number|
        LeakHunter.dump!(File.join(ARGV[0], "\#{number}.json.zst")#{options})
        (KEPT ||= []).concat(Array.new(200) { secret["kept \#{KEPT.size}"] })
      end
    RUBY
    Dir[File.join(@tmpdir, "*.json.zst")]
  end

  it "write none of it by default, into no file and no report" do
    paths = take(secrets)
    texts = paths.map { |path| DumpReader.text(path) }
    report = LeakHunter::Report.new(LeakHunter.diff(*paths, holders: true))
    texts.push(report.to_s, report.to_json, report.to_html, report.to_markdown)
    expect(texts.join.b.scan(/.{0,40}canary.{0,40}/i)).to eq([])
    expect(texts.first).to include('"value":"') # paths of code
  end

  it "write all of it when asked to, and say that the file is a secret" do
    path = take(secrets, ", values: :all").first
    text = DumpReader.text(path)
    %w[literal-in-the-code frozen- long- symbol- key- env- exception- pattern- member- variable-].each do |kind|
      expect(text).to include("canary-#{kind}")
    end
    expect(LeakHunter.dump!(dir: @tmpdir, values: :all).warnings).to eq([LeakHunter::Recorder::Format::SECRET])
    expect(LeakHunter.dump!(dir: @tmpdir).warnings).to eq([])
  end

  it "show equal ones by a digest, of which each process has its own key, or one that was given" do
    same = Array.new(2) { |number| "one text #{number / 2}".dup }
    digests = lambda do |**options|
      reader = DumpReader.new(LeakHunter.dump!(dir: @tmpdir, values: :length_and_digest, **options))
      same.map { |text| reader.objects.fetch("0x#{text.to_s.then { Fiddle.dlwrap(text) }.to_s(16)}")["digest"] }
    end
    require "fiddle"
    one = digests.call
    expect(one).to match([/\A\h{16}\z/, one.first])
    expect(digests.call).to eq(one)
    given = digests.call(digest_key: "k" * 16)
    expect(given.uniq.size).to eq(1)
    expect(given).not_to eq(one)
    expect { digests.call(digest_key: "short") }.to raise_error(LeakHunter::UsageError, /16 bytes/)
  end

  it "write the first characters when asked to" do
    kept = "0123456789abcdefSECRET".dup
    text = DumpReader.text(LeakHunter.dump!(dir: @tmpdir, values: :prefix))
    expect(text).to include('"value":"0123456789abcdef"')
    # this text, too, is one of the process's Strings
    expect(text).not_to include("0123456789abcdefS")
    expect(kept).to end_with("SECRET")
  end

  it "are ObjectSpace's lines with values: :all, compress: :none" do
    output = run_ruby(<<~'RUBY', @tmpdir)
      # what is written is what dump_all has made
      module Keep
        def dump_all(...) = super.tap { |text| $digest = text.hash }
      end
      ObjectSpace.singleton_class.prepend(Keep)
      LeakHunter.trace!(mode: :objspace) # LeakHunter's own puts its births in
      dump = LeakHunter.dump!(File.join(ARGV[0], "1.json"), values: :all)
      lines = File.read(dump).lines
      text = lines[1..-2].reject { |line| line.start_with?('{"type":"NAME"') }.join
      puts text.hash == $digest
    RUBY
    expect(output).to eq("true\n")
  end

  it "are read by the system's own tools", if: system("zstd -q --version > /dev/null 2>&1") do
    names = %w[1.json 2.json.zst 3.json.gz]
    names.each { |name| LeakHunter.dump!(File.join(@tmpdir, name)) }
    commands = { "1.json" => "cat", "2.json.zst" => "zstd -dc", "3.json.gz" => "gzip -dc" }
    commands.each do |name, command|
      path = File.join(@tmpdir, name)
      text, status = Open3.capture2(*command.split, path, binmode: true)
      expect(status).to be_success
      expect(text).to eq(DumpReader.text(path))
      expect(text.lines.first).to start_with('{"type":"DUMP"')
      expect(text.lines.last).to start_with('{"type":"DUMP_END"')
    end
  end

  it "do not matter to the classic script, which reads what is unpacked" do
    paths = take(secrets).map do |path|
      path.delete_suffix(".zst").tap { |plain| File.binwrite(plain, DumpReader.text(path)) }
    end
    script = File.expand_path("../../bench/classic.rb", __dir__)
    output, status = Open3.capture2e(RbConfig.ruby, script, *paths)
    expect(status).to be_success
    expect(output).to match(/^Retained 200 STRING objects/)
  end

  it "come to the same report from every kind of file" do
    paths = take(secrets)
    reports = { "zst" => paths }
    reports["plain"] = paths.map { |path| path.sub(".zst", "").tap { |it| File.binwrite(it, DumpReader.text(path)) } }
    reports["gzip"] = paths.map do |path|
      path.sub(".zst", ".gz").tap { |it| Zlib::GzipWriter.open(it) { |gzip| gzip.write(DumpReader.text(path)) } }
    end
    results = reports.transform_values do |files|
      LeakHunter.diff(*files, holders: true).except(:dumps, :seconds, :timings).to_s.gsub(/\.json(\.zst|\.gz)/, ".json")
    end
    expect(results.values.uniq.size).to eq(1)
  end
end
