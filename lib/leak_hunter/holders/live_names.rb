# frozen_string_literal: true

require "leak_hunter/process_identity"

module LeakHunter
  module Holders
    # Names what a dump does not, by looking at the living objects. Only in the process that took the dumps; and a name is
    # taken only from an object that does refer to the next one on the path, so what has died or moved since, or is
    # another object by now, names nothing. Nothing that is looked at is kept.
    module LiveNames
      class << self
        # @param result [Hash] of a diff with holders
        def add(result, redact:)
          return unless own?(result[:dumps].last[:recorded])

          paths = result[:holders].map { |holder| holder[:path].select { |step| Name.visible?(step) && step[:address] } }
          addresses = paths.flatten.map { |step| Integer(step[:address], 16) }.uniq
          return if addresses.empty?

          return unless Native.respond_to?(:objects_at)

          objects = addresses.zip(Native.objects_at(addresses)).to_h
          paths.each { |path| name(path, objects, redact) }
        ensure
          objects&.clear
        end

        private

        def own?(recorded)
          recorded && recorded[:boot] == ProcessIdentity.boot && recorded[:pid] == Process.pid &&
            recorded[:host] == ProcessIdentity.host
        end

        def name(path, objects, redact)
          found = path.map { |step| objects[Integer(step[:address], 16)] }
          path.zip(found) { |step, object| step[:thread] = object.name if Thread === object } # rubocop:disable Style/CaseEquality
          path.each_cons(2).zip(found.each_cons(2)) do |(_, step), (parent, child)|
            next if step[:edge][:name] || parent.nil? || child.nil?

            edge = EdgeNames.between(parent, child, redact:)
            step[:edge] = edge.to_h if edge
          end
        end
      end
    end
  end
end
