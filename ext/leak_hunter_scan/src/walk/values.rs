//! Which variable an expression is, and what is assigned to one.

use crate::facts::{Level, On, ThreadStore, Type, Var};
use crate::tree::{Call, Expr, Kind, Op};

use super::Walker;

/// Calls that answer what they are called on.
const SAME: [&str; 23] = [
    "<<",
    "push",
    "append",
    "tap",
    "merge!",
    "update",
    "concat",
    "add",
    "add?",
    "unshift",
    "prepend",
    "each",
    "each_value",
    "itself",
    "compare_by_identity",
    "then",
    "sort!",
    "map!",
    "each_with_index",
    "each_pair",
    "to_h",
    "to_a",
    "+@",
];

/// Calls that answer an entry.
const ENTRY: [&str; 12] = [
    "[]",
    "fetch",
    "dig",
    "first",
    "last",
    "store",
    "compute_if_absent",
    "fetch_or_store",
    "put_if_absent",
    "at",
    "values",
    "[]=",
];

/// Parts of names of classes that limit themselves.
const LIMITED: [&str; 14] = [
    "LRU",
    "Lru",
    "TTL",
    "Ttl",
    "Weak",
    "Bounded",
    "Ring",
    "Circular",
    "SizedQueue",
    "MemoryStore",
    "Expir",
    "Cache::Store",
    "FixedSize",
    "Limited",
];

impl<'a> Walker<'a> {
    /// The variable that an expression is.
    pub(super) fn var(&self, expr: &Expr<'a>) -> Option<Var> {
        Some(match &expr.kind {
            Kind::Ivar(name) => Var::Ivar {
                owner: self.scope.owner.clone(),
                level: self.level()?,
                name: (*name).to_owned(),
            },
            Kind::Cvar(name) => Var::Cvar {
                owner: self.scope.owner.clone(),
                name: (*name).to_owned(),
            },
            Kind::Global(name) => Var::Global((*name).to_owned()),
            Kind::Const(path) => Var::Const {
                nesting: self.scope.owner.clone(),
                path: path.clone(),
            },
            Kind::Local(name) => return self.frame.locals.get(name).and_then(|local| local.alias.clone()),
            Kind::Call(call) => return self.read_of(call),
            _ => return None,
        })
    }

    /// A variable that a call without arguments answers.
    fn read_of(&self, call: &Call<'a>) -> Option<Var> {
        if let Some(var) = self.thread_var(call) {
            return Some(var);
        }
        if let Some(var) = self.reflective(call) {
            return Some(var);
        }
        if !call.args.is_empty() || call.block.is_some() || call.block_arg.is_some() {
            return None;
        }
        let named = call
            .name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !named || call.name.ends_with(['?', '!', '=']) {
            return None;
        }
        let on = match &call.receiver {
            None => self.own()?,
            Some(receiver) => match &receiver.kind {
                Kind::SelfRef => self.own()?,
                Kind::Const(path) => self.on_const(path),
                Kind::Call(inner) if inner.name == "class" && inner.args.is_empty() => On::Own {
                    owner: self.scope.owner.clone(),
                    level: Level::Class,
                },
                _ => return None,
            },
        };
        let name = call.name.to_owned();
        Some(Var::Reader { on, name })
    }

    /// `Thread.current[:x]`, `Fiber[:x]`
    pub(super) fn thread_var(&self, call: &Call<'a>) -> Option<Var> {
        let store = thread_store(call)?;
        let key = match &call.args.first()?.kind {
            Kind::Symbol(name) => format!("[:{name}]"),
            Kind::Text(text) => format!("[:{}]", String::from_utf8_lossy(text)),
            Kind::Const(path) => format!("[{path}]"),
            _ => return None,
        };
        Some(Var::Thread(store, key))
    }

    /// `instance_variable_get(:@x)` of the class itself.
    fn reflective(&self, call: &Call<'a>) -> Option<Var> {
        if !matches!(
            call.name,
            "instance_variable_get" | "class_variable_get" | "const_get"
        ) {
            return None;
        }
        let name = call.args.first()?.name()?.to_owned();
        let own = match &call.receiver {
            None => true,
            Some(receiver) => matches!(receiver.kind, Kind::SelfRef),
        };
        let owner = self.scope.owner.clone();
        match (call.name, own) {
            ("instance_variable_get", true) => Some(Var::Ivar {
                owner,
                level: self.level()?,
                name,
            }),
            ("class_variable_get", true) => Some(Var::Cvar { owner, name }),
            _ => None,
        }
    }

    /// The variable in which an expression is, and whether the expression is an entry of it.
    pub(super) fn holder(&self, expr: &Expr<'a>) -> Option<(Var, bool)> {
        self.holder_within(expr, 12)
    }

    fn holder_within(&self, expr: &Expr<'a>, depth: u32) -> Option<(Var, bool)> {
        let depth = depth.checked_sub(1)?;
        if let Some(var) = self.var(expr) {
            return Some((var, false));
        }
        match &expr.kind {
            Kind::Seq(list) => self.holder_within(list.last()?, depth),
            Kind::Assign(assign) => match assign.op {
                Op::Or => self.holder_within(&assign.target, depth),
                _ => self
                    .holder_within(&assign.value, depth)
                    .or_else(|| self.holder_within(&assign.target, depth)),
            },
            Kind::Either(left, _) => self.holder_within(left, depth),
            Kind::Call(call) => {
                let receiver = call.receiver.as_ref()?;
                let (var, nested) = self.holder_within(receiver, depth)?;
                if SAME.contains(&call.name) {
                    Some((var, nested))
                } else if ENTRY.contains(&call.name) {
                    Some((var, true))
                } else {
                    None
                }
            }
            _ => None,
        }
    }

    /// What kind of thing an expression makes.
    pub(super) fn type_of(&self, expr: &Expr<'a>) -> Type {
        self.type_within(expr, 8)
    }

    fn type_within(&self, expr: &Expr<'a>, depth: u32) -> Type {
        let Some(depth) = depth.checked_sub(1) else {
            return Type::Other;
        };
        match &expr.kind {
            Kind::Array(_) => Type::Array,
            Kind::Hash(_) => Type::Hash,
            Kind::Text(_) | Kind::Interpolated(_) => Type::Text,
            Kind::Seq(list) => list
                .last()
                .map_or(Type::Other, |last| self.type_within(last, depth)),
            Kind::Either(left, right) => match self.type_within(left, depth) {
                Type::Other => self.type_within(right, depth),
                found => found,
            },
            Kind::Assign(assign) => self.type_within(&assign.value, depth),
            Kind::Call(call) => self.type_of_call(call, depth),
            _ => Type::Other,
        }
    }

    fn type_of_call(&self, call: &Call<'a>, depth: u32) -> Type {
        if let Some(receiver) = &call.receiver {
            match call.name {
                "freeze" => return Type::Bounded,
                "dup"
                | "clone"
                | "compare_by_identity"
                | "+@"
                | "tap"
                | "b"
                | "force_encoding"
                | "sort_by"
                | "sort"
                | "map" => {
                    return match (self.type_within(receiver, depth), call.name) {
                        (Type::Other, "map") => Type::Array,
                        (found, _) => found,
                    };
                }
                "to_set" => return Type::Set,
                "to_a" | "split" | "select" | "reject" | "compact" | "flat_map" => return Type::Array,
                "to_h" | "merge" | "index_by" | "group_by" | "transform_values" => return Type::Hash,
                _ => {}
            }
        }
        let Some(class) = call.receiver.as_ref().and_then(|receiver| receiver.constant()) else {
            let own = call
                .receiver
                .as_ref()
                .is_none_or(|receiver| matches!(receiver.kind, Kind::SelfRef));
            if call.name == "new" && own && self.level() == Some(Level::Class) {
                return Type::Instance(On::Own {
                    owner: self.scope.owner.clone(),
                    level: Level::Class,
                });
            }
            return Type::Other;
        };
        let class = class.trim_start_matches("::");
        if !matches!(call.name, "new" | "[]" | "instance" | "create") {
            return Type::Other;
        }
        if LIMITED.iter().any(|part| class.contains(part)) || call.args.iter().any(limits) {
            return Type::Bounded;
        }
        match class {
            "Array" | "Concurrent::Array" => Type::Array,
            "Hash"
            | "Concurrent::Hash"
            | "ActiveSupport::HashWithIndifferentAccess"
            | "HashWithIndifferentAccess"
            | "ActiveSupport::OrderedHash" => {
                if call.block.as_ref().is_some_and(stores) {
                    Type::StoringHash
                } else {
                    Type::Hash
                }
            }
            "Set" | "SortedSet" | "Concurrent::Set" => Type::Set,
            "Concurrent::Map" | "ThreadSafe::Cache" | "ThreadSafe::Hash" => {
                if call.block.as_ref().is_some_and(stores) {
                    Type::StoringMap
                } else {
                    Type::Map
                }
            }
            "String" => Type::Text,
            "Queue" | "Thread::Queue" => Type::Queue,
            "StringIO" => Type::StringIo,
            "Logger" | "ActiveSupport::Logger" => {
                match call.args.first().map(|arg| self.type_within(arg, depth)) {
                    Some(Type::StringIo) => Type::MemoryLogger,
                    _ => Type::Other,
                }
            }
            _ => Type::Instance(self.on_const(class)),
        }
    }
}

/// `max_size: 100`
fn limits(arg: &Expr<'_>) -> bool {
    let Kind::Hash(list) = &arg.kind else {
        return false;
    };
    list.iter().any(|key| {
        key.name().is_some_and(|name| {
            ["max", "limit", "ttl", "expire", "capacity"]
                .iter()
                .any(|part| name.starts_with(part))
        })
    })
}

/// Whether a default block stores, and does not remove.
fn stores(block: &crate::tree::Block<'_>) -> bool {
    let Some(hash) = block.params.first() else {
        return false;
    };
    let on_hash = |call: &Call<'_>| call.receiver.as_ref().and_then(|it| it.local()) == Some(*hash);
    let mut stored = false;
    let mut removed = false;
    block.body.any(&mut |expr| {
        match &expr.kind {
            Kind::Call(call) if on_hash(call) => {
                stored |= matches!(
                    call.name,
                    "[]=" | "store" | "compute_if_absent" | "put_if_absent" | "fetch_or_store"
                );
                removed |= matches!(
                    call.name,
                    "delete" | "shift" | "clear" | "delete_if" | "size" | "length"
                );
            }
            Kind::Assign(assign) if assign.target.call().is_some_and(on_hash) => stored = true,
            _ => {}
        }
        removed
    });
    stored && !removed
}

/// Which store of threads a call reads.
pub(super) fn thread_store(call: &Call<'_>) -> Option<ThreadStore> {
    let receiver = call.receiver.as_ref()?;
    if let Some(class) = receiver.constant() {
        return (matches!(call.name, "[]" | "[]=") && class == "Fiber").then_some(ThreadStore::Fiber);
    }
    let thread = receiver.call()?;
    if thread.name != "current" || thread.receiver.as_ref()?.constant()? != "Thread" {
        return None;
    }
    match call.name {
        "[]" | "[]=" | "fetch" => Some(ThreadStore::Local),
        "thread_variable_get" | "thread_variable_set" => Some(ThreadStore::Variable),
        _ => None,
    }
}
