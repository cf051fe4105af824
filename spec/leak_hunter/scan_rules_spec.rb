# frozen_string_literal: true

RSpec.describe LeakHunter::Scan, "::RULES" do
  root = File.expand_path("../..", __dir__)

  def found_in(code)
    Dir.mktmpdir do |dir|
      FileUtils.mkdir_p("#{dir}/lib")
      File.write("#{dir}/lib/example.rb", code)
      described_class.call(dir)[:findings].map { |finding| finding[:rule] }
    end
  end

  LeakHunter::Scan::RULES.each do |rule|
    name = rule.delete_prefix("LeakHunter/").gsub(/(?<=.)[A-Z]/) { "_#{_1}" }.downcase
    page = File.read("#{root}/docs/rules/#{name}.md")
    reported, fine, comment = page.scan(/^```\n(.*?)^```$/m).flatten

    it "finds what the page of #{rule} says is reported, and not what it says is fine" do
      expect(found_in(reported)).to eq([rule])
      expect(found_in(fine)).to eq([])
    end

    it "is switched off by the comment on the page of #{rule}" do
      expect(found_in("#{comment}\n#{reported}")).to eq([])
    end
  end
end
