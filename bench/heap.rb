# frozen_string_literal: true

# A heap that is made up of what most of an application's is: objects with instance variables, Strings, little Arrays
# and Hashes.
module SyntheticHeap
  # Two references.
  class Node
    def initialize(left, right)
      @left = left
      @right = right
    end
  end

  # @param count [Integer] about how many objects
  # @return [Array] what holds them
  def self.grow(count)
    kept = [Node.new(nil, nil)]
    while kept.size * 2.6 < count
      size = kept.size
      kept << Node.new(kept[size / 2], "text #{size}") << [kept[size / 3], kept[size - 1]]
      kept << { left: kept[size / 5], right: Node.new(kept[size / 7], nil) }
      kept << Node.new([kept[size / 11]], +"")
    end
    kept
  end
end
