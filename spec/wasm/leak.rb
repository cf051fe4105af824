# frozen_string_literal: true

# Leaks into every kind of place that Ruby 4 stores elsewhere than Ruby 3.4 did, and into some that it does not. Runs in
# WebAssembly: three dumps go to /out, and the truth to /out/truth.json.

# There is no RubyGems.
module Gem
  def self.path = []
end

$LOAD_PATH << "/lib"
require "json"
# There are no threads: what would run on one runs at once, on this one.
Ran = Struct.new(:value) do
  def join(*) = self
end
%i[new start fork].each do |name|
  Thread.define_singleton_method(name) { |*arguments, &work| Ran.new(work.call(*arguments)) }
end

require "leak_hunter"
require "leak_hunter/recorder"

# There is no clock of a thread's own time. By the wall clock, names would be left out on a busy machine.
LeakHunter::CoreMethods.define_singleton_method(:processor_time) { 0.0 }

LeakHunter::Recorder::OwnThread.class_eval do
  def run = yield(self)
  def in_caller = yield
end

class Token
  def initialize(number) = @text = "token #{number}"
end

class ClassVariable
  @@logins = [] # rubocop:disable Style/ClassVars
  def self.all = @@logins
end

class ClassIvar
  @sessions = {}
  class << self
    attr_reader :sessions
  end
end

module ModuleIvar
  @list = []
  class << self
    attr_reader :list
  end
end

class HashWithIvar < Hash
  attr_reader :extra

  def initialize
    super
    @extra = []
  end
end

class TextWithIvar < String
  attr_reader :notes

  def initialize
    super("text")
    @notes = []
  end
end

class Wide
  attr_reader :cache

  def initialize
    30.times { |number| instance_variable_set(:"@filler#{number}", "filler #{number}") }
    @cache = []
  end
end

ROUNDS = 20
Pair = Struct.new(:list, :other)
BAG = HashWithIvar.new
TEXT = TextWithIvar.new
WIDE = Wide.new
SEEN = Set.new
PAIR = Pair.new([], nil)
LIST = [] # rubocop:disable Style/MutableConstant
TABLE = {} # rubocop:disable Style/MutableConstant
$audit = [] # rubocop:disable Style/GlobalVars

# By the names on the way to it: the collection, and how it grows.
PLACES = {
  %w[ClassVariable @@logins] => ->(token) { ClassVariable.all << token },
  %w[ClassIvar @sessions] => ->(token) { ClassIvar.sessions[ClassIvar.sessions.size] = token },
  %w[ModuleIvar @list] => ->(token) { ModuleIvar.list << token },
  %w[BAG @extra] => ->(token) { BAG.extra << token },
  %w[TEXT @notes] => ->(token) { TEXT.notes << token },
  %w[WIDE @cache] => ->(token) { WIDE.cache << token },
  %w[SEEN] => ->(token) { SEEN << token },
  %w[PAIR] => ->(token) { PAIR.list << token },
  %w[LIST] => ->(token) { LIST << token },
  %w[TABLE] => ->(token) { TABLE[TABLE.size] = token },
  %w[$audit] => ->(token) { $audit << token } # rubocop:disable Style/GlobalVars
}.freeze

def leak(rounds)
  rounds.times do |round|
    PLACES.each_value { |keep| keep.call(Token.new(round)) }
    Token.new(round) # not kept
  end
  nil
end

LeakHunter.trace!
3.times do |number|
  leak(ROUNDS)
  LeakHunter.dump!("/out/#{number + 1}.ndjson", values: :all, compress: :none) # without the extension
end

truth = { ruby: RUBY_VERSION, places: PLACES.keys, leaked: ROUNDS, each: 2, tokens: PLACES.size * ROUNDS * 3 }
File.write("/out/truth.json", JSON.generate(truth))
