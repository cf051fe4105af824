# frozen_string_literal: true

require "objspace"

module LeakHunter
  module CoreMethods
    REFERENCES = Lookup.singleton(ObjectSpace, :reachable_objects_from)
  end
end
