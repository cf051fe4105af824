# frozen_string_literal: true

module LeakHunter
  module Tracing
    # When tracing began, or was cleared. The marker is an object born at that moment: as long as the VM knows its
    # birth, nobody has emptied its table. LeakHunter's own table needs none.
    Start = Struct.new(:marker, :generation, :time, :compactions)
    private_constant :Start
  end
end
