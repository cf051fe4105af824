# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/edge_names/key"

module LeakHunter
  module EdgeNames
    # Hashes, and what is like one. Keys and values are copied first: while a Hash is walked, no other thread could add
    # to it.
    module Hashes
      SIZE = Hash.instance_method(:size)
      KEYS = Hash.instance_method(:keys)
      VALUES = Hash.instance_method(:values)
      DEFAULT = Hash.instance_method(:default)
      DEFAULT_PROC = Hash.instance_method(:default_proc)
      WEAK_KEYS = ObjectSpace::WeakMap.instance_method(:keys)
      WEAK_VALUES = ObjectSpace::WeakMap.instance_method(:values)

      private_constant :SIZE, :KEYS, :VALUES, :DEFAULT, :DEFAULT_PROC, :WEAK_KEYS, :WEAK_VALUES

      module_function

      def name(parent, search)
        case parent
        when Hash then of_hash(parent, search)
        when ObjectSpace::WeakMap then weak_map(parent, search)
        end
      end

      def of_hash(parent, search)
        return %w[default_proc default_proc] if search.here?(DEFAULT_PROC.bind_call(parent))
        return %w[hash_default default] if search.here?(DEFAULT.bind_call(parent))
        return if SIZE.bind_call(parent) > Search::ELEMENTS

        pair(KEYS.bind_call(parent), VALUES.bind_call(parent), search, "hash_value", "hash_key")
      end

      def weak_map(parent, search)
        pair(WEAK_KEYS.bind_call(parent), WEAK_VALUES.bind_call(parent), search, "weakmap", "weakmap_key")
      end

      # Another thread may have changed the Hash between the two copies; then there is no telling.
      def pair(keys, values, search, kind, key_kind)
        if keys.size == values.size && (index = search.index(values))
          [kind, Key.text(keys[index], redact: search.redact)]
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
