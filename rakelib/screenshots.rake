# frozen_string_literal: true

desc "Take pictures of the HTML report: light, dark, and as wide as a phone (needs chromium and chromedriver)"
task :screenshots, [:folder] => :compile do |_, arguments|
  require "tmpdir"
  require_relative "../spec/support/browser"

  folder = File.expand_path(arguments[:folder] || "tmp/screenshots")
  mkdir_p folder, verbose: false
  Dir.mktmpdir do |dir|
    page = File.join(folder, "report.html")
    ruby "-Ilib", "rakelib/support/sample_leaks.rb", dir, verbose: false
    ruby "-Ilib", "exe/leak_hunter", "diff", "--format", "html", "--output", page, *Dir["#{dir}/*.json"], verbose: false
    Browser.open do |browser|
      { "light" => [1000, 1400, "light"], "dark" => [1000, 1400, "dark"],
        "phone" => [390, 1400, "light"] }.each do |name, (width, height, scheme)|
        browser.look(width:, height:, scheme:)
        browser.visit("file://#{page}")
        File.binwrite(File.join(folder, "#{name}.png"), browser.screenshot)
        puts File.join(folder, "#{name}.png")
      end
    end
  end
end
