# frozen_string_literal: true

require "leak_hunter/process_identity"

module LeakHunter
  module Holders
    # Names what a dump does not, by looking at the living objects. Only in the process that took the dumps; and a
    # name is taken only from an object that does refer to the next one on the path, so what has died or moved since, or
    # is another object by now, names nothing. Nothing that is looked at is kept.
    module LiveNames
      class << self
        # @param result [Hash] of a diff with holders
        def add(result, redact:)
          return unless own?(result[:dumps].last[:recorded])

          paths = result[:holders].flat_map { |holder| [holder[:path], *holder[:other_paths]] }
          paths.map! { |path| path.select { |step| named?(step) } }
          addresses = paths.flatten.map { |step| Integer(step[:address], 16) }.uniq
          return if addresses.empty?

          apart do
            objects = addresses.zip(Native.objects_at(addresses)).to_h
            paths.each { |path| name(path, objects, redact) }
          end
        end

        private

        # On a stack that goes away: what stays behind on one that does not is taken for references.
        def apart(&)
          thread = Thread.new(&)
          thread.report_on_exception = false
          thread.join
        ensure
          thread&.kill
        end

        def named?(step) = step[:address] && Name.visible?(step)

        def own?(recorded)
          recorded && recorded[:boot] == ProcessIdentity.boot && recorded[:pid] == Process.pid &&
            recorded[:host] == ProcessIdentity.host
        end

        def name(path, objects, redact)
          parent = nil
          path.each do |step|
            child = objects[Integer(step[:address], 16)]
            step[:thread] = child.name if Thread === child # rubocop:disable Style/CaseEquality
            name_edge(step, parent, child, redact) unless parent.nil? || child.nil?
            parent = child
          end
        end

        def name_edge(step, parent, child, redact)
          return if step[:edge][:name]

          edge = EdgeNames.between(parent, child, redact:)
          step[:edge] = edge.dup if edge
        end
      end
    end
  end
end
