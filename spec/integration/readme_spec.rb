# frozen_string_literal: true

require "bundler"
require "json"
require_relative "../../examples/leaky_app/server"

# Everything in a block of code in the README runs, and says what the README says.
RSpec.describe "The README", :tmpdir do
  root = File.expand_path("../..", __dir__)
  readme = File.read(File.join(root, "README.md"))
  blocks = readme.scan(/^```(\w+)\n(.*?)^```$/m)

  # The blocks as a reader refers to them: files by their name, commands by their first word.
  named = blocks.to_h do |language, code|
    name = case language
           when "ruby" then code[/\A# (\S+)$/, 1] || "console"
           when "sh" then code[/\Aleak_hunter why/] || code[/\A\w+/]
           when "text" then { "Retained" => "classic lines", "2,000" => "way" }.fetch(code[/\A\S+/], "report")
           end
    [name, code]
  end

  it "has no block that nothing here runs" do
    expect(named.size).to eq(blocks.size)
    expect(named.keys).to contain_exactly("Gemfile", "leak.rb", "report", "marks.rb", "config.ru", "leaks", "console",
                                          "leak_hunter", "classic lines", "leak_hunter why", "way", "Rakefile", "rake")
  end

  # An application that serves the README's examples and leaks nothing.
  app = <<~RUBY
    App = ->(env) { [200, { "content-type" => "text/plain" }, ["You read \#{env["PATH_INFO"]}"]] }
  RUBY

  def write(name, code) = File.write(File.join(@tmpdir, name), code)

  # Runs a program in the folder of the example, with leak_hunter and rake at hand as if they were installed.
  #
  # @return [String] its output
  def run(*command, input: nil, **env)
    env = { "RUBYLIB" => RealDumps::LIB, "PATH" => "#{path}:#{ENV.fetch("PATH")}", "NO_COLOR" => nil,
            "FORCE_COLOR" => nil, **env.transform_keys(&:to_s) }
    output, errors, status = Open3.capture3(env, *command, stdin_data: input, chdir: @tmpdir)
    expect([errors, status.exitstatus]).to eq(["", 0])
    output
  end

  def path
    dir = File.join(@tmpdir, "bin")
    return dir if File.directory?(dir)

    Dir.mkdir(dir)
    commands = { "leak_hunter" => "load #{RealDumps::EXE.dump}", "rake" => 'load Gem.bin_path("rake", "rake")' }
    commands.each do |name, code|
      write("bin/#{name}", "#!#{RbConfig.ruby}\n#{code}\n")
      File.chmod(0o755, File.join(dir, name))
    end
    dir
  end

  def shell(code, **env) = run("bash", "-eu", "-o", "pipefail", "-c", code, **env)

  # What a report says of an application's own objects: class, count, place. Sizes and the VM's own differ by Ruby.
  def findings(report) = report.scan(/^([A-Z]\w+) +([\d,]+) .*\n  (\S+:\d+) in /)

  it "names the gem" do
    write("Gemfile", named["Gemfile"])
    dependencies = Bundler::Dsl.new.tap { |dsl| dsl.eval_gemfile(File.join(@tmpdir, "Gemfile")) }.dependencies
    expect(dependencies.map(&:name)).to eq(["leak_hunter"])
  end

  it "shows the report of its example as it is printed" do
    write("leak.rb", named["leak.rb"])
    report = run(RbConfig.ruby, "-w", "leak.rb")
    expect(findings(report)).to eq(findings(named["report"])).and have_attributes(size: 2)
    sentence = ->(text) { text.tr("\n", " ").gsub(/[\d,]+/, "N")[/.*? third\./] }
    expect(sentence.call(report)).to eq(sentence.call(named["report"]))
    expect(report).to include("This is exact: ")
    holder = ->(text) { text[/^1\. .*?(?=\n   \d)/m].gsub(/(?<=of the )[\d,]+|[\d,.]+ k?B/, "N") }
    expect(holder.call(report)).to eq(holder.call(named["report"]))
  end

  it "does without files" do
    setting = named["leak.rb"][/^class Session.*?^end\n(?=\nfirst)/m]
    code = named["marks.rb"].sub("require \"leak_hunter\"\n") { |line| line + setting }
    write("marks.rb", "#{code}puts LeakHunter::Report.new(report)")
    report = run(RbConfig.ruby, "-w", "marks.rb")
    expect(report).to include("1. SESSIONS (Hash, 2,000 entries) holds 3,000 of the 3,000")
    expect(Dir.children(@tmpdir)).to contain_exactly("marks.rb", "bin")
  end

  it "drives the endpoint with curl" do
    skip "there is no curl here" unless system("command -v curl >/dev/null")
    write("app.rb", app)
    write("config.ru", named["config.ru"])
    token = "0123456789abcdef" * 2
    LeakyApp::Server.run("config.ru", dir: @tmpdir, env: { "LEAK_HUNTER_TOKEN" => token }) do |server|
      output = shell(named["leaks"].gsub("localhost:9292", "127.0.0.1:#{server.port}"), LEAK_HUNTER_TOKEN: token)
      expect(output.scan("You read /articles").size).to eq(2)
      expect(output).to include("This is exact").and match(/between the first and the second dump|No leak/)
      expect(shell("curl --silent http://127.0.0.1:#{server.port}/leaks/dumps")).to eq("Not Found\n")
    end
  end

  it "guides through irb" do
    setting = named["leak.rb"][/^class Session.*?^end\n(?=\nfirst)/m]
    output = run(RbConfig.ruby, "-e", 'require "irb"; IRB.start', "--", "-f", "--noreadline", "--nocolorize",
                 input: setting + named["console"])
    expect(output).to include("Dump 1:", "Dump 2:", "Dump 3:")
    expect(findings(output).map { |name, count, _| [name, count] }).to include(%w[String 2,000], %w[Session 1,000])
  end

  it "compares on the command line" do
    RealDumps.paths.each.with_index(1) { |dump, number| FileUtils.cp(dump, File.join(@tmpdir, "#{number}.json")) }
    output = shell(named["leak_hunter"])
    expect(output).to include("This is exact", "Total Size: ").and match(/^app +\d/)
    expect(JSON.parse(File.read(File.join(@tmpdir, "report.json")))).to include("schema" => 1)
    expect(output).to include("Retained 500 ")
  end

  it "shows the classic lines as they are printed" do
    write("leak.rb", named["leak.rb"])
    run(RbConfig.ruby, "leak.rb")
    dumps = Dir[File.join(@tmpdir, "tmp", "leak_hunter", "*.json")]
    classic = run("leak_hunter", "diff", "--format", "classic", *dumps).gsub("#{File.realpath(@tmpdir)}/", "")
    places = ->(text) { text.scan(/^Retained (\d+) (STRING|OBJECT) .* at: (.*)/) }
    expect(places.call(classic)).to start_with(*places.call(named["classic lines"]))
  end

  it "asks one dump what holds, and writes it for other programs" do
    RealDumps.paths.each.with_index(1) { |dump, number| FileUtils.cp(dump, File.join(@tmpdir, "#{number}.json")) }
    output = shell(named["leak_hunter why"])
    expect(output).to match(/objects like Session at 0x/).and match(/^SESSIONS \(Array\) /)
      .and match(/^app;.*;Session \d+$/)
    expect(Dir.children(@tmpdir)).to include("heap.html", "leak.html", "3.heapsnapshot", "3.speedscope.json")
  end

  it "shows the way to an object as it is printed" do
    write("leak.rb", named["leak.rb"])
    run(RbConfig.ruby, "leak.rb")
    dump = Dir[File.join(@tmpdir, "tmp", "leak_hunter", "*.json")].last
    # addresses and sizes differ
    words = ->(text) { text.gsub(/^ +VM.*\n/, "").gsub(/0x\h+|[\d.]+ [kM]?B/, "?").gsub(/  +/, "  ") }
    expect(words.call(run("leak_hunter", "why", dump, "Session"))).to eq(words.call(named["way"]))
  end

  it "runs the tasks" do
    write("app.rb", app)
    write("Rakefile", named["Rakefile"])
    RealDumps.paths.each.with_index(1) { |dump, number| FileUtils.cp(dump, File.join(@tmpdir, "#{number}.json")) }
    output = shell(named["rake"])
    expect(output).to match(/^leaks: within budget.* 5 objects and 10,000 bytes .*20 rounds/)
      .and match(/^Session +500 /)
  end

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

  it "points to files that are there" do
    expect(readme.scan(/\]\((?!http)([^)]+)\)/).flatten.reject { |file| File.file?(File.join(root, file)) }).to be_empty
    %w[bin/demo bin/test].each { |command| expect(File).to be_executable(File.join(root, command)) }
  end
end
