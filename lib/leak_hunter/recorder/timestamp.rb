# frozen_string_literal: true

module LeakHunter
  module Recorder
    # Writes the time of day without making any object: it is written when the next objects made would be in the dump.
    module Timestamp
      MICROSECONDS = 1_000_000
      DAY = 86_400

      module_function

      # @return [Integer] microseconds since 1970
      def now = Process.clock_gettime(Process::CLOCK_REALTIME, :microsecond)

      # Appends UTC in ISO 8601 with microseconds.
      #
      # @param text [String] with room for it
      def append(text, microseconds)
        seconds = microseconds / MICROSECONDS
        append_date(text, seconds / DAY)
        text << "T"
        append_time(text, seconds % DAY)
        text << "."
        append_number(text, microseconds % MICROSECONDS, 6)
        text << "Z"
      end

      # @param digits [Integer] zeros fill it up to so many
      def append_number(text, number, digits = 1)
        append_number(text, number / 10, digits - 1) if number > 9 || digits > 1
        text << (48 + (number % 10))
      end

      # From days since 1970; Howard Hinnant's civil_from_days, whose years begin in March.
      def append_date(text, days)
        days += 719_468
        day_of_era = days % 146_097
        year = (day_of_era - (day_of_era / 1460) + (day_of_era / 36_524) - (day_of_era / 146_096)) / 365
        day = day_of_era - ((365 * year) + (year / 4) - (year / 100))
        month = ((5 * day) + 2) / 153
        year += days / 146_097 * 400
        append_number(text, month < 10 ? year : year + 1, 4)
        text << "-"
        append_number(text, month < 10 ? month + 3 : month - 9, 2)
        text << "-"
        append_number(text, day - (((153 * month) + 2) / 5) + 1, 2)
      end

      def append_time(text, seconds)
        append_number(text, seconds / 3600, 2)
        text << ":"
        append_number(text, seconds / 60 % 60, 2)
        text << ":"
        append_number(text, seconds % 60, 2)
      end
    end
  end
end
