# frozen_string_literal: true

module LeakHunter
  class Web
    # A file as a response's body. A server that can sends it by its path.
    class FileBody
      CHUNK = 64 * 1024

      # @param io [File]
      def initialize(io)
        @io = io
      end

      def to_path = @io.path

      def each
        while (chunk = @io.read(CHUNK))
          yield chunk
        end
      end

      def close = @io.close
    end
  end
end
