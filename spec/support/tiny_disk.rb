# frozen_string_literal: true

# A file system of its own of a few hundred kilobytes.
module TinyDisk
  def with_tiny_disk(dir, kilobytes)
    skip "only root can mount a small disk" unless Process.uid.zero?
    mounted = system("mount", "-t", "tmpfs", "-o", "size=#{kilobytes}k", "tmpfs", dir, err: File::NULL)
    skip "no small disk can be mounted here" unless mounted
    yield
  ensure
    system("umount", dir) if mounted
  end
end

RSpec.configure { |config| config.include TinyDisk }
