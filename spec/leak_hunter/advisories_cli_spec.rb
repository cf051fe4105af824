# frozen_string_literal: true

require "json"

RSpec.describe "leak_hunter advisories", :tmpdir do
  def lock(gems, ruby: "4.0.10", path: "Gemfile.lock")
    specs = gems.map { |name, version| "    #{name} (#{version})\n" }.join
    names = gems.keys.map { |name| "  #{name}\n" }.join
    File.write(File.join(@tmpdir, path), "GEM\n  remote: https://gems.example/\n  specs:\n#{specs}\n" \
                                         "DEPENDENCIES\n#{names}\nRUBY VERSION\n   ruby #{ruby}\n")
  end

  def advisories(*arguments)
    RealDumps.leak_hunter("advisories", *arguments, chdir: @tmpdir, env: { "BUNDLE_GEMFILE" => nil })
  end

  it "tells a tired engineer what to update, why, and what to do until then" do
    lock({ "ethon" => "0.14.0", "rack" => "3.2.6" })
    output, errors, status = advisories
    expect([errors, status]).to eq ["", 1]
    expect(output).to eq <<~TEXT
      1 known leak in Gemfile.lock: 2 gems, Ruby 4.0.10.

      MEDIUM  ethon 0.14.0, update to 0.15.0
         fd      Sockets of easy handles are never closed (ethon-194)
         how     An easy handle that is collected does not run its clean-up, so its
                 socket stays in CLOSE_WAIT and its libcurl memory stays allocated.
         fixed   in 0.15.0
         see     https://github.com/typhoeus/ethon/issues/194
                 https://github.com/typhoeus/ethon/issues/198
    TEXT
  end

  it "is brief about leaks that take a trigger, and exits with 0 for them, unless it is told otherwise" do
    lock({ "oj" => "3.14.2" })
    output, _, status = advisories
    expect(status).to eq 0
    expect(output).to include("LOW  oj 3.14.2, update to 3.17.5\n").and include("(oj-1086)")
    expect(output).not_to include("https://")
    expect(advisories("--details").first).to include("https://github.com/ohler55/oj/pull/1086")
    expect(advisories("--fail-on", "low").last).to eq 1
    lock({ "ethon" => "0.14.0" })
    expect(advisories("--fail-on", "high").last).to eq 0
    expect(advisories("--fail-on", "never").last).to eq 0
  end

  it "says that there is nothing" do
    lock({ "rack" => "3.2.6" })
    expect(advisories).to eq ["No known leak in Gemfile.lock: 1 gem, Ruby 4.0.10.\n", "", 0]
  end

  it "fits 80 columns, and any other width down to 20" do
    lock({ "ethon" => "0.14.0", "nokogiri" => "1.8.1", "sidekiq" => "5.0.5", "rack" => "1.6.8" }, ruby: "3.3.0")
    [80, 60, 40, 20].each do |width|
      output, _, status = advisories("--details", "--width", width.to_s)
      expect(status).to eq 1
      expect(output.lines.map { |line| line.chomp.length }.max).to be <= width
    end
  end

  it "gives all as JSON" do
    lock({ "ethon" => "0.14.0" })
    output, errors, status = advisories("--format", "json")
    expect([errors, status]).to eq ["", 1]
    result = JSON.parse(output)
    expect(result).to include("schema" => 1, "ruby" => "4.0.10", "gems" => 1, "ignored" => [], "growing" => [])
    expect(result["findings"].first)
      .to include("gem" => "ethon", "version" => "0.14.0", "id" => "ethon-194", "kind" => "fd",
                  "fixed_in" => "0.15.0", "confirmed" => nil, "severity" => "medium")
    expect(advisories("--output", "found.json", "--format", "json")).to eq ["", "", 1]
    expect(JSON.parse(File.read(File.join(@tmpdir, "found.json")))).to eq result
  end

  it "finds the lock file of the project that it is run in, and takes the name of another" do
    lock({ "ethon" => "0.14.0" })
    lock({ "ethon" => "0.15.0" }, path: "next.lock")
    FileUtils.mkdir_p(File.join(@tmpdir, "app"))
    output, = RealDumps.leak_hunter("advisories", chdir: File.join(@tmpdir, "app"), env: { "BUNDLE_GEMFILE" => nil })
    expect(output).to include "ethon 0.14.0"
    expect(advisories("next.lock").first).to include "No known leak"
    expect(advisories("app").first).to include "ethon 0.14.0"
  end

  it "says what is wrong" do
    expect(advisories).to match ["", /there is no Gemfile\.lock here or above; name one, or run: bundle lock/, 2]
    expect(advisories("none.lock")).to match ["", /none\.lock cannot be read: No such file or directory/, 3]
    lock({ "ethon" => "0.14.0" })
    expect(advisories("Gemfile.lock", "b")).to match ["", /expected one lock file, got 2/, 2]
    expect(advisories("--heap", "1.json", "--heap", "2.json")).to match ["", /one dump, or three or more/, 2]
    expect(advisories("--heap", "1.json")).to match ["", /1\.json/, 3]
  end

  it "leaves out what the project ignores, and says so" do
    lock({ "ethon" => "0.14.0" })
    File.write(File.join(@tmpdir, ".leak_hunter.yml"), <<~YAML)
      advisories:
        ignore:
          - name: ethon-194
            reason: "an old libcurl"
    YAML
    output, _, status = advisories
    expect(status).to eq 0
    expect(output).to include "No known leak"
    expect(output).to include "Ignored: ethon-194 (an old libcurl)."
    expect(JSON.parse(advisories("--format", "json").first)["ignored"].first)
      .to include("id" => "ethon-194", "ignored" => { "name" => "ethon-194", "reason" => "an old libcurl" })
  end

  it "takes dumps of the process, shows what grows, and where to look for others who have seen it" do
    lock({ "debug" => "1.6.3" })
    output, _, status = advisories(*RealDumps.paths.flat_map { |path| ["--heap", path] })
    expect(status).to eq 0
    expect(output.tr("\n", " ")).to include "The heap shows none of them, and 1 for sure not."
    expect(output).to include "heap    does not show it: nothing that grows fits it"
    expect(output).not_to include "Gems whose code" # the application's own objects grow
  end

  let(:log) { "## 9.0.1\n- Fix a memory leak in pop\n## 8.1\n- Fix a thread leak\n## 0.14.0\n- Fix a leak of pages\n" }

  it "reads changelogs of newer versions that are installed, offline" do
    lock({ "ethon" => "0.14.0" })
    path = GemServer.gem(File.join(@tmpdir, "gem"), "ethon", "9.0.1", log)
    home = File.join(@tmpdir, "home")
    Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
      Gem::Installer.at(path, install_dir: home, document: [], ignore_dependencies: true).install
      env = { "GEM_PATH" => home, "BUNDLE_GEMFILE" => nil }
      output, errors, = RealDumps.leak_hunter("advisories", chdir: @tmpdir, env:)
      expect(errors).to eq ""
      expect(output).to include "Changelogs of newer versions, not in the database:\n"
      expect(output).to include("ethon 0.14.0  fixed in 9.0.1\n").and include("Fix a memory leak in pop")
      expect(output).to include("Fix a thread leak")
      expect(output).not_to include "Fix a leak of pages" # 0.14.0 has it
    end
  end

  describe "--online" do
    it "asks the user's own gem sources, says so, and reads the changelog of the newest release" do
      lock({ "ethon" => "0.14.0", "rack" => "3.2.6" })
      GemServer.run({ "ethon" => { "0.14.0" => "", "8.0" => "", "9.0.1" => log, "8.1" => "" } }) do |server|
        output, errors, status = server.leak_hunter("advisories", "--online", home: @tmpdir, chdir: @tmpdir)
        expect(status).to eq 1
        expect(errors).to eq "leak_hunter: asking #{server.url} about ethon\n"
        expect(output).to include "ethon 0.14.0  fixed in 9.0.1\n"
        expect(output).to include "Fix a memory leak in pop (ethon-9.0.1.gem/CHANGELOG.md:2)"
        expect(output).to include "Fix a thread leak"
        expect(output).not_to include("Fix a leak of pages") # 0.14.0 has it
        expect(server.requests).to include "/gems/ethon-9.0.1.gem"
        expect(server.requests.grep(/rack|8\.1|8\.0/)).to eq []
      end
    end

    it "sends the credentials of the source, and does not show them" do
      lock({ "ethon" => "0.14.0" })
      GemServer.run({ "ethon" => { "9.0.1" => log } }, password: "s3cret") do |server|
        output, errors, = server.leak_hunter("advisories", "--online", home: @tmpdir, chdir: @tmpdir)
        expect(output).to include "Fix a memory leak in pop"
        expect(output + errors).not_to include "s3cret"
      end
    end

    it "is inconclusive where a source cannot be asked" do
      lock({ "oj" => "3.14.2" })
      GemServer.run({ "ethon" => { "9.0.1" => log } }) do |server|
        server.stop
        output, errors, status = server.leak_hunter("advisories", "--online", home: @tmpdir, chdir: @tmpdir)
        expect(status).to eq 3
        expect(output).to include "oj 3.14.2"
        expect(errors).to match(/^leak_hunter: oj: /)
      end
    end

    it "asks nothing where nothing leaks or grows" do
      lock({ "rack" => "3.2.6" }, ruby: "4.0.9")
      GemServer.run({ "rack" => { "9.0.1" => log } }) do |server|
        output, errors, status = server.leak_hunter("advisories", "--online", home: @tmpdir, chdir: @tmpdir)
        expect([errors, status]).to eq ["", 1]
        expect(output).to include "ruby-22511"
        expect(server.requests).to eq []
      end
    end

    it "is off unless it is asked for" do
      lock({ "ethon" => "0.14.0" })
      GemServer.run({ "ethon" => { "9.0.1" => log } }) do |server|
        expect(server.leak_hunter("advisories", home: @tmpdir, chdir: @tmpdir)[1]).to eq ""
        expect(server.requests).to eq []
      end
    end
  end
end
