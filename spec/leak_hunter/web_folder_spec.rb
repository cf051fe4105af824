# frozen_string_literal: true

require "socket"

# The folder is shared with people and other programs. Whatever lies in it, every route answers as without it.
RSpec.describe LeakHunter::Web, "odd files in the folder", :tmpdir do
  subject(:app) { described_class.new(token: WebEndpoint::TOKEN, dir: @tmpdir) }

  let!(:id) { write_dump(@tmpdir, 1) }

  # @return [Hash{String => String}] the first lines of files that are no dumps, or hostile ones
  header = lambda do |**more|
    JSON.generate({ type: "DUMP", leak_hunter: "1", boot: "0" * 16, pid: 1, sequence: 1,
                    taken_at: "2026-11-24T03:04:05.000000Z", **more })
  end
  contents = {
    "empty" => "", "blank" => "\n", "zeros" => "\0" * 5_000, "binary" => "\xFF\xFE\x00\n", "no-newline" => "{",
    "null" => "null", "number" => "1e400", "nan" => "NaN", "deep" => "[" * 4_000,
    "huge" => "{\"a\":\"#{"x" * 1_000_000}",
    "half" => header.call[0, 60], "bad-utf8" => header.call.sub("0000", "00\xFF0"),
    "bad-utf8-key" => header.call.sub('"type"', "\"ty\xFFpe\""), "lone-surrogate" => header.call.sub("0000", '\\ud800'),
    "class" => header.call(json_class: "String"), "nested" => header.call(pid: { a: 1 }),
    "escapes" => header.call(host: "\e[2J\u202E\n", ruby: "\0")
  }

  def answers
    %w[/ /status /dumps /diff].to_h { |path| [path, ask_with_token(app, "GET", path).status] }
                              .merge(show: ask_with_token(app, "GET", "/dumps/#{id}").status)
  end

  def listed = json(ask_with_token(app, "GET", "/dumps", WebEndpoint::JSON_WANTED))[:dumps].map { |dump| dump[:id] }

  expected = { "/" => 200, "/status" => 200, "/dumps" => 200, "/diff" => 409, show: 200 }

  contents.each do |name, content|
    it "passes over a file that is #{name}" do
      File.binwrite(File.join(@tmpdir, "#{name}.json"), content)
      expect(answers).to eq(expected)
      expect(listed - %w[class escapes]).to eq([id])
      expect(ask_with_token(app, "GET", "/dumps").body).not_to match(/[^\n[:print:]]/)
    end
  end

  {
    "a directory" => ->(path) { Dir.mkdir(path) },
    "a link" => ->(path) { File.symlink("/etc/passwd", path) },
    "a link to nothing" => ->(path) { File.symlink("/no/such/file", path) },
    "a link to itself" => ->(path) { File.symlink(path, path) },
    "a pipe" => ->(path) { File.mkfifo(path) },
    "a socket" => ->(path) { UNIXServer.new(path).close },
    "a device" => ->(path) { system("mknod", path, "c", "1", "5", err: File::NULL) },
    "unreadable" => ->(path) { File.write(path, "{}", perm: 0o000) }
  }.each do |name, make|
    it "passes over what is #{name}" do
      make.call(File.join(@tmpdir, "x.json"))
      expect(answers).to eq(expected)
      expect(ask_with_token(app, "GET", "/dumps/x").status).to eq(404)
      expect(ask_with_token(app, "DELETE", "/dumps/x").status).to eq(404)
      expect(listed).to eq([id])
    end
  end

  ["a\nb", "\xFF\xFE", "caf\xC3\xA9", "..", "a b", "\e[2J", "-rf", "%2e", "x" * 249, ""].each do |name|
    it "passes over the name #{name.inspect[0, 40]}" do
      File.write(File.join(@tmpdir.b, "#{name.b}.json"), File.read(File.join(@tmpdir, "#{id}.json")))
      expect(answers).to eq(expected)
      expect(listed).to eq([id])
    end
  end

  it "bears files that come and go meanwhile" do
    stop = false
    churn = Thread.new do
      until stop
        name = write_dump(@tmpdir, 5, name: "coming-and-going")
        File.delete(File.join(@tmpdir, "#{name}.json"))
      end
    end
    expect(Array.new(50) { answers }.uniq).to eq([expected])
  ensure
    stop = true
    churn.join
  end

  it "takes a dump, and prunes, beside all of these" do
    contents.each { |name, content| File.binwrite(File.join(@tmpdir, "#{name}.json"), content) }
    Dir.mkdir(File.join(@tmpdir, "20200101T000000.000000Z-host-pid1-0001.json"))
    ["\xFF.json", "\xFF.part", "a\n.part"].each { |name| File.write("#{@tmpdir}/".b << name.b, "") }
    expect(ask_with_token(described_class.new(token: WebEndpoint::TOKEN, dir: @tmpdir, max_dumps: 1), "POST", "/dumps"))
      .to have_attributes(status: 201)
    expect(Dir.children(@tmpdir).size).to eq(contents.size + 5)
  end
end
