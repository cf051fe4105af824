# frozen_string_literal: true

require "leak_hunter/configuration"

module LeakHunter
  class Web
    # The settings of one endpoint; those it was not given are read from {LeakHunter.configuration} each time.
    class Settings
      def initialize(**given)
        @own = Configuration.new(**given).freeze
        @given = given.keys.freeze
        @without_token = given.key?(:token) && given[:token].nil?
        freeze
      end

      (Configuration::DEFAULTS.keys - [:token]).each do |name|
        define_method(name) { source(name).public_send(name) }
      end

      # @return [String, nil]
      # @raise [UsageError] when the environment's is too weak
      def token = @without_token ? nil : source(:token).token

      private

      def source(name) = @given.include?(name) ? @own : LeakHunter.configuration
    end
  end
end
