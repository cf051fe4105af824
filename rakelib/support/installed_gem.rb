# frozen_string_literal: true

# Run by `rake pkg:install_test` outside the checkout, with the installed gem: takes three dumps and finds its own leak.

gem "leak_hunter"
require "leak_hunter"
require "tmpdir"

Leaked = Struct.new(:number)
kept = []

Dir.mktmpdir do |dir|
  LeakHunter.trace!
  dumps = Array.new(3) do |round|
    LeakHunter.dump!(dir:).tap { 100.times { |number| kept << Leaked.new(number + round) } }
  end
  leak = LeakHunter.diff(*dumps)[:groups].find { |group| group[:class] == "Leaked" }
  abort "the installed gem missed the leak: #{leak.inspect}" unless leak && leak[:count] == 100
  from = $LOADED_FEATURES.grep(%r{leak_hunter/leak_hunter\.}).first
  abort "#{from} is not the installed extension" unless from.start_with?(Gem.dir)
  puts "installed #{Gem.loaded_specs["leak_hunter"].full_name} found #{leak[:count]} #{leak[:class]} with #{from}"
end
