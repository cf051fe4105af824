//! Goes through a file's tree once and notes down its facts.

mod definitions;
mod growth;
mod keys;
mod look_ahead;
mod sites;
mod values;

use std::collections::{HashMap, HashSet};

use crate::facts::{CallOf, Facts, Growth, Level, Method, MethodIndex, On, Place, Removal, Var};
use crate::rule::Reach;
use crate::tree::{Block, Call, Expr, Kind, Op};

/// What a file's path says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Role {
    /// Where its methods run.
    pub(crate) entry: Option<Reach>,
    /// Runs once: an initializer, a migration.
    pub(crate) boot: bool,
    /// Of tests, or for the test environment.
    pub(crate) test: bool,
    /// An ERB template.
    pub(crate) template: bool,
}

/// What `self` is outside of methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Top,
    Class,
    Singleton,
}

#[derive(Clone, Debug)]
struct Scope {
    owner: String,
    body: Body,
    is_module: bool,
    /// Methods are class methods from here on.
    module_function: bool,
    /// Its class runs in requests or jobs.
    entry: Option<Reach>,
    method: MethodIndex,
    /// In an anonymous class that a method makes.
    anonymous: bool,
}

/// What is known of a local variable.
#[derive(Clone, Debug, Default)]
struct Local {
    alias: Option<Var>,
    bounded: bool,
    /// Has text in it that is not of this program.
    open_name: bool,
}

/// Of a method.
#[derive(Debug, Default)]
struct Frame<'a> {
    locals: HashMap<&'a str, Local>,
    /// Locals that are checked against a list.
    checked: HashSet<&'a str>,
    /// Inside something that runs once: the value of `||=`, after a check.
    once: u32,
    /// `dup._call(env)`
    dups: bool,
    /// What it subscribes it unsubscribes.
    undone: bool,
    /// Its thread is kept in a variable.
    kept_thread: bool,
}

pub(crate) struct Walker<'a> {
    pub(crate) facts: Facts,
    file: u32,
    role: Role,
    scope: Scope,
    frame: Frame<'a>,
    /// Class methods that take arguments, by class and name.
    class_methods: HashMap<(String, &'a str), usize>,
}

/// The facts of a file's tree.
pub(crate) fn walk(tree: &Expr<'_>, file: u32, role: Role) -> Facts {
    let mut walker = Walker {
        facts: Facts::default(),
        file,
        role,
        scope: Scope {
            owner: String::new(),
            body: Body::Top,
            is_module: false,
            module_function: false,
            entry: role.entry,
            method: None,
            anonymous: false,
        },
        frame: Frame::default(),
        class_methods: HashMap::new(),
    };
    if role.template {
        let at = tree.at;
        walker.in_method(
            "(template)",
            Level::Instance,
            Vec::new(),
            Some(Reach::Request),
            |it| it.visit(tree),
            at,
        );
    } else {
        walker.visit(tree);
    }
    walker.facts
}

impl<'a> Walker<'a> {
    fn place(&self, at: u32) -> Place {
        Place { file: self.file, at }
    }

    /// Whose variables and methods are meant without a receiver.
    fn level(&self) -> Option<Level> {
        match (self.scope.method, self.scope.body) {
            (Some(index), _) => self.facts.methods.get(index).map(|method| method.level),
            (None, Body::Class) => Some(Level::Class),
            (None, Body::Top | Body::Singleton) => None,
        }
    }

    fn visit(&mut self, expr: &Expr<'a>) {
        match &expr.kind {
            Kind::Class(class) => self.class(class),
            Kind::SingletonClass(body) => {
                let scope = Scope {
                    body: Body::Singleton,
                    method: None,
                    module_function: false,
                    ..self.scope.clone()
                };
                self.within(scope, |it| it.visit(body));
            }
            Kind::Def(def) => self.definition(def, expr.at),
            Kind::Assign(assign) => self.assignment(assign, expr.at),
            Kind::MultiAssign(assign) => {
                self.visit(&assign.value);
                for target in &assign.targets {
                    if let Some(local) = target.local() {
                        self.frame.locals.insert(
                            local,
                            Local {
                                open_name: true,
                                ..Local::default()
                            },
                        );
                    } else if let Some(var) = self.var(target) {
                        self.shrink(var, Removal::All);
                    }
                    if target.call().is_some() {
                        self.visit(target);
                    }
                }
            }
            Kind::Call(call) => self.called(call, expr.at),
            Kind::Lambda(block) => self.later(block, "(lambda)", expr.at),
            Kind::Case(case) => {
                let known = case.subject.as_ref().and_then(|subject| subject.local());
                if let Some(subject) = &case.subject {
                    self.visit(subject);
                }
                for when in &case.whens {
                    let fixed =
                        !when.conditions.is_empty() && when.conditions.iter().all(|it| self.is_bounded(it));
                    let added = known
                        .filter(|_| fixed)
                        .filter(|name| self.frame.checked.insert(name));
                    when.conditions.iter().for_each(|it| self.visit(it));
                    self.visit(&when.body);
                    if let Some(name) = added {
                        self.frame.checked.remove(name);
                    }
                }
                if let Some(otherwise) = &case.otherwise {
                    self.visit(otherwise);
                }
            }
            _ => expr.children(&mut |child| self.visit(child)),
        }
    }

    /// With another scope for a while.
    fn within(&mut self, scope: Scope, work: impl FnOnce(&mut Self)) {
        let scope = std::mem::replace(&mut self.scope, scope);
        let frame = std::mem::take(&mut self.frame);
        work(self);
        self.scope = scope;
        self.frame = frame;
    }

    /// A method, or a block that is called like one.
    fn in_method(
        &mut self,
        name: &str,
        level: Level,
        params: Vec<String>,
        entry: Option<Reach>,
        work: impl FnOnce(&mut Self),
        _at: u32,
    ) -> usize {
        let index = self.facts.methods.len();
        self.facts.methods.push(Method {
            owner: self.scope.owner.clone(),
            level,
            name: name.to_owned(),
            params,
            entry,
            returns: None,
            dups: false,
        });
        let scope = Scope {
            method: Some(index),
            ..self.scope.clone()
        };
        self.within(scope, work);
        index
    }

    /// A block that is kept and called later. In a method it is a part of it.
    fn later(&mut self, block: &Block<'a>, name: &str, at: u32) {
        if self.scope.method.is_some() {
            self.params(block);
            self.visit(&block.body);
            return;
        }
        let level = self.level().unwrap_or(Level::Class);
        let entry = self.scope.entry;
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

    fn params(&mut self, block: &Block<'a>) {
        for name in &block.params {
            self.frame.locals.insert(
                name,
                Local {
                    open_name: true,
                    ..Local::default()
                },
            );
        }
    }

    fn shrink(&mut self, var: Var, how: Removal) {
        let method = self.scope.method;
        self.facts.shrinks.push(crate::facts::Shrink { var, how, method });
    }

    fn note_call(&mut self, call: &Call<'a>) {
        let on = match &call.receiver {
            None => self.own(),
            Some(receiver) => match &receiver.kind {
                Kind::SelfRef => self.own(),
                Kind::Const(path) => Some(self.on_const(path)),
                Kind::Call(inner) if inner.name == "class" && inner.args.is_empty() => Some(On::Own {
                    owner: self.scope.owner.clone(),
                    level: Level::Class,
                }),
                _ => None,
            },
        };
        self.facts.calls.push(CallOf {
            from: self.scope.method,
            on,
            name: call.name.to_owned(),
            later: false,
        });
        // macros: after_save :name
        if self.scope.method.is_none() && self.scope.body != Body::Top {
            for name in call.args.iter().filter_map(|arg| match arg.kind {
                Kind::Symbol(name) => Some(name),
                _ => None,
            }) {
                self.facts.calls.push(CallOf {
                    from: None,
                    on: Some(On::Own {
                        owner: self.scope.owner.clone(),
                        level: Level::Instance,
                    }),
                    name: name.to_owned(),
                    later: true,
                });
            }
        }
    }

    fn own(&self) -> Option<On> {
        let level = self.level()?;
        let owner = self.scope.owner.clone();
        Some(On::Own { owner, level })
    }

    fn on_const(&self, path: &str) -> On {
        On::Const {
            nesting: self.scope.owner.clone(),
            path: path.to_owned(),
        }
    }

    /// What an assignment says.
    fn is_load_time(&self) -> bool {
        self.scope.method.is_none() || self.role.boot
    }

    fn in_initialize(&self) -> bool {
        let method = self.scope.method.and_then(|index| self.facts.methods.get(index));
        method.is_some_and(|method| method.name == "initialize")
    }

    fn sink(&mut self, expr: &Expr<'a>, how: Growth, key: crate::facts::Key, of_thread: bool, at: u32) {
        if self.role.test {
            return;
        }
        let Some((var, nested)) = self.holder(expr) else {
            return;
        };
        let place = self.place(at);
        let method = self.scope.method;
        self.facts.sinks.push(crate::facts::Sink {
            var,
            how,
            key,
            nested,
            of_thread,
            method,
            place,
        });
    }
}

/// `||=` of something assigns once.
fn sets_once(op: Op<'_>) -> bool {
    op == Op::Or
}
