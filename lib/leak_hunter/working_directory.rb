# frozen_string_literal: true

module LeakHunter
  # The working directory, which may be gone: a deployment deletes the folder of an old release while processes that
  # were started there still run.
  module WorkingDirectory
    module_function

    # @return [String, nil] nil when it was deleted or cannot be read
    def path
      Dir.pwd
    rescue SystemCallError
      nil
    end

    # @param path [String, #to_path]
    # @param name [String] of the option, for the message
    # @return [String] absolute
    # @raise [UsageError] for what is no path, and for a relative one where there is no working directory
    def expand(path, name)
      File.expand_path(path)
    rescue TypeError, ArgumentError => e
      raise UsageError, "#{name}: invalid path #{path.inspect[0, 200]} (#{e.message})"
    rescue SystemCallError
      raise UsageError, "#{name}: #{path.inspect[0, 200]} is a relative path, but the working directory of this " \
                        "process was deleted; give an absolute path"
    end
  end
end
