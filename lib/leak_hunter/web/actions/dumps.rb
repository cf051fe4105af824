# frozen_string_literal: true

require "leak_hunter/web/action"
require "leak_hunter/web/file_body"
require "leak_hunter/web/single_flight"

module LeakHunter
  class Web
    module Actions
      # Takes, lists and deletes dumps.
      class Dumps < Action
        OPTIONS = %w[kind fork full gc].freeze
        BOOLEANS = { "1" => true, "true" => true, "0" => false, "false" => false }.freeze

        def create
          options = params.to_h { |name, value| [name, name == :kind ? value : boolean(name, value)] }
          dump = SingleFlight::DUMP.run { Recorder::Moment.take(dir: settings.dir, **options) }
          file = DumpFile.of(settings.dir, File.basename(dump))
          log("took the dump #{file.id} (#{bytes(dump.bytes)}, paused for #{dump.seconds.round(3)} s)")
          created(file, dump, prune)
        rescue Unsupported => e
          raise Problem.new(501, e.is_a?(ExtensionMissing) ? "NoNativeExtension" : "Unsupported", e.message)
        end

        def list
          dumps = folder.dumps
          Reply.new(200, { dumps: dumps.map(&:to_h) }) do
            dumps.empty? ? "no dumps; POST #{request.url("/dumps")} takes one\n" : dumps.map { |dump| line(dump) }.join
          end
        end

        def show(id:)
          dump = folder.find(id)
          Reply.new(200, dump.to_h) { description(dump.to_h) }
        end

        def delete(id:)
          folder.find(id).delete
          log("deleted the dump #{id}")
          Reply.new(204)
        end

        def download(id:)
          unless settings.allow_download
            raise Problem.new(404, "NotDownloadable", "downloads are off, since a dump tells much of the process, " \
                                                      "and with values: :all every string; see allow_download")
          end

          dump = folder.find(id)
          file = DumpFile.plain_file(dump.path) or
            raise Problem.new(404, "NoSuchDump", "it was deleted in the meantime")
          log("downloaded the dump #{id}")
          Reply.new(200, nil, { "content-type" => dump.content_type, "content-length" => file.size.to_s,
                                "content-disposition" => "attachment; filename=\"#{dump.name}\"" },
                    file: FileBody.new(file))
        end

        private

        def boolean(name, value)
          BOOLEANS.fetch(value) do
            raise UsageError, "#{name}: #{value.inspect} is not one of #{BOOLEANS.keys.join(", ")}"
          end
        end

        def prune
          deleted = folder.prune(max_dumps: settings.max_dumps, max_bytes: settings.max_bytes)
          deleted.each { |dump| log("deleted the dump #{dump.id} to stay within max_dumps and max_bytes") }
        end

        def created(file, dump, deleted)
          data = file.to_h.merge(objects: dump.objects, seconds: dump.seconds, warnings: dump.warnings,
                                 deleted: deleted.map(&:id))
          Reply.new(201, data, { "location" => request.url("/dumps/#{file.id}") }) do
            "#{description(data)}\n#{next_step}\n"
          end
        end

        def next_step
          missing = Folder::DIFF - folder.own.size
          return "GET #{request.url("/diff")} compares the last three dumps of this process." unless missing.positive?

          "Let the process work, then POST #{request.url("/dumps")} again: a diff needs #{missing} more."
        end

        def description(data)
          data = data.reject { |_, value| value.nil? || value == [] }
          width = data.keys.map(&:length).max
          data.map { |key, value| "#{key.to_s.ljust(width)}  #{words(value)}\n" }.join
        end

        def words(value)
          case value
          when Float then value.round(3).to_s
          when Array then value.join("; ")
          else value.to_s
          end
        end

        def line(dump)
          format("%<id>s  %<size>9s%<mine>s\n", id: dump.id, size: bytes(dump.bytes),
                                                mine: ("  this process" if dump.this_process?))
        end
      end
    end
  end
end
