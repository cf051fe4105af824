# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/edge_names/any_object"
require "leak_hunter/edge_names/callables"
require "leak_hunter/edge_names/collections"
require "leak_hunter/edge_names/exceptions"
require "leak_hunter/edge_names/hashes"
require "leak_hunter/edge_names/modules"
require "leak_hunter/edge_names/search"
require "leak_hunter/edge_names/threads"
require "leak_hunter/uninterrupted"

module LeakHunter
  # How one living object refers to another: by which variable, at which index, under which key. A dump does not say;
  # the objects themselves do. They are examined with Ruby's own methods only ({CoreMethods}), so no code of theirs
  # runs; nothing is changed in them, and nothing here keeps them alive.
  module EdgeNames
    # Readers for the kinds of parent, then what any object can have.
    READERS = [AnyObject::InstanceVariables, Hashes, Collections, Modules, Callables, Threads, Exceptions,
               AnyObject::Classes].freeze
    # Raised at the main thread by a signal, or asked for: never to be taken for a failed reader.
    PASSED_ON = [SignalException, SystemExit].freeze
    private_constant :READERS, :PASSED_ON

    # Between the two there may be objects of the VM that Ruby code cannot see: a Proc refers to its locals through one.
    #
    # @param parent [Object]
    # @param child [Object]
    # @param redact [Boolean, nil] which keys are described by their class only: nil for those of Hashes, true for those
    #   of thread-locals, too
    # @return [Hash{Symbol => String}, nil] `kind:` (`"instance_variable"`, `"hash_value"`, `"local"` …), `name:`
    #   (`"@path"`, `"[:key]"`, `"[12]"` …, in valid UTF-8) and `named_by: "live"`; nil when it is not known, or would
    #   take too long
    def self.between(parent, child, redact: nil)
      # What another thread raises in this one, a timeout for one, waits.
      Thread.handle_interrupt(Uninterrupted::NEVER) { look(parent, Search.new(child, redact:)) }
    end

    # @api private
    # @param search [Search]
    # @return [Hash, nil] as {between}
    def self.look(parent, search)
      kind, name = search.in_time { ask(parent, search) }
      { kind:, name: search.shorten(name), named_by: "live" }.freeze if kind
    rescue *PASSED_ON
      raise
    rescue Exception # rubocop:disable Lint/RescueException -- a name is never worth a diff
      nil
    end

    # @return [Array<String>, nil] kind and name
    def self.ask(parent, search)
      READERS.each do |reader|
        found = begin
          reader.name(parent, search)
        rescue StandardError
          nil # the object is not initialized, or not what Ruby expects of its class: others may know
        end
        return found if found
      end
      nil
    end
    private_class_method :ask
  end
end
