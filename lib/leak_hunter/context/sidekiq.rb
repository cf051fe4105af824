# frozen_string_literal: true

require "leak_hunter"

module LeakHunter
  module Context
    # Sidekiq's server middleware: what a job allocates is reported with its class.
    #
    #   Sidekiq.configure_server do |config|
    #     config.server_middleware { |chain| chain.add LeakHunter::Context::Sidekiq }
    #   end
    class Sidekiq
      # @param job [Hash] as Sidekiq has it in Redis; of a job of ActiveJob `wrapped` is its class
      def call(_worker, job, _queue, &)
        name = job["wrapped"] || job["class"]
        LeakHunter.context(name.is_a?(String) ? name : "a job", &)
      end
    end
  end
end
