# frozen_string_literal: true

# Work must grow like the input. Counted in instructions, which are the same on every run and every machine's load.
namespace :complexity do
  binary = File.join(ENV.fetch("CARGO_TARGET_DIR", "target"), "release/examples/complexity")

  task :build do
    # an optimised build, without the slow last percent of optimisation
    env = { "CARGO_PROFILE_RELEASE_LTO" => "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS" => "16" }
    sh env, "cargo", "build", "--release", "--locked", "-p", "leak_hunter_core", "--example", "complexity"
  end

  desc "Print how work grows with hostile inputs, in instructions; fails above n^1.1 (ONLY=regexp picks shapes)"
  task check: :build do
    require_relative "support/growth"
    abort "complexity needs valgrind" unless Growth.available?
    growth = Growth.new(binary, only: ENV.fetch("ONLY", nil))
    puts growth.table
    abort "grows faster than its input: #{growth.failures.join(", ")}" if growth.failures.any?
  end
end

task complexity: "complexity:check"
