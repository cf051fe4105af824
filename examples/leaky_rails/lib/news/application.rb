# frozen_string_literal: true

module News
  # The Rails application:
  #
  #   GET /articles/7          an article
  #   GET /articles/7/watch    tell me when it is edited
  #   GET /planted             how much has leaked, for those who check whether it is found
  class Application < Rails::Application
    config.root = Dir.pwd
    config.eager_load = false
    config.secret_key_base = SecureRandom.hex(32)
    config.hosts.clear
    config.logger = Logger.new("news.log", level: :warn)
    # Rails 7.1 and 7.2 advise against SQLite
    config.active_record.sqlite3_production_warning = false if Rails.version.between?("7.1", "8")

    routes.append do
      get "/articles/:id", to: "news/articles#show"
      get "/articles/:id/watch", to: "news/articles#watch"
      get "/planted", to: ->(_env) { [200, { "content-type" => "application/json" }, [SeededLeaks.planted.to_json]] }
      mount LeakHunter::Web => "/leaks"
    end
  end
end
