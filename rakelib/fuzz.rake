# frozen_string_literal: true

FUZZ_DIR = "ext/leak_hunter_core/fuzz"

desc "Run every fuzz target for so many seconds each (default 60)"
task :fuzz, [:seconds] do |_, arguments|
  seconds = Integer(arguments[:seconds] || ENV.fetch("FUZZ_SECONDS", "60"))
  targets = FileList["#{FUZZ_DIR}/fuzz_targets/*.rs"].pathmap("%n")
  abort "no fuzz targets in #{FUZZ_DIR}" if targets.empty?

  # the sanitizer is an unstable option; this lets the stable compiler take it
  unstable = { "RUSTC_BOOTSTRAP" => "1" }
  targets.each do |target|
    corpus = "#{FUZZ_DIR}/corpus/#{target}"
    mkdir_p corpus, verbose: false
    seeds = Dir["#{FUZZ_DIR}/seeds/#{target}"]
    sh unstable, "cargo", "fuzz", "run", "--fuzz-dir", FUZZ_DIR, target, corpus, *seeds, "--",
       # a pool's threads end after it, which would be taken for a leak; Rust without unsafe code has none
       "-detect_leaks=0", "-max_total_time=#{seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"
  end
end
