# frozen_string_literal: true

require "json"

RSpec.describe "redact", :tmpdir do
  program = File.read(File.expand_path("../fixtures/redaction/artefacts.rb", __dir__))
  # the numbers in full: six digits of one are found in addresses, too, now and then
  canary = /CANARY|424242424242|424242\.4/

  def artefacts(program, *arguments)
    file = File.join(@tmpdir, "artefacts.rb")
    File.write(file, program)
    dir = File.join(@tmpdir, "dumps")
    JSON.parse(run_ruby("load ARGV.shift", file, dir, *arguments))
  end

  it "leaves the application's data out of whatever is made of dumps and heaps" do
    shown = artefacts(program, "true")
    expect(shown.select { |_, text| text.match?(canary) }.keys).to eq([])
    expect(shown.values.map(&:size)).to all(be > 100)
    expect(shown["names"]).to include("App::ROW.kept", "App::ERROR.@kept", "thread-local [#<Symbol>]",
                                      "App::TABLE0.@lists[#<String>]", "App::TABLE1.@lists[#<Symbol>]",
                                      "App::TABLE2.@lists[#<Integer>]", "App::TABLE3.@lists[#<Float>]")
  end

  it "leaves keys of Hashes and names of threads out by default, and shows those of thread-locals, as of variables" do
    shown = artefacts(program)
    names_in_code = /CANARY[ _](?:local|variable|storage)/
    expect(shown.select { |_, text| text.gsub(names_in_code, "").match?(canary) }.keys).to eq([])
    expect(shown["names"]).to include("thread-local [:CANARY local]", "App::TABLE0.@lists[#<String>]",
                                      "App::TABLE1.@lists[#<Symbol>]", "App::TABLE2.@lists[#<Integer>]")
  end

  it "is what keeps it out: of the names in a diff, and of what is made of heaps; the endpoint always does" do
    shown = artefacts(program, "false")
    data = shown.select { |_, text| text.match?(canary) }.keys
    expect(data).to include("Hash", "text", "json", "names", "dump path", "live path", "dump objects", "live flame")
    expect(data.grep(/endpoint|classic|sites|tables/)).to eq([])
    expect(JSON.parse(shown["names"].gsub("nil", "null")))
      .to include('App::TABLE0.@lists["CANARY string"]', "App::TABLE1.@lists[:CANARY_symbol]",
                  "App::TABLE2.@lists[424242424242]", "App::TABLE4.@lists[#<Array>]",
                  "thread-local CANARY thread[:CANARY local]", "thread variable CANARY thread[:CANARY variable]")
  end

  it "is an option of every command that shows names" do
    run_ruby(<<~'RUBY', @tmpdir)
      Thread.current["CANARY local"] = []
      Kept = Class.new
      fill = ->(list) { Thread.new { 50.times { list << Kept.new } }.join }
      3.times { |index| LeakHunter.dump!("#{ARGV[0]}/#{index}").then { fill.call(Thread.current["CANARY local"]) } }
    RUBY
    dumps = Array.new(3) { |index| File.join(@tmpdir, index.to_s) }
    commands = [["diff", *dumps], ["diff", "--format", "json", *dumps], ["top", dumps.last],
                ["why", dumps.last, "Kept"],
                *%w[folded speedscope flame heapsnapshot].map { |format| ["export", "--format", format, dumps.last] }]
    shown, redacted = [[], ["--redact"]].map do |redact|
      commands.to_h { |command, *rest| [[command, *rest], RealDumps.leak_hunter(command, *redact, *rest)] }
    end
    expect([*shown.values, *redacted.values].map { |answer| answer.last(2) }.uniq).to eq([["", 0]])
    expect(shown.values.count { |answer| answer.first.match?(canary) }).to be >= 4
    expect(redacted.select { |_, answer| answer.first.match?(canary) }.keys).to eq([])
  end
end
