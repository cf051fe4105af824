# frozen_string_literal: true

require "fileutils"
require "securerandom"
require "leak_hunter/configuration"

module LeakHunter
  module Recorder
    # Where a dump goes. It is written under a temporary name in its folder and gets its own when it is whole; nobody
    # but its owner can read it, and no link that somebody planted is followed.
    class Destination
      FLAGS = File::WRONLY | File::CREAT | File::EXCL | File::BINARY |
              (File.const_defined?(:NOFOLLOW) ? File::NOFOLLOW : 0)

      # @return [String] absolute path of the folder
      attr_reader :dir

      # @param path [String, #to_path, nil] the file, or nil for a name made from the {Envelope}
      # @param dir [String, #to_path, nil] the folder of a file so named
      def initialize(path: nil, dir: nil)
        @path = path && WorkingDirectory.expand(path, "path")
        @dir = @path ? File.dirname(@path) : WorkingDirectory.expand(dir || LeakHunter.configuration.dir, "dir")
      end

      # Makes the folder, and refuses to overwrite a file before any work is done for it.
      def prepare
        refuse_existing(@path) if @path
        return if File.directory?(dir)

        FileUtils.mkdir_p(File.dirname(dir))
        Dir.mkdir(dir, 0o700)
      rescue Errno::EEXIST
        raise unless File.directory?(dir) # another thread or process was faster
      end

      # @yieldparam io [File]
      # @return [String] path of the file, which is whole
      def write(envelope)
        temporary = File.join(dir, ".leak_hunter-#{SecureRandom.hex(8)}.part")
        File.open(temporary, FLAGS, 0o600) do |io|
          io.binmode
          yield io
        end
        path = @path || File.join(dir, envelope.file_name)
        refuse_existing(path)
        File.rename(temporary, path)
        path
      ensure
        File.delete(temporary) if temporary && File.exist?(temporary)
      end

      private

      def refuse_existing(path)
        return unless File.exist?(path) || File.symlink?(path)

        hint = File.directory?(path) ? " (a folder is given as dir:)" : ""
        raise RecordingError, "#{path} already exists#{hint}"
      end
    end
  end
end
