# frozen_string_literal: true

module LeakHunter
  class Report
    class HTML
      # Drawings for a page, as SVG. Every figure in them is also there as text.
      module Charts
        # Of the bars of windows, in pixels.
        BAR = { width: 64, gap: 8, height: 48 }.freeze
        # Of the graph of paths, in pixels.
        GRAPH = { width: 1000, row: 22 }.freeze
        # Of a frame, below which it has no text, and below which it is not drawn.
        LABELLED = 48
        SMALLEST = 1.0
        # Columns of the font, in pixels.
        COLUMN = 6.6
        # Rows of the graph.
        DEPTH = 40

        Frame = Struct.new(:name, :memsize, :children)
        private_constant :Frame

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

          # What leaked, by the path that leads to it: a frame is as wide as the bytes under it.
          #
          # @param holders [Array<Hash>] see {LeakHunter::Holders}
          # @return [String]
          def paths(holders)
            tree = tree_of(holders)
            rows = [depth(tree), DEPTH].min
            frames = frames(tree)
            "<div class=\"wide\"><svg class=\"paths\" role=\"img\" aria-label=\"Flame graph\" " \
              "viewBox=\"0 0 #{GRAPH[:width]} #{rows * GRAPH[:row]}\">#{frames.join}</svg></div>"
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

          def tree_of(holders)
            root = Frame.new("everything that leaked", 0, {})
            holders.each do |holder|
              root.memsize += holder[:memsize]
              steps(holder).reduce(root) do |frame, name|
                child = frame.children[name] ||= Frame.new(name, 0, {})
                child.memsize += holder[:memsize]
                child
              end
            end
            root
          end

          def steps(holder)
            path = holder[:path].first(DEPTH - 1)
            path.select { |step| step[:type] == "ROOT" || LeakHunter::Holders::Name.visible?(step) }.map do |step|
              edge = step[:edge]
              named = edge[:name] && !%w[root array_element].include?(edge[:kind])
              named ? "#{edge[:name]} #{step[:class]}" : step[:class].to_s
            end
          end

          # Without recursion: a path may be long.
          def depth(root)
            deepest = 0
            queue = [[root, 1]]
            while (frame, level = queue.pop)
              deepest = [deepest, level].max
              frame.children.each_value { |child| queue << [child, level + 1] }
            end
            deepest
          end

          def frames(root)
            scale = GRAPH[:width] / [root.memsize, 1].max.to_f
            drawn = []
            queue = [[root, 0.0, 0]]
            while (frame, left, level = queue.pop)
              width = frame.memsize * scale
              next if width < SMALLEST || level >= DEPTH

              drawn << draw(frame, left, width, level)
              frame.children.values.sort_by { |child| -child.memsize }.each do |child|
                queue << [child, left, level + 1]
                left += child.memsize * scale
              end
            end
            drawn
          end

          def draw(frame, left, width, level)
            top = level * GRAPH[:row]
            said = "#{frame.name}: #{Format.bytes(frame.memsize)}"
            text = Format.shorten(Printable.call(frame.name), ((width - 8) / COLUMN).floor) if width >= LABELLED
            label = "<text x=\"#{(left + 4).round(1)}\" y=\"#{top + 15}\">#{HTML.escape(text)}</text>" if text
            "<g><title>#{HTML.escape(said)}</title>" \
              "<rect x=\"#{left.round(1)}\" y=\"#{top}\" width=\"#{(width - 0.5).round(1)}\" " \
              "height=\"#{GRAPH[:row] - 1}\" class=\"level#{level % 4}\"/>#{label}</g>"
          end
        end
      end
    end
  end
end
