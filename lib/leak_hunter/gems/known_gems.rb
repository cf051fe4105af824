# frozen_string_literal: true

module LeakHunter
  module Gems
    # Gems that do their work without being called by an application's code, so that they look idle and are not.
    module KnownGems
      SIDE_EFFECTS = {
        "it speeds up or prepares booting" => %w[bootsnap spring spring-watcher-listen zeitwerk dotenv dotenv-rails
                                                 figaro config],
        "it has data that other gems read" => %w[tzinfo-data i18n_data mime-types-data rails-i18n countries
                                                 aws-partitions public_suffix],
        "it is an adapter, which configuration names" => %w[pg mysql2 sqlite3 trilogy activerecord-jdbc-adapter
                                                            redis hiredis hiredis-client redis-client dalli
                                                            activerecord-import postgis aws-sdk-s3
                                                            google-cloud-storage azure-storage-blob solid_cache
                                                            solid_queue solid_cable bcrypt image_processing
                                                            ruby-vips mini_magick rack-timeout],
        "it is for assets and templates" => %w[sass-rails sassc-rails sassc sass dartsass-rails sprockets
                                               sprockets-rails propshaft importmap-rails turbo-rails
                                               stimulus-rails jsbundling-rails cssbundling-rails
                                               tailwindcss-rails uglifier terser coffee-rails haml haml-rails
                                               slim slim-rails erubi jbuilder bootstrap jquery-rails
                                               font-awesome-rails autoprefixer-rails webpacker vite_rails],
        "it watches the application" => %w[newrelic_rpm scout_apm skylight ddtrace datadog appsignal elastic-apm
                                           sentry-ruby sentry-rails sentry-sidekiq honeybadger bugsnag
                                           rollbar airbrake lograge rack-mini-profiler bullet prosopite
                                           opentelemetry-sdk opentelemetry-instrumentation-all yabeda
                                           prometheus-client prometheus_exporter memory_profiler derailed
                                           stackprof rbtrace leak_hunter coverband],
        "it guards or changes all requests" => %w[rack-attack rack-cors secure_headers rack-ssl rack-protection
                                                  rack-canonical-host rack-brotli],
        "it replaces a part of Ruby" => %w[jemalloc malloc_trim oj multi_json yajl-ruby fast_blank jit_preloader
                                           activerecord-cause net-smtp net-imap net-pop matrix bigdecimal
                                           base64 csv mutex_m drb logger ostruct observer]
      }.freeze

      SERVERS = %w[puma unicorn thin falcon iodine passenger webrick rainbows agoo pitchfork].freeze

      # Of development, tests and deployment: they need not be loaded where the application serves.
      TOOLS = %w[
        rake bundler rspec rspec-core rspec-rails minitest test-unit capybara selenium-webdriver cuprite
        webdrivers factory_bot factory_bot_rails faker simplecov webmock vcr timecop database_cleaner shoulda-
        matchers mocha rubocop rubocop-rails rubocop-performance rubocop-rspec standard reek brakeman bundler-
        audit bundler-leak rails_best_practices pry pry-rails pry-byebug byebug debug web-console listen
        letter_opener annotate solargraph ruby-lsp steep rbs yard capistrano capistrano-rails kamal mina foreman
        overcommit lefthook guard guard-rspec i18n-tasks erb_lint haml_lint rack-test thruster
      ].freeze

      # By what a YAML file of Rails calls them.
      ADAPTERS = {
        "postgresql" => "pg", "postgis" => "activerecord-postgis-adapter", "mysql2" => "mysql2", "trilogy" => "trilogy",
        "sqlite3" => "sqlite3", "redis" => "redis", "S3" => "aws-sdk-s3", "GCS" => "google-cloud-storage",
        "AzureStorage" => "azure-storage-blob", "solid_cable" => "solid_cable", "solid_queue" => "solid_queue",
        "mem_cache_store" => "dalli", "redis_cache_store" => "redis"
      }.freeze

      # Classes by inheriting from which a gem hooks into a framework.
      HOOKS = {
        "Rails::Railtie" => "it hooks into Rails (a Railtie)", "Rails::Engine" => "it hooks into Rails (an Engine)",
        "Jekyll::Plugin" => "it is a plugin of Jekyll", "Jekyll::Generator" => "it is a plugin of Jekyll",
        "Jekyll::Converter" => "it is a plugin of Jekyll", "Jekyll::Hooks" => "it is a plugin of Jekyll",
        "Liquid::Tag" => "it has tags for Liquid templates", "Liquid::Block" => "it has tags for Liquid templates",
        "Rails::Generators::Base" => "it has generators for Rails",
        "Rails::Generators::NamedBase" => "it has generators for Rails",
        "Tilt::Template" => "it has templates for Tilt",
        "ActiveRecord::ConnectionAdapters::AbstractAdapter" => "it is a database adapter"
      }.freeze

      class << self
        # @return [String, nil] why it may be used without being called
        def side_effect(name)
          @by_name ||= SIDE_EFFECTS.flat_map { |why, names| names.map { |it| [it, why] } }.to_h
          @by_name[name]
        end

        def server?(name) = SERVERS.include?(name)

        def tool?(name) = TOOLS.include?(name)
      end
    end
  end
end
