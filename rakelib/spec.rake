# frozen_string_literal: true

# Specs of the native binding: these run again where a value that the GC was not told of would be missed.
BINDING_SPECS = FileList["spec/leak_hunter/{diff,native,heap,heap_*,holders,mark_counts}_spec.rb",
                         "spec/leak_hunter/{diff,native,heap}/**/*_spec.rb"]

desc "Run the specs"
task :spec do
  ruby_tool "rspec"
end

namespace :spec do
  desc "Run the specs of rubocop-leak_hunter"
  task :cops do
    cd("rubocop-leak_hunter", verbose: false) { ruby_tool "rspec" }
  end

  strained = lambda do |variable|
    abort "no specs of the binding" if BINDING_SPECS.empty? # rspec would run all there are
    ruby_tool "rspec", *BINDING_SPECS, env: { variable => "1" }
  end

  desc "Run the specs of the binding with a collection at every allocation inside it"
  task :gc_stress do
    strained["LEAK_HUNTER_GC_STRESS"]
  end

  desc "Run the specs of the binding with objects moving all the time"
  task :compact do
    strained["LEAK_HUNTER_GC_COMPACT"]
  end
end
