# frozen_string_literal: true

# One process: its dumps can be compared with each other, those of several workers cannot. And one thread, so that what
# leaks per thread leaks in one place.
bind "tcp://127.0.0.1:#{ENV.fetch("PORT", 9292)}"
workers Integer(ENV.fetch("WEB_CONCURRENCY", 0))
threads 1, 1
