# frozen_string_literal: true

# A small shop that leaks. `bin/demo` drives it and finds the leak; by hand:
#
#   export LEAK_HUNTER_TOKEN=$(openssl rand -hex 32)
#   puma -C examples/leaky_app/puma.rb examples/leaky_app/config.ru
#   curl -X POST http://127.0.0.1:9292/orders?product=7
#   curl -H "authorization: Bearer $LEAK_HUNTER_TOKEN" -X POST http://127.0.0.1:9292/leaks/dumps

require "leak_hunter"
require_relative "lib/shop"

map("/leaks") { run LeakHunter::Web }
map("/") { run Shop::App.new }
