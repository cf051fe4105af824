# frozen_string_literal: true

# Makes the heap as large as an application's, by loading what applications load.
module Libraries
  OBJECTS = Integer(ENV.fetch("LEAK_HUNTER_BENCH_OBJECTS"))

  # What Debian has of it, the usual first. Any of them may be missing.
  NAMES = %w[
    mail nokogiri sidekiq sidekiq/web devise kaminari pundit paper_trail carrierwave doorkeeper will_paginate haml slim
    redcarpet kramdown rouge money graphql grape aws-sdk-s3 sequel prawn roo i18n_data rails-i18n sass dry/types
    asciidoctor rspec/rails rubocop pry sinatra/base google/apis/drive_v3 yard irb rdoc bundler
  ].freeze

  class << self
    def wanted? = objects < OBJECTS

    def load
      loaded, missing = NAMES.lazy.take_while { wanted? }.partition { |name| load_one(name) }
      puts "#{objects} objects, with #{loaded.join(", ")}#{"; without #{missing.join(", ")}" if missing.any?}"
      warn "fewer objects than the #{OBJECTS} that were wanted: install more of the libraries" if wanted?
    end

    private

    # @return [Boolean] whether it is there
    def load_one(name)
      require name
      true
    rescue LoadError
      false
    end

    # That live.
    def objects
      GC.start
      counts = ObjectSpace.count_objects
      counts.fetch(:TOTAL) - counts.fetch(:FREE)
    end
  end
end
