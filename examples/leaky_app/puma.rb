# frozen_string_literal: true

# One process: its dumps can be compared with each other, those of several workers cannot.
bind "tcp://127.0.0.1:#{ENV.fetch("PORT", 9292)}"
workers Integer(ENV.fetch("WEB_CONCURRENCY", 0))
threads 4, 4
