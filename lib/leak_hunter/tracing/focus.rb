# frozen_string_literal: true

require "leak_hunter/diff/pattern"

module LeakHunter
  module Tracing
    # The sites whose objects are traced with their whole stacks.
    module Focus
      EXPECTED = "sites such as \"app/order.rb:12\", Regexps that match them, or groups and holders of a report"
      private_constant :EXPECTED

      class << self
        # @param focus [String, Regexp, Hash, Array] see {LeakHunter.trace!}
        # @return [Array<Array(String, String)>] what the native side takes
        # @raise [UsageError]
        def check(focus)
          all = Array === focus ? focus : [focus] # rubocop:disable Style/CaseEquality
          sites = all.flat_map { |it| sites_of(it) }.uniq
          raise UsageError, "focus: none of these has an allocation site; expected #{EXPECTED}" if sites.empty?

          sites
        end

        private

        def sites_of(one)
          case one
          when String, Regexp then [Diff::Pattern.convert(:focus, one)]
          when Hash then [one, one[:entries], one[:site]].compact.filter_map { |place| site(place) }
          else raise UsageError, "focus: expected #{EXPECTED}, got #{Arguments.show(one)}"
          end
        end

        def site(place)
          file, line = place.values_at(:file, :line)
          ["text", "#{file}:#{line}"] if file && line
        end
      end
    end
  end
end
