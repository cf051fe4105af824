# frozen_string_literal: true

require "leak_hunter/ractors"

# Other Ractors allocate while one looks at the heap. Some of what Ruby offers for that ends the process.
RSpec.describe "Beside other Ractors", :tmpdir, if: defined?(Ractor) do
  busy = <<~'RUBY'
    Warning[:experimental] = false
    at_exit { $stdout.flush; Process.exit!($! ? 1 : 0) } # the Ractors do not end
    2.times { Ractor.new { kept = []; loop { kept[rand(1000)] = [rand.to_s, { 1 => Object.new }]; sleep 0.0001 } } }
  RUBY

  %w[in_process fork].each do |snapshot|
    it "dumps have no names, and say so (#{snapshot})" do
      output = run_ruby(<<~RUBY, @tmpdir)
        #{busy}
        2.times do |number|
          dump = LeakHunter.dump!("\#{ARGV[0]}/\#{number}", trace: false, fork: #{snapshot == "fork"})
          puts dump.warnings.include?(LeakHunter::Ractors::NO_NAMES)
        end
      RUBY
      expect(output.split).to eq(%w[true true])
      reader = DumpReader.new(File.join(@tmpdir, "1"))
      expect(reader.header["ractors"]).to eq(3)
      expect(reader.names).to eq([])
      expect(reader.trailer.keys).to eq(%w[type id])
    end
  end

  it "tracing is not started where that ends the process" do
    skip "this Ruby traces beside Ractors" unless LeakHunter::Ractors::TRACING_CRASHES
    expect(run_ruby(<<~RUBY, @tmpdir)).to eq("LeakHunter::Unsupported\nLeakHunter::Unsupported\ntrue false\n")
      #{busy}
      %i[trace! mark].each do |name|
        LeakHunter.public_send(name)
      rescue LeakHunter::Error
        puts $!.class
      end
      dump = LeakHunter.dump!(dir: ARGV[0])
      puts [dump.warnings.include?(LeakHunter::Ractors::NOT_TRACED), LeakHunter.tracing?].join(" ")
    RUBY
  end

  it "dumps have names again when these have ended" do
    output = run_ruby(<<~'RUBY', @tmpdir)
      Warning[:experimental] = false
      Ractor.new { 5 }.then { |ractor| ractor.respond_to?(:value) ? ractor.value : ractor.take }
      sleep 0.01 until Ractor.count == 1
      dump = LeakHunter.dump!("#{ARGV[0]}/1", trace: false)
      puts dump.warnings.size
    RUBY
    reader = DumpReader.new(File.join(@tmpdir, "1"))
    expect(output).to eq("0\n")
    expect(reader.header).not_to have_key("ractors")
    expect(reader.names.size).to be > 100
  end
end
