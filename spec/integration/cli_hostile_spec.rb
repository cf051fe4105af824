# frozen_string_literal: true

require "json"
require "pty"

# Whatever the names are, and whatever becomes of its outputs, a command ends with its status and a sentence.
RSpec.describe "The command line among hostile things", :tmpdir do
  let(:dumps) { HostileDumps.write(@tmpdir) }
  let(:object) { HostileDumps.address(100) }

  def leak_hunter(...) = RealDumps.leak_hunter(...)

  # Every command, and every format. A Symbol is a path of a dump, or an address.
  commands = {
    "diff" => %i[first second third], "diff --format classic" => %i[first second third],
    "diff --format json" => %i[first second third], "why" => %i[third object],
    "why --format json" => %i[third object], "top" => %i[third], "top --by class" => %i[third],
    "top --by site" => %i[third], "top --by gem" => %i[third], "top --format json" => %i[third],
    "flame" => %i[third], "export --format folded" => %i[third], "export --format speedscope" => %i[third],
    "export --format heapsnapshot" => %i[third], "export --format dot --object" => %i[object third],
    "export --format folded --leaked" => %i[first second third], "help" => [], "help diff" => [], "--version" => []
  }

  def arguments(command, names)
    values = { first: dumps[0], second: dumps[1], third: dumps[2], object: }
    [*command.split, *values.values_at(*names)]
  end

  def expect_one_sentence(errors)
    expect(errors).to match(/\Aleak_hunter: [^\n]+\n\z/)
    expect(errors).not_to match(/\.rb:\d+|[^\n[:print:]]/)
  end

  commands.each do |command, names|
    describe command do
      it "prints no name as it is" do
        output, errors, status = leak_hunter(*arguments(command, names))
        expect([errors, status]).to eq(["", 0])
        # the others write files for programs
        expect(output.scan(/[^\n[:print:]]/)).to be_empty unless command.match?(/flame|speedscope|heapsnapshot|dot/)
      end

      it "is status 1 where standard output is a full disk" do
        errors, errors_writer = IO.pipe
        pid = spawn(RbConfig.ruby, "-w", "-I", RealDumps::LIB, RealDumps::EXE, *arguments(command, names),
                    out: "/dev/full", err: errors_writer)
        errors_writer.close
        expect_one_sentence(errors.read)
        expect(Process.wait2(pid).last.exitstatus).to eq(1)
      end

      it "bears standard output and standard error that are closed" do
        [{ out: :close }, { err: :close }, { out: :close, err: :close }].each do |closed|
          others = { out: File::NULL, err: File::NULL }.merge(closed)
          pid = spawn(RbConfig.ruby, "-I", RealDumps::LIB, RealDumps::EXE, *arguments(command, names), **others)
          expect(Process.wait2(pid).last.exitstatus).to be_between(0, 1)
        end
      end

      it "needs no temporary folder" do
        output, errors, status = leak_hunter(*arguments(command, names), env: { "TMPDIR" => "/no/such" })
        expect([errors, status]).to eq(["", 0])
        expect(output).not_to be_empty
      end

      it "is quiet when its reader has seen enough" do
        reader, writer = IO.pipe
        reader.close
        errors, errors_writer = IO.pipe
        pid = spawn(RbConfig.ruby, "-w", "-I", RealDumps::LIB, RealDumps::EXE, *arguments(command, names),
                    out: writer, err: errors_writer)
        [writer, errors_writer].each(&:close)
        expect(errors.read).to eq("")
        expect(Process.wait2(pid).last.exitstatus).to eq(0)
      end
    end
  end

  ["diff", "diff --format json", "flame", "export --format folded", "export --format heapsnapshot"].each do |command|
    it "#{command} is status 1 where the disk of --output is full" do
      given = arguments(command, commands.fetch(command))
      Dir.mkdir(disk = File.join(@tmpdir, "disk"))
      with_tiny_disk(disk, 4) do
        File.write(File.join(disk, "filler"), "x" * 4096)
        [File.join(disk, "report"), "/dev/full"].each do |output|
          out, errors, status = leak_hunter(*given, "--output", output)
          expect([out, status]).to eq(["", 1])
          expect_one_sentence(errors)
          expect(Dir.children(disk)).to eq(["filler"])
        end
      end
    end
  end

  it "keeps what is there when writing fails" do
    Dir.mkdir(disk = File.join(@tmpdir, "disk"))
    with_tiny_disk(disk, 8) do
      report = File.join(disk, "report")
      File.write(report, "of yesterday")
      File.write(File.join(disk, "filler"), "x" * 4096)
      expect(leak_hunter("diff", *dumps, "--output", report).last).to eq(1)
      expect(File.read(report)).to eq("of yesterday")
    end
  end

  describe "paths" do
    ["\xFF.json", "a\nb.json", "\e[2J.json", "\u202E.json", "caf\xC3\xA9.json", "-x.json", " .json"].each do |name|
      it "are shown, not printed: #{name.dump}" do
        path = "#{@tmpdir}/".b << name.b
        File.rename(dumps.last, path)
        { %w[top] => [], %w[top --format json] => [], %w[why] => [object], %w[why --format json] => [object],
          %w[diff] => :three, %w[diff --format json] => :three, %w[flame] => [], %w[export --format folded] => [] }
          .each do |command, more|
          given = more == :three ? [*dumps.first(2), path] : [path, *more]
          output, errors, status = leak_hunter(*command, *given)
          expect([command, errors, status]).to eq([command, "", 0])
          expect(output).to be_valid_encoding
          expect(output).not_to match(/[^\n[:print:]]/) unless command.first == "flame"
          JSON.parse(output) if command.include?("json")

          output, errors, status = leak_hunter(*command, *given.map { |it| it == path ? "#{path}.gone" : it })
          expect([command, output, status]).to eq([command, "", 1])
          expect_one_sentence(errors)
        end
      end
    end

    it "are written to as they are" do
      file = "#{@tmpdir}/".b << "\xFF\n.txt".b
      expect(leak_hunter("diff", *dumps, "--output", file)).to eq(["", "", 0])
      expect(File.read(file)).to eq(leak_hunter("diff", *dumps).first)
    end
  end

  it "proposes names of classes that can be printed" do
    ["evil", "\xFF", "\e[2J", "0x"].each do |name|
      output, errors, status = leak_hunter("why", dumps.last, name)
      expect([output, status]).to eq(["", 1])
      expect_one_sentence(errors)
    end
    expect(leak_hunter("why", dumps.last, "evil")[1]).to include(LeakHunter::Printable.call(HostileDumps::EVIL))
    expect(leak_hunter("why", dumps.last, HostileDumps::EVIL, env: { "LC_ALL" => "C" })[1..]).to eq(["", 0])
  end

  it "is status 1 for what is no dump" do
    { "empty" => "", "zeros" => "\0" * 100, "half" => File.read(dumps.last)[0, 700] }.each do |name, content|
      File.binwrite(path = File.join(@tmpdir, name), content)
      [["top", path], ["why", path, object], ["flame", path], ["diff", *dumps.first(2), path]].each do |given|
        output, errors, status = leak_hunter(*given)
        expect([given, output, status]).to eq([given, "", 1])
        expect_one_sentence(errors)
      end
    end
    [@tmpdir, "/dev/null", "/no/such"].each { |path| expect(leak_hunter("top", path).last).to eq(1) }
  end

  it "uses every core" do
    code = 'require "leak_hunter/cli"; LeakHunter.singleton_class.prepend(Module.new { def diff(*, **options) = ' \
           "super.tap { warn options[:threads] } }); exit LeakHunter::CLI.new(ARGV).run"
    _, errors, = Open3.capture3(RbConfig.ruby, "-I", RealDumps::LIB, "-rleak_hunter", "-e", code, "diff", *dumps)
    expect([Etc.nprocessors.to_s, "all"]).to include(errors.chomp)
    _, errors, = Open3.capture3(RbConfig.ruby, "-I", RealDumps::LIB, "-rleak_hunter", "-e", code, "diff", "--threads",
                                "1", *dumps)
    expect(errors).to eq("1\n")
  end
end
