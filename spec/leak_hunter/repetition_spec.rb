# frozen_string_literal: true

RSpec.describe LeakHunter::CLI::Repetition do
  def parts(text)
    described_class.parts(text.chars, &:itself).map { |index, period, times| [text[index, period], times] }
  end

  {
    "" => [],
    "abc" => [["a", 1], ["b", 1], ["c", 1]],
    "aaaa" => [["a", 4]],
    "xabababy" => [["x", 1], ["ab", 3], ["y", 1]],
    "abcabcabz" => [["abc", 2], ["a", 1], ["b", 1], ["z", 1]],
    "abcdabcdabcd" => [["abcd", 3]],
    "abcdeabcde" => "abcdeabcde".chars.map { |char| [char, 1] },
    "aabaab" => [["aab", 2]]
  }.each { |text, expected| it("finds those in #{text.inspect}") { expect(parts(text)).to eq(expected) } }

  it "covers the whole list, in order" do
    random = Random.new(7)
    200.times do
      text = Array.new(random.rand(40)) { %w[a b c].sample(random:) }.join
      expect(parts(text).map { |cycle, times| cycle * times }.join).to eq(text)
    end
  end
end
