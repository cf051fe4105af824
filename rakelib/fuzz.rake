# frozen_string_literal: true

FUZZ_DIR = "ext/leak_hunter_core/fuzz"

# Small seeds are kept in fuzz/seeds. Large ones are made of the hostile shapes of examples/complexity.
namespace :fuzz do
  hostile = "#{FUZZ_DIR}/corpus/hostile"
  largest = 1 << 20

  desc "Make fuzz seeds of 1 MiB: dumps whose lines are awkward to read"
  task seeds: "complexity:build" do
    mkdir_p hostile, verbose: false
    binary = File.join(ENV.fetch("CARGO_TARGET_DIR", "target"), "release/examples/complexity")
    shapes = IO.popen([binary, "list"], &:readlines).map(&:split).filter_map { |kind, name| name if kind == "lines" }
    shapes.each do |shape|
      sh binary, "print", shape, largest.to_s, out: "#{hostile}/#{shape}", verbose: false
    end
    puts "#{shapes.size} seeds in #{hostile}"
  end
end

desc "Run every fuzz target for so many seconds each (default 60), and the dump's on seeds of 1 MiB"
task :fuzz, [:seconds] => "fuzz:seeds" do |_, arguments|
  seconds = Integer(arguments[:seconds] || ENV.fetch("FUZZ_SECONDS", "60"))
  targets = FileList["#{FUZZ_DIR}/fuzz_targets/*.rs"].pathmap("%n")
  abort "no fuzz targets in #{FUZZ_DIR}" if targets.empty?

  # the sanitizer is an unstable option; this lets the stable compiler take it
  unstable = { "RUSTC_BOOTSTRAP" => "1" }
  # A pool's threads end after it, which would be taken for a leak; Rust without unsafe code has none. The timeout is
  # for what never ends, also beside other work: how an input's work grows is counted by rake complexity.
  options = %w[-detect_leaks=0 -timeout=120 -rss_limit_mb=2048]
  fuzz = lambda do |target, inputs, more|
    sh unstable, "cargo", "fuzz", "run", "--fuzz-dir", FUZZ_DIR, target, *inputs, "--", *options, *more
  end

  targets.each do |target|
    corpus = "#{FUZZ_DIR}/corpus/#{target}"
    mkdir_p corpus, verbose: false
    fuzz[target, [corpus, *Dir["#{FUZZ_DIR}/seeds/#{target}"]], ["-max_total_time=#{seconds}", "-print_final_stats=1"]]
  end
  # files, not a folder: each is run once
  fuzz["dump", Dir["#{FUZZ_DIR}/corpus/hostile/*"], []]
end
