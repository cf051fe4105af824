# frozen_string_literal: true

require "json"

# Real applications, each with five gems that it loads and does not use.
RSpec.describe "LeakHunter.gems", :tmpdir do
  # @return [Hash{Symbol => Array<Hash>}] of the living process and of a dump of it, with the files and without
  def judged(name)
    gem_app(name, @tmpdir)
    output = run_gem_app(@tmpdir, <<~RUBY)
      require "json"
      live = [true, false].to_h { |sources| ["live \#{sources}", LeakHunter.gems(sources:)] }
      dump = LeakHunter.dump!(File.join(Dir.pwd, "1.json"))
      dumped = [true, false].to_h { |sources| ["dump \#{sources}", LeakHunter.gems(dump, sources:)] }
      puts({ **live, **dumped }.to_json)
    RUBY
    JSON.parse(output.lines.last, symbolize_names: true)
  end

  def blamed(rows) = rows.select { |row| row[:verdict] == "probably_unused" && row[:confidence] != "low" }

  %w[sinatra rails].each do |name|
    it "has the idle gems of a #{name} application first, and no other of them" do
      judged(name).each do |how, rows|
        expect(rows.first(5).map { |row| row[:name] }).to match_array(GemApps::IDLE), how.to_s
        expect(rows.first(5).map { |row| row[:verdict] }.uniq).to eq(["probably_unused"]), how.to_s
        expect(blamed(rows).map { |row| row[:name] } - GemApps::IDLE).to eq([]), how.to_s
        expect(rows.map { |row| row[:name] }).to match_array(GemApps::USED.fetch(name) + GemApps::IDLE)
      end
    end
  end

  it "has the idle gems of a site that Jekyll builds first, and says nothing without its files" do
    by_way = judged("jekyll")
    by_way.each do |how, rows|
      expect(blamed(rows).map { |row| row[:name] } - GemApps::IDLE).to eq([]), how.to_s
    end
    [:"live true", :"dump true"].each do |how|
      expect(by_way[how].first(5).map { |row| row[:name] }).to match_array(GemApps::IDLE), how.to_s
    end
  end

  it "says what would go with an idle gem, and why the others are used" do
    rows = judged("sinatra")[:"dump true"].to_h { |row| [row[:name], row] }
    expect(rows["json-schema"][:saves]).to include(gems: include("addressable"), bytes: a_value > 100_000)
    expect(rows["pry"][:reasons]).to include(/\ALoaded|\Aloaded \(\d+ files\), and no code that is used/)
    expect(rows["activerecord"]).to include(verdict: "used", confidence: nil, saves: nil)
    expect(rows["sqlite3"][:reasons].join).to match(/sqlite3/i)
  end

  describe "in a process of their own" do
    let(:exe) { File.expand_path("../../exe/leak_hunter", __dir__) }

    def command(*arguments, **options)
      Open3.capture3(RbConfig.ruby, "-W0", "-I#{RubyProcess::LIB}", exe, "gems", *arguments, chdir: @tmpdir, **options)
    end

    before do
      gem_app("sinatra", @tmpdir)
      run_gem_app(@tmpdir, 'LeakHunter.dump!(File.join(Dir.pwd, "1.json"))')
    end

    it "shows them in 80 columns, and fails the build" do
      output, errors, status = command("1.json")
      expect(errors).to eq("")
      expect(status.exitstatus).to eq(1)
      expect(output.lines.map { |line| line.chomp.length }.max).to be <= 80
      expect(output).to match(/\A11 gems in the Gemfile, 5 probably unused, with [\d.]+ MB of code/)
      expect(output).to match(/^Used: activerecord, nokogiri, rack, rack-test, sinatra, sqlite3\./)
      expect(output).to include("run your tests without it")
    end

    it "writes JSON, and takes out what is idle as a patch" do
      json = JSON.parse(command("--format", "json", "--fail-on", "never", "1.json").first, symbolize_names: true)
      expect(json).to include(schema: 1)
      expect(json[:gems].first.keys).to include(:name, :version, :verdict, :confidence, :severity, :reasons, :saves)

      File.write(File.join(@tmpdir, "Gemfile"), "source 'https://gems.example'\ngem 'rack'\ngem 'pry' # console\n" \
                                                "gem 'json-schema',\n  '> 1'\ngem \"sinatra\"\n")
      patch = command("--gemfile-diff", "--no-gemfile", "1.json").first
      expect(patch.lines(chomp: true)).to eq(["--- a/Gemfile", "+++ b/Gemfile", "@@ -1,6 +1,5 @@",
                                              " source 'https://gems.example'", " gem 'rack'",
                                              "-gem 'pry' # console", " gem 'json-schema',", "   '> 1'",
                                              ' gem "sinatra"'])
    end

    it "ignores what the settings say, and is inconclusive where nothing can be looked at" do
      File.write(File.join(@tmpdir, ".leak_hunter.yml"), <<~YAML)
        gems:
          ignore:
            - {name: pry, reason: "for the console", until: 2999-01-01}
            - {name: xmlrpc, reason: "no longer", until: 2020-01-01}
      YAML
      output, = command("1.json")
      expect(output).to match(/\A11 gems in the Gemfile, 4 probably unused/)
      expect(output).to match(/^Ignored, .*: pry\.$/).and include("xmlrpc")
      _, errors, status = command("--dir", "/", "1.json")
      expect([errors, status.exitstatus]).to match([/there is no Gemfile.lock in/, 2])
    end
  end
end
