# frozen_string_literal: true

# Makes one real heap dump of about so many objects, for bench/graph.rb:
#
#   ruby bench/make_graph_dump.rb 460000 DIR     # writes DIR/heap.json, DIR/since
#
# Shaped like a Rails application's: some 390 bytes a record, two references an object, most of them to a neighbour and
# some to anywhere, deep and wide collections, circles between parents and children, and a leak of a hundredth of all
# objects. DIR/since tells the GC count from which on that was born.

require "objspace"

count, folder = ARGV
abort "usage: ruby bench/make_graph_dump.rb OBJECTS DIR" unless folder && Integer(count).positive?

OBJECTS = Integer(count)
TEXT = "SELECT \"articles\".* FROM \"articles\" WHERE \"articles\".\"author_id\" = $1 AND \"articles\".\"state\" = " \
       "'published' AND \"articles\".\"deleted_at\" IS NULL AND \"articles\".\"language\" IN ('en', 'de', 'fr') " \
       "AND \"articles\".\"created_at\" BETWEEN '2024-01-01 00:00:00' AND '2024-12-31 23:59:59.999999' ORDER BY " \
       "\"articles\".\"created_at\" DESC, \"articles\".\"id\" DESC LIMIT 20"

class Record
  attr_accessor :parent, :children, :other

  def initialize(id, parent)
    @id = id
    @parent = parent
    @attributes = { "id" => id, "title" => "#{TEXT} /* #{id} */", "tags" => ["tag-#{id % 1000}", id.to_s] }
    @children = []
    @links = [@attributes, parent, self.class, @children, TEXT]
    @changes = -> { [parent, id] }
  end
end

# What one Record allocates; Ruby itself has some 20,000 objects.
EACH = 10
RECORDS = [(OBJECTS - 20_000) / EACH, 200].max

ObjectSpace.trace_object_allocations_start
random = Random.new(1)
records = []
RECORDS.times do |id|
  parent = records.empty? ? nil : records[[id / 8, records.size - 1].min]
  record = Record.new(id, parent)
  parent&.children&.push(record)
  record.other = records[random.rand(records.size)] if records.any?
  records << record
end
3.times { GC.start }
since = GC.count
AUDIT_TRAIL = [] # rubocop:disable Style/MutableConstant
(RECORDS / 100).times { |id| AUDIT_TRAIL << Record.new(id, records[id]) }
GC.start
File.open(File.join(folder, "heap.json"), "w") { |file| ObjectSpace.dump_all(output: file) }
File.write(File.join(folder, "since"), since)
