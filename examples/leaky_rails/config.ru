# frozen_string_literal: true

# A small news site on Rails that leaks in three ways. `demo.rb` drives it and looks for them; by hand:
#
#   export LEAK_HUNTER_TOKEN=$(openssl rand -hex 32)
#   puma -C examples/leaky_rails/puma.rb examples/leaky_rails/config.ru
#   curl http://127.0.0.1:9292/articles/7
#   curl -H "authorization: Bearer $LEAK_HUNTER_TOKEN" -X POST http://127.0.0.1:9292/leaks/dumps
#
# Its database and its log are files in the folder where it is started.

require_relative "lib/news"

News.boot
run News::Application
