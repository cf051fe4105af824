# frozen_string_literal: true

require "leak_hunter"

module LeakHunter
  # A Rack endpoint that takes dumps of the process that serves it, and compares them.
  #
  #   run LeakHunter::Web                                            # config.ru, map and Rack::URLMap
  #   mount LeakHunter::Web => "/leaks"                              # Rails' routes
  #   use LeakHunter::Middleware, path: "/leaks"                     # anywhere in a middleware stack, Sinatra's too
  #   run LeakHunter::Web.new(authorize: ->(env) { … }, max_dumps: 6)  # settings of its own
  #
  #   curl -H "authorization: Bearer $LEAK_HUNTER_TOKEN" -X POST http://localhost:9292/leaks/dumps
  #
  # == Who is authorized
  #
  # A heap dump tells much of the process, and with `values: :all` every string. So every request is refused until a
  # token ({Configuration#token}), a block ({Configuration#authorize}) or both are set. Either authorizes: a request
  # whose `authorization: Bearer` header has the token passes, and the block decides about all others. To require more
  # than the token, set no token and check everything in the block. Requests that are not authorized get 404 for every
  # path, as if nothing were mounted here. A block that raises refuses.
  #
  # A block that checks only the client's address also authorizes pages of other sites that run in a browser there, as
  # long as the application accepts any `host`: a host name of theirs may resolve to this server.
  #
  # A request that the block authorizes may have been sent by a page of another site, with the cookies or the password
  # that the browser adds by itself. So POST and DELETE without the token need `sec-fetch-site: same-origin` or, if the
  # browser sends no such header, an `origin` equal to this server's scheme, host and port. A program without the token
  # that sends neither (curl, authorized by its address) is refused, too; it can send the `origin` header.
  #
  # == Responses
  #
  # Text, or JSON where `accept` prefers it. `GET /` lists the routes.
  #
  # Each process takes dumps of itself. In Puma's cluster mode a request reaches any of the workers, and dumps of
  # different workers cannot be compared: use one worker, or name three dumps of one worker (`GET /dumps` shows the
  # process of each); any worker can compare them.
  #
  # == How many dumps are kept
  #
  # After each `POST /dumps` the oldest dumps of the folder are deleted until no more than {Configuration#max_dumps} and
  # {Configuration#max_bytes} are left. The limit on bytes spares the latest three of this process, since a diff needs
  # them; a limit of less than three dumps does not. Files that LeakHunter did not name are never deleted: rename a dump
  # to keep it.
  class Web
    # Not lazily: beside busy threads loading takes long, and what is loaded between two dumps would be in the report.
    EagerLoad.call
    %w[access problem request response routes settings].each { |part| require "leak_hunter/web/#{part}" }

    class << self
      # With the settings of {LeakHunter.configuration}.
      #
      # @param env [Hash] the Rack environment
      # @return [Array] status, headers, body
      def call(env) = (@default ||= new).call(env)
    end

    # @param settings [Hash{Symbol => Object}] any of {Configuration}'s, for this endpoint only; the others are read
    #   from {LeakHunter.configuration} at each request. `token: nil` means no token, not even the environment's.
    # @raise [UsageError] for settings that {Configuration} does not accept
    def initialize(**settings)
      @settings = Settings.new(**settings)
      @access = Access.new(@settings)
      @access.log_why_closed
      freeze
    end

    # @param env [Hash] the Rack environment
    # @return [Array] status, headers, body
    def call(env)
      request = Request.new(env)
      by = @access.authorized_by(request)
      by ? answer(request, by) : Response.not_found(request)
    end

    private

    def answer(request, authorized_by)
      @access.check_origin(request) unless authorized_by == :token || request.safe?
      Response.render(request, Routes.call(request, @settings))
    rescue Problem, Error, SystemCallError => e
      Response.render(request, Problem.from(e).reply)
    end
  end
end
