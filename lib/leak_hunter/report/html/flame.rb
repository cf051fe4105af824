# frozen_string_literal: true

module LeakHunter
  class Report
    class HTML
      # The flame graph of what leaked, as a part of a page: what `leak_hunter flame` draws, with the same code.
      class Flame
        # What would end the element that the frames are in.
        UNSAFE = /[<>&\u2028\u2029]/
        private_constant :UNSAFE

        # @param views [Array<Hash>] `result[:flame]`
        # @param title [String] what the objects are
        def initialize(views, title:)
          @views = views
          @title = title
          @parts = Native.flame_parts
        end

        # @return [String] for the policy of the page
        def style_hash = @parts[:style_hash]

        # @return [String] for the policy of the page
        def script_hash = @parts[:script_hash]

        # @return [String] HTML for the head of the page
        def style = "<style>#{@parts[:style]}</style>"

        # @return [String] HTML
        def to_s
          <<~HTML
            <details class="flame">
            <summary>Flame graph of what leaked</summary>
            <h3 id="title"></h3>
            #{@parts[:graph]}
            <script type="application/json" id="data">#{data}</script>
            <script>#{@parts[:script]}</script>
            </details>
          HTML
        end

        private

        def data
          require "json"
          views = @views.map { |view| { **view, labels: view[:labels].map { |label| Printable.call(label) } } }
          json = JSON.generate({ title: @title, partial: true, views: })
          json.gsub(UNSAFE) { |char| format("\\u%04x", char.ord) }
        end
      end
    end
  end
end
