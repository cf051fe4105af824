# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/uninterrupted"

module LeakHunter
  # Loads at once what dumps, marks, live heaps, diffs and reports need.
  #
  # Loading a file gives up the GVL several times, and each time all busy threads have their turn: beside 50 of them a
  # file takes half a minute. And what is loaded makes Ruby forget its inline caches: those that the application fills
  # again after the first moment would look new. So everything is loaded together with LeakHunter, when a process has
  # little to do yet: objspace and the extension, too, which take 3 of 40 milliseconds. Only json, a gem of which the
  # application may want another version, waits until tracing is started.
  module EagerLoad
    # Ways in of their own, with libraries of their own; and the steps of a checkup, which read a project and not a
    # process.
    LEFT_OUT = %i[Advisories Checkup CLI Gems LeakDB Lint Middleware Project RakeTask Scan Web].freeze
    private_constant :LEFT_OUT

    class << self
      # @return [void]
      def own_files
        load_all(LeakHunter)
      end

      # @return [void]
      def call
        return if @done

        # RubyGems keeps its lock for ever when an exception from outside ends a `require` of its own half-way.
        Thread.handle_interrupt(Uninterrupted::NEVER) { require "json" } # the format of a report
        @done = true
      end

      private

      def load_all(parent)
        (CoreMethods::CONSTANTS.bind_call(parent, false) - LEFT_OUT).each do |name|
          child = CoreMethods::CONST_GET.bind_call(parent, name, false)
          load_all(child) if child.is_a?(Module) && name_of(child) == "#{name_of(parent)}::#{name}"
        rescue LoadError, Error
          next # without the extension there are dumps all the same
        end
      end

      # Some of LeakHunter's own modules have methods called `name` and `constants`.
      def name_of(mod) = CoreMethods::MODULE_NAME.bind_call(mod)
    end
  end
end
