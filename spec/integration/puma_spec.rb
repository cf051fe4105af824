# frozen_string_literal: true

RSpec.describe "LeakHunter::Web on Puma", :tmpdir do
  before { needs_gem("puma") }

  def monotonic = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  describe "with the example application" do
    let(:example) { File.expand_path("../../examples/leaky_app", __dir__) }

    def demo(dir)
      Open3.capture2e({ "RUBYLIB" => RubyProcess::LIB }, RbConfig.ruby, "-w", File.join(dir, "demo.rb"))
    end

    it "names its leak, to the object" do
      output, status = demo(example)
      expect(output).to match(/^1\. GROWING  Shop::AuditTrail::EVENTS$.*^Found    300 Shop::AuditEvent /m)
        .and match(/^The leak is found, to the object\.$/)
      expect(status).to be_success
    end

    it "fails when that is not what was planted" do
      FileUtils.cp_r(example, @tmpdir)
      trail = File.join(@tmpdir, "leaky_app/lib/shop/audit_trail.rb")
      File.write(trail, File.read(trail).sub("count: EVENTS.size", "count: EVENTS.size * 2"))
      output, status = demo(File.join(@tmpdir, "leaky_app"))
      expect(output).to match(/^Planted  600 .*^Found    300 .*NOT the first of the report/m)
      expect(status.exitstatus).to eq(1)
    end
  end

  it "names what leaked between the first two of three dumps" do
    serve("sessions.ru") do |server|
      server.connect do |http|
        10.times { http.get("/login") } # what is made once, is made
        3.times do |round|
          post_dump(http)
          [40, 60, 0][round].times { http.get("/login") }
        end
        result = json(http.get("/leaks/diff", WebServer::JSON_HEADERS))
        session = result[:groups].find { |group| group[:class] == "Session" }
        expect(session).to include(count: 40, file: /sessions\.ru$/, gem: "app")
        expect(result[:evidence]).to include(confidence: "exact", same_process: "recorded")
        expect(http.get("/leaks/diff", WebServer::HEADERS).body)
          .to match(/^1\. GROWING  Session::SESSIONS$/)
        expect(http.get("/leaks/diff").code).to eq("404")
      end
    end
  end

  # @return [Array(Array<Float>, Float)] how long each request took that came and was answered during a diff, and how
  #   long the diff took
  def requests_during_a_diff(server, http)
    pings = Queue.new
    pinging = Thread.new do
      server.connect do |other|
        loop do
          start = monotonic
          other.get("/ping")
          pings << [start, monotonic]
        end
      end
    rescue ClosedQueueError
      nil # that was enough
    end
    Thread.pass until pings.size > 5
    start = monotonic
    expect(http.get("/leaks/diff", WebServer::HEADERS).code).to eq("200")
    stop = monotonic
    during = Array.new(pings.size) { pings.pop }.select { |from, to| from > start && to < stop }
    pings.close
    pinging.join
    [during.map { |from, to| to - from }, stop - start]
  end

  # What else a busy machine does may take all of a diff's time once, but not each time.
  it "serves requests during a diff" do
    serve("sessions.ru", env: { "HEAP_OBJECTS" => "400000" }) do |server|
      server.connect do |http|
        3.times { post_dump(http) }
        served = ->((times, whole)) { times.size >= 10 && times.max < whole / 2 }
        diffs = [requests_during_a_diff(server, http)]
        diffs << requests_during_a_diff(server, http) until diffs.any?(&served) || diffs.size == 5
        expect(diffs).to include(satisfy(&served))
      end
    end
  end

  it "answers several at once, one of whom gets a dump" do
    serve("sessions.ru") do |server|
      answers = Array.new(4) do
        Thread.new { server.connect { |http| Array.new(3) { http.post("/leaks/dumps", "", WebServer::HEADERS).code } } }
      end
      codes = answers.flat_map(&:value)
      expect(codes - %w[201 409]).to be_empty
      server.connect do |http|
        expect(json(http.get("/leaks/dumps", WebServer::JSON_HEADERS))[:dumps].size).to eq(codes.count("201"))
      end
      expect(Dir.glob(File.join(@tmpdir, "tmp/leak_hunter/.*.part"))).to be_empty
    end
  end

  it "streams a download, whole, when that is allowed" do
    rackup = File.join(@tmpdir, "download.ru")
    File.write(rackup, 'require "leak_hunter"; run LeakHunter::Web.new(allow_download: true)')
    serve(rackup) do |server|
      server.connect do |http|
        id = post_dump(http, "/dumps")[:id]
        path = "/dumps/#{id}/download"
        file = File.binread(File.join(@tmpdir, "tmp/leak_hunter/#{id}.json.zst"))
        expect(http.get(path, WebServer::HEADERS).body).to eq(file)
        expect(http.head(path, WebServer::HEADERS)["content-length"]).to eq(file.bytesize.to_s)
        expect(http.get("/status", WebServer::HEADERS).code).to eq("200")
      end
    end
  end

  describe "in cluster mode" do
    # Each worker has one thread, so that of two requests at once each mostly gets one.
    def dumps_of_two_workers(server)
      dumps = []
      40.times do
        requests = Array.new(2) { Thread.new { server.connect { |http| post_dump(http) } } }
        dumps.concat(requests.map(&:value))
        by_worker = dumps.sort_by { |dump| dump[:sequence] }.group_by { |dump| dump[:pid] }.values
        return by_worker if by_worker.size == 2 && by_worker.all? { |of_one| of_one.size >= 3 }
      end
      raise "all dumps are of one worker:\n#{server.log}"
    end

    def diff(http, *dumps)
      query = %w[first second third].zip(dumps).map { |name, dump| "#{name}=#{dump[:id]}" }.join("&")
      http.get("/leaks/diff?#{query}", WebServer::JSON_HEADERS)
    end

    it "compares the dumps of one worker, in any worker, and refuses those of two" do
      serve("sessions.ru", options: ["-w", "2", "-t", "1:1", "--preload"]) do |server|
        ours, others = dumps_of_two_workers(server)
        expect(ours.first[:boot]).to eq(others.first[:boot]) # the workers are forks of one process
        4.times do # by either worker
          server.connect do |http|
            mixed = diff(http, ours[0], ours[1], others[2])
            expect([mixed.code, json(mixed)[:error]]).to eq(%w[409 DifferentProcesses])
            expect(json(mixed)[:message]).to include(ours[0][:pid].to_s, others[0][:pid].to_s)
            expect(diff(http, *ours.first(3)).code).to eq("200")
            default = json(http.get("/leaks/diff", WebServer::JSON_HEADERS))
            expect(default[:dumps].map { |dump| dump[:recorded][:pid] }.uniq.size).to eq(1)
          end
        end
      end
    end
  end
end
