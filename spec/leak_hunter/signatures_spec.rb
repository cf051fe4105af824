# frozen_string_literal: true

require "leak_hunter/console"
require "leak_hunter/context/rack"
require "leak_hunter/context/sidekiq"
require "leak_hunter/rake_task"

# sig/ names what is public: no more and no less.
RSpec.describe "The signatures" do
  sig = File.expand_path("../../sig", __dir__)

  # Every class and module with its methods, each with its line: {"LeakHunter::Dump" => {"#path" => "attr_reader …"}}
  def self.parse(text)
    scope = []
    lines = text.lines(chomp: true).grep(/\A *(class|module|interface|def|attr_\w+) /)
    lines.each_with_object(Hash.new { |hash, key| hash[key] = {} }) do |line, found|
      scope = scope.take(line[/\A */].length / 2)
      case line
      when /\A *(class|module|interface) (\w+)/
        scope << Regexp.last_match(2)
        found[scope.join("::")]
      when /\A *def self\.([^:]+):/ then found[scope.join("::")][".#{Regexp.last_match(1)}"] = line
      when /\A *def ([^:]+):/, /\A *attr_reader (\w+):/ then found[scope.join("::")]["##{Regexp.last_match(1)}"] = line
      when /\A *attr_accessor (\w+):/
        ["", "="].each { |suffix| found[scope.join("::")]["##{Regexp.last_match(1)}#{suffix}"] = line }
      end
    end
  end

  documented = parse(File.read(File.join(sig, "leak_hunter.rbs"))).delete_if { |name, _| name.match?("::_") }

  # What every object has, or what is documented as private.
  ordinary = %w[# #initialize #inspect #== #eql? #hash .new]
  # Of one part of LeakHunter to another.
  internal = {
    "LeakHunter::Checkup" => [".run"],
    "LeakHunter::CLI" => [".command", "#status=", "#write", "#write_version"],
    "LeakHunter::EdgeNames" => [".look"],
    "LeakHunter::Heap" => [".jit?", ".mark", ".objspace", "#native", "#to_moment"],
    "LeakHunter::Holders" => [".paths"],
    "LeakHunter::HeapObject" => [".enumerator", "#number"],
    "LeakHunter::Mark" => ["#to_moment"],
    "LeakHunter::RakeTask" => ["#diff_options"],
    "LeakHunter::Tracing" => [".ensure_on"]
  }

  def methods_of(constant)
    own = constant.singleton_methods(false).map { |name| ".#{name}" }
    constant.public_instance_methods(false).map { |name| "##{name}" } + own
  end

  def method?(constant, method)
    kind, name = method.match(/(.)(.+)/).captures
    return constant.respond_to?(name) if kind == "."

    constant.method_defined?(name) || constant.private_method_defined?(name)
  end

  documented.each do |name, methods|
    it "are those of #{name}" do
      constant = Object.const_get(name)
      expect(methods.keys.reject { |method| method?(constant, method) }).to be_empty
      expect(methods_of(constant) - methods.keys - ordinary - internal.fetch(name, [])).to be_empty
    end
  end

  it "name the same options as the code" do
    documented.each do |name, methods|
      methods.each do |method, line|
        constant = Object.const_get(name)
        actual = method.start_with?(".") ? constant.method(method[1..]) : constant.instance_method(method[1..])
        keywords = actual.parameters.filter_map { |kind, keyword| keyword if %i[key keyreq].include?(kind) }
        next if keywords.empty? || line.include?("**")

        expect(line.scan(/\??\b(\w+): /).flatten.map(&:to_sym)).to include(*keywords), "#{name}#{method}"
      end
    end
  end

  it "have the options of a diff" do
    text = File.read(File.join(sig, "leak_hunter.rbs"))[/def self\.diff:.*?-> result/m]
    expect(text.scan(/\?(\w+):/).flatten.map(&:to_sym)).to match_array(LeakHunter::Diff::Options::DEFAULTS.keys)
  end

  it "are valid RBS" do
    skip "there is no rbs here" if Gem::Specification.find_all_by_name("rbs").empty?
    program = 'load Gem.bin_path("rbs", "rbs")'
    output, status = Open3.capture2e(RbConfig.ruby, "-e", program, "--", "-I", sig, "validate")
    expect(status).to be_success, output
  end
end
