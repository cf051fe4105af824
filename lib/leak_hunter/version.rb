# frozen_string_literal: true

module LeakHunter
  VERSION = "0.1.0"
end
