# frozen_string_literal: true

# Three valid dumps that take about a second to read and hardly any disk: each holds one string of some gigabytes, which
# is a hole in the file.
module SlowDumps
  HOLE = 3 * (1024**3)

  class << self
    # @return [Array<String>] three paths
    def paths
      @paths ||= begin
        dir = Dir.mktmpdir("leak_hunter-slow")
        at_exit { FileUtils.remove_entry(dir) }
        (1..3).map { |number| write(File.join(dir, "#{number}.json"), number) }
      end
    end

    private

    def write(path, number)
      File.open(path, "wb") do |file|
        (1..number).each { |born| file.write(record(born * 40, born * 10)) }
        file.write(%({"address":"0x9000", "type":"STRING", "class":"0x8", "bytesize":#{HOLE}, "value":"))
        file.seek(HOLE, IO::SEEK_CUR)
        file.write(%(", "encoding":"UTF-8", "memsize":#{HOLE}}\n))
        file.write(record(number * 8000, (number * 10) + 5))
      end
      path
    end

    def record(address, generation)
      %({"address":"0x#{address.to_s(16)}", "type":"OBJECT", "class":"0x8", "ivars":1, "file":"a.rb", "line":1, ) +
        %("generation":#{generation}, "memsize":40, "flags":{"old":true}}\n)
    end
  end
end
