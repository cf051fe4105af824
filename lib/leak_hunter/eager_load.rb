# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  # Loads at once what dumps, marks, live heaps, diffs and reports need.
  #
  # Loading a file gives up the GVL several times, and each time all busy threads have their turn: beside 50 of them a
  # file takes half a minute. So LeakHunter's own files are loaded together with it, when a process has little to do
  # yet; the libraries they need, when tracing is started or the first mark set.
  module EagerLoad
    # Ways in of their own, with libraries of their own.
    LEFT_OUT = %i[CLI Middleware RakeTask Web].freeze
    # What needs the native extension or objspace.
    LATER = %i[Native REFERENCES Tracing].freeze
    private_constant :LEFT_OUT, :LATER

    class << self
      # @return [void]
      def own_files
        load_all(LeakHunter, LEFT_OUT + LATER)
      end

      # @return [void]
      def call
        return if @done

        require "json" # the format of a report
        load_all(LeakHunter, LEFT_OUT)
        @done = true
      end

      private

      def load_all(parent, left_out)
        (CoreMethods::CONSTANTS.bind_call(parent, false) - left_out).each do |name|
          child = CoreMethods::CONST_GET.bind_call(parent, name, false)
          load_all(child, left_out) if child.is_a?(Module) && name_of(child) == "#{name_of(parent)}::#{name}"
        rescue LoadError, Error
          next # without the extension there are dumps all the same
        end
      end

      # Some of LeakHunter's own modules have methods called `name` and `constants`.
      def name_of(mod) = CoreMethods::MODULE_NAME.bind_call(mod)
    end
  end
end
