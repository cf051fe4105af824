# frozen_string_literal: true

# A shop that has grown old: gems that nobody uses, a gem with a known leak, a memo without an end, a slow leak.
# `demo.rb` drives it and runs the checkup; by hand, in this folder:
#
#   bundle install
#   export LEAK_HUNTER_TOKEN=$(openssl rand -hex 32)
#   bundle exec puma config.ru

require "bundler"
Bundler.require(:default)
require "leak_hunter"
require_relative "lib/legacy_shop"

map("/leaks") { run LeakHunter::Web }
map("/") { run LegacyShop::App }
