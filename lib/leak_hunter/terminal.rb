# frozen_string_literal: true

require "leak_hunter/printable"

module LeakHunter
  # What an output can show: whether it is a terminal, how wide, and whether in colour.
  class Terminal
    autoload :Fold, "leak_hunter/terminal/fold"
    autoload :Style, "leak_hunter/terminal/style"

    # Columns where there is no terminal to ask.
    WIDTH = 80
    # Narrower than this a report cannot be.
    MIN_WIDTH = 20

    class << self
      # @param choice [Boolean, IO, nil] true, false, or the IO that will be written to; nil is false
      # @return [Boolean]
      def color?(choice, env: ENV)
        return choice ? true : false if [true, false, nil].include?(choice)

        new(choice, env:).color?
      end
    end

    # @param io [IO, #write]
    def initialize(io, env: ENV)
      @io = io
      @env = env
    end

    # @return [Boolean]
    def tty?
      @io.respond_to?(:tty?) && @io.tty?
    rescue IOError # closed
      false
    end

    # @return [Boolean] whether a line can be redrawn
    def redraws? = tty? && @env["TERM"] != "dumb"

    # As no-color.org and force-color.org say, else whether it is a terminal that knows colours.
    #
    # @return [Boolean]
    def color?
      return false if set?("NO_COLOR")
      return @env["FORCE_COLOR"] != "0" if set?("FORCE_COLOR")

      redraws?
    end

    # @param max [Integer] wider lines are hard to read
    # @return [Integer] columns: what COLUMNS says, else one less than the terminal has; {WIDTH} where neither is known
    def width(max: 160) = (chosen_columns || own_columns || WIDTH).clamp(MIN_WIDTH, max)

    private

    def chosen_columns
      columns = @env["COLUMNS"].to_s
      columns.to_i if columns.match?(/\A[1-9]\d{0,4}\z/)
    end

    def own_columns
      return unless tty?

      require "io/console"
      columns = @io.winsize.last
      columns - 1 if columns.positive?
    rescue SystemCallError, NoMethodError, IOError
      nil
    end

    # present and not empty
    def set?(name) = !@env.fetch(name, "").empty?
  end
end
