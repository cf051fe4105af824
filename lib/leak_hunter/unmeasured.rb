# frozen_string_literal: true

module LeakHunter
  # Structs of C extensions whose sizes took too long to be added up while the process stood still.
  module Unmeasured
    module_function

    # @param names [Array<String>] of the structs
    # @return [String] a sentence, without its full stop
    def words(names)
      "objects of #{names.join(", ")} are counted with the size of their slots alone: their C extension takes too " \
        "long to add theirs up"
    end
  end
end
