# frozen_string_literal: true

require "leak_hunter/uninterrupted"

module LeakHunter
  # The one way in which LeakHunter writes files. A file is written under a temporary name nobody can guess, in the
  # folder it goes to, and gets its own name when it is complete and on the disk. So a reader sees all of it or nothing,
  # no link that somebody planted is followed, and only its owner can read it (mode 0600).
  #
  #   OutputFile.write("report.txt", overwrite: true) { |io| io.write(text) }
  #
  #   OutputFile.create("/var/tmp/dumps") do |file|   # when the name is known later
  #     file.io.write(text)
  #     file.publish("/var/tmp/dumps/1.json")         # Errno::EEXIST if it exists, also when made meanwhile
  #   end
  #
  # Whatever ends the block, an exception from another thread or from a signal handler too, the file is closed, and the
  # temporary file is gone unless it was published. What a killed process leaves is found by {stale} and removed by
  # {remove_stale}: a temporary file is locked (flock) as long as it is being written.
  #
  # Failures are the system's own: SystemCallError.
  class OutputFile
    NOFOLLOW = File.const_defined?(:NOFOLLOW) ? File::NOFOLLOW : 0
    FLAGS = File::RDWR | File::CREAT | File::EXCL | File::BINARY | NOFOLLOW
    MODE = 0o600
    # Not truncated, and at the end: `/dev/stdout` may be a file that others write to as well.
    DEVICE_FLAGS = File::WRONLY | File::APPEND | File::BINARY
    TEMPORARY = /\A\.leak_hunter-\h{32}\.part\z/

    # What is no file of its own: its name cannot be given to another file.
    DEVICES = %r{\A/+(?:dev|proc)/}

    # File systems without hard links, or without fsync, answer with one of these.
    NO_LINKS = [NotImplementedError, Errno::EPERM, Errno::EACCES, Errno::ENOSYS, Errno::EMLINK, Errno::ENOTSUP,
                Errno::EOPNOTSUPP].uniq.freeze
    NO_SYNC = [NotImplementedError, Errno::EINVAL, Errno::ENOSYS, Errno::EROFS, Errno::EBADF, Errno::ENOTSUP,
               Errno::EOPNOTSUPP, Errno::EACCES].uniq.freeze
    private_constant :NOFOLLOW, :FLAGS, :MODE, :DEVICE_FLAGS, :TEMPORARY, :DEVICES, :NO_LINKS, :NO_SYNC

    class << self
      # Writes a whole file. A pipe, a terminal or another device is written to as it is.
      #
      # @param path [String]
      # @param overwrite [Boolean] whether a file of this name is replaced; a link is replaced, not followed
      # @yieldparam io [File]
      # @return [String] the path
      # @raise [Errno::EEXIST] without `overwrite`, before the block is called and when it is published
      def write(path, overwrite: false, &block)
        return write_to_device(path, &block) if overwrite && device?(path)

        refuse(path, overwrite)
        create(File.dirname(path)) do |file|
          yield file.io
          file.publish(path, overwrite:)
        end
      end

      # Opens a temporary file in a folder, for {#publish}.
      #
      # @yieldparam file [OutputFile]
      # @return what the block returns
      def create(folder)
        file = new(folder)
        begin
          file.open
          yield file
        ensure
          file.discard
        end
      end

      # Opens a file without a name, which is gone when the block ends.
      #
      # @yieldparam io [File]
      # @return what the block returns
      def scratch(folder)
        create(folder) do |file|
          file.unlink
          yield file.io
        end
      end

      # @return [Array<String>] paths of temporary files in the folder that nobody writes any more
      def stale(folder) = temporary_files(folder).select { |path| abandoned?(path) }

      # @return [Array<String>] paths of the temporary files that were removed
      def remove_stale(folder) = temporary_files(folder).select { |path| abandoned?(path) { File.unlink(path) } }

      # @return [Array<String>] paths of all temporary files in the folder, those being written too
      def temporary_files(folder)
        Dir.children(folder).select { |name| temporary?(name) }.map { |name| File.join(folder, name) }
      rescue SystemCallError
        []
      end

      # @param name [String] in any encoding: other programs' names need not be valid text
      # @return [Boolean] whether a file of this name is a temporary one
      def temporary?(name) = name.b.match?(TEMPORARY)

      private

      def refuse(path, overwrite)
        raise Errno::EISDIR, path if File.directory?(path) && !File.symlink?(path)
        raise Errno::EEXIST, path if !overwrite && (File.exist?(path) || File.symlink?(path))
      end

      # Whether what is there is neither a file nor a folder. A link under /dev is one of the process's own outputs.
      def device?(path)
        stat = File.stat(path)
        !stat.directory? && (!stat.file? || File.expand_path(path).match?(DEVICES))
      rescue SystemCallError
        false
      end

      def write_to_device(path)
        file = new(File.dirname(path))
        begin
          file.open_device(path)
          # exchanged meanwhile
          raise Errno::EEXIST, path if file.io.stat.file? && !File.expand_path(path).match?(DEVICES)

          yield file.io
          file.io.flush
        ensure
          file.discard
        end
        path
      end

      # Calls the block, if any, while the lock keeps others from taking the file for abandoned, too.
      def abandoned?(path)
        Uninterrupted.run do
          File.open(path, File::RDWR | NOFOLLOW | File::NONBLOCK) do |file|
            next false unless file.flock(File::LOCK_EX | File::LOCK_NB)

            yield if block_given?
            true
          end
        end
      rescue SystemCallError
        false # gone, another user's, or on a file system without locks
      end
    end

    private_class_method :new

    # @return [File] opened for reading and writing
    attr_reader :io

    # @return [String, nil] the temporary path; nil when it has been published or discarded
    attr_reader :path

    # @param folder [String]
    def initialize(folder)
      @folder = folder
      @path = nil
      @io = nil
      @process = Process.pid
      @closed = false
      # Steps of one file may be in two threads at once: see Uninterrupted.
      @mutex = Mutex.new
    end

    # @api private
    def open
      whole do
        open_another until @closed || (@io && locked?)
      end
    end

    # @api private
    def open_device(path)
      # waits for a reader, so it cannot be one of the steps that nothing ends
      return @io = File.new(path, DEVICE_FLAGS) if File.stat(path).pipe?

      whole { @io = File.new(path, DEVICE_FLAGS) unless @closed }
    end

    # Gives it its name, which must be in the same folder.
    #
    # @param overwrite [Boolean] whether a file of this name is replaced
    # @param durable [Boolean] whether to wait until it is on the disk, so that it survives a crash of the machine
    # @return [String] the path
    # @raise [Errno::EEXIST] without `overwrite`, when there is something of this name
    def publish(path, overwrite: false, durable: true)
      @io.flush
      sync(@io) if durable
      whole do
        overwrite ? File.rename(@path, path) : name_exclusively(path)
        @path = nil
        @closed = true
        @io.close
        sync_folder if durable
      end
      path
    end

    # Takes away the name: what was written is gone when the file is closed.
    #
    # @return [void]
    def unlink
      whole { delete }
    end

    # Closes the file, and removes it unless it was published. In a forked child it is still the parent's.
    #
    # @return [void]
    def discard
      return if @closed

      whole do
        @closed = true
        delete if Process.pid == @process
        close
      end
    end

    private

    def whole(&) = Uninterrupted.run { @mutex.synchronize(&) }

    def open_another
      close
      path = File.join(@folder, ".leak_hunter-#{Random.urandom(16).unpack1("H*")}.part")
      @io = File.new(path, FLAGS, MODE)
      @path = path
    end

    # Another process may have taken the file for abandoned before it was locked.
    def locked?
      @io.flock(File::LOCK_EX | File::LOCK_NB) && @io.stat.nlink.positive?
    rescue SystemCallError, NotImplementedError
      true # a file system without locks, where nothing is taken for abandoned
    end

    def name_exclusively(path)
      File.link(@path, path)
      File.unlink(@path)
    rescue *NO_LINKS
      # as a reservation, which the rename replaces
      File.new(path, FLAGS, MODE).close
      File.rename(@path, path)
    end

    def delete
      File.unlink(@path) if @path
      @path = nil
    rescue Errno::ENOENT
      @path = nil
    end

    # What is still in Ruby's buffer is of no use, but does not fit when the disk is full.
    def close
      @io&.close
    rescue SystemCallError, IOError
      nil
    end

    def sync(io)
      io.fsync
    rescue *NO_SYNC
      nil
    end

    def sync_folder
      File.open(@folder) { |folder| sync(folder) }
    rescue SystemCallError
      nil # a folder that may be written to, but not read
    end
  end
end
