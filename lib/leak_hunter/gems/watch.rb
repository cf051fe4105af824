# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module Gems
    # Watches for a while whether any method of some gems is called. Each method has a TracePoint of its own, so other
    # code runs as before, except that YJIT throws away compiled code when they are switched on. At the first call of a
    # gem's method the gem is known to be used, and its TracePoints are switched off; at the end all of them are,
    # whatever happens.
    class Watch
      # Seconds between two looks at what has been called.
      STEP = 0.05
      OWN = File.expand_path("..", __dir__)
      private_constant :STEP, :OWN

      UNBOUND = %i[instance_methods private_instance_methods instance_method].to_h do |name|
        [name, Module.instance_method(name)]
      end
      private_constant :UNBOUND

      # @param names [Array<String>] of gems
      # @return [Hash{String => String}] of those whose methods were called, where from
      def self.call(names, seconds:)
        new(names).call(seconds)
      end

      def initialize(names)
        @folders = Folders.new(names)
        @hits = {}
        @points = {}
      end

      def call(seconds)
        return {} if (methods = methods_by_gem).empty?

        enable(methods)
        deadline = now + seconds
        while now < deadline && @points.any?
          sleep([STEP, deadline - now].min.clamp(0, STEP))
          @hits.each_key { |name| disable(@points.delete(name)) }
        end
        @hits.dup
      ensure
        @points.each_value { |points| disable(points) }
      end

      private

      def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

      # No method of the application's is called, not even to ask for its methods.
      def methods_by_gem
        found = Hash.new { |hash, name| hash[name] = [] }
        ObjectSpace.each_object(Module) do |mod|
          names = UNBOUND[:instance_methods].bind_call(mod, false) +
                  UNBOUND[:private_instance_methods].bind_call(mod, false)
          names.each do |name|
            method = UNBOUND[:instance_method].bind_call(mod, name)
            gem = (path = method.source_location&.first) && @folders.owner(path)
            found[gem] << method if gem
          rescue NameError
            next # it was undefined in the meantime
          end
        end
        found
      end

      def enable(methods)
        methods.each do |name, all|
          @points[name] = []
          all.each do |method|
            point = TracePoint.new(:call) { called(name) }
            @points[name] << point # so that it is switched off whatever happens
            point.enable(target: method)
          rescue ArgumentError
            @points[name].pop # written in C
          end
        end
      end

      # In the thread that calls the method: the less is done the better, and nothing may go wrong.
      def called(name)
        return if @hits.key?(name)

        caller = outside(name) or return
        @hits[name] = caller
      rescue StandardError
        nil
      end

      # @return [String, nil] the nearest code that is not the gem's; nil where LeakHunter itself has called it
      def outside(name)
        locations = caller_locations(3) || []
        location = locations.find { |it| (path = it.path) && !path.start_with?("<") && @folders.owner(path) != name }
        return "its own thread" unless location

        "#{location.path}:#{location.lineno}" unless location.path.start_with?("#{OWN}/")
      end

      def disable(points) = points&.each(&:disable)
    end
  end
end
