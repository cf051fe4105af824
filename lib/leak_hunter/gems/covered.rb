# frozen_string_literal: true

module LeakHunter
  module Gems
    # Which gems' lines have run, where the application has switched on Ruby's Coverage before it loaded them, and has
    # let it count since it had booted:
    #
    #   require "coverage"
    #   Coverage.setup(oneshot_lines: true)     # in config/boot.rb, before Bundler.require
    #   Coverage.resume                         # once all is loaded
    module Covered
      class << self
        # @param names [Array<String>] of gems
        # @return [Hash{String => String}] of those of which a line has run, which
        # @raise [UsageError] Coverage is not running
        def call(names)
          unless defined?(::Coverage) && ::Coverage.running?
            raise UsageError, "coverage: Coverage is not running in this process: see LeakHunter::Gems::Covered"
          end

          folders = Folders.new(names)
          ::Coverage.peek_result.each_with_object({}) do |(path, result), found|
            name = folders.owner(path) or next
            line = line_of(result)
            found[name] ||= "#{path}:#{line}" if line
          end
        end

        private

        # Of the lines that have run the first, however they are counted.
        def line_of(result)
          return result[:oneshot_lines].min if result.is_a?(Hash) && result[:oneshot_lines]

          lines = result.is_a?(Hash) ? result[:lines] : result
          index = lines&.index { |count| count&.positive? }
          index && (index + 1)
        end
      end
    end
  end
end
