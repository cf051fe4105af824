# frozen_string_literal: true

require "open3"
require "rbconfig"
require "rubygems/package"
require "socket"
require "stringio"
require "zlib"

# A source of gems on loopback, as RubyGems reads it: an index and the gems, made here. It notes what it is asked for.
class GemServer
  attr_reader :requests, :url

  # @param gems [Hash{String => Hash{String => String}}] changelogs by version by name
  def self.run(gems, password: nil)
    Dir.mktmpdir("gem-server") do |dir|
      server = new(dir, gems, password)
      yield server
    ensure
      server&.stop
    end
  end

  def initialize(dir, gems, password)
    @files = {}
    @requests = []
    @password = password
    build(dir, gems)
    @socket = TCPServer.new("127.0.0.1", 0)
    @url = "http://#{"user:#{password}@" if password}127.0.0.1:#{@socket.addr[1]}/"
    @thread = Thread.new { serve }
  end

  def stop
    @thread.kill
    @socket.close
  end

  # @return [String] path of a gem that has a changelog
  def self.gem(dir, name, version, log)
    FileUtils.mkdir_p(dir)
    File.write(File.join(dir, "CHANGELOG.md"), log)
    spec = specification(name, version)
    path = Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) { Dir.chdir(dir) { Gem::Package.build(spec) } }
    File.join(dir, path)
  end

  def self.specification(name, version)
    Gem::Specification.new(name, version) do |it|
      it.summary = it.description = name
      it.authors = ["somebody"]
      it.homepage = "https://shop.example"
      it.license = "MIT"
      it.files = ["CHANGELOG.md"]
    end
  end

  # Runs the command line with this as the user's source of gems.
  def leak_hunter(*arguments, home:, chdir:)
    File.write(rc = File.join(home, "gemrc"), "---\n:sources:\n- #{@url}\n")
    env = { "HOME" => home, "GEMRC" => rc, "GEM_SPEC_CACHE" => File.join(home, "specs"), "http_proxy" => nil,
            "XDG_CONFIG_HOME" => File.join(home, "config"), "NO_COLOR" => "1", "COLUMNS" => nil }
    output, errors, status = Open3.capture3(env, RbConfig.ruby, "-w", "-I", RealDumps::LIB, RealDumps::EXE, *arguments,
                                            chdir:)
    [output, errors, status.exitstatus]
  end

  private

  def build(dir, gems)
    specs = gems.flat_map { |name, versions| versions.map { |version, log| package(dir, name, version, log) } }
    tuples = specs.map { |spec| [spec.name, spec.version, "ruby"] }
    newest = tuples.group_by(&:first).map { |_, some| some.max_by { |tuple| tuple[1] } }
    { "specs" => tuples, "latest_specs" => newest, "prerelease_specs" => [] }.each do |name, index|
      @files["/#{name}.4.8.gz"] = Zlib.gzip(Marshal.dump(index))
    end
  end

  def package(dir, name, version, log)
    spec = self.class.specification(name, version)
    @files["/gems/#{name}-#{version}.gem"] = File.binread(self.class.gem(dir, name, version, log))
    @files["/quick/Marshal.4.8/#{name}-#{version}.gemspec.rz"] = Zlib.deflate(Marshal.dump(spec))
    spec
  end

  def serve
    loop do
      client = @socket.accept
      answer(client)
    rescue SystemCallError, IOError
      next
    ensure
      client&.close
    end
  end

  def answer(client)
    path = client.gets.to_s.split[1]
    head = client.each_line.take_while { |line| line != "\r\n" }.join
    @requests << path
    body = @files[path] if @password.nil? || head.include?(["user:#{@password}"].pack("m0"))
    client.write("HTTP/1.1 #{body ? "200 OK" : "404 Not Found"}\r\ncontent-length: #{body.to_s.bytesize}\r\n" \
                 "connection: close\r\n\r\n")
    client.write(body) if body
  end
end
