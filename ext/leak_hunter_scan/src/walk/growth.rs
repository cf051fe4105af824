//! What makes collections longer, and what makes them shorter.

use crate::facts::{Assigned, Growth, Key, Removal, Type, Var};
use crate::tree::{Assign, Call, Expr, Kind, Op};

use super::values::thread_store;
use super::{Local, Walker, sets_once};

/// Take something out.
const REMOVE: [&str; 29] = [
    "delete",
    "delete_if",
    "delete_at",
    "shift",
    "pop",
    "reject!",
    "select!",
    "filter!",
    "keep_if",
    "slice!",
    "deq",
    "pop!",
    "compact!",
    "prune",
    "prune!",
    "expire",
    "expire!",
    "evict",
    "evict!",
    "cleanup",
    "truncate",
    "drain",
    "delete_pair",
    "subtract",
    "except!",
    "extract!",
    "drop!",
    "unregister",
    "trim",
];

/// Take everything out.
const REMOVE_ALL: [&str; 7] = [
    "clear",
    "replace",
    "reset",
    "reset!",
    "clear!",
    "reopen",
    "delete_all",
];

impl<'a> Walker<'a> {
    pub(super) fn assignment(&mut self, assign: &Assign<'a>, at: u32) {
        match &assign.target.kind {
            Kind::Local(name) => self.local(name, assign),
            Kind::Const(path) if assign.op == Op::Set || sets_once(assign.op) => {
                if let Kind::Call(call) = &assign.value.kind {
                    if self.makes_class(call) {
                        return self.named_class(path, call, at);
                    }
                }
                self.variable(assign, at);
            }
            Kind::Call(target) if target.name == "[]" => self.element(target, assign, at),
            Kind::Call(_) => {
                self.variable(assign, at);
                self.visit(&assign.target);
            }
            _ => self.variable(assign, at),
        }
    }

    /// `Point = Struct.new(:x) do … end`
    fn named_class(&mut self, path: &str, call: &Call<'a>, at: u32) {
        let superclass = call
            .args
            .first()
            .and_then(|arg| arg.constant())
            .map(str::to_owned);
        let class = crate::tree::ClassDef {
            path: path.to_owned(),
            superclass: None,
            is_module: false,
            body: Expr { at, kind: Kind::Nil },
        };
        let name = self.nested(path);
        self.class(&class);
        if let Some(known) = self.facts.classes.last_mut() {
            known.superclass = superclass;
        }
        call.args.iter().for_each(|it| self.visit(it));
        if let Some(block) = &call.block {
            let scope = super::Scope {
                owner: name,
                body: super::Body::Class,
                is_module: false,
                module_function: false,
                entry: self.role.entry,
                method: None,
                anonymous: false,
            };
            self.within(scope, |it| it.visit(&block.body));
        }
        if self.scope.method.is_some() {
            self.class_made(call, at);
        }
    }

    fn local(&mut self, name: &'a str, assign: &Assign<'a>) {
        self.visit(&assign.value);
        let alias = match &assign.value.kind {
            // a copy is another collection
            Kind::Call(call) if matches!(call.name, "dup" | "clone") => None,
            _ => self
                .holder(&assign.value)
                .filter(|(_, nested)| !nested)
                .map(|(var, _)| var),
        };
        let local = match assign.op {
            Op::Set | Op::Or => Local {
                alias,
                bounded: self.is_bounded(&assign.value) || self.is_fixed_list(&assign.value),
                open_name: self.is_open_name(&assign.value),
            },
            _ => self.frame.locals.get(name).cloned().unwrap_or_default(),
        };
        self.frame.locals.insert(name, local);
        // list << x; list = @list || []: what is in it grows, too
        if assign.op == Op::Set {
            self.note_type_of_default(&assign.value);
        }
    }

    /// `x = Thread.current[:list] || []`
    fn note_type_of_default(&mut self, value: &Expr<'a>) {
        if let Kind::Either(left, right) = &value.kind {
            if let Some(var @ Var::Thread(..)) = self.var(left) {
                let of = self.type_of(right);
                self.assigned(var, of, true, value.at);
            }
        }
    }

    fn assigned(&mut self, var: Var, of: Type, once: bool, at: u32) {
        let place = self.place(at);
        self.facts.assigned.push(Assigned { var, of, once, place });
    }

    fn variable(&mut self, assign: &Assign<'a>, at: u32) {
        let of_object = matches!(assign.target.kind, Kind::Ivar(_)) && self.in_initialize();
        let once = u32::from(assign.op == Op::Or || of_object);
        self.frame.once += once;
        self.visit(&assign.value);
        self.frame.once -= once;
        let Some(var) = self.var(&assign.target) else {
            return;
        };
        match assign.op {
            Op::Binary("+" | "|" | "<<") => {
                let of = self.type_of(&assign.value);
                if of.is_collection() || matches!(assign.op, Op::Binary("|")) {
                    self.sink(&assign.target, Growth::Plus, Key::None, false, at);
                }
            }
            Op::Binary(_) => self.shrink(var, Removal::All),
            Op::Or => {
                let of = self.type_of(&assign.value);
                self.assigned(var, of, true, at);
            }
            Op::And => {}
            Op::Set => {
                // @x = @x + [y]
                if let Kind::Call(call) = &assign.value.kind {
                    let same = call.receiver.as_ref().and_then(|it| self.var(it)).as_ref() == Some(&var);
                    if same && matches!(call.name, "+" | "|" | "merge") {
                        self.sink(&assign.target, Growth::Plus, Key::None, false, at);
                        return;
                    }
                }
                let of = self.type_of(&assign.value);
                let load = self.is_load_time() || self.in_initialize();
                self.kept(&var, &assign.value, at);
                // the result of a change of itself: @x = (@x << y)
                if !load && self.holder(&assign.value).is_none_or(|(held, _)| held != var) {
                    let nil = matches!(assign.value.kind, Kind::Nil);
                    self.shrink(var.clone(), if nil { Removal::Nil } else { Removal::All });
                }
                self.assigned(var, of, load, at);
            }
        }
    }

    /// `list[key] ||= value`, `counts[key] += 1`
    fn element(&mut self, target: &Call<'a>, assign: &Assign<'a>, at: u32) {
        // Thread.current[:x] ||= []
        if thread_store(target).is_some() {
            if self.thread_var(target).is_some() {
                return self.variable(assign, at);
            }
            self.visit(&assign.value);
            return self.open_thread_key(target, at);
        }
        self.visit(&assign.value);
        let Some(receiver) = &target.receiver else {
            return;
        };
        self.visit(receiver);
        target.args.iter().for_each(|it| self.visit(it));
        let how = match assign.op {
            // a list for each key, which is filled elsewhere
            Op::Or if self.type_of(&assign.value).is_collection() => Growth::Store,
            Op::Or => Growth::Memo,
            Op::Binary(_) => Growth::Count,
            _ => Growth::Store,
        };
        let key = self.keys(&target.args);
        // @counts[k] += [x]
        if let (Op::Binary("+" | "|"), true) = (assign.op, self.type_of(&assign.value).is_collection()) {
            self.sink(receiver, Growth::Append, Key::None, false, at);
        }
        let thread = self.makes_thread(&assign.value);
        self.sink(receiver, how, key, thread, at);
    }

    fn keys(&self, args: &[Expr<'a>]) -> Key {
        match args {
            [] => Key::None,
            [key] => self.key(Some(key)),
            keys if keys.iter().all(|key| self.is_bounded(key)) => Key::Bounded,
            _ => Key::Open,
        }
    }

    pub(super) fn called(&mut self, call: &Call<'a>, at: u32) {
        if self.defines(call, at) {
            self.site(call, at);
            return;
        }
        self.note_call(call);
        self.site(call, at);
        self.collection(call, at);
        if let Some(receiver) = &call.receiver {
            self.visit(receiver);
        }
        call.args.iter().for_each(|it| self.visit(it));
        call.block_arg.iter().for_each(|it| self.visit(it));
        if let Some(block) = &call.block {
            // Hash.new { … }: the block is kept
            if call.name == "new" && self.scope.method.is_none() {
                self.later(block, "(block)", at);
            } else {
                self.block(block, call.receiver.as_ref());
            }
        }
    }

    /// What a call does to the collection that it is called on.
    fn collection(&mut self, call: &Call<'a>, at: u32) {
        let Some(receiver) = &call.receiver else {
            return self.forgets(call);
        };
        self.compares(call, receiver);
        if thread_store(call).is_some() {
            return self.thread_write(call, at);
        }
        // Foo.items = [], self.items = []
        if let (Some(name), [value]) = (call.name.strip_suffix('='), call.args.as_slice()) {
            if name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase()) {
                return self.writer(receiver, name, value, at);
            }
        }
        let last_but_value = call.args.split_last().map_or(&[][..], |(_, keys)| keys);
        let thread = call.args.iter().any(|arg| self.makes_thread(arg));
        let grown = match call.name {
            "<<" | "push" | "append" | "unshift" | "prepend" | "insert" | "enq" => {
                Some((Growth::Append, self.entry(call)))
            }
            "add" | "add?" => Some((Growth::Add, self.keys(&call.args))),
            "[]=" | "store" => Some((Growth::Store, self.keys(last_but_value))),
            "compute_if_absent" | "fetch_or_store" | "put_if_absent" | "compute" => {
                Some((Growth::Memo, self.key(call.args.first())))
            }
            "merge!" | "update" | "deep_merge!" | "reverse_merge!" => {
                Some((Growth::Merge, self.merged(call)))
            }
            "concat" => Some((Growth::Concat, Key::Open)),
            "puts" | "print" | "printf" | "write" | "putc" => Some((Growth::Write, Key::Open)),
            "info" | "debug" | "warn" | "error" | "fatal" => Some((Growth::Log, Key::Open)),
            "[]" | "fetch" | "dig" | "key?" | "has_key?" | "include?" | "member?" => {
                Some((Growth::Read, self.keys(&call.args)))
            }
            _ => None,
        };
        if let Some((how, key)) = grown {
            return self.sink(receiver, how, key, thread, at);
        }
        let removal = if REMOVE.contains(&call.name) {
            Removal::Some
        } else if REMOVE_ALL.contains(&call.name) {
            Removal::All
        } else if call.name == "freeze" {
            Removal::Freeze
        } else {
            return;
        };
        if let Some((var, _)) = self.holder(receiver) {
            self.shrink(var, removal);
        }
    }

    /// What is appended: a literal every time is counted, too, but a class is one of a few.
    fn entry(&self, call: &Call<'a>) -> Key {
        match call.args.first().map(|arg| &arg.kind) {
            Some(Kind::Call(inner)) if inner.name == "class" => Key::Bounded,
            Some(Kind::SelfRef) if self.level() == Some(crate::facts::Level::Class) => Key::Bounded,
            Some(Kind::Const(_)) => Key::Bounded,
            Some(Kind::Local(name)) if super::keys::few(name) => Key::Bounded,
            _ => Key::Open,
        }
    }

    fn merged(&self, call: &Call<'a>) -> Key {
        let fixed = call.args.iter().all(|arg| match &arg.kind {
            Kind::Hash(list) => list.len() % 2 == 0 && list.iter().step_by(2).all(|key| self.is_bounded(key)),
            Kind::Const(_) => true,
            _ => false,
        });
        if fixed { Key::Bounded } else { Key::Open }
    }

    fn writer(&mut self, receiver: &Expr<'a>, name: &str, value: &Expr<'a>, at: u32) {
        let on = match &receiver.kind {
            Kind::SelfRef => self.own(),
            Kind::Const(path) => Some(self.on_const(path)),
            Kind::Call(inner) if inner.name == "class" && inner.args.is_empty() => {
                Some(crate::facts::On::Own {
                    owner: self.scope.owner.clone(),
                    level: crate::facts::Level::Class,
                })
            }
            _ => None,
        };
        let Some(on) = on else { return };
        let var = Var::Reader {
            on,
            name: name.to_owned(),
        };
        let of = self.type_of(value);
        let load = self.is_load_time() || self.in_initialize();
        if let Kind::Call(inner) = &value.kind {
            let same = inner.receiver.as_ref().and_then(|it| self.var(it)).as_ref() == Some(&var);
            if same && matches!(inner.name, "+" | "|" | "merge") {
                let (place, method) = (self.place(at), self.scope.method);
                self.facts.sinks.push(crate::facts::Sink {
                    var,
                    how: Growth::Plus,
                    key: Key::None,
                    nested: false,
                    of_thread: false,
                    method,
                    place,
                });
                return;
            }
        }
        if !load {
            self.shrink(var.clone(), Removal::All);
        }
        self.assigned(var, of, load, at);
    }

    /// A length that is compared: `list.size > 100`
    fn compares(&mut self, call: &Call<'a>, receiver: &Expr<'a>) {
        if call.name == "full?" {
            if let Some((var, _)) = self.holder(receiver) {
                self.shrink(var, Removal::Limit);
            }
            return;
        }
        if !matches!(call.name, "<" | ">" | "<=" | ">=" | "==") {
            return;
        }
        // == 0 is no limit
        let zero = call.name == "=="
            && call
                .args
                .first()
                .is_some_and(|arg| matches!(arg.kind, Kind::Number));
        for side in std::iter::once(receiver).chain(call.args.first()) {
            let Some(length) = side.call() else { continue };
            let is_length = matches!(length.name, "size" | "length" | "count" | "pos" | "bytesize");
            if let (true, false, Some(inner)) = (is_length, zero, &length.receiver) {
                if let Some((var, _)) = self.holder(inner) {
                    self.shrink(var, Removal::Limit);
                }
            }
        }
    }

    /// `remove_instance_variable(:@x)`, `instance_variable_set(:@x, nil)`
    fn forgets(&mut self, call: &Call<'a>) {
        let Some(name) = call.args.first().and_then(|arg| arg.name()) else {
            return;
        };
        let owner = self.scope.owner.clone();
        let var = match call.name {
            "remove_instance_variable" | "instance_variable_set" => self.level().map(|level| Var::Ivar {
                owner,
                level,
                name: name.to_owned(),
            }),
            "remove_class_variable" | "class_variable_set" => Some(Var::Cvar {
                owner,
                name: name.to_owned(),
            }),
            "remove_const" => Some(Var::Const {
                nesting: owner,
                path: name.to_owned(),
            }),
            _ => None,
        };
        if let Some(var) = var {
            self.shrink(var, Removal::All);
        }
    }

    fn thread_write(&mut self, call: &Call<'a>, at: u32) {
        let writes = matches!(call.name, "[]=" | "thread_variable_set");
        let Some(var) = self.thread_var(call) else {
            if writes {
                self.open_thread_key(call, at);
            }
            return;
        };
        if !writes {
            return;
        }
        let Some(value) = call.args.get(1) else { return };
        // what it was, changed or not
        let same = self.holder(value).is_some_and(|(held, _)| held == var);
        let of = self.type_of(value);
        let once = of.is_collection() && self.is_load_time();
        if !same && !once {
            self.shrink(var.clone(), Removal::All);
        }
        self.assigned(var, of, false, at);
    }
}
