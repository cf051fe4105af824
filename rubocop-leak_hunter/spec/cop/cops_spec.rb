# frozen_string_literal: true

# Each cop with code that leaks, and with code that looks like it and does not.
RSpec.describe RuboCop::Cop::LeakHunter, :config do
  let(:ruby_version) { 3.1 }

  describe RuboCop::Cop::LeakHunter::UnboundedCollection do
    it "finds a constant that only grows" do
      expect_offense(<<~RUBY)
        class Audit
          EVENTS = []
          def self.record(event) = EVENTS << event
                                   ^^^^^^^^^^^^^^^ `Audit.EVENTS` lives as long as the process, and only grows. Limit its size, or take out what is done with.
        end
      RUBY
    end

    it "finds class variables, globals, and variables of a class that is made when it is asked for" do
      expect_offense(<<~RUBY)
        class Visits
          @@all = {}
          def note(visit) = @@all[visit.id] = visit
                            ^^^^^^^^^^^^^^^^^^^^^^^ `Visits.@@all` lives as long as the process, and only grows. Limit its size, or take out what is done with.
          class << self
            def seen = @seen ||= Set.new
            def see(visit) = @seen.add(visit)
                             ^^^^^^^^^^^^^^^^ `Visits.@seen` lives as long as the process, and only grows. Limit its size, or take out what is done with.
          end
        end
        $log = []
        def log(line) = $log.push(line)
                        ^^^^^^^^^^^^^^^ `$log` lives as long as the process, and only grows. Limit its size, or take out what is done with.
      RUBY
    end

    it "leaves what is taken out again, replaced, limited, or filled while the file is loaded" do
      expect_no_offenses(<<~RUBY)
        class Jobs
          QUEUE = []
          RECENT = LRU::Cache.new(100)
          NAMES = []
          NAMES << "first"
          BY_KIND = {}
          def self.add(job) = QUEUE << job
          def self.next = QUEUE.shift
          def self.see(job) = RECENT[job.id] = job
          def self.configure = BY_KIND[:default] = 1
          class << self
            def reset = @list = []
            def keep(job) = @list << job
          end
        end
      RUBY
    end

    it "leaves variables of objects, which go with them" do
      expect_no_offenses(<<~RUBY)
        class Cart
          def initialize = @items = []
          def add(item) = @items << item
        end
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::UnboundedMemo do
    it "finds a memo of a class" do
      expect_offense(<<~RUBY)
        class Prices
          def self.quote(product, at)
            @quotes ||= {}
            @quotes[[product, at]] ||= compute(product, at)
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `Prices.@quotes` has an entry for each key that ever came. Limit its size, or clear it.
          end
        end
      RUBY
    end

    it "leaves a memo of an object, one with fixed keys, and one that is cleared" do
      expect_no_offenses(<<~RUBY)
        class Prices
          MEMO = {}
          def quote(product) = (@quotes ||= {})[product] ||= compute(product)
          def self.total = MEMO[:total] ||= compute
          class << self
            def rate(day)
              @rates ||= {}
              @rates.clear if @rates.size > 100
              @rates[day] ||= fetch(day)
            end
          end
        end
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::GrowingHashDefault do
    it "finds a default block that stores" do
      expect_offense(<<~RUBY)
        RATES = Hash.new { |rates, day| rates[day] = fetch(day) }
                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `RATES` stores each key that it is ever asked for. Limit its size, or do not store.
      RUBY
    end

    it "leaves one that does not store, one that is limited, and one in a local" do
      expect_no_offenses(<<~RUBY)
        ZEROS = Hash.new { |_zeros, key| key.size }
        RATES = Hash.new do |rates, day|
          rates.shift if rates.size > 100
          rates[day] = fetch(day)
        end
        def groups(list)
          found = Hash.new { |hash, key| hash[key] = [] }
          list.each { |it| found[it.kind] << it }
        end
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::DynamicSymbol do
    it "finds names that are made from data" do
      expect_offense(<<~'RUBY')
        def remember(id, value) = instance_variable_set("@user_#{id}", value)
                                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Ruby never forgets a name. Made from data, such names never end; use a Hash.
        def note(id) = Thread.current["job_#{id}".to_sym] = true
                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Ruby never forgets a name. Made from data, such names never end; use a Hash.
      RUBY
    end

    it "leaves fixed names, macros, and keys of a Hash" do
      expect_no_offenses(<<~'RUBY')
        %w[a b].each { |name| const_set("K_#{name}", 1) }
        def remember(value) = instance_variable_set("@user", value)
        def store(id) = @table["job_#{id}".to_sym] = true
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::ClassPerCall do
    it "finds classes and singleton methods that are made at each call" do
      expect_offense(<<~RUBY)
        def row(values) = Struct.new(*values.keys).new(*values.values)
                          ^^^^^^^^^^^^^^^^^^^^^^^^ A class is made at each call. Make it once.
        def view = Class.new(Base) { def name = 1 }
                   ^^^^^^^^^^^^^^^ A class is made at each call. Make it once.
        def extend_user(user) = user.define_singleton_method(:vip) { true }
                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ A method is made at each call. Make it once.
      RUBY
    end

    it "leaves what is made once" do
      expect_no_offenses(<<~RUBY)
        Row = Struct.new(:name)
        def view = @view ||= Class.new(Base)
        def self.included(base) = base.const_set(:Row, Struct.new(:name))
        def struct(keys) = CACHE.fetch(keys) { Struct.new(*keys) }
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::SubscriptionPerCall do
    it "finds subscribers, hooks and finalizers that are added at each call" do
      expect_offense(<<~RUBY)
        class Client
          def initialize
            at_exit { close }
            ^^^^^^^ `at_exit` adds a block at each call, and nothing in this file removes it.
            ObjectSpace.define_finalizer(self, proc { close })
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ This finalizer's block keeps the object itself, which therefore never dies. Make the block in a class method.
          end

          def call(env)
            ActiveSupport::Notifications.subscribe("sql") { |event| log(event, env) }
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `subscribe` adds a block at each call, and nothing in this file removes it.
          end
        end
      RUBY
    end

    it "leaves those at boot, those that are removed, and finalizers that are made in a class method" do
      expect_no_offenses(<<~RUBY)
        at_exit { close }
        ActiveSupport::Notifications.subscribe("sql") { |event| log(event) }
        class Client
          def initialize = ObjectSpace.define_finalizer(self, self.class.closer(@io))
          def self.closer(io) = proc { io.close }
          def watch
            subscriber = ActiveSupport::Notifications.subscribe("sql") { |event| log(event) }
            yield
          ensure
            ActiveSupport::Notifications.unsubscribe(subscriber)
          end
        end
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::ThreadRetention do
    it "finds threads that are stored, and a thread's variable that grows" do
      expect_offense(<<~RUBY)
        class Pool
          THREADS = []
          def self.run(&block) = THREADS << Thread.new(&block)
          def self.start(job) = THREADS << Thread.new { job.call }
                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Threads are stored in `Pool.THREADS`, and nothing in this file takes them out again.
        end
        def track(event) = (Thread.current[:events] ||= []) << event
                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ A thread of a pool keeps its variables, and this one grows. Clear it at the end of the request or job.
      RUBY
    end

    it "leaves threads that are taken out, and a variable that is cleared" do
      expect_no_offenses(<<~RUBY)
        class Pool
          THREADS = []
          def self.start(job) = THREADS << Thread.new { job.call }
          def self.wait = THREADS.shift.join
        end
        def track(event) = (Thread.current[:events] ||= []) << event
        def clear = Thread.current[:events] = nil
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::LongLivedBuffer do
    it "finds texts and queues that only get longer, and test doubles that are switched on" do
      expect_offense(<<~RUBY)
        LOG = StringIO.new
        def note(text) = LOG.puts(text)
                         ^^^^^^^^^^^^^^ `LOG` lives as long as the process, and only gets longer.
        Sidekiq::Testing.fake!
        ^^^^^^^^^^^^^^^^^^^^^^ This keeps every job or mail in memory. It is meant for tests.
      RUBY
    end

    it "leaves a queue that is emptied" do
      expect_no_offenses(<<~RUBY)
        QUEUE = Queue.new
        def add(job) = QUEUE << job
        def work = QUEUE.pop.call
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::MiddlewareState do
    it "finds what a middleware keeps of each request" do
      expect_offense(<<~RUBY)
        class Paths
          def initialize(app)
            @app = app
            @paths = []
            @hits = {}
          end

          def call(env)
            @paths << env["PATH_INFO"]
            ^^^^^^^^^^^^^^^^^^^^^^^^^^ There is one middleware for all requests: what `@paths` gets in each of them stays.
            @hits[env["PATH_INFO"]] ||= 0
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ There is one middleware for all requests: what `@hits` gets in each of them stays.
            @app.call(env)
          end
        end
      RUBY
    end

    it "leaves what it takes out again, counters, and objects that are no middleware" do
      expect_no_offenses(<<~RUBY)
        class Paths
          def initialize(app)
            @app = app
            @open = {}
            @counts = {}
          end

          def call(env)
            @open[env.object_id] = true
            @counts[:all] = 1
            @app.call(env)
          ensure
            @open.delete(env.object_id)
          end
        end
        class Handler
          def initialize = @seen = []
          def call(event) = @seen << event
        end
      RUBY
    end
  end

  describe RuboCop::Cop::LeakHunter::ResourcePerCall do
    it "finds what is opened and left" do
      expect_offense(<<~RUBY)
        def export(rows)
          file = Tempfile.new("rows")
                 ^^^^^^^^^^^^^^^^^^^^ This is opened at each call, and not closed. Use the form with a block, or close it in `ensure`.
          file.write(rows.join)
        end
      RUBY
    end

    it "leaves what is closed, handed on or returned, and the form with a block" do
      expect_no_offenses(<<~RUBY)
        def export(rows)
          file = Tempfile.new("rows")
          file.write(rows.join)
        ensure
          file.close!
        end
        def open_it = File.open("x")
        def hand_on
          file = File.open("x")
          read(file)
        end
        def block = File.open("x") { |file| file.read }
      RUBY
    end
  end
end
