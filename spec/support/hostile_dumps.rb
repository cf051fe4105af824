# frozen_string_literal: true

require "json"

# Three dumps of one process in which every name that a dump may have is hostile to a terminal.
module HostileDumps
  EVIL = "Evil\e[2J\e]0;title\a\n\u202Egpj.\u0085\u2028"

  module_function

  # @return [Array<String>] paths
  def write(dir)
    (1..3).map do |sequence|
      File.join(dir, "#{sequence}.json").tap { |path| File.write(path, lines(sequence).join("\n") << "\n") }
    end
  end

  def lines(sequence)
    header = { type: "DUMP", leak_hunter: EVIL, schema: 1, id: format("%032x", sequence), boot: "0" * 16, pid: 1,
               host: EVIL, sequence:, taken_at: "2026-11-24T03:04:0#{sequence}.000000Z", ruby: EVIL, platform: EVIL,
               generation: sequence * 10, compactions: 0, tracing_since: 1, snapshot: "in_process" }
    [header, *objects(sequence), { type: "DUMP_END", id: header[:id] }].map { |line| JSON.generate(line) }
  end

  # A root, a class, and an Array that holds more of its instances in each dump.
  def objects(sequence)
    leaked = Array.new(sequence * 5) do |number|
      { address: address(100 + number), type: "OBJECT", slot_size: 40, class: address(1), file: "/#{EVIL}/x.rb",
        line: 7, method: EVIL, generation: ((number / 5) * 10) + 5, memsize: 40 }
    end
    [{ type: "ROOT", root: EVIL, references: [address(1), address(2)] },
     { address: address(1), type: "CLASS", name: EVIL, memsize: 500 },
     { address: address(2), type: "ARRAY", slot_size: 40, class: address(1), length: leaked.size, memsize: 500,
       references: leaked.map { |object| object[:address] } }, *leaked]
  end

  def address(number) = format("0x%x", 0x7f0000000000 + (number * 40))
end
