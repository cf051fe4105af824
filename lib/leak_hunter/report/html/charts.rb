# frozen_string_literal: true

module LeakHunter
  class Report
    class HTML
      # Drawings for a page, as SVG. Every figure in them is also there as text.
      module Charts
        # Of the bars of windows, in pixels.
        BAR = { width: 64, gap: 8, height: 48 }.freeze

        class << self
          # Bytes of each window, a bar each.
          #
          # @param holder [Report::Holder]
          # @return [String]
          def windows(holder)
            sizes = holder.windows.map { |window| window[:memsize] }
            most = [sizes.max.to_i, 1].max
            bars = sizes.each_with_index.map { |size, index| bar(size, index, most) }
            width = sizes.size * (BAR[:width] + BAR[:gap])
            "<svg class=\"windows\" role=\"img\" aria-label=\"#{HTML.escape("Kept, by window: #{holder.rate}")}\" " \
              "width=\"#{width}\" height=\"#{BAR[:height] + 34}\" viewBox=\"0 0 #{width} #{BAR[:height] + 34}\">" \
              "#{bars.join}</svg>"
          end

          private

          def bar(size, index, most)
            height = (size * BAR[:height] / most.to_f).ceil
            left = index * (BAR[:width] + BAR[:gap])
            middle = left + (BAR[:width] / 2)
            "<rect x=\"#{left}\" y=\"#{BAR[:height] - height + 14}\" width=\"#{BAR[:width]}\" height=\"#{height}\"/>" \
              "<text x=\"#{middle}\" y=\"#{BAR[:height] - height + 10}\">#{Format.bytes(size)}</text>" \
              "<text x=\"#{middle}\" y=\"#{BAR[:height] + 30}\" class=\"quiet\">window #{index + 1}</text>"
          end
        end
      end
    end
  end
end
