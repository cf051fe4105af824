# frozen_string_literal: true

# Everything is traced from the start, as an application would do it that wants to be watched.
require "leak_hunter"
LeakHunter.trace!

# The life of a program that is watched: works and dumps, once for each line of standard input. When it is "warm" it has
# worked before.
module Program
  # More than enough to fill every cache.
  WARM_UP = 4

  # @yield works for a while
  def self.live(&work)
    WARM_UP.times(&work) if ARGV.fetch(0) == "warm"
    first = true
    while $stdin.gets
      first ? first = false : work.call
      $stdout.puts LeakHunter.dump!(dir: Dir.pwd).path
      $stdout.flush
    end
  end
end
