#!/usr/bin/env bash
# One cell of bin/matrix: what is run on each Ruby.

set -euo pipefail
cd "$(dirname "$0")/../.."

ruby -e '
  gems = %w[rack puma railties sqlite3 sinatra rspec-core rack-test pry rubocop].map do |name|
    "#{name} #{Gem::Specification.find_by_name(name).version}"
  end
  puts "ruby #{RUBY_VERSION} (#{gems.join(", ")})"'
ruby -S rake compile
ruby -S rake spec
ruby -S rake spec:cops
ruby -S rake spec:compact
if ruby -e 'gem "rb_sys"' 2>/dev/null; then ruby -S rake pkg:install_test; fi
