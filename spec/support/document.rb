# frozen_string_literal: true

# A page of documentation and its blocks of code. A spec takes each block that it runs; what is left was forgotten.
class Document
  ROOT = File.expand_path("../..", __dir__)
  Block = Struct.new(:language, :code) do
    def to_s = "#{language}: #{code.lines.first}".chomp
  end

  # @return [Array<String>] paths of all pages that a user reads
  def self.paths = Dir.glob(["*.md", "docs/**/*.md"], base: ROOT).sort

  attr_reader :path, :text, :left

  # @param path [String] from the root of the project
  def initialize(path)
    @path = path
    @text = File.read(File.join(ROOT, path))
    @blocks = @text.scan(/^( *)```(\w+)\n(.*?)^\1```$/m).map do |indent, language, code|
      Block.new(language, code.gsub(/^#{indent}/, ""))
    end
    @left = @blocks.dup
  end

  # @param start [String] what the block begins with
  # @return [String] the one block that does
  def take(start)
    found = @blocks.select { |block| block.code.start_with?(start) }
    raise "#{found.size} blocks of #{path} begin with #{start.inspect}" unless found.size == 1

    @left -= found
    found.first.code
  end

  # A place in this project: a path from its root, and the name of a heading, or nil.
  Link = Struct.new(:path, :anchor) do
    def to_s = [path, anchor].compact.join("#")
  end

  # @return [Array<Link>] what the page refers to in this project
  def links
    prose.scan(/\]\(([^)\s]+)\)/).flatten.grep_v(/\A(https?|mailto):/).map do |link|
      file, anchor = link.split("#", 2)
      target = file.empty? ? @path : File.expand_path(file, File.dirname(File.join(ROOT, @path)))
      Link.new(target.delete_prefix("#{ROOT}/"), anchor)
    end
  end

  # @return [Array<String>] names of its headings, as GitHub makes them
  def anchors
    seen = Hash.new(-1)
    prose.scan(/^\#{1,6} +(.+?) *$/).map do |(heading)|
      anchor = heading.downcase.gsub(/[^\p{Alnum}\-_ ]/, "").tr(" ", "-")
      number = seen[anchor] += 1
      number.zero? ? anchor : "#{anchor}-#{number}"
    end
  end

  private

  # Without blocks and code, in which neither links nor headings are meant.
  def prose
    @prose ||= text.gsub(/^( *)```.*?^\1```$/m, "").gsub(/`[^`\n]*`/) { |code| code.delete("`").tr("[]()#", "") }
  end
end
