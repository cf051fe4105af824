# frozen_string_literal: true

require "leak_hunter/context/rack"
require "rails/railtie"

module LeakHunter
  module Context
    # What a Rails application allocates is reported with its controller and action, or with its job's class:
    #
    #   require "leak_hunter/context/rails" # in config/application.rb, after rails
    class Rails < ::Rails::Railtie
      initializer "leak_hunter.context" do |app|
        app.middleware.insert(0, Context::Rack)
        ActiveSupport::Notifications.subscribe("start_processing.action_controller") do |*, payload|
          Context.rename("#{payload[:controller]}##{payload[:action]}")
        end
        ActiveSupport.on_load(:active_job) do
          around_perform { |job, perform| LeakHunter.context(job.class.name || "a job") { perform.call } }
        end
      end
    end
  end
end
