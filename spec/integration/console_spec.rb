# frozen_string_literal: true

require "leak_hunter/console"

# Types into real prompts.
RSpec.describe "The helper at a prompt", :tmpdir do
  let(:lib) { File.expand_path("../../lib", __dir__) }

  # What a person types who looks for a leak.
  let(:hunt) { <<~'RUBY' }
    $kept = []; nil
    leak_hunter
    1000.times { $kept << "leaked #{$kept.size}" * 10 }; nil
    leak_hunter
    leak_hunter
  RUBY

  # @return [String] what the prompt showed, without escapes and, of pry, its own text
  def type(*command, input)
    output, status = Open3.capture2e({ "TERM" => "dumb", "NO_COLOR" => "1", "HOME" => @tmpdir, "PAGER" => "cat" },
                                     *command, stdin_data: input, chdir: @tmpdir)
    raise "#{status}\n#{output}" unless status.success?

    output.gsub(/\e\[[\d;]*[A-Za-z]/, "").gsub(/^(\[\d+\] pry\(.*?\)> )+/, "")
  end

  def irb(input) = type(RbConfig.ruby, "-S", "irb", "-f", "-I", lib, "-r", "leak_hunter/console", input)

  def pry(input)
    type(RbConfig.ruby, "-S", "pry", "-f", "--no-pager", "--no-color", "-I", lib, "-r", "leak_hunter/console", input)
  end

  def dumps = Dir.glob("**/*.json{,.zst}", base: @tmpdir)

  %i[irb pry].each do |prompt|
    describe prompt.to_s do
      before do
        installed = system(RbConfig.ruby, "-S", prompt.to_s, "--version", out: File::NULL, err: File::NULL)
        skip "#{prompt} is not installed" unless installed
      end

      it "says after each dump what to do next, and after the third what leaked" do
        output = send(prompt, hunt)
        first, second, third = output.scan(/^Dump \d: .*?(?=^Dump|\z)/m)
        expect(first).to match(/\ADump 1: \d+\.\d MB, \d+ objects, .*\.json\.zst\n.*leak_hunter/)
        expect(second).to match(/\ADump 2: .*\n.*leak_hunter.* third/)
        expect(third).to match(/\ADump 3: .*:reset/m)
        expect(third).to match(/^Stopped growing: .*\$kept/)
        expect(output).to match(/#<LeakHunter::Dump .*0001\.json/)
        expect(dumps.size).to eq(3)
      end

      it "remembers, reports again and forgets" do
        output = send(prompt, "#{hunt}leak_hunter :status\nleak_hunter(:report).to_h[:schema]\nleak_hunter :reset\n" \
                              "leak_hunter :status\n")
        expect(output.scan(/^Dump 3:/).size).to eq(2)
        expect(output.scan(/^Stopped growing: .*\$kept/).size).to eq(2)
        expect(output.scan(LeakHunter::Console::ADVICE.first).size).to eq(2)
        expect(dumps.size).to eq(3)
      end

      it "passes options on, and says what it does not take" do
        output = send(prompt, "leak_hunter fork: true\nleak_hunter :up\nleak_hunter :report\n")
        expect(output).to match(/^Dump 1: .*\n  warning: .*forked child/)
        expect(output).to match(/:up .*dump, status, report, reset/)
        expect(output).to match(/report .*three.* 1\b/)
      end

      it "is there at a binding.#{prompt} in the middle of an object" do
        program = <<~RUBY
          require "#{prompt}"
          require "leak_hunter/console"
          class Cart
            def initialize = @items = [1]
            def checkout = binding.#{prompt}
          end
          Cart.new.checkout
        RUBY
        output = type(RbConfig.ruby, "-I", lib, "-e", program, "@items.first + 41\nleak_hunter\nleak_hunter :status\n")
        expect(output).to include("42")
        expect(output.scan(/^Dump 1:/).size).to eq(2)
      end
    end
  end

  it "compares the last three of many dumps" do
    output = run_ruby("4.times { leak_hunter }; leak_hunter :status", options: ["-rleak_hunter/console", "-C", @tmpdir])
    expect(output.lines.grep(/^Dump/).last(3).map { |line| line[/\d+/].to_i }).to eq([2, 3, 4])
  end

  it "is nothing that objects answer to in public" do
    expect(run_ruby("print Object.new.respond_to?(:leak_hunter)", options: ["-rleak_hunter/console"])).to eq("false")
  end
end
