# frozen_string_literal: true

require "fileutils"
require "open3"
require "rbconfig"

# Dumps are compared where they were not taken: LeakHunter's own code was elsewhere there.
RSpec.describe "Dumps of a process that has LeakHunter elsewhere", :tmpdir do
  it "have no objects of LeakHunter's among what leaked" do
    lib = File.expand_path("../../lib", __dir__)
    elsewhere = File.join(@tmpdir, "releases", "7", "lib")
    FileUtils.mkdir_p(File.dirname(elsewhere))
    FileUtils.cp_r(lib, elsewhere)
    script = <<~'RUBY'
      require "leak_hunter"
      LeakHunter.trace!
      DUMPS = []
      KEPT = []
      4.times do
        KEPT << "kept by the application"
        DUMPS << LeakHunter.dump!(dir: ARGV[0])
      end
      puts DUMPS.drop(1).map(&:path)
    RUBY
    output, status = Open3.capture2e(RbConfig.ruby, "-w", "-I", elsewhere, "-e", script, @tmpdir)
    raise output unless status.success?

    result = LeakHunter.diff(*output.lines(chomp: true), group_by: %i[class file])
    expect(result[:groups].filter_map { |group| group[:file] }.grep(/leak_hunter/)).to eq([])
    expect(result[:groups].filter_map { |group| group[:class] }.grep(/LeakHunter/)).to eq([])
    expect(result[:totals][:own_count]).to be_positive
    expect(result[:groups]).to include(include(class: "String", file: "-e", count: 1))
  end
end
