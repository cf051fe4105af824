# frozen_string_literal: true

module LeakHunter
  class LeakDB
    # One leak of one gem.
    class Entry
      # Where a dump shows it. All of those given have to fit, of one thing that grows.
      #
      # - `holder` is a pattern of the name as reports print it: `Jekyll.@sites`, `*.@th_clients`
      # - `class` is a pattern of the class of the instances that become more
      # - `site` is a pattern of the file that allocates them: `*/lib/debug/*`
      # - `many`: as many instances of `class` in one single dump show it, too
      Signature = Struct.new(:holder, :class_name, :site, :many)

      # @return [String]
      attr_reader :id, :gem, :title, :kind, :mechanism, :source
      # @return [String, nil] what an application has to do for it; nil where using the gem is enough
      attr_reader :trigger
      # @return [String, nil] what helps without another version
      attr_reader :workaround
      # @return [String] "ruby" or "jruby", where it is known of one only
      attr_reader :engine
      # @return [String, nil] requirement: the Rubies on which it leaks, where not on all
      attr_reader :ruby
      # @return [Array<String>] requirements: a version leaks that fits one of them
      attr_reader :leaky
      # @return [Array<Gem::Version>] ascending; empty where no release is known that does not leak
      attr_reader :fixed_in
      # @return [Array<String>] addresses
      attr_reader :references
      # @return [Signature, nil]
      attr_reader :signature

      # @param values [Hash{String => Object}] checked
      def initialize(values)
        @id, @gem, @title, @kind = values.values_at("id", "gem", "title", "kind")
        @mechanism, @source = values.values_at("mechanism", "source")
        @trigger, @workaround, @engine, @ruby = values.values_at("trigger", "workaround", "engine", "ruby")
        @leaky = values.fetch("leaky")
        @fixed_in = values.fetch("fixed_in", []).map { |version| Gem::Version.new(version) }.sort
        @references = values.fetch("references")
        shape = values["signature"]
        @signature = shape && Signature.new(*shape.values_at("holder", "class", "site", "many"))
      end

      # @param version [Gem::Version]
      def leaky?(version) = requirements.any? { |requirement| requirement.satisfied_by?(version) }

      # @param version [Gem::Version]
      # @return [Gem::Version, nil] the next version without this leak
      def fixed_after(version) = fixed_in.find { |fixed| fixed > version }

      # @param engine [String, nil] of the project's Ruby
      # @param platform [String] of the gem
      # @param version [Gem::Version] of the project's Ruby
      def concerns?(engine, platform, version)
        used = platform == "java" ? "jruby" : engine || "ruby"
        (@engine.nil? || used == @engine) && (@ruby.nil? || requirement(@ruby).satisfied_by?(version))
      end

      # Leaks that code of the application's has to provoke are less sure to be there.
      def needs_trigger? = !trigger.nil?

      private

      def requirements
        @requirements ||= leaky.map { |text| requirement(text) }
      end

      def requirement(text) = Gem::Requirement.new(*text.split(",").map(&:strip))
    end
  end
end
