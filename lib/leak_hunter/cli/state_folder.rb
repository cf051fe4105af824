# frozen_string_literal: true

require "leak_hunter/output_file"

module LeakHunter
  class CLI
    # The folder for what the command line remembers from one run to the next: `leak_hunter` in XDG_STATE_HOME, which is
    # `~/.local/state` unless set. Only its owner can read what is in it.
    class StateFolder
      NAME = "leak_hunter"
      MODE = 0o700
      # No file of ours is larger.
      LARGEST = 4 * 1024 * 1024
      private_constant :NAME, :MODE, :LARGEST

      # There is no folder, or its file cannot be used; the message says why.
      class Unusable < StandardError; end

      def initialize(env: ENV)
        @env = env
      end

      # @return [String]
      # @raise [Unusable]
      def path
        @path ||= File.join(base, NAME)
      end

      # @param name [String]
      # @param text [String]
      # @return [void]
      # @raise [Unusable]
      def write(name, text)
        make(path)
        OutputFile.create(path) do |file|
          file.io.write(text)
          # what a crash of the machine takes with it can be made again
          file.publish(File.join(path, name), overwrite: true, durable: false)
        end
      rescue SystemCallError, IOError => e
        raise Unusable, "#{path} cannot be written: #{reason(e)}"
      end

      # @return [String, nil] nil where there is no such file
      # @raise [Unusable]
      def read(name)
        file = File.join(path, name)
        File.open(file, File::RDONLY | File::NONBLOCK | File::BINARY) do |io|
          raise Unusable, "#{file} is not a file of yours" unless io.stat.file? && io.stat.owned?

          io.read(LARGEST).to_s
        end
      rescue Errno::ENOENT, Errno::ENOTDIR
        nil
      rescue SystemCallError, IOError => e
        raise Unusable, "#{file} cannot be read: #{reason(e)}"
      end

      private

      # As the XDG specification has it, a path that is not absolute is ignored.
      def base
        [@env["XDG_STATE_HOME"], home && File.join(home, ".local", "state")].find { |it| it&.start_with?("/") } or
          raise Unusable, "neither XDG_STATE_HOME nor HOME names a folder"
      end

      def home = @env["HOME"]

      def make(folder)
        return if File.directory?(folder)

        make(File.dirname(folder))
        Dir.mkdir(folder, MODE)
      rescue Errno::EEXIST
        raise unless File.directory?(folder)
      end

      def reason(error) = error.is_a?(SystemCallError) ? SystemCallError.new(nil, error.errno).message : error.message
    end
  end
end
