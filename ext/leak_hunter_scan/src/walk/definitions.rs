//! Classes, methods, and the calls that define them.

use crate::facts::{Class, Level, Mixin, Reader, Site, Var};
use crate::rule::{Reach, Rule};
use crate::tree::{Block, Call, ClassDef, Def, Expr, Kind, Op};

use super::{Body, Local, Scope, Walker};

/// Blocks of class bodies that run while the program is loaded.
const AT_BOOT: [&str; 14] = [
    "initializer",
    "after_initialize",
    "before_initialize",
    "before_configuration",
    "config_accessor",
    "on_load",
    "to_prepare",
    "configure",
    "configure_server",
    "configure_client",
    "draw",
    "namespace",
    "included",
    "prepended",
];

/// Blocks of class bodies that run for each request.
const ROUTES: [&str; 9] = [
    "get", "post", "put", "patch", "delete", "head", "options", "route", "mount",
];

/// Bytes of the name of a class; longer ones are cut.
const LONGEST: usize = 250;

/// Superclasses and modules whose classes run in requests or jobs.
fn entry_of(name: &str) -> Option<Reach> {
    let last = name.rsplit("::").next().unwrap_or(name);
    if last.ends_with("Controller")
        || name.contains("ActionController")
        || name == "Sinatra::Base"
        || name == "Sinatra::Application"
        || name == "Grape::API"
        || name.contains("ApplicationCable")
        || last == "ViewComponent"
        || name == "Roda"
    {
        Some(Reach::Request)
    } else if last.ends_with("Job")
        || last == "Worker"
        || name.contains("Sidekiq")
        || last.ends_with("Mailer")
    {
        Some(Reach::Job)
    } else {
        None
    }
}

impl<'a> Walker<'a> {
    pub(super) fn class(&mut self, class: &ClassDef<'a>) {
        if let Some(superclass) = &class.superclass {
            self.visit(superclass);
        }
        let name = self.nested(&class.path);
        let superclass = class.superclass.as_ref().and_then(|it| match &it.kind {
            Kind::Const(path) => Some(path.clone()),
            // Struct.new(…), Class[1]
            Kind::Call(call) => call
                .receiver
                .as_ref()
                .and_then(|it| it.constant())
                .map(str::to_owned),
            _ => None,
        });
        let entry = superclass.as_deref().and_then(entry_of).or(self.role.entry);
        self.facts.classes.push(Class {
            name: name.clone(),
            nesting: self.scope.owner.clone(),
            is_module: class.is_module,
            superclass,
        });
        self.body(name, class.is_module, entry, &class.body);
    }

    fn body(&mut self, owner: String, is_module: bool, entry: Option<Reach>, body: &Expr<'a>) {
        let scope = Scope {
            owner,
            body: Body::Class,
            is_module,
            module_function: false,
            entry,
            method: None,
            anonymous: false,
        };
        self.within(scope, |it| it.visit(body));
    }

    pub(super) fn nested(&self, path: &str) -> String {
        let mut name = match path.strip_prefix("::") {
            Some(top) => top.to_owned(),
            None if self.scope.owner.is_empty() => path.to_owned(),
            None => format!("{}::{path}", self.scope.owner),
        };
        // every method in it has the name
        if name.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|end| name.is_char_boundary(*end));
            name.truncate(end.unwrap_or(0));
        }
        name
    }

    pub(super) fn definition(&mut self, def: &Def<'a>, at: u32) {
        let mut owner = self.scope.owner.clone();
        let level = match &def.receiver {
            Some(receiver) => {
                if let Some(path) = receiver.constant() {
                    let own = owner == path || owner.ends_with(&format!("::{path}"));
                    if !own {
                        owner = self.nested(path);
                    }
                }
                Level::Class
            }
            None => match self.scope.body {
                Body::Singleton => Level::Class,
                _ if self.scope.module_function => Level::Class,
                _ => Level::Instance,
            },
        };
        let entry = if level == Level::Instance || self.role.entry.is_some() {
            self.scope.entry.or_else(|| match (def.name, def.params.first()) {
                ("perform", _) => Some(Reach::Job),
                ("call", Some(&("env" | "_env"))) => Some(Reach::Request),
                _ => None,
            })
        } else {
            None
        };
        let entry = if def.name == "initialize" { None } else { entry };
        let params = def.params.iter().map(|name| (*name).to_owned()).collect();
        let scope = Scope {
            owner,
            ..self.scope.clone()
        };
        let outer = std::mem::replace(&mut self.scope, scope);
        let index = self.in_method(
            def.name,
            level,
            params,
            entry,
            |it| {
                it.look_ahead(&def.body);
                for name in &def.params {
                    it.frame.locals.insert(
                        name,
                        Local {
                            open_name: true,
                            ..Local::default()
                        },
                    );
                }
                def.defaults.iter().for_each(|value| it.visit(value));
                it.visit(&def.body);
                let returns = it.returned(&def.body);
                let dups = it.frame.dups;
                let method = it.scope.method.and_then(|index| it.facts.methods.get_mut(index));
                if let Some(method) = method {
                    method.returns = returns;
                    method.dups = dups;
                }
            },
            at,
        );
        if level == Level::Class && !def.params.is_empty() {
            self.class_methods
                .insert((self.scope.owner.clone(), def.name), index);
        }
        self.scope = outer;
    }

    /// The variable that a method is there to answer.
    fn returned(&self, body: &Expr<'a>) -> Option<Var> {
        let mut last = body.last();
        if let Kind::Return(list) = &last.kind {
            last = list.first()?.last();
        }
        match &last.kind {
            Kind::Assign(assign) if assign.op == Op::Or => self.var(&assign.target),
            Kind::Either(left, _) => self.var(left),
            _ => self.var(last),
        }
    }

    /// Calls that define something, or whose block is no part of the code around it.
    pub(super) fn defines(&mut self, call: &Call<'a>, at: u32) -> bool {
        let own = call
            .receiver
            .as_ref()
            .is_none_or(|receiver| matches!(receiver.kind, Kind::SelfRef));
        if own && self.scope.method.is_none() {
            self.macros(call, at);
        }
        let Some(block) = &call.block else {
            return false;
        };
        match call.name {
            "define_method" => self.block_method(call, block, self.defined_level(call), at),
            "define_singleton_method" => self.block_method(call, block, Level::Class, at),
            "class_methods" if own => {
                let scope = Scope {
                    body: Body::Singleton,
                    method: None,
                    ..self.scope.clone()
                };
                self.within(scope, |it| it.visit(&block.body));
            }
            "class_eval" | "class_exec" | "module_eval" if self.scope.method.is_none() => {
                let path = call
                    .receiver
                    .as_ref()
                    .and_then(|it| it.constant())
                    .map(str::to_owned);
                match path {
                    Some(path) => self.body(path, false, None, &block.body),
                    None => self.visit(&block.body),
                }
            }
            "new" | "define" if self.makes_class(call) => {
                let scope = Scope {
                    owner: self.nested("(anonymous)"),
                    body: Body::Class,
                    is_module: false,
                    module_function: false,
                    entry: None,
                    method: None,
                    anonymous: self.scope.method.is_some(),
                };
                self.within(scope, |it| it.visit(&block.body));
            }
            name if self.scope.method.is_none() && own => {
                call.args.iter().for_each(|it| self.visit(it));
                if ROUTES.contains(&name)
                    && call.args.first().is_some_and(|arg| {
                        arg.name().is_some_and(|it| it.starts_with('/')) || matches!(arg.kind, Kind::Literal)
                    })
                {
                    self.called_later(block, "(route)", Some(Reach::Request), at);
                } else if matches!(name, "task" | "file" | "rule") && self.scope.body == Body::Top {
                    self.called_later(block, "(task)", Some(Reach::Boot), at);
                } else if AT_BOOT.contains(&name)
                    || matches!(name, "loop" | "proc" | "lambda") && self.scope.body == Body::Top
                {
                    self.block(block, None);
                } else if kept_block(name) {
                    self.called_later(block, name, self.scope.entry, at);
                } else {
                    self.block(block, None);
                }
                return true;
            }
            _ => return false,
        }
        call.receiver.iter().for_each(|it| self.visit(it));
        call.args.iter().for_each(|it| self.visit(it));
        true
    }

    fn defined_level(&self, call: &Call<'a>) -> Level {
        match (&call.receiver, self.scope.body) {
            (None, Body::Singleton) => Level::Class,
            (Some(receiver), _) if receiver.call().is_some_and(|it| it.name == "singleton_class") => {
                Level::Class
            }
            _ => Level::Instance,
        }
    }

    fn block_method(&mut self, call: &Call<'a>, block: &Block<'a>, level: Level, at: u32) {
        let name = call.args.first().and_then(|arg| arg.name()).unwrap_or("(method)");
        let entry = self.scope.entry;
        // a macro of a module defines methods of whatever class calls it
        let own = self.scope.clone();
        if self.level() == Some(Level::Instance) && self.scope.method.is_some() {
            self.scope.owner = self.nested("(anonymous)");
        }
        let locals = std::mem::take(&mut self.frame.locals);
        self.in_method(
            name,
            level,
            Vec::new(),
            entry,
            |it| {
                it.params(block);
                it.visit(&block.body);
            },
            at,
        );
        self.frame.locals = locals;
        self.scope = own;
    }

    fn called_later(&mut self, block: &Block<'a>, name: &str, entry: Option<Reach>, at: u32) {
        let level = if self.scope.body == Body::Top {
            Level::Class
        } else {
            Level::Instance
        };
        self.in_method(
            name,
            level,
            Vec::new(),
            entry,
            |it| {
                it.params(block);
                it.visit(&block.body);
            },
            at,
        );
    }

    /// A block that runs here and now. What it goes through tells of its parameters.
    pub(super) fn block(&mut self, block: &Block<'a>, over: Option<&Expr<'a>>) {
        let fixed = over.is_some_and(|list| self.is_fixed_list(list));
        let mut before = Vec::new();
        for name in &block.params {
            let local = Local {
                bounded: fixed,
                open_name: !fixed,
                alias: None,
            };
            before.push((*name, self.frame.locals.insert(name, local)));
        }
        self.visit(&block.body);
        for (name, local) in before {
            match local {
                Some(local) => self.frame.locals.insert(name, local),
                None => self.frame.locals.remove(name),
            };
        }
    }

    pub(super) fn makes_class(&self, call: &Call<'a>) -> bool {
        let class = call.receiver.as_ref().and_then(|it| it.constant());
        matches!(
            (class, call.name),
            (
                Some("Class" | "Module" | "Struct" | "::Class" | "::Module" | "::Struct"),
                "new"
            ) | (Some("Data"), "define")
        )
    }

    /// Attributes, mixins, and what makes methods class methods.
    fn macros(&mut self, call: &Call<'a>, at: u32) {
        let owner = self.scope.owner.clone();
        let level = if self.scope.body == Body::Singleton {
            Level::Class
        } else {
            Level::Instance
        };
        match call.name {
            "attr_accessor" | "attr_reader" | "attr_writer" | "attr" => {
                for name in call.args.iter().filter_map(|arg| arg.name()) {
                    let var = Var::Ivar {
                        owner: owner.clone(),
                        level,
                        name: format!("@{name}"),
                    };
                    self.reader(name, &[level], &var);
                }
            }
            "mattr_accessor" | "mattr_reader" | "mattr_writer" | "cattr_accessor" | "cattr_reader"
            | "cattr_writer" => {
                for name in call.args.iter().filter_map(|arg| arg.name()) {
                    let var = Var::Cvar {
                        owner: owner.clone(),
                        name: format!("@@{name}"),
                    };
                    self.reader(name, &[Level::Instance, Level::Class], &var);
                    self.default(call, &var);
                }
            }
            "class_attribute" => {
                for name in call.args.iter().filter_map(|arg| arg.name()) {
                    let var = Var::ClassAttribute {
                        owner: owner.clone(),
                        name: name.to_owned(),
                    };
                    self.reader(name, &[Level::Instance, Level::Class], &var);
                    self.default(call, &var);
                }
            }
            "include" | "prepend" | "extend" => {
                let level = if call.name == "extend" || self.scope.body == Body::Singleton {
                    Level::Class
                } else {
                    Level::Instance
                };
                for arg in &call.args {
                    match &arg.kind {
                        Kind::Const(path) => {
                            if let Some(entry) =
                                entry_of(path).filter(|_| path.contains("Sidekiq") || path.contains("Job"))
                            {
                                self.scope.entry = Some(entry);
                            }
                            self.facts.mixins.push(Mixin {
                                owner: owner.clone(),
                                level,
                                nesting: owner.clone(),
                                path: path.clone(),
                            });
                        }
                        Kind::SelfRef if call.name == "extend" && self.scope.is_module => {
                            self.scope.module_function = true
                        }
                        _ => {}
                    }
                }
            }
            "module_function" if call.args.is_empty() => self.scope.module_function = true,
            "memoize" | "memo_wise" | "cache_method" => self.memoized(call, at),
            _ => {}
        }
    }

    /// `memoize :name` in `class << self`, `memo_wise self: :name`: a value for all arguments stays with the class.
    fn memoized(&mut self, call: &Call<'a>, at: u32) {
        let Some(arg) = call.args.first() else { return };
        let name = match &arg.kind {
            Kind::Hash(list) if list.first().and_then(|key| key.name()) == Some("self") => {
                list.get(1).and_then(|it| it.name())
            }
            _ if self.scope.body == Body::Singleton => arg.name(),
            _ => None,
        };
        let Some(name) = name else { return };
        let key = (self.scope.owner.clone(), name);
        let Some(index) = self.class_methods.get(&key).copied() else {
            return;
        };
        let place = self.place(at);
        self.facts.sites.push(Site {
            rule: Rule::GrowingHashDefault,
            what: format!("{} of a class method with arguments", call.name),
            why: "a value for all arguments it was ever called with stays with the class",
            variable: None,
            method: Some(index),
            place,
            always: false,
        });
    }

    fn reader(&mut self, name: &str, levels: &[Level], var: &Var) {
        for level in levels {
            self.facts.readers.push(Reader {
                owner: self.scope.owner.clone(),
                level: *level,
                name: name.to_owned(),
                var: var.clone(),
            });
        }
    }

    /// `default: []`, `{ [] }`
    fn default(&mut self, call: &Call<'a>, var: &Var) {
        let of = call.args.iter().find_map(|arg| match &arg.kind {
            Kind::Hash(list) => list
                .chunks(2)
                .find(|pair| pair.first().and_then(|key| key.name()) == Some("default"))
                .and_then(|pair| pair.get(1))
                .map(|value| self.type_of(value)),
            _ => None,
        });
        let of = of.or_else(|| call.block.as_ref().map(|block| self.type_of(&block.body)));
        if let Some(of) = of {
            let place = self.place(0);
            self.facts.assigned.push(crate::facts::Assigned {
                var: var.clone(),
                of,
                once: true,
                place,
            });
        }
    }
}

/// Calls of class bodies whose block is kept for later.
fn kept_block(name: &str) -> bool {
    [
        "before",
        "after",
        "around",
        "on_",
        "validate",
        "helper",
        "rescue_from",
        "scope",
        "default_scope",
        "condition",
        "set_callback",
    ]
    .iter()
    .any(|start| name.starts_with(start))
        || matches!(
            name,
            "lambda" | "proc" | "subscribe" | "let" | "memoize" | "error" | "not_found"
        )
}
