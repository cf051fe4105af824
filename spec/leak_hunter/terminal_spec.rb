# frozen_string_literal: true

require "pty"
require "io/console"
require "stringio"

RSpec.describe LeakHunter::Terminal do
  def columns(number)
    PTY.open do |_master, slave|
      slave.winsize = [24, number]
      yield slave
    end
  end

  it "is as wide as the terminal, within what a report can be" do
    { 100 => 99, 40 => 39, 10 => 20, 300 => 160, 0 => 80 }.each do |given, width|
      columns(given) { |io| expect(described_class.new(io, env: {}).width).to eq(width) }
    end
    columns(300) { |io| expect(described_class.new(io, env: {}).width(max: 120)).to eq(120) }
    columns(100) { |io| expect(described_class.new(io, env: { "COLUMNS" => "70" }).width).to eq(70) }
  end

  it "is 80 columns without colour where there is no terminal" do
    reader, writer = IO.pipe
    closed = IO.pipe.each(&:close).last
    [StringIO.new, writer, closed, Object.new].each do |io|
      terminal = described_class.new(io, env: {})
      expect([terminal.width, terminal.tty?, terminal.color?, terminal.redraws?]).to eq([80, false, false, false])
    end
    [reader, writer].each(&:close)
  end
end
