# frozen_string_literal: true

module LeakHunter
  # What the application is doing, in its own words: an endpoint, a job, a test. While LeakHunter traces, each object is
  # remembered with the context in which it was allocated, and reports say through which contexts what leaked has come.
  #
  # A context belongs to a fiber. Blocks can be nested: the innermost counts. A fiber begins in the context of the code
  # that resumes it first; a thread begins in none, and so does a Ractor, where contexts have no effect.
  #
  # At most {LIMIT} names are kept, of 200 bytes each. What comes later is called "other".
  module Context
    # How many names are kept.
    LIMIT = 4096

    # What is said once there are more names.
    FULL = "there are more than #{LIMIT} contexts: those that came later are called \"other\". " \
           "Names of contexts should not have data in them".freeze

    # Of the extension; without it contexts have no effect.
    NATIVE = begin
      Native
    rescue ExtensionMissing
      nil
    end
    private_constant :NATIVE

    class << self
      # @return [String, nil] the name of the context in which the caller is
      def current = NATIVE&.current_context

      # @return [Boolean] whether some contexts are called "other", since there are more than {LIMIT}
      def full? = NATIVE ? NATIVE.contexts_full? : false

      # Gives the context in which the caller is another name, until its block ends: when more is known of a request,
      # its route for one. Outside of all contexts it does nothing.
      #
      # @param name [String, Symbol]
      # @return [void]
      def rename(name)
        check(name)
        NATIVE&.rename_context(name)
        nil
      end

      # See {LeakHunter.context}.
      def run(name, &)
        check(name)
        NATIVE ? NATIVE.context(name, &) : yield
      end

      private

      # No method of the name's is called.
      def check(name)
        case name
        when String, Symbol then nil
        else raise UsageError, "context: expected a String or a Symbol, got #{Arguments.show(name)}"
        end
      end
    end
  end
end
