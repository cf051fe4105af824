# frozen_string_literal: true

module LeakHunter
  # Reads the source of a Ruby program, all of it at once, and finds what can leak: collections that live as long as the
  # process, grow, and from which nothing in the program removes; and calls that leak by being made more than once.
  # Nothing of the program runs. docs/rules.md has the rules.
  #
  #     scan = LeakHunter::Scan.call("app", "lib")
  #     scan[:findings].each { |finding| puts finding.values_at(:path, :line, :rule, :message).join(" ") }
  #
  # A result:
  #
  # [`:schema`] 1
  # [`:findings`] by path and line, Array of Hash:
  #   [`:rule`] `"LeakHunter/UnboundedMemo"` and so on, {RULES}
  #   [`:severity`] `"high"` (it runs in requests), `"medium"` (in jobs, or in methods whose callers are not known),
  #     `"low"` (there is a method that would empty it, and nothing calls that)
  #   [`:reach`] where it runs: `"request"`, `"job"`, `"method"` (not known), `"boot"`
  #   [`:path`], [`:line`], [`:column`] where to look first; the path begins at the folder, if one was given
  #   [`:message`] a sentence
  #   [`:variable`] what grows, named as the holders of a diff are (`"Shop::Cart.@items"`), or nil
  #   [`:also`] the same variable of subclasses, each of which has its own
  #   [`:method`] `"Shop::Cart.add"`, `"Shop::Cart#add"`, or nil
  #   [`:grows`] all places where it grows: `:path`, `:line`, `:column`
  #   [`:emptied_by`] methods that would empty it, but that nothing in the program calls
  #   [`:fingerprint`] 16 hex digits, the same when lines move
  #   [`:confirmed`] nil; see {join}
  # [`:suppressed`] how many findings comments switched off (`# leak_hunter:disable LeakHunter/UnboundedMemo -- why`)
  # [`:files`], [`:lines`] what was read
  # [`:unreadable`] paths that could not be read
  # [`:notes`] what was not looked at: `:reason` (`"unreadable"`, `"too_large"`, `"broken"` (from this line on it is no
  #   Ruby; what was understood was looked at), `"too_deep"`, `"too_many"`), `:path`, `:line` or nil
  module Scan
    autoload :Join, "leak_hunter/scan/join"

    # The ids of all rules.
    RULES = %w[UnboundedCollection UnboundedMemo GrowingHashDefault DynamicSymbol ClassPerCall SubscriptionPerCall
               ThreadRetention LongLivedBuffer MiddlewareState ResourcePerCall].map { "LeakHunter/#{_1}".freeze }.freeze

    # @param paths [Array<String, Pathname, #to_path>] files and folders; of folders, the Ruby files and ERB templates
    #   in them, without tests, `vendor` and hidden folders
    # @param root [String, nil] a folder: files in it are named relative to it; nil is the folder that was given, if it
    #   is the only path
    # @param threads [Integer, :all, nil] nil leaves one core to the application
    # @param progress [#call, nil] called with bytes done and bytes in all; what it raises stops the scan
    # @return [Hash{Symbol => Object}] see above
    # @raise [UsageError] an argument that cannot be, or a path that does not exist
    def self.call(*paths, root: nil, threads: nil, progress: nil, **unknown)
      SignalHandler.refuse("LeakHunter::Scan.call")
      Arguments.refuse_unknown(unknown, method(__method__))
      raise UsageError, "a scan takes the path of a folder or file" if paths.flatten.empty?

      paths = paths.flatten.map { |path| Arguments.path("path", path) }
      missing = paths.find { |path| !File.exist?(path) }
      raise UsageError, "#{missing}: no such file or folder" if missing

      root &&= Arguments.path("root", root)
      options = { root:, threads: Arguments.threads(threads), progress: Arguments.callable(:progress, progress) }
      result = Native.scan(paths, options)
      result[:findings].each { |finding| finding[:confirmed] = nil }
      unreadable = result[:notes].filter_map { |note| note[:path] if note[:reason] == "unreadable" }
      { schema: 1, **result, unreadable: }
    end

    # Joins what the source says with what a heap says. A finding whose variable holds something that grows is
    # confirmed.
    #
    # @param findings [Array<Hash>] of {call}
    # @param result [Hash, Array<Hash>] of {LeakHunter.diff} with `holders: true`, or its holders
    # @return [Hash{Symbol => Array}] `:findings`, each with `:confirmed` (true, or false if the heap does not show it;
    #   nil if the rule says nothing of a variable), `:holder` (the name of the one that confirms it, or nil) and
    #   `:holders` (fingerprints of all that do), the confirmed ones first; and `:holders`, those that grow without a
    #   finding
    def self.join(findings, result)
      Join.new(findings, result).to_h
    end
  end
end
