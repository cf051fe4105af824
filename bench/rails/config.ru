# frozen_string_literal: true

# examples/leaky_rails as part of an application as large as people's are: with all of Rails and the libraries that
# this machine has, as many of them as it takes to have LEAK_HUNTER_BENCH_OBJECTS objects.

require "leak_hunter"
LeakHunter.trace!
require_relative "../../examples/leaky_rails/lib/news"
require_relative "libraries"

require "rails/all" if Libraries.wanted?
News.boot
if Libraries.wanted?
  # engines with models of their own want a configuration
  Rails.application.config.eager_load_namespaces.grep_v(Class).each(&:eager_load!)
  Libraries.load
end
# POST /whole_dump/a/path writes that file, and answers with its GC count.
map "/whole_dump" do
  run(lambda do |env|
    dump = LeakHunter.dump!(env["PATH_INFO"], values: :all, compress: :none)
    [200, { "content-type" => "text/plain" }, [dump.generation.to_s]]
  end)
end
map("/") { run News::Application }
