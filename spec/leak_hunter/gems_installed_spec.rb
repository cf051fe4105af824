# frozen_string_literal: true

require "json"

RSpec.describe LeakHunter::Gems::Installed, :tmpdir do
  # A gem home with gems of these files.
  def install(gems)
    gems.each do |name, files|
      files.each do |path, text|
        full = File.join(@tmpdir, "gems/#{name}-1.0/#{path}")
        FileUtils.mkdir_p(File.dirname(full))
        File.write(full, text)
      end
      FileUtils.mkdir_p(File.join(@tmpdir, "specifications"))
      File.write(File.join(@tmpdir, "specifications/#{name}-1.0.gemspec"), <<~RUBY)
        Gem::Specification.new { |spec| spec.name = "#{name}"; spec.version = "1.0"; spec.summary = "-"; spec.authors = ["-"] }
      RUBY
    end
  end

  def signs(*names)
    code = "print ARGV.to_h { |name| [name, LeakHunter::Gems::Installed.signs(name, '1.0')] }.to_json"
    path = [@tmpdir, *Gem.path].join(File::PATH_SEPARATOR)
    JSON.parse(run_ruby("require 'json'; #{code}", *names, env: { "GEM_PATH" => path }))
  end

  it "sees what a gem does without being called" do
    install(
      "quits" => { "lib/quits.rb" => "module Quits\n  at_exit { puts 1 }\nend\n" },
      "listens" => { "lib/listens.rb" => "ActiveSupport::Notifications.subscribe('sql') { |event| p event }\n" },
      "speaks" => { "lib/speaks.rb" => "I18n.load_path += Dir['locales/*']\n" },
      "works" => { "lib/works.rb" => "", "lib/tasks/works.rake" => "task(:work)\n" },
      "makes" => { "lib/generators/makes/x.rb" => "" },
      "minds" => { "lib/minds.rb" => "Signal.trap('HUP') { nil }\n" }
    )
    expect(signs("quits", "listens", "speaks", "works", "makes", "minds", "missing")).to eq(
      "quits" => ["it has an at_exit block"], "listens" => ["it subscribes to notifications"],
      "speaks" => ["it adds translations"], "works" => ["it has rake tasks"], "makes" => ["it has generators"],
      "minds" => ["it handles signals"], "missing" => []
    )
  end

  it "is not led astray by comments, words, tests, and what is only done when a method is called" do
    method = <<~RUBY
      module Asked
        def self.one = 1
        def self.run
          warn(<<-TEXT)
      it is asked
          TEXT
          loop do
            trap("INT") { nil }
          end
        end
      end
    RUBY
    above = "module Above\n  def self.run(x)\n    p(x)\n  end\n\n  class Inner\n    at_exit { nil }\n  end\nend\n"
    install("asked" => { "lib/asked.rb" => method }, "above" => { "lib/above.rb" => above },
            "calm" => { "lib/calm.rb" => "# at_exit { }\nTEXT = 'at_exit'\ndef at_exit_of(x) = x\n",
                        "spec/tasks/x.rake" => "task(:x)\n", "lib/broken.rb" => "\xFF\n" })
    expect(signs("calm", "asked", "above")).to eq("calm" => [], "asked" => [], "above" => ["it has an at_exit block"])
  end
end
