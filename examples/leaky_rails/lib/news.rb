# frozen_string_literal: true

require "logger" # Rails 6.1 and 7.0 forget to
require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "leak_hunter"

# A news site with a few hundred articles, which many read and some watch.
module News
  ARTICLES = 500

  # Makes it ready to serve, with a database of its own.
  #
  # @param leaks [Boolean] whether it leaks, as the example is to
  def self.boot(leaks: true)
    ENV["DATABASE_URL"] ||= "sqlite3:#{File.join(Dir.pwd, "news.sqlite3")}"
    Application.initialize!
    leaks ? SeededLeaks.remember_queries : SeededLeaks.mend
    Article.publish(ARTICLES)
  end
end

require_relative "seeded_leaks"
require_relative "news/application"
require_relative "news/article"
require_relative "news/article_cache"
require_relative "news/articles_controller"
