# frozen_string_literal: true

require "leak_hunter/edge_names/any_object"
require "leak_hunter/edge_names/callables"
require "leak_hunter/edge_names/collections"
require "leak_hunter/edge_names/exceptions"
require "leak_hunter/edge_names/hashes"
require "leak_hunter/edge_names/modules"
require "leak_hunter/edge_names/search"
require "leak_hunter/edge_names/threads"

module LeakHunter
  # How one living object refers to another: by which variable, at which index, under which key. A dump does not tell,
  # the objects themselves do. They are looked at with Ruby's own methods, so no code of theirs runs; nothing is changed
  # in them, and nothing here keeps them alive.
  module EdgeNames
    # What knows the parent's kind, before what any object can have.
    EXPERTS = [AnyObject::InstanceVariables, Hashes, Collections, Modules, Callables, Threads, Exceptions,
               AnyObject::Classes].freeze
    private_constant :EXPERTS

    # Between the two there may be objects of the VM that cannot be seen: a Proc refers to its locals through one.
    #
    # @param parent [Object]
    # @param child [Object]
    # @param redact [Boolean] whether keys of a Hash that are Strings or numbers are told by their class only
    # @return [Hash{Symbol => String}, nil] `kind:` (`"instance_variable"`, `"hash_value"`, `"local"` …), `name:`
    #   (`"@path"`, `"[:key]"`, `"[12]"` …) and `named_by: "live"`; nil when it cannot be told, or would take too long
    def self.between(parent, child, redact: false)
      # What another thread raises in this one, a timeout for one, waits.
      Thread.handle_interrupt(Object => :never) do
        kind, name = ask(parent, Search.new(child, redact:))
        { kind:, name:, named_by: "live" }.freeze if kind
      rescue StandardError, SystemStackError, NoMemoryError
        nil
      end
    end

    # @return [Array<String>, nil] kind and name
    def self.ask(parent, search)
      catch(:late) do
        EXPERTS.each { |expert| found = expert.name(parent, search) and return found }
        nil
      end
    end
    private_class_method :ask
  end
end
