# frozen_string_literal: true

require "rbconfig"

# A real C extension, built here: adding up an object's size takes it 2 ms of processor time.
RSpec.describe "Sizes that C extensions compute", :tmpdir do
  fixture = File.expand_path("../fixtures/extension", __dir__)

  def build(source, folder)
    program = 'require "mkmf"; create_makefile("sized")'
    output, status = Open3.capture2e(RbConfig.ruby, "-e", program, "--", "--srcdir=#{source}", chdir: folder)
    output, status = Open3.capture2e("make", chdir: folder) if status.success?
    raise output unless status.success?
  end

  it "are waited for a limited time, and what was left out is said" do
    build(fixture, @tmpdir)
    told = JSON.parse(run_ruby("load ARGV.shift", File.join(fixture, "program.rb"), @tmpdir, @tmpdir))
    expect(told["recorded"]).to eq([["slow_tree"], ["slow_tree"]])
    %w[heap mark file].each do |moment|
      expect(told[moment]).to match("SlowTree" => be_between(2_000_000, 7_000_000), "QuickTree" => be > 200_000_000)
    end
    sentence = "objects of slow_tree are counted with the size of their slots alone"
    expect(told["warnings"]).to contain_exactly(start_with(sentence))
    expect(told["report"].gsub(/\s+/, " ")).to include(sentence)
  end
end
