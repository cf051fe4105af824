# frozen_string_literal: true

require "logger"
require "stringio"

RSpec.describe LeakHunter::Web, "dumps", :tmpdir do
  let(:log) { StringIO.new }

  def endpoint(**settings)
    described_class.new(token: WebEndpoint::TOKEN, dir: @tmpdir, logger: Logger.new(log), **settings)
  end

  def get(path, env = {}, **settings) = ask_with_token(endpoint(**settings), "GET", path, env)

  def post(env = {}, path: "/dumps", **settings) = ask_with_token(endpoint(**settings), "POST", path, env)

  def ids = Dir.children(@tmpdir).map { |name| name.sub(/\.json(\.zst|\.gz)?\z/, "") }.sort

  describe "POST /dumps" do
    it "takes a dump" do
      response = post(WebEndpoint::JSON_WANTED.merge("SCRIPT_NAME" => "/leaks"))
      expect(response.status).to eq(201)
      dump = json(response)
      expect(dump).to include(id: ids.first, pid: Process.pid, this_process: true, snapshot: "walk", warnings: [],
                              deleted: [], bytes: File.size(File.join(@tmpdir, "#{ids.first}.json.zst")))
      expect(dump.values_at(:objects, :seconds, :sequence, :generation)).to all(be_positive)
      expect(response.headers["location"]).to eq("/leaks/dumps/#{ids.first}")
      expect(File.stat(File.join(@tmpdir, "#{ids.first}.json.zst")).mode & 0o777).to eq(0o600)
      expect(log.string).to match(/took the dump #{ids.first}/)
    end

    it "says to people what to do next" do
      post
      expect(post.body).to match(/^bytes +\d+$/).and end_with("POST /dumps again: a diff needs 1 more.\n")
      expect(post.body).to end_with("GET /diff compares the last three dumps of this process.\n")
    end

    it "lists the folder once" do
      4.times { |index| write_dump(@tmpdir, index + 1, pid: 1) }
      allow(LeakHunter::Web::DumpFile).to receive(:of).and_call_original
      post(max_dumps: 2)
      # the one that was taken, and each of the folder
      expect(LeakHunter::Web::DumpFile).to have_received(:of).exactly(6).times
      expect(ids.size).to eq(2)
    end

    it "takes options in the query and in a form" do
      expect(json(post(WebEndpoint::JSON_WANTED, path: "/dumps?fork=1"))).to include(snapshot: "fork")
      form = { :input => "fork=true&gc=0", "CONTENT_TYPE" => "application/x-www-form-urlencoded; charset=utf-8" }
      expect(json(post(WebEndpoint::JSON_WANTED.merge(form)))[:warnings]).to include(/forked child/)
    end

    it "takes them from a middleware that has read the body before, as on Rack 3" do
      read = { "rack.request.form_hash" => { "fork" => "1" }, :input => "" }
      expect(json(post(WebEndpoint::JSON_WANTED.merge(read)))).to include(snapshot: "fork")
      expect(post({ "rack.request.form_hash" => { "fork" => { "a" => "1" } }, :input => "" }).status).to eq(400)
    end

    it "answers 409 while another dump is taken, by the endpoint or by the application" do
      expect(LeakHunter::Web::SingleFlight::DUMP.run { post }).to have_attributes(status: 409, body: /is taking a dump/)
      response = LeakHunter::Recorder.send(:exclusively) { post(WebEndpoint::JSON_WANTED) }
      expect(response.status).to eq(409)
      expect(json(response)[:error]).to eq("DumpInProgress")
      expect(ids).to be_empty
    end

    it "answers 507 when the disk is too full" do
      with_tiny_disk(@tmpdir, 512) do
        response = post(WebEndpoint::JSON_WANTED)
        expect(response.status).to eq(507)
        expect(json(response)).to include(error: "NotEnoughDisk", message: /#{@tmpdir} has \d+ bytes free/)
        expect(ids).to be_empty
      end
    end

    it "answers 500 and why when the folder cannot be written" do
      File.write(File.join(@tmpdir, "file"), "")
      response = post(dir: File.join(@tmpdir, "file"))
      expect(response.status).to eq(500)
      expect(response.body).to include(File.join(@tmpdir, "file"))
    end

    it "rejects what is no option, and bodies that are no form or too long" do
      form = { "CONTENT_TYPE" => "application/x-www-form-urlencoded" }
      answers = [
        post(path: "/dumps?path=/etc/passwd"), post(path: "/dumps?dir=/tmp"), post(path: "/dumps?fork=maybe"),
        post({ **form, input: "fork=1&fork=1" }), post({ **form, input: "gc=%zz" }),
        post({ **form, input: "full=1&#{"x" * 8_192}" }),
        post({ "CONTENT_TYPE" => "application/json", :input => "{}" })
      ]
      expect(answers.map(&:status)).to eq([400, 400, 400, 400, 400, 413, 415])
      expect(ids).to be_empty
    end
  end

  describe "the limits" do
    it "deletes the oldest dumps, of whatever process, above the number" do
      old = Array.new(5) { |index| write_dump(@tmpdir, index + 1, pid: index + 1) }
      response = post(WebEndpoint::JSON_WANTED, max_dumps: 3)
      expect(json(response)[:deleted]).to eq(old.first(3))
      expect(ids).to eq([*old.last(2), json(response)[:id]])
      expect(log.string).to include("deleted the dump #{old.first} ")
    end

    it "deletes the oldest above the bytes, but the last three of this process" do
      own = Array.new(4) { |index| write_dump(@tmpdir, index + 1, sequence: index - 9) }
      others = write_dump(@tmpdir, 5, pid: 1)
      response = post(WebEndpoint::JSON_WANTED, max_bytes: 1)
      expect(json(response)[:deleted]).to eq([*own.first(2), others])
      expect(ids).to eq([*own.last(2), json(response)[:id]])
    end

    it "keeps fewer than three when told to" do
      3.times { |index| write_dump(@tmpdir, index + 1, sequence: -1) }
      latest = json(post(WebEndpoint::JSON_WANTED, max_dumps: 1))[:id]
      expect(ids).to eq([latest])
    end

    it "never deletes what LeakHunter did not name or did not write" do
      kept = write_dump(@tmpdir, 1, name: "before-the-deploy")
      foreign = "20200101T000000.000000Z-host-pid1-0001"
      File.write(File.join(@tmpdir, "#{foreign}.json"), "{}\n")
      File.write(File.join(@tmpdir, "20200101T000000.000000Z-host-pid1-0001.txt"), "notes")
      post(max_dumps: 1, max_bytes: 1)
      expect(ids).to include(kept, foreign, "20200101T000000.000000Z-host-pid1-0001.txt")
    end
  end

  describe "GET /dumps" do
    it "lists them, oldest first" do
      write_dump(@tmpdir, 3)
      write_dump(@tmpdir, 1, pid: 1)
      expect(json(get("/dumps", WebEndpoint::JSON_WANTED))[:dumps]).to match(
        [include(id: ids[0], pid: 1, this_process: false), include(id: ids[1], pid: Process.pid, this_process: true)]
      )
      expect(get("/dumps").body.lines).to match([/^#{ids[0]} +\d+ B$/, /^#{ids[1]} +\d+ B  this process$/])
    end

    it "is empty where there is no folder yet" do
      expect(get("/dumps", dir: File.join(@tmpdir, "none")).body).to eq("no dumps; POST /dumps takes one\n")
      expect(json(get("/dumps", WebEndpoint::JSON_WANTED, dir: File.join(@tmpdir, "none")))).to eq(dumps: [])
    end

    it "passes over what is no dump of LeakHunter's" do
      first_lines = ["", "{}", "[]", "1", '{"type":"DUMP"}', '{"type":"DUMP", "leak_hunter":{}}', "x" * 100_000,
                     '{"address":"0x1", "type":"ROOT"}', "\xFF\xFE\x00", "[" * 4_000]
      first_lines.each_with_index { |line, index| File.binwrite(File.join(@tmpdir, "#{index}.json"), "#{line}\n") }
      Dir.mkdir(File.join(@tmpdir, "folder.json"))
      File.mkfifo(File.join(@tmpdir, "pipe.json"))
      write_dump(@tmpdir, 1, boot: "../../etc")
      write_dump(@tmpdir, 2, taken_at: "now\e[2J")
      File.chmod(0o000, File.join(@tmpdir, "#{write_dump(@tmpdir, 3, pid: "1")}.json"))
      expect(json(get("/dumps", WebEndpoint::JSON_WANTED))[:dumps]).to eq([])
    end

    it "shows no control characters of a dump's own words" do
      id = write_dump(@tmpdir, 1, host: "\e[2Jhost\n", ruby: 3, platform: nil)
      dump = json(get("/dumps/#{id}", WebEndpoint::JSON_WANTED))
      expect(dump).to include(host: "\\e[2Jhost\\n", ruby: nil, platform: nil)
      expect(get("/dumps/#{id}").body).to include("host           \\e[2Jhost\\n\n")
    end
  end

  describe "GET and DELETE /dumps/:id" do
    it "describes and deletes one" do
      id = write_dump(@tmpdir, 1)
      dump = json(get("/dumps/#{id}", WebEndpoint::JSON_WANTED))
      expect(dump).to include(id:, sequence: 1, generation: 10, host: "host")
      response = ask_with_token(endpoint, "DELETE", "/dumps/#{id}")
      expect([response.status, response.body, response.content_type]).to eq([204, "", nil])
      expect(ids).to be_empty
      expect(log.string).to include("deleted the dump #{id}")
      expect(ask_with_token(endpoint, "DELETE", "/dumps/#{id}").status).to eq(404)
    end

    it "reaches nothing outside of the folder, and no link, folder or pipe in it" do
      inside = File.join(@tmpdir, "dumps")
      Dir.mkdir(inside)
      outside = write_dump(@tmpdir, 1, name: "outside")
      File.symlink(File.join(@tmpdir, "#{outside}.json"), File.join(inside, "link.json"))
      File.mkfifo(File.join(inside, "pipe.json"))
      Dir.mkdir(File.join(inside, "folder.json"))
      write_dump(inside, 2, name: ".hidden")
      names = ["../outside", "..%2Foutside", "%2e%2e/outside", "..", ".", "link", "pipe", "folder", ".hidden", "-rf",
               "outside", "x" * 5_000, "link.json", "a\0b", "é".b]
      names.product(%w[GET DELETE]).each do |name, method|
        response = ask_with_token(endpoint(dir: inside), method, "/", "PATH_INFO" => "/dumps/#{name}")
        expect([name, method, response.status]).to eq([name, method, 404])
      end
      expect(File).to exist(File.join(@tmpdir, "outside.json"))
      expect(Dir.children(inside)).to contain_exactly("link.json", "pipe.json", "folder.json", ".hidden.json")
    end
  end

  describe "GET /dumps/:id/download" do
    let(:id) { write_dump(@tmpdir, 1, padding: 50_000) }
    let(:path) { File.join(@tmpdir, "#{id}.json") }

    it "is 404 unless it is allowed" do
      expect(get("/dumps/#{id}/download")).to have_attributes(status: 404, body: /allow_download/)
    end

    it "sends the file in pieces, or by its path" do
      response = get("/dumps/#{id}/download", allow_download: true)
      expect(response.status).to eq(200)
      expect(response.body).to eq(File.read(path))
      expect(response.headers.to_h).to include(
        "content-type" => "application/x-ndjson", "cache-control" => "no-store",
        "content-disposition" => "attachment; filename=\"#{id}.json\""
      )
      expect(response.headers["content-length"]).to eq(File.size(path).to_s)
      expect(log.string).to include("downloaded the dump #{id}")

      env = { "REQUEST_METHOD" => "GET", "PATH_INFO" => "/dumps/#{id}/download", **WebEndpoint::BEARER }
      body = endpoint(allow_download: true).call(env).last
      expect(body.to_path).to eq(path)
      expect(body.enum_for(:each).map(&:bytesize)).to all(be <= 65_536)
      body.close
      expect { body.each(&:size) }.to raise_error(IOError)
    end

    it "answers HEAD without the file, and unknown dumps with 404" do
      head = ask_with_token(endpoint(allow_download: true), "HEAD", "/dumps/#{id}/download")
      expect([head.status, head.body, head.headers["content-length"]]).to eq([200, "", File.size(path).to_s])
      expect(get("/dumps/none/download", allow_download: true).status).to eq(404)
    end
  end
end
