# frozen_string_literal: true

# The snippets of the scan of whole programs (ext/leak_hunter_scan/tests/corpus), as far as they are one file of Ruby:
# what a cop says of a line must be what the scan says, and what looks like a leak and is none must be left alone.
RSpec.describe "The cops and the snippets of the scan" do
  corpus = File.expand_path("../../ext/leak_hunter_scan/tests/corpus", __dir__)

  # A snippet: whether it leaks, its name, its text, and the lines on which a finding is expected.
  snippet = Struct.new(:rule, :leaky, :name, :path, :text, :lines)

  # Of several files, or of templates, nothing is asked: a cop sees one file of Ruby.
  read = lambda do |path|
    rule = "LeakHunter/#{File.basename(path, ".txt").split("_").map(&:capitalize).join}"
    File.read(path).split(/^=== /).drop(1).filter_map do |part|
      title, *files = part.split(/^--- /)
      next unless files.one? && files.first[/\A\S+/].end_with?(".rb")

      text = files.first.lines.drop(1)
      lines = text.each_index.select { |index| text[index].include?("# LEAK") }.map { |index| index + 1 }
      snippet.new(rule, title.start_with?("leaky"), title.strip, files.first[/\A\S+/], text.join, lines)
    end
  end

  snippets = Dir[File.join(corpus, "*.txt")].flat_map(&read)
  cops = RuboCop::Cop::Registry.global.select { |cop| cop.cop_name.start_with?("LeakHunter/") }

  defaults = YAML.safe_load_file(RuboCop::LeakHunter::DEFAULTS, aliases: true)

  offences = lambda do |code|
    source = RuboCop::ProcessedSource.new(code.text, 3.1, code.path)
    config = RuboCop::Config.new(cops.to_h { |cop| [cop.cop_name, { "Enabled" => true }] })
    source.config = config
    source.registry = RuboCop::Cop::Registry.global
    asked = cops.reject do |cop|
      defaults.fetch(cop.cop_name).fetch("Exclude").any? { |it| File.fnmatch?(it, code.path, File::FNM_PATHNAME) }
    end
    RuboCop::Cop::Team.new(asked.map { |cop| cop.new(config) }, config, raise_error: true).investigate(source).offenses
  end

  it "agree where one file tells, and leave alone what looks alike" do
    rows = snippets.group_by(&:rule).map do |rule, all|
      leaky, clean = all.partition(&:leaky)
      found = leaky.count { |it| offences.call(it).any? { |offence| it.lines.include?(offence.line) } }
      wrong = clean.count { |it| offences.call(it).any? }
      [rule, found, leaky.size, wrong, clean.size]
    end
    sums = [1, 2, 3, 4].map { |column| rows.sum { |row| row[column] } }
    [*rows, ["all", *sums]].each do |rule, found, leaks, wrong, alike|
      puts "#{rule.ljust(34)} #{found} of #{leaks} leaks, #{wrong} of #{alike} look-alikes"
    end
    found, leaks, wrong, = sums
    expect(leaks).to be > 60
    expect(found.to_f / (found + wrong)).to be >= 0.9
    expect(found.to_f / leaks).to be >= 0.7
  end
end
