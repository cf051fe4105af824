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

  # What a step of a path is, and how the one before refers to it.
  def step(klass, type, kind, name = nil, named_by: "dump", **more)
    { address: "0x7f0000000028", class: klass, type:, edge: { kind:, name:, named_by: }, **more }
  end

  def holder_path
    [
      { address: nil, class: "vm", type: "ROOT", edge: { kind: "root", name: "vm", named_by: "dump" } },
      step("Object", "CLASS", "root", "vm"), step("Sessions", "MODULE", "constant", "Sessions"),
      step("Array", "ARRAY", "constant", "ALL", growth: [0, 9_000, 18_000]),
      step("Session", "OBJECT", "array_element", "[7]", named_by: "position"),
      step("String", "STRING", "instance_variable", "@token", named_by: "live")
    ]
  end

  # The growing Array of a constant.
  def holder(verdict: "growing", reason: "every_window", windows: [550_000, 550_000], **keys)
    births = [0, *windows].map { |memsize| { count: memsize / 122, memsize: } }
    {
      name: "Sessions::ALL", named_by: "dump", address: "0x7f0000000028", class: "Array", kind: "collection", alike: 1,
      count: 9_000, memsize: 1_100_000, retained: { exclusive: 1_100_000, shared: 0, cut: 3_300_000 },
      verdict: { name: verdict, reason:, level: 0, another_moment_settles: verdict == "inconclusive" },
      growth: [0, 9_000, 18_000], births:, levels: [{ growth: [0, 9_000, 18_000], entries: nil, births: }],
      generation: 3, site: { file: nil, line: nil, method: nil, gem: nil }, groups: [{ index: 0, count: 9_000 }],
      entries: { file: "/srv/shop/app/models/session.rb", line: 42, method: "create", gem: "app", count: 9_000 },
      together: [], consequences: [], reserved: 0, keys: nil, addresses: [], path: holder_path, position: 3,
      other_paths: [], fingerprint: "0" * 16, age: 57, **keys
    }
  end

  # With the times of its moments.
  def with_holders(*holders, times: %w[12:00:00 12:00:30 12:01:00], recorded: {}, **result)
    whole = self.result(**result)
    dumps = whole[:dumps].zip(times).map do |dump, time|
      dump.merge(recorded: { pid: 4_711, ruby: "3.4.1", taken_at: ("2026-05-04T#{time}.000000Z" if time), **recorded })
    end
    seconds = Array.new(dumps.size - 1, (30.0 if times.all?))
    whole.merge(dumps:, holders:, verdict: outcome(holders), seconds:)
  end

  def outcome(holders)
    verdicts = holders.map { |holder| holder.dig(:verdict, :name) }
    name = verdicts.find { |it| it == "growing" } ? "leak" : "no_leak"
    name = "undecided" if name == "no_leak" && verdicts.include?("inconclusive")
    { name:, another_moment_settles: verdicts.include?("inconclusive") }
  end

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
    caches = %i[count memsize].to_h { |key| [:"cache_#{key}", groups.sum { |group| group[:"cache_#{key}"].to_i }] }
    cache_groups = groups.count { |group| group[:cache_count] == group[:count] }
    { groups: groups.size, shown: groups.size, **sums, filtered_count: 0, filtered_memsize: 0, cache_groups:, **caches,
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
