# frozen_string_literal: true

namespace :bench do
  bench = ->(name, env = {}) { sh env, RbConfig.ruby, "-Ilib", "bench/#{name}.rb" }

  desc "Compare the diff with the classic script and with wc -l on synthetic dumps and on a Rails application's"
  task(diff: :compile) { bench["diff"] }

  desc "Latency of a Puma worker's requests, with and without a diff running in it"
  task(live: :compile) { bench["live"] }

  desc "Who uses which gem, against loading the dump of a Rails application"
  task(gems: :compile) { bench["gem_use"] }

  desc "The graph of a heap, its dominators, paths and holders against reap, which finds dominators"
  task(graph: :phases) { bench["graph"] }

  task :phases do
    examples = %w[graph_phases holders_cost].flat_map { |name| ["--example", name] }
    sh "cargo", "build", "--release", "--locked", "-p", "leak_hunter_core", *examples
  end

  desc "The verdict on simulated programs (HISTORIES=400 of each), the specs' and real ones that do not leak (RUNS=200)"
  task verdict: :compile do
    sh "cargo", "run", "--quiet", "--release", "--locked", "-p", "leak_hunter_core", "--example", "verdicts",
       ENV.fetch("HISTORIES", "400")
    bench["programs"]
    bench["clean_runs"]
  end

  desc "The verdict on the programs and the kinds of holders of the specs (PROGRAMS=names): precision and recall"
  task(programs: :compile) { bench["programs"] }

  desc "How soon a diff lets go when it is stopped"
  task(stop: :compile) { bench["stop"] }

  desc "How long the process stands still for a live heap, against ObjectSpace.dump_all"
  task(live_heap: :compile) { bench["live_heap"] }

  desc "How long the process stands still for each kind of moment, and how long requests take meanwhile"
  task(pause: :compile) { bench["pause"] }

  desc "What allocation tracing costs requests to a Rails application, and how much memory it takes"
  task(tracing: :compile) { bench["tracing"] }

  desc "What a block of LeakHunter.context costs, and what switches of fibers cost after the first one"
  task(context: :compile) { bench["context"] }

  desc "Turns of the GVL, and seconds, that each step waits beside 50 busy threads"
  task(busy: :compile) { bench["busy_threads"] }

  desc "How long a scan of the sources of Debian's Rails and Sidekiq takes (FOLDERS=one:two for others)"
  task(scan: :compile) { bench["scan"] }

  desc "Run every benchmark once, on little dumps, so that none rots"
  task smoke: %i[compile phases] do
    bench["diff", { "SIZES" => "2", "RAILS" => "1", "RUNS" => "1" }]
    bench["live", { "SIZE" => "2", "ROUNDS" => "1", "REQUESTS" => "20" }]
    bench["graph", { "OBJECTS" => "40000", "RAILS" => "1", "RUNS" => "1", "REAP" => ENV.fetch("REAP", "no") }]
    bench["stop", { "SIZE" => "60", "RUNS" => "3" }]
    bench["live_heap", { "OBJECTS" => "50000", "RUNS" => "1" }]
    bench["pause", { "OBJECTS" => "20000", "ROUNDS" => "1", "REQUESTS" => "20" }]
    bench["tracing", { "ROUNDS" => "1", "REQUESTS" => "5" }]
    bench["context", { "ROUNDS" => "1", "CALLS" => "1000" }]
    bench["busy_threads", { "THREADS" => "2", "OBJECTS" => "1000" }]
    bench["scan", { "FOLDERS" => "lib", "RUNS" => "1" }]
    bench["programs", { "PROGRAMS" => "two_constants_of_a_module,substrings_of_large_strings,constant_array" }]
    bench["clean_runs", { "RUNS" => "3" }]
  end
end
