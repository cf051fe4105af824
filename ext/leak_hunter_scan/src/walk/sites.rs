//! Calls that leak by being made more than once, whatever holds what they make.

use crate::facts::{Kept, Level, MadeClass, Site, Var};
use crate::rule::Rule;
use crate::tree::{Call, Expr, Kind};

use super::Walker;
use super::values::thread_store;

impl<'a> Walker<'a> {
    pub(super) fn found(&mut self, rule: Rule, what: String, why: &'static str, at: u32) {
        let (method, place) = (self.scope.method, self.place(at));
        self.facts.sites.push(Site {
            rule,
            what,
            why,
            variable: None,
            method,
            place,
            always: false,
        });
    }

    pub(super) fn site(&mut self, call: &Call<'a>, at: u32) {
        self.test_doubles(call, at);
        if self.scope.method.is_none() || self.role.boot || self.role.test {
            return;
        }
        self.names(call, at);
        self.classes(call, at);
        self.hooks(call, at);
        self.threads(call, at);
    }

    /// Test adapters that are left on, and stores without a limit.
    fn test_doubles(&mut self, call: &Call<'a>, at: u32) {
        if self.role.test {
            return;
        }
        let class = call.receiver.as_ref().and_then(|it| it.constant());
        let test = |arg: Option<&Expr<'a>>| arg.and_then(|it| it.name()) == Some("test");
        let found = match (class, call.name) {
            (Some("Sidekiq::Testing"), "fake!") => Some((
                "Sidekiq::Testing.fake!",
                "every job is kept in an Array, for tests to look at",
            )),
            (_, "queue_adapter=") if test(call.args.first()) => Some((
                "queue_adapter = :test",
                "every job is kept in an Array, for tests to look at",
            )),
            (_, "delivery_method=") if test(call.args.first()) => Some((
                "delivery_method = :test",
                "every mail is kept in ActionMailer::Base.deliveries",
            )),
            (None, "use" | "middleware.use")
                if call.args.first().and_then(|it| it.constant()) == Some("Rack::Session::Pool") =>
            {
                Some((
                    "Rack::Session::Pool",
                    "sessions stay in memory: expire_after does not remove them",
                ))
            }
            (Some(_) | None, "use")
                if call.args.first().and_then(|it| it.constant()) == Some("Rack::Session::Pool") =>
            {
                Some((
                    "Rack::Session::Pool",
                    "sessions stay in memory: expire_after does not remove them",
                ))
            }
            _ => None,
        };
        if let Some((what, why)) = found {
            let (method, place) = (self.scope.method, self.place(at));
            self.facts.sites.push(Site {
                rule: Rule::LongLivedBuffer,
                what: what.to_owned(),
                why,
                variable: None,
                method,
                place,
                always: true,
            });
        }
    }

    /// Names that Ruby keeps for ever.
    fn names(&mut self, call: &Call<'a>, at: u32) {
        let (rule, why) = match call.name {
            "instance_variable_set" => (
                Rule::DynamicSymbol,
                "names of instance variables are Symbols that stay for ever, and each new one costs a shape",
            ),
            "class_variable_set" => (
                Rule::DynamicSymbol,
                "names of class variables are Symbols that stay, and so do the values",
            ),
            "const_set" => (
                Rule::DynamicSymbol,
                "constants stay for ever, with their names and values",
            ),
            "thread_variable_set" if thread_store(call).is_some() => (
                Rule::DynamicSymbol,
                "names of thread variables are Symbols that stay for ever",
            ),
            _ => return,
        };
        // of a class there are few
        let few = self.level() == Some(Level::Class) && call.name == "instance_variable_set";
        if few || !call.args.first().is_some_and(|name| self.is_open_name(name)) {
            return;
        }
        self.found(
            rule,
            format!("{} with a name made at run time", call.name),
            why,
            at,
        );
    }

    /// `Thread.current["user_#{id}"] = …`
    pub(super) fn open_thread_key(&mut self, call: &Call<'a>, at: u32) {
        if self.scope.method.is_none() || call.name == "thread_variable_set" {
            return;
        }
        if call.args.first().is_some_and(|key| self.is_open_name(key)) {
            self.found(
                Rule::DynamicSymbol,
                "a thread-local with a name made at run time".to_owned(),
                "names of thread-locals are Symbols that stay for ever, even when the value is nil again",
                at,
            );
        }
    }

    /// Whether it is a name with something in it that comes from outside.
    pub(super) fn is_open_name(&self, expr: &Expr<'a>) -> bool {
        match &expr.kind {
            Kind::Interpolated(list) | Kind::InterpolatedSymbol(list) => list.iter().any(|part| {
                !matches!(part.kind, Kind::Text(_)) && !self.is_bounded(part) && self.is_open_part(part)
            }),
            Kind::Local(name) => {
                !self.is_bounded(expr) && self.frame.locals.get(name).is_some_and(|local| local.open_name)
            }
            Kind::Call(call) => match call.name {
                "to_sym" | "intern" | "to_s" => {
                    !self.is_bounded(expr)
                        && call
                            .receiver
                            .as_ref()
                            .is_some_and(|it| self.is_open_name(it) || it.call().is_some())
                }
                "+" => {
                    call.receiver.as_ref().is_some_and(|it| self.is_open_name(it))
                        || call.args.iter().any(|it| self.is_open_name(it))
                }
                _ => false,
            },
            Kind::Seq(list) => list.last().is_some_and(|it| self.is_open_name(it)),
            _ => false,
        }
    }

    fn is_open_part(&self, expr: &Expr<'a>) -> bool {
        match &expr.kind {
            Kind::Seq(list) => list.iter().any(|it| self.is_open_part(it)),
            Kind::Local(name) => self.frame.locals.get(name).is_some_and(|local| local.open_name),
            Kind::Call(_) => true,
            _ => false,
        }
    }

    /// Classes, modules and methods that a method makes.
    fn classes(&mut self, call: &Call<'a>, at: u32) {
        if self.makes_class(call) {
            return self.class_made(call, at);
        }
        let class = call.receiver.as_ref().and_then(|it| it.constant());
        let method = self.scope.method.and_then(|index| self.facts.methods.get(index));
        let Some(method) = method else { return };
        let instance = method.level == Level::Instance;
        if self.frame.once > 0 {
            return;
        }
        match call.name {
            "new" if class == Some("OpenStruct") && instance => self.found(
                Rule::ClassPerCall,
                "OpenStruct.new in a method".to_owned(),
                "each object gets a singleton class with methods of its own, which makes Ruby forget its method caches",
                at,
            ),
            "class_eval" | "module_eval" | "instance_eval" | "class_exec" if !on_few(call) => {
                let text = call.args.first().filter(|arg| matches!(arg.kind, Kind::Interpolated(_)) && self.is_open_name(arg));
                if text.is_some() && instance && defines_in_text(text) {
                    self.found(
                        Rule::ClassPerCall,
                        format!("{} of a text that is made at run time", call.name),
                        "each text is compiled, and the methods that it defines stay",
                        at,
                    );
                }
            }
            "define_method" | "define_singleton_method" => self.method_made(call, instance, at),
            "send" | "public_send" | "__send__" if instance && names_define_method(call) => {
                self.method_made_named(call.args.get(1), call, at);
            }
            _ => {}
        }
    }

    fn method_made(&mut self, call: &Call<'a>, instance: bool, at: u32) {
        let on_constant = call.receiver.as_ref().is_some_and(|it| it.constant().is_some());
        let on_class = call
            .receiver
            .as_ref()
            .and_then(|it| it.call())
            .is_some_and(|it| it.name == "class");
        let own = call
            .receiver
            .as_ref()
            .is_none_or(|it| matches!(it.kind, Kind::SelfRef));
        if (instance && (on_class || own)) || on_constant {
            self.method_made_named(call.args.first(), call, at);
        }
    }

    fn method_made_named(&mut self, name: Option<&Expr<'a>>, call: &Call<'a>, at: u32) {
        let Some(name) = name else { return };
        if self.is_bounded(name) {
            return;
        }
        // of the object alone: its name is what stays
        let own = call
            .receiver
            .as_ref()
            .is_none_or(|it| matches!(it.kind, Kind::SelfRef));
        let made = matches!(name.kind, Kind::Interpolated(_) | Kind::InterpolatedSymbol(_));
        if made && (own || call.name.ends_with("send")) {
            if self.is_open_name(name) {
                self.found(
                    Rule::DynamicSymbol,
                    "a method with a name made at run time".to_owned(),
                    "names of methods are Symbols that stay for ever, and so do methods of a class",
                    at,
                );
            }
        } else if name.local().is_some() || made {
            self.found(
                Rule::ClassPerCall,
                "a method defined in a method".to_owned(),
                "the method stays, with everything that its block refers to",
                at,
            );
        }
    }

    pub(super) fn class_made(&mut self, call: &Call<'a>, at: u32) {
        let name = call
            .receiver
            .as_ref()
            .and_then(|it| it.constant())
            .unwrap_or("Class")
            .to_owned();
        if let Some(parent) = call.args.first().and_then(|arg| arg.constant()) {
            self.facts.made.push(MadeClass {
                nesting: self.scope.owner.clone(),
                parent: parent.to_owned(),
                method: self.scope.method,
            });
        }
        let class_level = self.level() == Some(Level::Class);
        if self.frame.once > 0 || self.scope.anonymous || class_level {
            return;
        }
        self.found(
            Rule::ClassPerCall,
            format!("{name}.{} in a method", call.name),
            "each call makes a class, with methods, caches and an entry in its superclass",
            at,
        );
    }

    /// What subscribes, and is not undone.
    fn hooks(&mut self, call: &Call<'a>, at: u32) {
        if self.frame.once > 0 {
            return;
        }
        let class = call
            .receiver
            .as_ref()
            .and_then(|it| it.constant())
            .map(|it| it.trim_start_matches("::"));
        let found = match (class, call.name) {
            (Some("ActiveSupport::Notifications"), "subscribe" | "monotonic_subscribe") => {
                if self.frame.undone {
                    return;
                }
                (
                    "ActiveSupport::Notifications.subscribe",
                    "each call adds a subscriber, which is called and kept for ever",
                )
            }
            (Some("ActiveSupport"), "on_load") => (
                "ActiveSupport.on_load",
                "each call adds a block that is kept for ever",
            ),
            (None | Some("Kernel"), "at_exit") if call.block.is_some() => (
                "at_exit",
                "each call adds a block that is kept until the process ends, with all that it refers to",
            ),
            (Some("ObjectSpace"), "define_finalizer") => {
                if !self.closes_over_self(call) {
                    return;
                }
                (
                    "a finalizer that refers to its own object",
                    "the object is reachable from its finalizer and is never collected",
                )
            }
            (Some("TracePoint"), "new") => return,
            (_, "enable") => {
                let traced = call.receiver.as_ref().and_then(|it| it.call());
                let traced = traced.is_some_and(|it| {
                    it.name == "new"
                        && it.receiver.as_ref().and_then(|it| it.constant()) == Some("TracePoint")
                });
                if !traced || call.block.is_some() || call.block_arg.is_some() {
                    return;
                }
                (
                    "a TracePoint that stays enabled",
                    "nobody has the object to disable it: it is called and kept for ever",
                )
            }
            (_, "add_observer") => ("add_observer", "nothing in the program calls delete_observer"),
            (Some(_), "set_callback") if call.block.is_some() => (
                "set_callback in a method",
                "each call adds a callback to the class",
            ),
            _ => return,
        };
        let (what, why) = found;
        self.found(Rule::SubscriptionPerCall, what.to_owned(), why, at);
    }

    /// A block or proc in an instance method refers to `self`.
    fn closes_over_self(&self, call: &Call<'a>) -> bool {
        if self.level() != Some(Level::Instance) {
            return false;
        }
        if !call
            .args
            .first()
            .is_some_and(|it| matches!(it.kind, Kind::SelfRef))
        {
            return false;
        }
        call.block.is_some()
            || call.args.get(1).is_some_and(|it| match &it.kind {
                Kind::Lambda(_) => true,
                Kind::Call(inner) => {
                    (matches!(inner.name, "proc" | "lambda") && inner.receiver.is_none())
                        || (inner.name == "method" && inner.receiver.is_none())
                        || (inner.name == "new"
                            && inner.receiver.as_ref().and_then(|it| it.constant()) == Some("Proc"))
                }
                _ => false,
            })
    }

    fn threads(&mut self, call: &Call<'a>, at: u32) {
        if self.frame.once > 0 {
            return;
        }
        if let (true, Some(block)) = (is_thread(call), &call.block) {
            if endless(&block.body) && !self.frame.kept_thread {
                self.found(
                    Rule::ThreadRetention,
                    "a thread that does not end, started in a method".to_owned(),
                    "each call starts another, which keeps its stack and all that its block refers to",
                    at,
                );
            }
        }
    }

    pub(super) fn makes_thread(&self, expr: &Expr<'a>) -> bool {
        expr.call().is_some_and(is_thread)
    }

    /// An instance variable that keeps the request.
    pub(super) fn kept(&mut self, var: &Var, value: &Expr<'a>, at: u32) {
        if !matches!(
            var,
            Var::Ivar {
                level: Level::Instance,
                ..
            }
        ) || self.in_initialize()
        {
            return;
        }
        let request = match &value.kind {
            Kind::Local("env" | "request" | "_env") => true,
            Kind::Call(call) => {
                let class = call.receiver.as_ref().and_then(|it| it.constant());
                let app = matches!(
                    call.receiver.as_ref().map(|it| &it.kind),
                    Some(Kind::Ivar("@app"))
                );
                (class.is_some_and(|it| it.ends_with("Request")) && call.name == "new")
                    || (app && call.name == "call")
            }
            _ => false,
        };
        if request {
            let (owner, method, place) = (self.scope.owner.clone(), self.scope.method, self.place(at));
            self.facts.kept.push(Kept {
                var: var.clone(),
                owner,
                method,
                place,
            });
        }
    }
}

fn defines_in_text(text: Option<&Expr<'_>>) -> bool {
    let Some(Kind::Interpolated(list)) = text.map(|it| &it.kind) else {
        return false;
    };
    list.iter().any(|part| match part.kind {
        Kind::Text(text) => text.windows(4).any(|it| it == b"def "),
        _ => false,
    })
}

pub(super) fn is_thread(call: &Call<'_>) -> bool {
    matches!(call.name, "new" | "start" | "fork")
        && call.receiver.as_ref().and_then(|it| it.constant()) == Some("Thread")
}

/// `loop do`, `while true`, without a way out.
fn endless(body: &Expr<'_>) -> bool {
    let stays = |expr: &Expr<'_>| {
        expr.any(&mut |it| match &it.kind {
            Kind::Return(_) => true,
            Kind::Call(call) => matches!(call.name, "raise" | "throw" | "exit" | "break"),
            _ => false,
        }) == Some(false)
    };
    let runs = |expr: &Expr<'_>| match &expr.kind {
        Kind::Call(call) if call.name == "loop" && call.receiver.is_none() => {
            call.block.as_ref().is_some_and(|block| stays(&block.body))
        }
        Kind::Loop(it) => matches!(it.condition.kind, Kind::Literal) && stays(&it.body),
        _ => false,
    };
    let body = match &body.kind {
        Kind::Begin(begin) => &begin.body,
        _ => body,
    };
    match &body.kind {
        Kind::Seq(list) => list.iter().any(runs),
        _ => runs(body),
    }
}

/// What a call opens, without a block that closes it.
pub(super) fn resource(call: &Call<'_>) -> Option<&'static str> {
    if call.block.is_some() || call.block_arg.is_some() {
        return None;
    }
    let class = call.receiver.as_ref()?.constant()?.trim_start_matches("::");
    Some(match (class, call.name) {
        ("Tempfile", "new" | "open" | "create") => "a temporary file",
        ("File" | "IO", "open" | "new") => "a file",
        ("IO", "popen") => "a pipe",
        ("Dir", "open" | "new") => "a folder",
        (
            "TCPSocket" | "UNIXSocket" | "UDPSocket" | "OpenSSL::SSL::SSLSocket" | "Socket",
            "new" | "open" | "tcp",
        ) => "a socket",
        ("Net::HTTP::Persistent", "new") => "a persistent connection",
        ("Redis", "new") => "a connection to Redis",
        ("Zip::File", "open" | "new") => "a zip file",
        ("SQLite3::Database", "new" | "open") => "a database",
        ("PG" | "PG::Connection", "connect" | "new" | "open") => "a connection to PostgreSQL",
        ("Mysql2::Client", "new") => "a connection to MySQL",
        ("GRPC::Core::Channel", "new") => "a gRPC channel",
        (
            "Concurrent::FixedThreadPool"
            | "Concurrent::CachedThreadPool"
            | "Concurrent::ThreadPoolExecutor"
            | "Concurrent::SingleThreadExecutor",
            "new",
        ) => "a pool of threads",
        (class, "new") if class.starts_with("Aws::") && class.ends_with("::Client") => "an AWS client",
        _ => return None,
    })
}

/// `send(:define_method, …)`
fn names_define_method(call: &Call<'_>) -> bool {
    call.args.first().and_then(|arg| arg.name()) == Some("define_method")
}

/// On a class that is given: macros define methods of it.
fn on_few(call: &Call<'_>) -> bool {
    let receiver = call.receiver.as_ref();
    receiver.and_then(|it| it.local()).is_some_and(super::keys::few)
        || receiver
            .and_then(|it| it.call())
            .is_some_and(|it| it.receiver.is_none() && super::keys::few(it.name))
}
