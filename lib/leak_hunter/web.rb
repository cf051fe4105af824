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
  # == Who may
  #
  # A heap dump holds every string of the process, so this is closed until it is told who may come in: by a token
  # ({Configuration#token}), by a block ({Configuration#authorize}), or both. Either opens: a request whose
  # `authorization: Bearer` header has the token is let in, and of any other the block decides. To demand more than the
  # token, leave it out and check all of it in the block. To everybody else each path is 404, as though nothing were
  # here. A block that raises refuses.
  #
  # A block that looks at nothing but an address lets in any site's pages too, as long as the application takes any
  # `host`: a name of theirs may resolve to this server.
  #
  # A request that the block let in may have been sent by a page of another site, with the cookies or the password that
  # the browser adds by itself. So POST and DELETE without the token need `sec-fetch-site: same-origin` or, if the
  # browser sends no such header, an `origin` that is this server's scheme, host and port. A program without the token
  # that sends neither (curl, let in by its address) is refused too; it can send the `origin` header.
  #
  # == What it answers
  #
  # Text, or JSON where `accept` prefers it. `GET /` lists the routes.
  #
  # Each process answers for itself. In Puma's cluster mode a request reaches any of the workers, and dumps of different
  # workers cannot be compared: hunt with one worker, or name three dumps of one worker (`GET /dumps` shows whose they
  # are); any worker compares those.
  #
  # == How many dumps are kept
  #
  # After each `POST /dumps` the oldest dumps of the folder are deleted until no more than {Configuration#max_dumps} and
  # {Configuration#max_bytes} are left. The latest three of this process are spared by the limit on bytes, since a diff
  # needs them; not by one on dumps that is lower than three. Files that LeakHunter did not name are never deleted: give
  # a dump a name of your own to keep it.
  class Web
    # Not lazily: what is loaded between two dumps is new, and stays, and so would be in the report.
    %i[Diff Dump Recorder Tracing].each { |part| LeakHunter.const_get(part) }
    Report.constants.each { |part| Report.const_get(part) }
    %w[access problem request response routes settings].each { |part| require "leak_hunter/web/#{part}" }

    class << self
      # With the settings of {LeakHunter.configuration}.
      #
      # @param env [Hash] the Rack environment
      # @return [Array] status, headers, body
      def call(env) = (@default ||= new).call(env)
    end

    # @param settings [Hash{Symbol => Object}] any of {Configuration}'s, which then go before it; the others are read
    #   from {LeakHunter.configuration} with each request. `token: nil` means no token, the environment's neither.
    # @raise [UsageError] for what {Configuration} does not take
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
      by ? answer(request, by) : Response.nothing_here(request)
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
