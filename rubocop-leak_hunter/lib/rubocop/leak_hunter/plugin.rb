# frozen_string_literal: true

module RuboCop
  module LeakHunter
    # How RuboCop from 1.72 on takes the cops: `plugins: [rubocop-leak_hunter]`.
    class Plugin < LintRoller::Plugin
      def about
        LintRoller::About.new(name: "rubocop-leak_hunter", version: VERSION,
                              homepage: "https://github.com/leak-hunter/leak_hunter",
                              description: "Cops for memory leaks.")
      end

      def supported?(context) = context.engine == :rubocop

      def rules(_context) = LintRoller::Rules.new(type: :path, config_format: :rubocop, value: DEFAULTS)
    end
  end
end
