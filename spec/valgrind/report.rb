# frozen_string_literal: true

require "rexml/document"

# What valgrind's memcheck says about the extension. Ruby's own noise is left out: memory that Ruby allocates belongs to
# its heap, which it does not free at exit, and its collector reads stacks that are not its own.
class ValgrindReport
  Fault = Struct.new(:kind, :what, :frames) do
    def to_s = "#{kind}: #{what}\n#{frames.first(20).map { |frame| "    #{frame}" }.join("\n")}"
  end

  Frame = Struct.new(:object, :function, :file, :line) do
    def to_s = "#{function || "?"} (#{file ? "#{file}:#{line}" : object})"
  end

  # The allocator and the string functions of libc, and valgrind's stand-ins for them, act for their caller.
  ACTS_FOR_CALLER = %r{/vgpreload_|/libc[.-]|/ld-linux}

  # Leaks that are none, and reads of undefined memory (the collector's daily work), are not asked for.
  OPTIONS = %w[--tool=memcheck --leak-check=full --show-leak-kinds=definite --undef-value-errors=no --error-limit=no
               --num-callers=60 --xml=yes].freeze

  def self.available? = !system("valgrind", "--version", out: File::NULL).nil?

  # Runs a command under valgrind.
  def self.of(command, log:, env: {})
    output = "#{log}.out"
    done = system(env, "valgrind", *OPTIONS, "--xml-file=#{log}", *command, %i[out err] => output)
    raise "the program under valgrind failed:\n#{File.read(output)}" unless done

    new(File.read(log))
  end

  # @param xml [String] what valgrind --xml=yes wrote
  def initialize(xml)
    @xml = xml.scrub
    raise "valgrind did not get to the end" unless @xml.include?("<state>FINISHED</state>")
  end

  # @return [Array<Fault>] those of one shared object
  def faults_of(name)
    # thousands are Ruby's own: they are not worth parsing
    ours = @xml.scan(%r{<error>.*?</error>}m).select { |error| error.include?("/#{name}</obj>") }
    ours.map { |error| fault(REXML::Document.new(error).root) }.select { |fault| cause(fault) == name }
  end

  private

  def cause(fault)
    frame = fault.frames.find { |one| !one.object&.match?(ACTS_FOR_CALLER) }
    File.basename(frame.object) if frame&.object
  end

  def fault(error)
    what = error.elements["what"] || error.elements["xwhat/text"]
    frames = error.elements["stack"].get_elements("frame").map { |element| frame(element) }
    Fault.new(error.elements["kind"].text, what&.text, frames)
  end

  def frame(element) = Frame.new(*%w[obj fn file line].map { |name| element.elements[name]&.text })
end
