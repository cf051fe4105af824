# frozen_string_literal: true

require "json"

# A heap dump as plain Ruby sees it: slow, simple, and sharing nothing with the code under test.
class DumpReader
  # What has the machine stack or the VM stack of the thread that took the dump.
  STACKS = ["machine_context", "VM/thread", "fiber"].freeze

  attr_reader :lines, :header, :trailer, :records, :names

  # @return [String] the text of a dump, compressed or not; a spec compares this with the system's own zstd and gzip
  def self.text(path)
    bytes = File.binread(path)
    bytes.start_with?("{") ? bytes : LeakHunter::Native.beginning(bytes, 1 << 40)
  end

  def initialize(path)
    @lines = self.class.text(path).force_encoding(Encoding::UTF_8).scrub.lines
    parsed = lines.map { |line| JSON.parse(line) }
    @header = parsed.shift
    @trailer = parsed.pop
    @names, @records = parsed.partition { |record| record["type"] == "NAME" }
  end

  def roots = records.select { |record| record["type"] == "ROOT" }

  # By address. Shapes live in an address space of their own.
  def objects
    @objects ||= records.reject { |record| %w[ROOT SHAPE].include?(record["type"]) }
                        .to_h { |record| [record["address"], record] }
  end

  # @return [Array<Hash>] the objects to which that name was given
  def named(name, kind = nil)
    values = names.select { |record| record["name"] == name && (kind.nil? || record["kind"] == kind) }
    values.map { |record| objects.fetch(record["value"]) }
  end

  # @return [Array<Hash>] the objects made there
  def made_at(file, line) = objects.values.select { |object| object["file"] == file && object["line"] == line }

  # References to nothing that was dumped. One is right: from the stack of the thread that takes the dump to the
  # dump's own text, which is being made.
  def dangling
    dangling = records.flat_map do |record|
      referrer = record["root"] || record["struct"] || record["address"]
      record.fetch("references", []).reject { |address| objects.key?(address) }.map { |address| [address, referrer] }
    end
    text, others = dangling.group_by(&:first).transform_values { |pairs| pairs.map(&:last) }
                           .partition { |_, referrers| (referrers - STACKS).empty? }
    text.drop(1) + others
  end

  # Objects that no root leads to, be it by way of a class.
  def unreachable
    seen = {}
    queue = roots.flat_map { |root| root["references"] }
    while (address = queue.pop)
      object = objects[address]
      next if object.nil? || seen[address]

      seen[address] = true
      queue.concat(object.fetch("references", []), [object["class"]].compact)
    end
    objects.reject { |object_address, _| seen[object_address] }.values
  end
end
