# frozen_string_literal: true

desc "Take pictures of the HTML report and its flame graph: wide, as on a phone, dark, printed (needs chromium)"
task :screenshots, [:folder] => :compile do |_, arguments|
  require "tmpdir"
  require_relative "../spec/support/browser"

  folder = File.expand_path(arguments[:folder] || "tmp/screenshots")
  mkdir_p folder, verbose: false
  keep = lambda do |name, bytes|
    File.binwrite(File.join(folder, name), bytes)
    puts File.join(folder, name)
  end
  Dir.mktmpdir do |dir|
    page = File.join(folder, "report.html")
    ruby "-Ilib", "rakelib/support/sample_leaks.rb", dir, verbose: false
    dumps = Dir["#{dir}/*.json*"]
    ruby "-Ilib", "exe/leak_hunter", "diff", "--format", "html", "--output", page, *dumps, verbose: false
    Browser.open do |browser|
      { "light" => [1000, "light"], "dark" => [1000, "dark"],
        "phone" => [390, "light"] }.each do |name, (width, scheme)|
        browser.look(width:, height: 1400, scheme:)
        browser.visit("file://#{page}")
        keep.call("#{name}.png", browser.screenshot)
        browser.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        browser.run("document.querySelector('details.flame').scrollIntoView()")
        keep.call("#{name}-flame.png", browser.screenshot)
      end
      browser.visit("file://#{page}")
      keep.call("print.pdf", browser.pdf)
    end
  end
end
