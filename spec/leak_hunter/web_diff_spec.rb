# frozen_string_literal: true

RSpec.describe LeakHunter::Web, "diff", :tmpdir do
  let(:app) { described_class.new(token: WebEndpoint::TOKEN, dir: @tmpdir) }

  def get(path, env = {}) = ask_with_token(app, "GET", path, env)

  def get_json(path) = json(get(path, WebEndpoint::JSON_WANTED))

  def compared(path) = get_json(path)[:dumps].map { |dump| File.basename(dump[:path], ".json") }

  def error(path)
    response = get(path, WebEndpoint::JSON_WANTED)
    [response.status, json(response)[:error]]
  end

  def named(*ids) = "/diff?#{%w[first second third].zip(ids).map { |pair| pair.join("=") }.join("&")}"

  context "with three dumps of this process" do
    let!(:ids) { Array.new(3) { |index| write_dump(@tmpdir, index + 1) } }

    it "compares the last three by default, and those that are named" do
      older = ids
      newer = write_dump(@tmpdir, 4)
      write_dump(@tmpdir, 5, pid: 1)
      expect(compared("/diff")).to eq([*older.last(2), newer])
      expect(compared(named(*older))).to eq(older)
    end

    it "takes the dumps' order from their sequence, should the clock have gone back" do
      late = write_dump(@tmpdir, 4, name: "20200101T000000.000000Z-late", taken_at: "2020-01-01T00:00:00.000000Z")
      expect(compared("/diff")).to eq([*ids.last(2), late])
    end

    it "is text for people and the whole result for programs" do
      expect(get("/diff")).to have_attributes(status: 200, content_type: /^text.plain/, body: /No leak found/)
      result = LeakHunter.diff(*ids.map { |id| File.join(@tmpdir, "#{id}.json") }, holders: true)
      expect(get_json("/diff")).to eq(JSON.parse(JSON.generate(result), symbolize_names: true))
    end

    it "tells who holds what leaked, unless it is not to" do
      expect(get_json("/diff?holders=false")[:holders]).to be_nil
      expect(get_json("/diff?identity=address")[:holders]).to be_nil
      expect(get("/diff?holders=perhaps")).to have_attributes(status: 400, body: /holders: expected true or false/)
    end

    it "passes options on" do
      result = get_json("/diff?identity=address&group_by=class,gem&sort=count&top=5")
      expect(result).to include(identity: "address", group_by: %w[class gem], sort: "count")
      expect(get_json("/diff?only=Order&only=Session&ignore=rack*")[:groups]).to eq([])
    end

    it "answers 400 to options that cannot be" do
      queries = ["top=many", "top=-1", "identity=x", "group_by=colour", "sort=size", "only=", "first=#{ids[0]}",
                 "first=#{ids[0]}&third=#{ids[2]}"]
      expect(queries.map { |query| error("/diff?#{query}") }.uniq).to eq([[400, "UsageError"]])
      expect(get("/diff?sort=size").body).to match(/size.*memsize/)
    end

    it "answers 404 to dumps that are not there" do
      expect(error(named(ids[0], ids[1], "none"))).to eq([404, "NoSuchDump"])
      expect(error(named(ids[0], ids[1], "../#{ids[2]}"))).to eq([404, "NoSuchDump"])
    end

    it "answers 409 to dumps that cannot be compared" do
      other = write_dump(@tmpdir, 4, pid: 1)
      expect(error(named(ids[0], ids[1], other))).to eq([409, "DifferentProcesses"])
      expect(error(named(ids[0], ids[1], ids[1]))).to eq([409, "SameDump"])
      expect(error(named(ids[2], ids[1], ids[0]))).to eq([409, "WrongOrder"])
      expect(get(named(ids[0], ids[1], other)).body).to match(/process \d+ .* process 1 /)
    end

    it "answers 422 to a dump that is cut off" do
      path = File.join(@tmpdir, "#{ids[2]}.json")
      File.write(path, File.read(path).lines.first(2).join)
      expect(error("/diff")).to eq([422, "TruncatedDump"])
    end

    it "compares for one at a time" do
      response = LeakHunter::Web::SingleFlight::DIFF.run { get("/diff", WebEndpoint::JSON_WANTED) }
      expect([response.status, response.headers["retry-after"],
              json(response)[:error]]).to eq([409, "5", "DiffInProgress"])
      expect(get("/diff").status).to eq(200)
    end
  end

  it "needs three dumps of this process, and says whose there are" do
    expect(error("/diff")).to eq([409, "TooFewDumps"])
    write_dump(@tmpdir, 1)
    others = Array.new(4) { |index| write_dump(@tmpdir, index + 2, pid: 1) }
    write_dump(@tmpdir, 9, pid: 2)
    lines = get("/diff", "SCRIPT_NAME" => "/leaks").body.lines(chomp: true)
    expect(lines.first).to match(%r{pid #{Process.pid}\) has 1\b.*POST /leaks/dumps})
    expect(lines.drop(1)).to eq(["pid 1 has 4: GET /leaks#{named(*others.last(3))}"])
    expect(get(lines.last[%r{/diff\S*}]).status).to eq(200)
  end

  it "tells apart processes that had the same pid" do
    3.times { |index| write_dump(@tmpdir, index + 1, boot: "0123456789abcdef") }
    expect(error("/diff")).to eq([409, "TooFewDumps"])
  end
end
