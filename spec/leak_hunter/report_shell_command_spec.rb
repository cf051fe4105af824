# frozen_string_literal: true

require "open3"
require "shellwords"

# What a report says to run next runs as it is printed, however long the path is.
RSpec.describe LeakHunter::Report::ShellCommand, :tmpdir do
  def shell = @shell ||= %w[bash zsh].find { |name| system("command -v #{name} > /dev/null 2>&1") }

  # What the shell makes of a command.
  def arguments(text, folder = @tmpdir)
    output, status = Open3.capture2(shell, "-c", "leak_hunter() { printf '%s\\0' \"$@\"; }\n#{text}", chdir: folder)
    expect(status).to be_success
    output.b.split("\0").map { |it| it.force_encoding("UTF-8") }
  end

  def lines(command, width)
    indented = command.lines(width - 11)
    indented ? indented.map { |line| "#{" " * 11}#{line}" } : command.unindented_lines(width)
  end

  paths = ["3.json", "/tmp/3.json", "/srv/#{"long_folder/" * 12}3.json", "/tmp/a b/it's $HOME `x` \"3\".json",
           "/tmp/#{"a'b $c " * 20}.json", "/tmp/漢字#{"漢" * 60}.json", "/tmp/\e[31m\nred\u202E.json", "-3.json",
           "~/3.json", "/tmp/*?[x]{a,b}!#;&|<>().json"]

  paths.each do |path|
    it "runs as it is printed: #{LeakHunter::Printable.call(path)[0, 40]}" do
      skip "there is no shell here that knows $'...'" unless shell

      command = described_class.new("leak_hunter why", path, "0x7f00")
      expected = ["why", path.sub(/\A-/, "./-"), "0x7f00"]
      expect(arguments(command.to_s)).to eq(expected)
      (20..100).step(8) do |width|
        text = lines(command, width)
        expect(arguments(text.join("\n"))).to eq(expected)
        expect(text.map { |line| LeakHunter::Report::Format.columns(line) }.max).to be <= width
        expect(text.join).to match(/\A[^\e\u202E]*\z/)
      end
    end
  end

  it "has as many words in a line as there is room for, and whole paths: it may be read in another folder" do
    command = described_class.new("leak_hunter why", "/srv/shop/tmp/3.json", "0x7f00")
    expect(command.lines(43)).to eq(["leak_hunter why /srv/shop/tmp/3.json 0x7f00"])
    expect(command.lines(42)).to eq(["leak_hunter why /srv/shop/tmp/3.json \\", "0x7f00"])
    expect(command.lines(30)).to eq(["leak_hunter why \\", "/srv/shop/tmp/3.json 0x7f00"])
    expect(command.lines(22)).to eq(["leak_hunter why \\", "/srv/shop/tmp/3.json \\", "0x7f00"])
    expect(command.lines(21)).to be_nil
  end

  it "answers when it is copied from a report, whatever the width" do
    skip "there is no shell here that knows $'...'" unless shell

    dumps = RealDumps.paths.map do |path|
      File.join(@tmpdir, "dumps of a long day #{"and night " * 8}", File.basename(path))
    end
    FileUtils.mkdir_p(File.dirname(dumps.first))
    RealDumps.paths.zip(dumps) { |from, to| FileUtils.cp(from, to) }
    report = LeakHunter::Report.new(LeakHunter.diff(*dumps, holders: true))
    leak_hunter = [RbConfig.ruby, "-I", RealDumps::LIB, File.expand_path("../../exe/leak_hunter", __dir__)].shelljoin
    [30, 60, 200].each do |width|
      command = report.to_s(width:)[/^ *next *\n?((?:.*\\\n)*.*)$/, 1]
      output, status = Open3.capture2e(shell, "-c", "leak_hunter() { #{leak_hunter} \"$@\"; }\n#{command}", chdir: "/")
      expect([width, output, status.exitstatus]).to match([width, /retains .*^ +root /m, 0])
    end
  end

  it "has a pattern for what no text could be made of" do
    FileUtils.touch(File.join(@tmpdir, "caf\xE9.json"))
    command = described_class.new("leak_hunter why", "#{@tmpdir}/caf\uFFFD.json", "0x7f00")
    expect(arguments(command.to_s)[1].b).to eq("#{@tmpdir}/caf\xE9.json".b)
  end
end
