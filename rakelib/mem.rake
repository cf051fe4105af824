# frozen_string_literal: true

# valgrind finds memory that Rust lost and memory that was not Rust's to touch.
namespace :mem do
  # Tells the faults of leak_hunter.so in one run of Ruby.
  faults = lambda do |log, *arguments|
    require_relative "../spec/valgrind/report"
    abort "mem:check needs valgrind" unless ValgrindReport.available?

    mkdir_p File.dirname(log), verbose: false
    ValgrindReport.of([RbConfig.ruby, "-Ilib", *arguments], log:).faults_of("leak_hunter.so")
  end

  desc "Check the extension's use of memory with valgrind"
  task check: %i[compile planted] do
    found = faults["tmp/valgrind/extension.xml", "spec/valgrind/exercise.rb"]
    abort "valgrind found #{found.size} faults:\n#{found.join("\n")}" if found.any?
    puts "valgrind: no fault in the extension"
  end

  # A check that cannot fail is none.
  task :planted do
    mkdir_p "tmp/valgrind/planted", verbose: false
    library = "tmp/valgrind/planted/leak_hunter.so"
    sh "rustc", "--edition=2024", "--crate-type=cdylib", "-Cdebuginfo=1", "-Copt-level=1", "-o", library,
       "spec/valgrind/planted.rs"
    kinds = faults["tmp/valgrind/planted.xml", "-r./#{library}", "-e", ""].map(&:kind).uniq.sort
    abort "valgrind missed the planted faults, it found #{kinds}" unless kinds == %w[InvalidRead Leak_DefinitelyLost]
    puts "valgrind: finds the planted faults"
  end
end
