# frozen_string_literal: true

module LeakHunter
  class LeakDB
    # Gems that Ruby brings and that programs use whether or not a lock file names them. This process's own Ruby is
    # asked; of others it is a table. Releases that are in no row are not known, and nothing is said of them.
    module DefaultGems
      TABLE = {
        "bigdecimal" => { "~> 2.7.0" => "2.0.0", "~> 3.0.0" => "3.0.0", "~> 3.1.0" => "3.1.1", "~> 3.2.0" => "3.1.3" },
        "json" => { "~> 2.7.0" => "2.3.0", "~> 3.0.0" => "2.5.1", "~> 3.1.0" => "2.6.1", "~> 3.2.0" => "2.6.3",
                    "3.3.0" => "2.7.1", ">= 3.3.8, < 3.4" => "2.7.2", "~> 3.4.0" => "2.9.1" }
      }.freeze
      private_constant :TABLE

      class << self
        # @return [Array<String>]
        def names = TABLE.keys

        # @param ruby [Gem::Version]
        # @return [Gem::Version, nil] nil where it is not known
        def version(gem, ruby)
          return installed(gem) if ruby.to_s == RUBY_VERSION

          _, text = TABLE.fetch(gem).find { |rubies, _| Gem::Requirement.new(*rubies.split(", ")).satisfied_by?(ruby) }
          text && Gem::Version.new(text)
        end

        private

        def installed(gem)
          Gem::Specification.select { |spec| spec.name == gem && spec.default_gem? }.map(&:version).max
        end
      end
    end
  end
end
