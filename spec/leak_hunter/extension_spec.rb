# frozen_string_literal: true

require "fileutils"

# The Ruby files without the extension, and with one that is none.
RSpec.describe "LeakHunter without its native extension", :tmpdir do
  before do
    lib = File.join(@tmpdir, "lib")
    FileUtils.mkdir_p(lib)
    FileUtils.cp_r(File.join(RubyProcess::LIB, "leak_hunter"), lib)
    FileUtils.cp(File.join(RubyProcess::LIB, "leak_hunter.rb"), lib)
    File.delete(extension)
  end

  def extension = File.join(@tmpdir, "lib/leak_hunter/leak_hunter.#{RbConfig::CONFIG["DLEXT"]}")

  calls = <<~'RUBY'
    dump = File.join(ARGV[0], "dump.json")
    calls = [-> { LeakHunter.diff(dump, dump, dump) }, -> { LeakHunter::Heap.load(dump) }, -> { LeakHunter::Heap.live },
             -> { LeakHunter.diff(dump, dump, dump, threads: :all) }]
    # a second time, too
    (calls + calls).each do |call|
      call.call
    rescue LeakHunter::Unsupported => e
      puts [e.class, e.message.include?("rake compile"), e.is_a?(StandardError)].inspect
    end
  RUBY
  let(:calls) { calls }

  def run(code)
    output, status = Open3.capture2e(RbConfig.ruby, "-w", "-I#{@tmpdir}/lib", "-rleak_hunter", "-e", code, @tmpdir)
    raise output unless status.success?

    output
  end

  it "says how to build it" do
    expect(run(calls).lines(chomp: true).uniq).to eq(["[LeakHunter::ExtensionMissing, true, true]"])
  end

  it "says so of a file that is no extension, and of one made for another Ruby" do
    File.write(extension, "no shared library")
    expect(run(calls).lines(chomp: true).uniq).to eq(["[LeakHunter::ExtensionMissing, true, true]"])
  end

  it "takes whole dumps all the same, secrets and all, if asked" do
    taken = 'LeakHunter.dump!(File.join(ARGV[0], "dump.json"), values: :all)'
    expect(run("print #{taken}.bytes.positive?")).to eq("true")
  end
end
