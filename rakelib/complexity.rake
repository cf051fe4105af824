# frozen_string_literal: true

# Work must grow like the input. Counted in instructions, which are the same on every run and every machine's load.
namespace :complexity do
  examples = { "leak_hunter_core" => "complexity", "leak_hunter_scan" => "scan_complexity" }
  binaries = examples.values.map { |name| File.join(ENV.fetch("CARGO_TARGET_DIR", "target"), "release/examples", name) }

  task :build do
    # an optimised build, without the slow last percent of optimisation
    env = { "CARGO_PROFILE_RELEASE_LTO" => "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS" => "16" }
    examples.each do |crate, example|
      sh env, "cargo", "build", "--release", "--locked", "-p", crate, "--example", example
    end
  end

  desc "Print how work grows with hostile inputs, in instructions; fails above n^1.1 (ONLY=regexp picks shapes)"
  task check: :build do
    require_relative "support/growth"
    abort "complexity needs valgrind" unless Growth.available?
    growths = binaries.map { |binary| Growth.new(binary, only: ENV.fetch("ONLY", nil)) }
    growths.each { |growth| puts growth.table }
    failures = growths.flat_map(&:failures)
    abort "grows faster than its input: #{failures.join(", ")}" if failures.any?
  end
end

task complexity: "complexity:check"
