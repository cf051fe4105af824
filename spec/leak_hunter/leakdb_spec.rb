# frozen_string_literal: true

require "leak_hunter/leakdb"

RSpec.describe LeakHunter::LeakDB do
  let(:db) { described_class.default }

  let(:entry) do
    { "id" => "shop-1", "gem" => "shop", "title" => "Carts stay", "leaky" => [">= 1.2, < 2.0.1"],
      "fixed_in" => ["2.0.1"], "kind" => "ruby", "mechanism" => "Carts are kept by session.", "references" => ["https://shop.example/1"],
      "source" => "changelog" }
  end

  def check(*entries) = described_class::Check.call(entries, gem: "shop", path: "shop.yml")

  def refused(changes, *more)
    check(entry.merge(changes).compact, *more)
    nil
  rescue described_class::Invalid => e
    e.message
  end

  it "has 200 entries, each valid, each with where it is known from" do
    expect(db.all.size).to be >= 200
    expect(db.all.map(&:id).uniq.size).to eq db.all.size
    expect(db.all.map(&:references)).to all(be_any)
  end

  it "has an upper end for each leak that was mended: the next version is not said to leak" do
    db.all.each { |it| expect(it.fixed_in.select { |version| it.leaky?(version) }).to be_empty, it.id }
    mended = db.all.reject { |it| it.fixed_in.empty? }
    expect(mended).to all(satisfy { |it| !it.leaky?(it.fixed_in.max.bump) })
  end

  it "says what an application has to do, or what to look for, where no release is without the leak" do
    open_ended = db.all.select { |it| it.fixed_in.empty? && it.leaky != ["<= 1.2"] }
    expect(open_ended.map(&:trigger)).to all(be_a(String))
    expect(open_ended.map(&:signature)).to all(be)
  end

  it "is sorted, and is what the task would write", :tmpdir do
    FileUtils.cp_r(described_class::DIR, copy = File.join(@tmpdir, "leakdb"))
    described_class::Writer.new(described_class.new(copy)).sort_all
    db.gems.each { |gem| expect(File.read(File.join(copy, "#{gem}.yml"))).to eq(File.read(db.path(gem))), gem }
  end

  it "is in the gem" do
    files = Gem::Specification.load(File.expand_path("../../leak_hunter.gemspec", __dir__)).files
    expect(files).to include(*db.gems.map { |gem| "leakdb/#{gem}.yml" })
  end

  describe "an entry" do
    it "is told what is wrong with it" do
      expect(refused({})).to be_nil
      expect(refused("kind" => "leak")).to eq 'shop.yml, shop-1: kind: "leak" is not valid'
      expect(refused("leaky" => ["< two"])).to include "leaky"
      expect(refused("leaky" => [])).to include "leaky"
      expect(refused("references" => ["shop.example"])).to include "references"
      expect(refused("title" => nil)).to eq "shop.yml, shop-1: title is missing"
      expect(refused("tilte" => "x")).to eq "shop.yml, shop-1: unknown key tilte. Did you mean title?"
      expect(refused("gem" => "cart")).to include "expected shop, the name of the file"
      expect(refused("id" => "1")).to include "does not start with the name of the gem"
      expect(refused("title" => "a\nb")).to include "title"
    end

    it "cannot contradict itself" do
      expect(refused("fixed_in" => ["2.0.0"])).to include "2.0.0 is in fixed_in, and leaky says that it leaks"
      expect(refused("fixed_in" => ["2.1.0"])).to include "leaky ends at 2.0.1, which is not in fixed_in"
      expect(refused("fixed_in" => nil)).to include "leaky ends at 2.0.1"
    end

    it "has its keys in one order, and its file has ids in one order, each once" do
      expect { check(entry.to_a.reverse.to_h) }.to raise_error(described_class::Invalid, /order/)
      expect(refused({}, entry)).to include "same id"
      expect(refused({ "id" => "shop-10" }, entry.merge("id" => "shop-9"))).to include "not sorted"
      expect(refused({ "id" => "shop-9" }, entry.merge("id" => "shop-10"))).to be_nil
    end
  end

  describe "a file" do
    it "has plain values: it can run nothing", :tmpdir do
      File.write(File.join(@tmpdir, "shop.yml"), "- !ruby/object:OpenStruct {}\n")
      expect { described_class.new(@tmpdir).entries("shop") }
        .to raise_error(described_class::Invalid, /shop\.yml: not valid YAML: .*unspecified class/)
      File.write(File.join(@tmpdir, "cart.yml"), "- [\n")
      expect { described_class.new(@tmpdir).entries("cart") }.to raise_error(described_class::Invalid, /cart\.yml/)
      File.write(File.join(@tmpdir, "desk.yml"), "id: desk-1\n")
      expect { described_class.new(@tmpdir).entries("desk") }
        .to raise_error(described_class::Invalid, /a list of entries/)
    end

    it "is found by its gem's name, and no name of a lock file is a path" do
      expect(db.entries("../leakdb/oj")).to eq []
      expect(db.entries("no-such-gem")).to eq []
      expect(db.entries("oj").map(&:gem).uniq).to eq ["oj"]
    end
  end

  describe "adding" do
    let(:db) { described_class.new(@tmpdir) }

    it "writes a valid, sorted file, and leaves it as it was otherwise", :tmpdir do
      writer = described_class::Writer.new(db)
      writer.add(entry.merge("id" => "shop-20"))
      path = writer.add(entry.to_a.reverse.to_h.merge("signature" => { "class" => "Cart", "holder" => "Shop::*" }))
      expect(described_class.parse(path).map { |it| it["id"] }).to eq %w[shop-1 shop-20]
      expect(described_class.new(@tmpdir)["shop-1"].signature).to have_attributes(holder: "Shop::*", class_name: "Cart")
      before = File.read(path)
      wrong = entry.merge("id" => "shop-3", "kind" => "?")
      expect { writer.add(wrong) }.to raise_error(described_class::Invalid, /kind/)
      expect { writer.add(entry) }.to raise_error(described_class::Invalid, /same id/)
      expect { writer.add(entry.merge("gem" => "../x")) }.to raise_error(described_class::Invalid, /no name of a gem/)
      expect(File.read(path)).to eq before
    end
  end
end
