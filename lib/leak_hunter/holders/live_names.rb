# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/process_identity"

module LeakHunter
  module Holders
    # Names what a dump does not, by examining the living objects. Only in the process that took the dumps; and a name
    # is taken only from an object that does refer to the next one on the path, so what has died or moved since, or is
    # another object by now, names nothing. Nothing that is examined is kept.
    #
    # Names are optional: whatever fails here leaves a name out, and the diff is returned.
    module LiveNames
      # All names together, in seconds of processor time, and of the clock beside busy threads. The largest holders
      # come first.
      SECONDS = 2.0
      PATIENCE = 10.0
      # Characters of a thread's name.
      LONGEST = 80
      private_constant :SECONDS, :PATIENCE, :LONGEST

      class << self
        # @param result [Hash] of a diff with holders
        def add(result, redact:)
          return unless own?(result[:dumps].last[:recorded])

          paths = Holders.all_paths(result)
          paths.map! { |path| path.select { |step| named?(step) } }
          on_own_thread { name_all(paths, redact) }
        end

        private

        # On a stack that ends: what is left on one that does not is taken for references.
        def on_own_thread
          thread = CoreMethods::THREAD_START.call do
            yield
          rescue Exception # rubocop:disable Lint/RescueException -- what is meant for the caller is raised there
            nil
          end
          CoreMethods::THREAD_JOIN.bind_call(thread)
        ensure
          CoreMethods::THREAD_KILL.bind_call(thread) if thread
        end

        def named?(step) = step[:address] && Name.visible?(step)

        def own?(recorded)
          recorded && recorded[:boot] == ProcessIdentity.boot && recorded[:pid] == Process.pid &&
            recorded[:host] == ProcessIdentity.host
        end

        def name_all(paths, redact)
          addresses = paths.flat_map { |path| path.map { |step| step[:address].hex } }.uniq
          objects = addresses.zip(Native.objects_at(addresses)).to_h
          busy_until = CoreMethods.processor_time + SECONDS
          wait_until = now + PATIENCE
          known = {}
          paths.each do |path|
            break if CoreMethods.processor_time > busy_until || now > wait_until

            name_path(path, objects, known, redact)
          end
        end

        def now = CoreMethods::CLOCK.call(Process::CLOCK_MONOTONIC)

        # An object of the application is never called, not even by `nil?`.
        def name_path(path, objects, known, redact)
          from = parent = nil
          path.each do |step|
            to = step[:address].hex
            child = objects[to]
            if child
              name_thread(step, child) if false.equal?(redact)
              name_edge(step, known, [from, to]) { EdgeNames.between(parent, child, redact:) } if parent
            end
            from = to
            parent = child
          end
        end

        # Paths share their beginnings.
        def name_edge(step, known, ends)
          return if step[:edge][:name]

          known[ends] = yield unless known.key?(ends)
          step[:edge] = known[ends].dup if known[ends]
        end

        def name_thread(step, object)
          return unless CoreMethods.a?(object, Thread)

          name = CoreMethods::THREAD_NAME.bind_call(object)
          step[:thread] = CoreMethods.utf8(name)[0, LONGEST] if name
        rescue StandardError
          nil
        end
      end
    end
  end
end
