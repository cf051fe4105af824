# frozen_string_literal: true

# A real program, run through three dumps and read as source.
RSpec.describe LeakHunter::Scan, ".join" do
  program = <<~'RUBY'
    require "singleton"

    module Shop
      SEEN = []

      class Cart
        @@totals = {}

        class << self
          def price(sku) = (@prices ||= {})[sku] ||= "price of #{sku}"
          def idle(sku) = (@idle ||= {})[sku] ||= "idle #{sku}"
          def total(sku) = @@totals["total #{sku}"] ||= [sku]
        end
      end

      class Sessions
        include Singleton

        def initialize
          @open = {}
        end

        def open(token)
          @open["session #{token}"] = Object.new
        end
      end

      class Resolver
        def initialize = @found = {}
        def call(host) = @found[host] ||= "address of #{host}"
      end
      RESOLVER = Resolver.new

      class Base
        def self.find(id) = (@records ||= {})["record #{id}"] ||= Object.new
      end
      class User < Base; end
    end

    $trail = []

    def work(number)
      Shop::SEEN << "seen #{number}"
      $trail.push("trail #{number}")
      Shop::Cart.price("sku #{number}")
      Shop::Cart.total(number)
      Shop::Sessions.instance.open(number)
      Shop::RESOLVER.call("host #{number}")
      Shop::User.find(number)
      (Thread.current[:crumbs] ||= []) << "crumb #{number}"
      hidden(number)
    end

    # no source says that this grows
    def hidden(number) = Shop.instance_variable_get(:@hidden).send(:[]=, "hidden #{number}", Object.new)
    Shop.instance_variable_set(:@hidden, {})
  RUBY

  run = <<~'RUBY'
    load ARGV.fetch(0)
    LeakHunter.trace!
    Shop::Cart.idle(1)
    dumps = Array.new(4) do |round|
      200.times { |number| work((round * 1000) + number) }
      LeakHunter.dump!(File.join(ARGV.fetch(1), "#{round}.json"))
    end
    result = LeakHunter.diff(*dumps, holders: true)
    scan = LeakHunter::Scan.call(ARGV.fetch(0))
    joined = LeakHunter::Scan.join(scan[:findings], result)
    joined[:findings].each { |finding| puts ["F", finding[:confirmed].inspect, finding[:variable], finding[:holder]].join("|") }
    joined[:holders].each { |holder| puts ["H", holder[:name]].join("|") }
  RUBY

  before(:context) do
    Dir.mktmpdir do |dir|
      path = File.join(dir, "shop.rb")
      File.write(path, program)
      lines = run_ruby(run, path, dir).lines.map { |line| line.chomp.split("|", -1) }
      @findings, @holders = lines.partition { |line| line.first == "F" }
    end
  end

  it "confirms each variable that the heap shows growing" do
    confirmed = @findings.filter_map { |line| line[2] if line[1] == "true" }
    expect(confirmed).to contain_exactly(
      "Shop::SEEN", "$trail", "Shop::Cart.@prices", "Shop::Cart.@@totals", "Shop::Base.@records",
      "Shop::RESOLVER.@found",
      "Shop::Sessions.@singleton__instance__.@open", "thread-local [:crumbs]"
    )
  end

  it "says of a variable that does not grow that the heap does not show it, after the confirmed ones" do
    expect(@findings.last).to eq(["F", "false", "Shop::Cart.@idle", ""])
  end

  it "returns the growing holders that no finding explains" do
    expect(@holders).to eq([["H", "Shop.@hidden"]])
  end

  it "says nothing of findings without a variable" do
    finding = { rule: "LeakHunter/ClassPerCall", variable: nil }
    expect(described_class.join([finding], [])[:findings]).to match([a_hash_including(confirmed: nil, holder: nil)])
  end
end
