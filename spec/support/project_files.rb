# frozen_string_literal: true

require "fileutils"

# The files of a small project, in the folder of an example with :tmpdir.
module ProjectFiles
  # @param files [Hash{String => String}] texts by path
  def write(files)
    files.each do |name, text|
      path = File.join(@tmpdir, name)
      FileUtils.mkdir_p(File.dirname(path))
      File.write(path, text)
    end
  end
end
