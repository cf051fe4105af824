# frozen_string_literal: true

module News
  # Keeps the articles that were read last. It is always full and always changing, and never grows: not a leak, although
  # what is in it may have been there for long.
  class ArticleCache
    Entry = Struct.new(:title, :read_at)

    SIZE = 50

    def initialize
      @entries = {}
      @lock = Mutex.new
    end

    # @yieldreturn [String] the title, when it is not here
    def fetch(id)
      @lock.synchronize do
        entry = @entries.delete(id) || Entry.new(yield)
        entry.read_at = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        @entries[id] = entry
        @entries.shift if @entries.size > SIZE
        entry.title
      end
    end
  end
end
