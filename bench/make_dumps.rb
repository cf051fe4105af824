# frozen_string_literal: true

# Makes three real heap dumps of about the size asked for:
#
#   ruby bench/make_dumps.rb 200 DIR     # MB a dump; writes DIR/1.json, DIR/2.json, DIR/3.json
#
# The heap is like an application's: most objects are long-lived, some churn (their slots are reused), some leak.
# Allocation tracing is on from the start. Only one thread runs, so writing straight to the file is a snapshot.

require "objspace"

megabytes, folder = ARGV
abort "usage: ruby bench/make_dumps.rb MEGABYTES DIR" unless folder && Integer(megabytes).positive?

BYTES_PER_OBJECT = 350
OBJECTS = Integer(megabytes) * 1_000_000 / BYTES_PER_OBJECT

Order = Struct.new(:id, :lines)

class Visit
  def initialize(path, tags)
    @path = path
    @tags = tags
  end
end

# Six objects each.
def order(id)
  Order.new(id, ["sku-#{id}", "note #{id}".encode(Encoding::UTF_16LE), { price: id * 1.5 }, [id.to_s]])
end

def work(live, churn, leak)
  live.size.times { |index| live[index] ||= order(index) }
  churn.size.times { |index| churn[index] = order(index) }
  (OBJECTS / 400).times { |index| leak << Visit.new("/path/#{index}", [index.to_s]) }
end

ObjectSpace.trace_object_allocations_start
live = Array.new(OBJECTS * 8 / 10 / 6)
churn = Array.new(OBJECTS * 2 / 10 / 6)
leak = []
1.upto(3) do |number|
  work(live, churn, leak)
  3.times { GC.start }
  File.open(File.join(folder, "#{number}.json"), "w") { |file| ObjectSpace.dump_all(output: file) }
end
