# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/edge_names/key"

module LeakHunter
  module EdgeNames
    # Hashes, and what is like one. Keys and values are copied first: while a Hash is walked, no other thread could add
    # to it.
    module Hashes
      module_function

      def name(parent, search)
        if CoreMethods.a?(parent, Hash) then of_hash(parent, search)
        elsif CoreMethods.a?(parent, ObjectSpace::WeakMap) then weak_map(parent, search)
        end
      end

      def of_hash(parent, search)
        return %w[default_proc default_proc] if search.here?(CoreMethods::HASH_DEFAULT_PROC.bind_call(parent))
        return %w[hash_default default] if search.here?(CoreMethods::HASH_DEFAULT.bind_call(parent))
        return if CoreMethods::HASH_SIZE.bind_call(parent) > Search::ELEMENTS

        pair(CoreMethods::HASH_KEYS.bind_call(parent), CoreMethods::HASH_VALUES.bind_call(parent), search,
             "hash_value", "hash_key")
      end

      def weak_map(parent, search)
        pair(CoreMethods::WEAK_MAP_KEYS.bind_call(parent), CoreMethods::WEAK_MAP_VALUES.bind_call(parent), search,
             "weakmap", "weakmap_key")
      end

      # Another thread may have changed the Hash between the two copies; then it is not known.
      def pair(keys, values, search, kind, key_kind)
        if keys.size == values.size && (index = search.index(values))
          [kind, Key.text(keys[index], redact: !false.equal?(search.redact))]
        elsif search.index(keys)
          [key_kind, "key"]
        end
      ensure
        keys&.clear
        values&.clear
      end
      private_class_method :of_hash, :weak_map, :pair
    end
  end
end
