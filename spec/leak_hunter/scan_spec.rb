# frozen_string_literal: true

RSpec.describe LeakHunter::Scan do
  around { |example| Dir.mktmpdir { |dir| Dir.chdir(dir) { example.run } } }

  def write(files)
    files.each do |path, text|
      FileUtils.mkdir_p(File.dirname(path))
      File.write(path, text)
    end
  end

  let(:memo) do
    <<~RUBY
      module Shop
        class Cart
          def self.price(sku)
            @prices ||= {}
            @prices[sku] ||= Api.price(sku)
          end
        end
      end
    RUBY
  end

  it "says what grows, where, and that nothing removes from it" do
    write("lib/cart.rb" => memo)
    scan = described_class.call(".")
    finding = scan[:findings].first
    expect(scan).to include(schema: 1, files: 1, lines: 8, suppressed: 0, notes: [], unreadable: [])
    expect(finding).to include(rule: "LeakHunter/UnboundedMemo", path: "lib/cart.rb", line: 5,
                               variable: "Shop::Cart.@prices", severity: "medium", reach: "method",
                               method: "Shop::Cart.price", confirmed: nil,
                               message: end_with("nothing in the program removes from it"))
    expect(finding[:grows]).to eq([{ path: "lib/cart.rb", line: 5, column: finding[:column] }])
  end

  it "finds nothing once another file removes from it" do
    write("lib/cart.rb" => memo, "lib/sweep.rb" => <<~RUBY)
      class Shop::Cart
        def self.sweep = @prices.clear
      end
      class Sweeper
        def perform = Shop::Cart.sweep
      end
    RUBY
    expect(described_class.call(".")[:findings]).to eq([])
  end

  it "says which method would empty it, if nothing calls that" do
    write("lib/cart.rb" => memo, "lib/sweep.rb" => "class Shop::Cart\n  def self.forget_prices = @prices = {}\nend\n")
    expect(described_class.call(".")[:findings].first)
      .to include(severity: "low", emptied_by: ["Shop::Cart.forget_prices"],
                  message: include("nothing here calls that"))
  end

  it "keeps the fingerprint when lines move and changes it with the variable" do
    prints = [memo, "# a comment\n\n#{memo}", memo.gsub("@prices", "@costs")].map do |text|
      write("lib/cart.rb" => text)
      described_class.call(".")[:findings].first[:fingerprint]
    end
    expect(prints).to match([/\A\h{16}\z/, prints[0], a_string_matching(/\A\h{16}\z/).and(satisfy { _1 != prints[0] })])
  end

  it "leaves out what a comment switches off, and counts it" do
    comment = "# leak_hunter:disable LeakHunter/UnboundedMemo -- few"
    write("lib/cart.rb" => memo.sub("Api.price(sku)\n", "Api.price(sku) #{comment}\n"))
    expect(described_class.call(".")).to include(findings: [], suppressed: 1)
  end

  it "reads what it can of broken Ruby, and says where it broke" do
    write("lib/cart.rb" => memo, "lib/broken.rb" => "class X\n  def a = (\nend\n#{memo.sub("Cart", "Basket")}")
    scan = described_class.call(".")
    expect(scan[:notes]).to match([a_hash_including(reason: "broken", path: "lib/broken.rb", line: Integer)])
    expect(scan[:findings].map { _1[:path] }).to eq(%w[lib/broken.rb lib/cart.rb])
  end

  it "reads the Ruby in ERB templates, at its own line, also where a layout yields" do
    write("app/views/a.html.erb" => "<p>\n<%= yield %>\n<%# no code %>\n<% $seen << params[:id] %>\n",
          "lib/seen.rb" => "$seen = []\n")
    scan = described_class.call(".")
    expect(scan[:notes]).to eq([])
    expect(scan[:findings])
      .to match([a_hash_including(path: "app/views/a.html.erb", line: 4, variable: "$seen", severity: "high")])
  end

  it "leaves tests, vendor and hidden folders alone, and takes a file that is named" do
    %w[spec/a.rb test/a.rb vendor/a.rb .git/a.rb node_modules/a.rb lib/a_spec.rb].each { |path| write(path => memo) }
    expect(described_class.call(".")).to include(files: 0, findings: [])
    expect(described_class.call("vendor/a.rb")[:findings].map { _1[:path] }).to eq(["vendor/a.rb"])
  end

  it "tells of files that are too large or cannot be read" do
    write("lib/large.rb" => "# x\n" * 300_000)
    File.symlink("nowhere.rb", "gone.rb")
    expect(described_class.call(".")[:notes]).to eq([{ reason: "too_large", path: "lib/large.rb", line: nil }])
  end

  it "refuses a path that does not exist, and no path" do
    expect { described_class.call("nowhere") }.to raise_error(LeakHunter::UsageError, /nowhere: no such file/)
    expect { described_class.call }.to raise_error(LeakHunter::UsageError, /path of a folder/)
  end

  it "counts bytes as progress, and stops with what the callable raises" do
    write("lib/cart.rb" => memo)
    seen = []
    described_class.call(".", progress: ->(*bytes) { seen << bytes })
    expect(seen.last).to eq([memo.bytesize, memo.bytesize])
    expect { described_class.call(".", progress: ->(*) { raise "stop" }) }.to raise_error("stop")
  end

  it "has a rule for each id of the core" do
    rules = LeakHunter::Scan::RULES
    corpus = File.expand_path("../../ext/leak_hunter_scan/tests/corpus", __dir__)
    names = Dir["#{corpus}/*.txt"].map { |path| File.basename(path, ".txt").split("_").map(&:capitalize).join }
    expect(rules).to match_array(names.map { |name| "LeakHunter/#{name}" })
  end

  it "exports none of the parser's functions: libruby has its own from 3.3 on" do
    library = $LOADED_FEATURES.grep(%r{leak_hunter/leak_hunter\.so\z}).first
    names = IO.popen(["nm", "-D", "--defined-only", library], &:readlines).map { _1.split.last }
    expect(names).to contain_exactly("Init_leak_hunter", "ruby_abi_version").or contain_exactly("Init_leak_hunter")
  end

  it "finds nothing in LeakHunter's own source that a comment does not explain" do
    scan = described_class.call(File.expand_path("../../lib", __dir__))
    expect(scan[:findings].map { |finding| finding.values_at(:path, :line, :rule) }).to eq([])
    expect(scan[:suppressed]).to be >= 2
  end
end
