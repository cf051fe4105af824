# frozen_string_literal: true

# How RuboCop before 1.72 takes the cops: `require: rubocop-leak_hunter`. Their configuration is merged into RuboCop's
# own, which is what extensions did then.
path = RuboCop::LeakHunter::DEFAULTS
defaults = RuboCop::ConfigLoader.send(:load_yaml_configuration, path)
own = RuboCop::Config.new(defaults, path).tap(&:make_excludes_absolute)
merged = RuboCop::ConfigLoader.merge_with_default(own, path)
RuboCop::ConfigLoader.instance_variable_set(:@default_configuration, merged)
