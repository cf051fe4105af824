# frozen_string_literal: true

require "json"

# Collections that grow by numbers known to the program, seen by marks.
RSpec.describe "What grows between marks", :tmpdir do
  # Arrays, Hashes, Sets and Strings of random lengths, most from before tracing, some from after it, get longer or
  # shorter by random numbers. Whatever a diff says of their lengths must be what the program knows.
  program = <<~'RUBY'
    require "json"
    require "set"
    seed, kinds, mode, compact = *ARGV
    random = Random.new(seed.to_i)
    grow = {
      Array => ->(it, by) { by.times { |number| it << number } },
      Hash => ->(it, by) { by.times { it[it.size] = 1 } },
      Set => ->(it, by) { by.times { it << it.size } },
      String => ->(it, by) { it << ("x" * (by * 64)) }
    }
    # from then on it has no Hash in it, and no length that is told
    grow.delete(Set) if RUBY_VERSION.to_f >= 3.5
    make = ->(type) { type.new.tap { |it| grow[type].(it, random.rand(type == String ? 100..300 : 0..300)) } }
    store = Module.new
    Object.const_set(:Store, store)
    place = ->(number, it) { store.const_set("C#{number}", it) }
    40.times { |number| place.(number, make.(grow.keys[number % grow.size])) }
    LeakHunter.trace!(mode: mode.to_sym)
    60.times { |number| place.(40 + number, make.(grow.keys[number % grow.size])) }
    all = store.constants.to_h { |name| [name.to_s, store.const_get(name)] }
    rates = all.transform_values { random.rand(3).zero? ? 0 : random.rand(70..200) }
    known = all.transform_values { [] }
    kinds = kinds.split(",")
    moments = kinds.each_with_index.map do |kind, index|
      if index.positive?
        all.each { |name, it| grow[it.class].(it, rates[name]) }
        30_000.times { Object.new } # collections, as in any program
      end
      all.each { |name, it| known[name] << (it.is_a?(String) ? it.bytesize : it.size) }
      GC.compact if compact && index == 1
      case kind
      when "mark" then LeakHunter.mark
      when "live" then LeakHunter::Heap.live
      else LeakHunter.dump!(File.join(compact || ENV.fetch("FOLDER"), "#{index}.json"), compress: :none)
      end
    end
    result = LeakHunter.diff(*moments, holders: true)
    grown = result[:grown_in_place].to_h { |it| [it[:name].to_s[/\AStore::(\w+)/, 1], it[:growth]] }
    grown.delete(nil)
    puts JSON.generate(grown:, known:, rates:, dumps: result[:dumps], verdict: result[:verdict])
  RUBY

  define_method(:grown) do |seed, kinds, mode, compact = nil|
    arguments = [seed.to_s, kinds.join(","), mode, *(@tmpdir if compact)]
    options = { env: { "FOLDER" => @tmpdir }, options: [RubyProcess::ALL_NAMES] }
    JSON.parse(run_ruby(program, *arguments, **options), symbolize_names: true)
  end

  # What a Set has is told by the Hash in it.
  [
    [%w[mark mark live], "objspace"], [%w[mark mark live], "exact"], [%w[mark mark mark live], "exact"],
    [%w[mark dump live], "objspace"], [%w[mark live mark dump], "objspace"], [%w[dump mark mark dump], "exact"]
  ].each_with_index do |(kinds, mode), seed|
    it "is told with its lengths: #{kinds.join(", ")} (#{mode})" do
      result = grown(seed + 1, kinds, mode)
      growing = result[:rates].select { |_, rate| rate.positive? }.keys
      expect(growing.size).to be > 50
      expect(result[:grown]).to eq(result[:known].slice(*growing))
      expect(result[:verdict][:name]).to eq("leak")
    end
  end

  it "is not told wrongly when objects moved meanwhile" do
    skip "this Ruby does not move objects" unless GC.respond_to?(:compact) && GC.stat.key?(:compact_count)
    %w[objspace exact].each do |mode|
      result = grown(11, %w[mark mark live], mode, true)
      told = result[:grown]
      expect(told).to eq(result[:known].slice(*told.keys))
      growing = result[:rates].select { |_, rate| rate.positive? }.keys
      expect(told.keys - growing).to be_empty
    end
  end

  it "comes with the sizes of all moments" do
    result = grown(21, %w[mark mark live], "objspace")
    records, memsizes = %i[records memsize].map { |key| result[:dumps].map { |dump| dump[key] } }
    expect(records).to all(be_within(3_000).of(records.last))
    expect(memsizes).to eq(memsizes.sort)
    expect(result[:dumps].map { |dump| dump[:recorded][:snapshot] }).to eq(%w[mark mark live])
  end
end
