# frozen_string_literal: true

require "English"
RSpec.describe "LeakHunter::Native.disk_space", :tmpdir do
  def space(path = @tmpdir) = LeakHunter::Native.disk_space(path)

  # What coreutils read from the same system call.
  def stat(*format)
    IO.popen(["stat", "--file-system", "--format", format.join(" "), @tmpdir],
             &:read).split.map(&:to_i)
  end

  it "agrees with stat" do
    with_tiny_disk(@tmpdir, 512) do
      unit, blocks, free, block_size = stat("%S", "%b", "%a", "%s")
      expect(space).to eq(free_bytes: free * unit, total_bytes: blocks * unit, block_size:)
      File.write(File.join(@tmpdir, "a"), "x" * 100_000)
      expect(space[:free_bytes]).to be_between((free * unit) - 110_000, (free * unit) - 100_000)
    end
  end

  it "takes paths as bytes, of files too" do
    odd = File.join(@tmpdir, "d\xFF".b)
    Dir.mkdir(odd)
    File.write("#{odd}/file", "")
    expect([space(odd), space("#{odd}/file")].map { |found| found[:total_bytes] }).to all(eq(space[:total_bytes]))
  end

  it "raises what the system says, with the path" do
    expect { space("#{@tmpdir}/missing") }.to raise_error(Errno::ENOENT, /missing/)
    expect { space("#{__FILE__}/below") }.to raise_error(Errno::ENOTDIR, /below/)
    expect { space("a\0b") }.to raise_error(ArgumentError)
    expect { space(3) }.to raise_error(TypeError)
  end

  it "leaves $? alone, and needs no open standard stream" do
    `true`
    status = $CHILD_STATUS
    space
    expect($CHILD_STATUS).to equal(status)
    expect(run_ruby('$stderr.close; $stdin.close; LeakHunter::Native.disk_space("/"); print "fine"')).to eq("fine")
  end
end
