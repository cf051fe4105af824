# frozen_string_literal: true

namespace :leakdb do
  task :load do
    $LOAD_PATH.unshift File.expand_path("../lib", __dir__)
    require "leak_hunter/leakdb"
    require "leak_hunter/arguments"
  end

  desc "Check the files of leakdb/"
  task check: :load do
    db = LeakHunter::LeakDB.default
    entries = db.all
    puts "leakdb: #{entries.size} entries of #{db.gems.size} gems; " \
         "#{entries.map(&:source).tally.sort.map { |source, count| "#{count} #{source}" }.join(", ")}"
  end

  desc "Write the files of leakdb/ again, sorted"
  task sort: :load do
    LeakHunter::LeakDB::Writer.new(LeakHunter::LeakDB.default).sort_all
  end

  desc "Add an entry to leakdb/: rake leakdb:add gem=x id=x-1 leaky='< 1.2' …; asks for what is missing"
  task add: :load do
    path = LeakHunter::LeakDB::Writer.new(LeakHunter::LeakDB.default).add(LeakDBQuestions.new.call)
    puts "added to #{path}"
  rescue LeakHunter::LeakDB::Invalid => e
    abort "Not added: #{e.message}"
  end
end

# The values of a new entry: from the environment, else asked for where there is a terminal.
class LeakDBQuestions
  LISTS = { "leaky" => "|", "fixed_in" => ",", "references" => " " }.freeze

  def call
    check = LeakHunter::LeakDB::Check
    check::KEYS.keys.each_with_object({}) do |key, values|
      next signature(values) if key == "signature"

      text = ENV.fetch(key) { ask(key, check::KEYS[key], check::OPTIONAL.include?(key)) }.strip
      values[key] = LISTS.key?(key) ? text.split(LISTS[key]).map(&:strip) : text unless text.empty?
    end
  end

  private

  def ask(key, kind, optional)
    return "" unless $stdin.tty?

    hint = [(kind.join(", ") if kind.is_a?(Array)), ("several: separated by #{LISTS[key].inspect}" if LISTS[key]),
            ("may be empty" if optional)].compact
    print "#{key}#{" (#{hint.join("; ")})" if hint.any?}: "
    $stdin.gets.to_s
  end

  def signature(values)
    given = LeakHunter::LeakDB::Check::SIGNATURE.keys.to_h { |key| [key, ENV.fetch("signature_#{key}", "")] }
    given = given.reject { |_, text| text.empty? }
    given["many"] = given["many"].to_i if given["many"]
    values["signature"] = given unless given.empty?
  end
end
