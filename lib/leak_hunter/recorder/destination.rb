# frozen_string_literal: true

require "leak_hunter/configuration"
require "leak_hunter/output_file"

module LeakHunter
  module Recorder
    # Where a dump goes.
    class Destination
      # @return [String] absolute path of the folder
      attr_reader :dir

      # @param path [String, #to_path, nil] the file, or nil for a name made from the {Envelope}
      # @param dir [String, #to_path, nil] the folder of a file so named
      def initialize(path: nil, dir: nil)
        @path = path && WorkingDirectory.expand(path, "path")
        @dir = @path ? File.dirname(@path) : WorkingDirectory.expand(dir || LeakHunter.configuration.dir, "dir")
      end

      # Makes the folder, refuses to overwrite a file before any work is done for it, and removes what processes have
      # left that were killed while they wrote a dump.
      def prepare
        refuse if @path && exist?(@path)
        # mkdir gives the GVL away, stat does not
        make(dir, 0o700) unless File.directory?(dir)
        OutputFile.remove_stale(dir)
      end

      # The file has its own name when it is complete; see {OutputFile}.
      #
      # @yieldparam io [File]
      # @return [String] path of the file
      def write(envelope)
        OutputFile.create(dir) do |file|
          yield file.io
          path = @path || File.join(dir, envelope.file_name)
          begin
            file.publish(path, durable: false)
          rescue Errno::EEXIST
            refuse(path)
          end
        end
      end

      private

      # Some places take no folder though there is the one above: /proc, and a directory that was deleted.
      def make(dir, mode = 0o777, again: true)
        Dir.mkdir(dir, mode)
      rescue Errno::ENOENT
        raise unless again

        make(File.dirname(dir))
        make(dir, mode, again: false)
      rescue Errno::EEXIST, Errno::EISDIR, Errno::EROFS, Errno::EACCES
        raise unless File.directory?(dir)
      end

      def exist?(path) = File.exist?(path) || File.symlink?(path)

      def refuse(path = @path)
        hint = File.directory?(path) ? " (a folder is given as dir:)" : ""
        raise RecordingError, "#{path} already exists#{hint}"
      end
    end
  end
end
