# frozen_string_literal: true

# A Rails application in one file, as documentation has its users add LeakHunter to.
module RailsApp
  # @param route [String] of the application's own
  # @param controller [String] code of the controller that answers it
  # @return [String] a config.ru; the routes and initializers of its folder are the application's
  def self.rackup(route:, controller:)
    <<~RUBY
      require "logger"
      require "rails"
      require "action_controller/railtie"
      require "leak_hunter"

      class Shop < Rails::Application
        config.root = Dir.pwd
        config.eager_load = false
        config.secret_key_base = "x" * 32
        config.hosts.clear
        config.logger = Logger.new("rails.log")
        routes.append { #{route} }
      end

      #{controller}
      Shop.initialize!
      run Shop
    RUBY
  end
end
