//! What must be known of a method before it is gone through: what it checks, undoes, closes and gives away. One pass.

use std::collections::HashSet;

use crate::rule::Rule;
use crate::tree::{Call, Expr, Kind, Op};

use super::Walker;
use super::sites::{is_thread, resource};

/// What happens to locals of a method.
#[derive(Default)]
struct Seen<'a> {
    /// What is opened, and where.
    opened: Vec<Opened<'a>>,
    /// Closed, kept, answered, given away.
    gone: HashSet<&'a str>,
    subscribed: HashSet<&'a str>,
    unsubscribed: HashSet<&'a str>,
    checked: HashSet<&'a str>,
    kept_thread: bool,
    kept_subscriber: bool,
    dups: bool,
}

struct Opened<'a> {
    name: &'a str,
    what: &'static str,
    at: u32,
}

/// Calls that close what they are called on.
const CLOSE: [&str; 14] = [
    "close",
    "close!",
    "unlink",
    "shutdown",
    "quit",
    "disconnect",
    "disconnect!",
    "finish",
    "kill",
    "stop",
    "close_write",
    "wait_for_termination",
    "release",
    "autoclose=",
];

/// Calls that take nothing over from who calls them.
const PLAIN: [&str; 6] = ["puts", "p", "get", "request", "==", "print"];

impl<'a> Walker<'a> {
    pub(super) fn look_ahead(&mut self, body: &Expr<'a>) {
        let mut seen = Seen::default();
        seen.gone.extend(body.last().local());
        body.each_here(&mut |expr| seen.look(expr));
        self.frame.kept_thread = seen.kept_thread;
        self.frame.dups = seen.dups;
        // subscriber = subscribe(…); unsubscribe(subscriber)
        self.frame.undone =
            seen.kept_subscriber || seen.subscribed.iter().any(|it| seen.unsubscribed.contains(it));
        self.frame.checked = seen.checked;
        self.frame.once += u32::from(runs_once(body));
        if self.role.boot || self.role.test {
            return;
        }
        for opened in seen.opened.iter().filter(|it| !seen.gone.contains(it.name)) {
            self.found(
                Rule::ResourcePerCall,
                format!("{}, opened and not closed", opened.what),
                "it keeps its descriptor, connection or threads until it is collected, or for ever",
                opened.at,
            );
        }
    }
}

impl<'a> Seen<'a> {
    fn look(&mut self, expr: &Expr<'a>) {
        match &expr.kind {
            Kind::Call(call) => self.call(call),
            Kind::Return(list) | Kind::Array(list) | Kind::Hash(list) | Kind::Other(list) => {
                self.gone.extend(list.iter().filter_map(Expr::local));
            }
            Kind::Assign(assign) => {
                if assign.target.local().is_none() {
                    self.gone.extend(assign.value.local());
                }
                if let (Op::Set | Op::Or, Some(call)) = (assign.op, assign.value.call()) {
                    self.assigned(&assign.target, call, assign.value.at);
                }
            }
            _ => {}
        }
    }

    fn assigned(&mut self, target: &Expr<'a>, call: &Call<'a>, at: u32) {
        let subscribes = matches!(call.name, "subscribe" | "monotonic_subscribe");
        match target.kind {
            Kind::Local(name) => {
                if let Some(what) = resource(call) {
                    self.opened.push(Opened { name, what, at });
                }
                if subscribes {
                    self.subscribed.insert(name);
                }
            }
            Kind::Ivar(_) | Kind::Cvar(_) if is_thread(call) => self.kept_thread = true,
            Kind::Ivar(_) if subscribes => self.kept_subscriber = true,
            _ => {}
        }
    }

    fn call(&mut self, call: &Call<'a>) {
        let receiver = call.receiver.as_ref();
        if CLOSE.contains(&call.name) {
            self.gone.extend(receiver.and_then(Expr::local));
        }
        if !PLAIN.contains(&call.name) {
            self.gone.extend(call.args.iter().filter_map(Expr::local));
        }
        if call.name == "unsubscribe" {
            self.unsubscribed.extend(call.args.iter().filter_map(Expr::local));
        }
        // dup._call(env)
        let on_copy = receiver.and_then(Expr::call);
        self.dups |=
            on_copy.is_some_and(|inner| matches!(inner.name, "dup" | "clone") && inner.receiver.is_none());
        if checks(call) {
            self.checked.extend(call.args.iter().filter_map(Expr::local));
        }
    }
}

/// Whether a call asks whether its argument is one of a few, or whether there is something of that name.
fn checks(call: &Call<'_>) -> bool {
    let receiver = call.receiver.as_ref().map(|it| &it.kind);
    match call.name {
        "respond_to?" | "method_defined?" | "const_defined?" => true,
        "include?" | "key?" | "has_key?" | "member?" | "cover?" => match receiver {
            Some(Kind::Const(_) | Kind::Array(_)) => true,
            Some(Kind::Call(inner)) => inner.args.is_empty() && inner.name.ends_with(['s', 'e']),
            _ => false,
        },
        "fetch" => call.args.len() == 1 && call.block.is_none() && matches!(receiver, Some(Kind::Const(_))),
        _ => false,
    }
}

/// `return if @done` at the beginning.
fn runs_once(body: &Expr<'_>) -> bool {
    let Kind::Seq(list) = &body.kind else { return false };
    list.iter().take(2).any(|expr| match &expr.kind {
        Kind::Branch(branch) => {
            let returns = |side: &Option<Expr<'_>>| {
                side.as_ref()
                    .is_some_and(|it| it.any(&mut |expr| matches!(expr.kind, Kind::Return(_))) == Some(true))
            };
            let asks = matches!(
                branch.condition.last().kind,
                Kind::Ivar(_) | Kind::Cvar(_) | Kind::Global(_)
            );
            asks && (returns(&branch.yes) || returns(&branch.no))
        }
        _ => false,
    })
}
