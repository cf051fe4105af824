# frozen_string_literal: true

require "json"

# Everything in a block of code in these pages runs, and says what they say. Servers have a spec of their own.
RSpec.describe "The pages in docs/", :tmpdir do
  include Reader

  # A program that leaks: what "exercise_the_app" stands for in the pages.
  leaking = <<~'RUBY'
    class Session
      def initialize(user) = @user = user
    end

    SESSIONS = {}

    def exercise_the_app
      1_000.times { |number| SESSIONS["token #{SESSIONS.size}"] = Session.new("user #{number}") }
    end
  RUBY
  program = ->(code) { "#{code.lines.first}require \"leak_hunter\"\n#{leaking}#{code.lines.drop(2).join}" }

  readme = Document.new("README.md")
  example = readme.take("# leak.rb")

  described = {}
  page = lambda do |path, *starts|
    described[path] = Document.new(path)
    starts.map { |start| described[path].take(start) }
  end

  it "have no block that nothing here runs" do
    expect(described.values.flat_map(&:left).map(&:to_s)).to be_empty
  end

  describe "in_ruby.md" do
    dumps, marks, heap = page.call("docs/in_ruby.md", "# dumps.rb", "# marks.rb", "# heap.rb")

    it "compares dumps, and reports in all formats" do
      write("dumps.rb", program.call(dumps))
      output, errors, status = Open3.capture3(installed, RbConfig.ruby, "-w", "dumps.rb", chdir: @tmpdir)
      expect([errors, status.exitstatus]).to eq(["it leaks\n", 1])
      expect(output).to match(/^1\. GROWING  SESSIONS$/)
      expect(File.read(File.join(@tmpdir, "leaks.html"))).to include("<!doctype html>", "SESSIONS")
    end

    it "does without files" do
      write("marks.rb", "#{program.call(marks)}puts LeakHunter::Report.new(report)")
      output = ruby("marks.rb")
      expect(output).to match(/^1\. GROWING  SESSIONS$/).and include("3,000 objects")
      expect(Dir.children(@tmpdir)).to contain_exactly("marks.rb", "bin")
    end

    it "asks one heap" do
      have_dumps
      write("heap.rb", heap)
      expect(ruby("heap.rb")).to match(/:type=>"ROOT"|type: "ROOT"/).and include("SESSIONS").and match(/^\d+$/)
      expect(File.read(File.join(@tmpdir, "heap.html"))).to include("<html")
    end
  end

  describe "reading_a_report.md" do
    report, sites = page.call("docs/reading_a_report.md", "1 leak", "   ")

    it "shows the report of the README" do
      expect(report).to eq(readme.take("1 leak"))
    end

    it "shows the sites of that report as they are printed" do
      write("leak.rb", example.sub(/(Report\.new\(.*\))$/, '\1.to_s(sites: true)'))
      expect(findings(ruby("leak.rb"))).to eq(findings(sites)).and have_attributes(size: 2)
    end

    it "explains all verdicts, kinds and lines that there are" do
      text = described["docs/reading_a_report.md"].text
      expect(report.scan(/^   ([a-z]+) /).flatten - text.scan(/^\| `(\w+)` \|/).flatten).to be_empty
      words = %w[GROWING INCONCLUSIVE once replaced draining]
      expect(text.scan(/^\| .*?`(\w+)`\)? \| .* \| .* \|$/).flatten).to include(*words)
      enum = File.read(File.join(Document::ROOT, "ext/leak_hunter_core/src/holders/kind.rs"))
      table = text[/^\| kind \|.*?\n\n/m]
      expect(table.scan(/^\| (`[^|]*`) \| /).flatten.join.scan(/\w+/)).to match_array(enum.scan(/=> "(\w+)"/).flatten)
    end
  end

  describe "console.md" do
    console, = page.call("docs/console.md", 'require "leak_hunter/console"')

    it "guides through irb" do
      output = run(RbConfig.ruby, "-e", 'require "irb"; IRB.start', "--", "-f", "--noreadline", "--nocolorize",
                   input: leaking + console)
      expect(output).to include("Dump 1:", "Dump 2:", "Dump 3:").and match(/^1\. GROWING  SESSIONS$/)
    end
  end

  describe "checkup.md" do
    commands, settings, code, rakefile = page.call("docs/checkup.md", "leak_hunter checkup", "# .leak_hunter.yml",
                                                   "# checkup.rb", "# Rakefile")

    # The old shop's code with the dumps of another program: something in most steps.
    def have_project
      have_dumps
      FileUtils.cp_r(File.join(Document::ROOT, "examples/legacy_shop/lib"), @tmpdir)
      write("Gemfile", "gem \"sqlite3\"\n")
      write("Gemfile.lock", "GEM\n  specs:\n    sqlite3 (1.4.2)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  sqlite3\n")
    end

    it "does all five steps on the command line, also with the settings that are shown" do
      have_project
      all = commands.lines(chomp: true).map { |line| "#{line[/\A[^#]+/].strip} || true" }.join("\n")
      output = run("bash", "-c", all)
      expect(output.scan("Step 4, read for what grows: 2 findings in").size).to eq(2)
      expect(output).to match(/^1\. GROWING  SESSIONS$/)
      expect(File.read(File.join(@tmpdir, "checkup.html"))).to include("<!doctype html>", "SESSIONS")

      write(".leak_hunter.yml", settings)
      write(".leak_hunter_baseline.yml", "[]")
      FileUtils.mkdir_p(File.join(@tmpdir, "app"))
      output = run("bash", "-c", "leak_hunter checkup || true")
      expect(output).to include("1 finding left out, as .leak_hunter.yml says.")
    end

    it "does them in Ruby, and as a rake task" do
      have_project
      write("checkup.rb", code)
      expect(ruby("checkup.rb")).to match(/^1\. GROWING  SESSIONS$/)
      write("Rakefile", rakefile)
      output, _, status = Open3.capture3(installed, "rake", "leak_hunter:checkup[1.json,2.json,3.json]", chdir: @tmpdir)
      expect(output).to match(/^1\. GROWING  SESSIONS$/)
      expect(status.exitstatus).to eq(1)
    end

    it "explains all severities and exit statuses that there are" do
      text = described["docs/checkup.md"].text
      expect(text.scan(/^\| (high|medium|low) \|/).flatten).to eq(LeakHunter::Checkup::Finding::SEVERITIES)
      expect(text.scan(/^\| (\d) \| /).flatten).to eq(%w[0 1 2 3])
    end
  end

  describe "command_line.md" do
    diff, classic, gems, why, paths = page.call("docs/command_line.md", "leak_hunter diff", "Retained",
                                                "leak_hunter gems", "leak_hunter why", "2,000 objects")

    it "compares on the command line" do
      have_dumps
      output = shell(diff)
      expect(output).to match(/^1\. GROWING  SESSIONS$/).and include("Total Size: ", "Retained 500 ")
      expect(JSON.parse(File.read(File.join(@tmpdir, "report.json")))).to include("schema" => 1)
    end

    it "shows the classic lines as they are printed" do
      dumps = dumps_of_example
      printed = run("leak_hunter", "diff", "--format", "classic", *dumps).gsub("#{File.realpath(@tmpdir)}/", "")
      places = ->(text) { text.scan(/^Retained (\d+) (STRING|STRUCT) .* at: (.*)/) }
      expect(places.call(printed)).to start_with(*places.call(classic))
    end

    it "says which gems are used" do
      gem_app("sinatra", @tmpdir)
      run_gem_app(@tmpdir, 'LeakHunter.dump!(File.join(Dir.pwd, "3.json"))')
      # it exits with 1, since there are some that are not
      output = run("bash", "-c", gems.gsub(/^leak_hunter .*?(?=  +#|$)/) { |command| "#{command} || true" })
      expect(output.scan("5 probably unused").size).to eq(2)
      expect(output).to match(/s at start, as loading it alone takes/).and match(/^-gem "pry"$/)
    end

    it "asks one dump what holds, and writes it for other programs" do
      have_dumps
      shell("leak_hunter diff 1.json 2.json 3.json")
      expect(shell(why)).to match(/objects like Session at 0x/).and match(/^SESSIONS \(Array\) /)
        .and match(/^app;.*;Session \d+$/)
      expect(Dir.children(@tmpdir)).to include("heap.html", "leak.html", "3.heapsnapshot", "3.speedscope.json")
    end

    it "shows the path to an object as it is printed" do
      # addresses and sizes differ, and the method on Ruby 4
      words = lambda do |text|
        text.gsub(/^ +VM.*\n/, "").gsub(/0x\h+|[\d.]+ [kM]?B/, "?").gsub(/  +/, "  ").sub(RealDumps::IN_NEW, "")
      end
      expect(words.call(run("leak_hunter", "why", dumps_of_example.last, "Session"))).to eq(words.call(paths))
    end

    # Of the README's example.
    define_method(:dumps_of_example) do
      write("leak.rb", example)
      run(RbConfig.ruby, "leak.rb")
      Dir[File.join(@tmpdir, "tmp", "leak_hunter", "*.json*")]
    end
  end

  describe "advisories.md" do
    commands, text, calls, ignored = page.call("docs/advisories.md", "leak_hunter advisories ", "1 known leak",
                                               "LeakHunter.advisories ", "advisories:")

    define_method(:have_lock) do |gems|
      write("Gemfile.lock", "GEM\n  remote: https://gems.example/\n  specs:\n" \
                            "#{gems.map { |gem, version| "    #{gem} (#{version})\n" }.join}\nDEPENDENCIES\n\n" \
                            "RUBY VERSION\n   ruby 4.0.10\n")
    end

    it "looks up a lock file, and asks dumps" do
      have_dumps
      have_lock({ "debug" => "1.6.3" })
      output = shell(commands)
      expect(output.scan("debug 1.6.3, update to 1.7.2").size).to eq 3
      expect(output).to include "does not show it"
    end

    it "says of a leak what the page says" do
      have_lock({ "debug" => "1.6.3" })
      printed = run("leak_hunter", "advisories", "--details").lines
      said = text.lines.drop(2).grep_v(/HIGH| heap /)
      expect(printed.drop(2)).to include(*said)
    end

    it "answers in Ruby" do
      have_dumps
      have_lock({ "debug" => "1.6.3" })
      write("ask.rb", "require \"leak_hunter\"\n#{calls.gsub(/^(LeakHunter.*\))$/, 'p \1')}")
      expect(ruby("ask.rb").scan(/debug-899/).size).to be >= 1
    end

    it "leaves out what a project ignores" do
      write(".leak_hunter.yml", ignored.sub(/until: .*/, "until: 2999-12-31"))
      have_lock({ "sqlite3" => "2.9.5" })
      expect(run("leak_hunter", "advisories")).to include "Ignored: sqlite3-722 (no aggregates here)."
    end
  end

  describe "leakdb.md" do
    entry, = page.call("docs/leakdb.md", "- id: ")

    it "shows an entry as it is in its file, and explains all keys" do
      require "leak_hunter/leakdb"
      file = LeakHunter::LeakDB.parse(LeakHunter::LeakDB.default.path("sqlite3"))
      expect(file).to include(*YAML.safe_load(entry))
      keys = LeakHunter::LeakDB::Check::KEYS.keys + LeakHunter::LeakDB::Check::SIGNATURE.keys
      expect(described["docs/leakdb.md"].text.scan(/^\| `(\w+)` \|/).flatten).to match_array(keys)
    end
  end

  describe "exports.md" do
    dot, = page.call("docs/exports.md", "leak_hunter export --format dot")

    it "draws an object" do
      needs_command("dot")
      have_dumps
      shell(dot.sub(/0x\h+/, run("leak_hunter", "why", "3.json", "Session")[/ at (0x\h+)/, 1]))
      expect(File.read(File.join(@tmpdir, "object.svg"))).to include("<svg", "Session")
    end
  end

  describe "recording.md" do
    tracing, = page.call("docs/recording.md", "LeakHunter.start_tracing")

    it "starts and stops tracing" do
      write("tracing.rb", "require \"leak_hunter\"\n#{tracing}p LeakHunter.tracing?")
      expect(ruby("tracing.rb")).to eq("false\n")
    end
  end

  describe "tracing.md" do
    exact, sampled, focus = page.call("docs/tracing.md", "LeakHunter.trace!  ", "LeakHunter.trace!(mode: :sampled) ",
                                      "report = LeakHunter.diff(first")

    it "traces in the mode that it names" do
      write("tracing.rb", "require \"leak_hunter\"\n#{exact.gsub(/^(?=LeakHunter)/, "p ")}p LeakHunter.tracing?")
      expect(ruby("tracing.rb")).to match(/\A\{.*exact.*\}\n\{.*tracing.rb.*new.*\}\nnil\nfalse\n\z/)
    end

    it "samples as it says" do
      write("sampled.rb", "require \"leak_hunter\"\n#{sampled.gsub(/^(LeakHunter.trace!.*?\)) .*/, "p (\\1)[:mode]")}")
      expect(ruby("sampled.rb")).to eq(":sampled\n" * 4)
    end

    it "names the callers of what stays, in the second round" do
      first_round, second_round = focus.split(/^# … .*\n/)
      write("focus.rb", <<~RUBY)
        require "leak_hunter"
        #{leaking}
        LeakHunter.trace!(mode: :exact)
        take = -> { LeakHunter::Heap.live.tap { exercise_the_app } }
        first, second, third = Array.new(3) { take.call }
        #{first_round}
        fourth, fifth, sixth = Array.new(3) { take.call }
        callers = begin
          #{second_round}
        end
        p callers.size, callers.first[:through], callers.first[:stayed]
      RUBY
      # a token and a user, of 1,000 sessions
      expect(ruby("focus.rb")).to match(/\A1\n\[.*exercise_the_app"\]\n2000\n\z/)
    end
  end

  describe "native.md" do
    trim, = page.call("docs/native.md", 'require "fiddle"')

    it "trims malloc" do
      skip "this is not glibc" unless RUBY_PLATFORM.match?(/linux-gnu|linux\z/)
      write("trim.rb", "p(begin\n#{trim}end)")
      expect(ruby("trim.rb")).to match(/\A[01]\n\z/)
    end
  end

  describe "install.md" do
    gemfile, = page.call("docs/install.md", "# Gemfile")

    it "names the gem" do
      expect(gemfile).to eq(readme.take("# Gemfile"))
    end
  end

  describe "tests.md" do
    rakefile, rake = page.call("docs/tests.md", "# Rakefile", "rake leaks")

    it "runs the tasks" do
      write("app.rb", "App = ->(env) { [200, {}, ['You read ' + env['PATH_INFO']]] }")
      write("Rakefile", rakefile)
      have_dumps
      expect(shell(rake)).to match(/^leaks: within budget.* 5 objects and 10,000 bytes .*20 rounds/)
        .and match(/^1\. GROWING  SESSIONS$/)
    end

    it "lists the settings with their defaults" do
      require "leak_hunter/rake_task"
      task = LeakHunter::RakeTask.new(:nothing) { |it| it.exercise = -> {} }
      listed = described["docs/tests.md"].text.scan(/^\| ((?:`\w+`(?:, )?)+) \|/).flatten.join.scan(/\w+/)
      settings = LeakHunter::RakeTask.public_instance_methods(false).grep(/=\z/)
      expect(listed).to match_array(settings.map { |name| name.to_s.chop })
      expect([task.warmup, task.rounds, task.format, task.keep]).to eq([3, 10, :text, false])
    end
  end

  describe "accuracy.md" do
    it "counts what a diff by address misses, and LeakHunter does not" do
      write("reuse.rb", <<~RUBY)
        require "leak_hunter"

        LeakHunter.trace!
        requests = Array.new(30_000) { |number| { path: "/\#{number}" } }
        kept = []
        leak = -> { 20_000.times { |number| kept << { id: number } << +"token" } }
        dumps = [LeakHunter.dump!]
        requests.clear
        GC.start
        2.times do
          leak.call
          dumps << LeakHunter.dump!
        end
        %i[auto address].each do |identity|
          puts LeakHunter.diff(*dumps, identity:, only: /\\A(Hash|String)\\z/, group_by: :line)[:groups].first[:count]
        end
      RUBY
      exact, by_address = run(RbConfig.ruby, "reuse.rb").lines.map(&:to_i)
      expect(exact).to eq(40_000)
      expect(by_address).to be < 36_000
    end
  end
end
