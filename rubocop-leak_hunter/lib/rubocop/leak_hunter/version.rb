# frozen_string_literal: true

module RuboCop
  module LeakHunter
    VERSION = "0.1.0"
  end
end
