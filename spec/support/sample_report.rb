# frozen_string_literal: true

# Results of LeakHunter.diff as examples need them: whole, consistent, small.
module SampleReport
  module_function

  def result(groups: [session, string], group_by: %w[type class file line method], sort: "memsize",
             identity: "generation", totals: {}, evidence: {}, generation: 60)
    {
      schema: 1, identity:, group_by:, sort:,
      dumps: [31, 45, generation].map.with_index(1) { |count, index| dump(index, count) },
      groups:, totals: sums(groups).merge(totals), evidence: self.evidence(identity).merge(evidence)
    }
  end

  def group(**keys)
    {
      type: "OBJECT", class: "Session", file: "/srv/shop/app/models/session.rb", line: 42, method: "create", gem: "app",
      count: 9_000, bytesize: 0, memsize: 1_100_000, generations: [31, 44], addresses: ["0x7f0000000028"]
    }.merge(keys)
  end

  def session = group

  def string
    group(type: "STRING", class: "String", file: "/var/lib/gems/3.1.0/gems/rack-2.2.6/lib/rack/utils.rb", line: 7,
          method: "unescape", gem: "rack 2.2.6", count: 37, bytesize: 59_000, memsize: 60_480, generations: [33, 33])
  end

  def dump(index, generation)
    {
      path: "#{index}.json", bytes: 100_000 * index, records: 463_329, memsize: 132_000_000, generation:,
      traced: 450_898, untraced: 12_431, free_slots: 0, duplicates: 0, skipped: { count: 0, first: [] }, recorded: nil
    }
  end

  def sums(groups)
    sums = %i[count bytesize memsize].to_h { |key| [key, groups.sum { |group| group[key] }] }
    { groups: groups.size, shown: groups.size, **sums, filtered_count: 0, filtered_memsize: 0,
      third_count: 463_329, third_memsize: 132_000_000 }
  end

  def evidence(identity)
    {
      identity:, confidence: "exact", reasons: [], traced: 450_898, untraced: 12_431,
      survivors: { by_generation: 9_037, at_boundary: 0, untraced: 0 },
      withheld: { untraced_moved: 0, tracing_lost: 0, boundary: 0 }, slots_reused: 1_204,
      compaction: { first_to_second: false, second_to_third: false, source: "recorded" },
      same_process: "recorded", skipped_lines: 0
    }
  end
end
