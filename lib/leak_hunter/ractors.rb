# frozen_string_literal: true

module LeakHunter
  # Other Ractors allocate while this one looks at the heap. `ObjectSpace.each_object` ends the process then, on Ruby
  # 4.0, too; so does allocation tracing on some Rubies.
  module Ractors
    # Ruby 4.0 stops all Ractors for a dump, and traces all of them.
    STOPPED = RUBY_VERSION.to_f >= 4.0
    # Bug #18464.
    TRACING_CRASHES = RUBY_VERSION.match?(/\A(3\.0\.\d+|3\.1\.[0-3]|3\.2\.[0-2])\z/)

    NOT_STOPPED = "other Ractors were running, which Ruby #{RUBY_VERSION} does not stop for a dump: objects may be " \
                  "missing, and what they allocated is not traced".freeze
    NO_NAMES = "other Ractors were running: Ruby cannot list the modules then, so the dump has no names"
    NOT_TRACED = "other Ractors were running: Ruby #{RUBY_VERSION} crashes when it traces allocations beside them, " \
                 "so tracing was not started".freeze

    module_function

    # @return [Integer]
    def count = defined?(::Ractor) ? ::Ractor.count : 1

    def running? = count > 1
  end
end
