# frozen_string_literal: true

module LeakHunter
  module Gems
    # The reasons of a verdict, in words.
    module Reasons
      HOW = {
        "call" => "calls a method of %<class>s", "receiver" => "calls a method of %<class>s",
        "constant" => "reads the constant %<class>s", "inherits" => "inherits from %<class>s",
        "includes" => "includes %<class>s", "extends" => "extends %<class>s", "holds" => "holds %<class>s"
      }.freeze
      private_constant :HOW

      class << self
        # @param use [Hash] as Native::Heap#gem_uses has it
        # @return [String]
        def of_use(use)
          klass = use[:class] || "its code"
          how = format(HOW.fetch(use[:kind]), class: klass)
          who = use[:by_class] || (use[:file] && short(use[:file])) || use[:user]
          use[:user] == HeapUse::APP ? "#{who} #{how}" : "#{use[:user]} uses it: #{who} #{how}"
        end

        # What the constants of a gem may be called by its name.
        def constants_of(name)
          words = name.split(/[-_]/)
          camel = ->(text) { text.split("_").map(&:capitalize).join }
          nested = name.split("-").map { |part| camel.call(part) }.join("::")
          [nested, words.map(&:capitalize).join, nested.gsub("::", ""), name.upcase, words.first.upcase].uniq
        end

        # What was looked at in vain.
        def seen(name, uses, sources, had_heap)
          [heap(name, uses, had_heap), files(name, sources), only_idle(name, uses)].compact
        end

        # What could hide a use.
        def weak(name, uses, manifest)
          hooks = uses ? hooks(uses[name]) : []
          hooked = uses ? uses.hooked_into(name) : []
          [KnownGems.side_effect(name)&.then { |why| "it may work unseen: #{why}" }, *hooks,
           (patched(uses[name]) if uses),
           ("#{hooked.first(3).join(", ")} calls back into it" if hooks.empty? && hooked.any?),
           ("it is not required at start (require: false)" if manifest.not_required?(name))].compact
        end

        private

        def heap(name, uses, had_heap)
          if uses.nil?
            return had_heap ? "the heap says too little of code to judge by" : "no heap was looked at"
          end
          return "none of its code is loaded" unless uses.loaded?(name)

          "loaded (#{files_of(uses[name])}), and no code that is used has called it or read a constant of it"
        end

        def files_of(gem) = gem[:files] == 1 ? "1 file" : "#{gem[:files]} files"

        def files(name, sources)
          return "the application's files were not searched" unless sources

          required = sources.required(name)
          found = "no file of the application names what is in it"
          required ? "#{found}; #{required} requires it" : found
        end

        def only_idle(name, uses)
          users = uses&.[](name)&.fetch(:uses)&.map { |use| use[:user] }.to_a.uniq - HeapUse::SILENT
          users.reject! { |user| uses.used?(user) }
          "only #{users.first(3).join(", ")} uses it, which nothing uses" if users.any?
        end

        def hooks(gem)
          return [] unless gem

          KnownGems::HOOKS.values_at(*gem[:inherits_from]).compact.uniq
        end

        def patched(gem)
          return unless gem&.dig(:patches, :cached)&.positive?

          classes = gem.dig(:patches, :classes).first(3).join(", ")
          "it has added methods to #{classes}, and some of them were called or looked up"
        end

        # The last folders of a path say enough.
        def short(path) = path.split("/").last(3).join("/")
      end
    end
  end
end
