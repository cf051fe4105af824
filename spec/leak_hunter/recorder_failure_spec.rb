# frozen_string_literal: true

RSpec.describe LeakHunter::Recorder, "when it fails", :tmpdir do
  def files = Dir.children(@tmpdir)

  # @return [String] class and message of what dump! raised, in a process of its own
  def error_of(code, **options)
    run_ruby(<<~RUBY, @tmpdir, **options)
      DIR = ARGV.fetch(0)
      LeakHunter::Recorder.name # loads it
      begin
        #{code}
        print "no error"
      rescue LeakHunter::Error => e
        print e.class, ": ", e.message
      end
    RUBY
  end

  it "does not overwrite a file" do
    path = File.join(@tmpdir, "mine")
    File.write(path, "precious")
    link = File.join(@tmpdir, "link")
    File.symlink(File.join(@tmpdir, "nowhere"), link)

    [path, link].each do |taken|
      expect { LeakHunter.dump!(taken) }.to raise_error(LeakHunter::RecordingError, "#{taken} already exists")
    end
    expect { LeakHunter.dump!(@tmpdir) }.to raise_error(LeakHunter::RecordingError, /already exists \(.*dir:/)
    expect(File.read(path)).to eq("precious")
    expect(files).to contain_exactly("mine", "link")
  end

  it "does not overwrite a file that appears while the dump is written" do
    path = File.join(@tmpdir, "mine")
    destination = described_class::Destination.new(path:)
    expect { destination.write(nil) { File.write(path, "precious") } }
      .to raise_error(LeakHunter::RecordingError, /already exists/)
    expect(File.read(path)).to eq("precious")
    expect(files).to eq(["mine"])
  end

  it "says that the folder cannot be made" do
    file = File.join(@tmpdir, "file")
    File.write(file, "")
    expect { LeakHunter.dump!(dir: File.join(file, "dumps")) }
      .to raise_error(LeakHunter::RecordingError, /#{file}.*(Not a directory|File exists)/)
    expect(files).to eq(["file"])
  end

  it "says that the folder cannot be written to" do
    FileUtils.chmod(0o555, @tmpdir)
    message = error_of("Process::UID.change_privilege(65_534) if Process.uid.zero?; LeakHunter.dump!(dir: DIR)")
    expect(message).to match(/\ALeakHunter::RecordingError: .*#{@tmpdir}.*Permission denied/)
    expect(files).to eq([])
  ensure
    FileUtils.chmod(0o755, @tmpdir)
  end

  [false, true].each do |fork|
    context "with fork: #{fork}" do
      it "refuses, before it writes, a disk that is too small" do
        with_tiny_disk(@tmpdir, 512) do
          message = error_of("LeakHunter.dump!(dir: DIR, fork: #{fork})")
          expect(message).to match(/\ALeakHunter::NotEnoughDisk: #{@tmpdir} has 5\d{5} bytes free.*about \d{7,}/)
          expect(files).to eq([])
        end
      end

      it "leaves nothing on a disk that turns out to be too small" do
        with_tiny_disk(@tmpdir, 512) do
          # Nobody tells beforehand.
          message = error_of(<<~RUBY)
            LeakHunter::Native.singleton_class.undef_method(:disk_space)
            LeakHunter.dump!(dir: DIR, fork: #{fork}, values: :all, compress: :none)
          RUBY
          expect(message).to match(/\ALeakHunter::NotEnoughDisk: no room is left in #{@tmpdir}/)
          expect(files).to eq([])
        end
      end

      it "explains what an overlong file name does, and how to get rid of it" do
        message = error_of(<<~RUBY)
          LeakHunter.trace!(mode: :objspace)
          $kept = eval("Object.new", nil, "template " * 600, 1)
          begin
            LeakHunter.dump!(dir: DIR, fork: #{fork})
          rescue LeakHunter::RecordingError => e
            LeakHunter.clear
            LeakHunter.dump!(dir: DIR, fork: #{fork})
            raise
          end
        RUBY
        expect(message).to match(/\ALeakHunter::RecordingError: .*file name.*4,090 bytes.*LeakHunter\.clear/)
        expect(files.size).to eq(1)
      end
    end
  end

  it "leaves nothing when it is stopped half-way" do
    expect(run_ruby(<<~'RUBY', @tmpdir)).to eq("IOError [] false")
      module Stop
        def dump_all(...)
          super.tap do
            Thread.main.raise(IOError)
            sleep 0.001 until Thread.current.pending_interrupt?
          end
        end
      end
      ObjectSpace.singleton_class.prepend(Stop)
      begin
        LeakHunter.dump!(dir: ARGV[0])
      rescue IOError => e
        print e.class
      end
      print " ", Dir.children(ARGV[0]), " ", GC.enable
    RUBY
  end

  describe LeakHunter::Recorder::Disk do
    it "knows how many bytes are free" do
      free = described_class.free_bytes(@tmpdir)
      expect(free).to be_a(Integer).and be_positive
      expect(described_class.free_bytes(File.join(@tmpdir, "missing"))).to be_nil
    end

    it "never estimates low: not of text that nothing makes smaller, and not by much of plain text" do
      output = run_ruby(<<~'RUBY', @tmpdir)
        texts = Array.new(2000) { [Random.bytes(7500)].pack("m0") }
        %i[none zstd gzip].product(%i[all none length_and_digest prefix]) do |compress, values|
          dump = LeakHunter.dump!(dir: ARGV[0], compress:, values:)
          format = LeakHunter::Recorder::Format.new(compress:, values:)
          puts [dump.bytes, LeakHunter::Recorder::Disk.estimate(format:, full: false)].join(" ")
        end
      RUBY
      numbers = output.lines.map { |line| line.split.map(&:to_i) }
      expect(numbers.size).to eq(12)
      expect(numbers).to all(satisfy { |bytes, estimate| estimate >= bytes })
      expect(numbers.first(4)).to all(satisfy { |bytes, estimate| estimate <= 3 * bytes })
    end

    it "goes on where the free space is not known" do
      expect(described_class.check(@tmpdir, nil, 2**60)).to be_nil
      expect { described_class.check(@tmpdir, 2**30, 2**30) }
        .to raise_error(LeakHunter::NotEnoughDisk, /#{@tmpdir} has #{2**30} bytes free.*#{2**30}/)
    end
  end
end
