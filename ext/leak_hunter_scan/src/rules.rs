//! From the facts of a program to findings.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::facts::{Growth, Key, Level, Method, MethodIndex, Place, Removal, Sink, ThreadStore, Type, Var};
use crate::program::{Program, Side};
use crate::reach::{declares, is_hook, reaches};
use crate::rule::{Reach, Rule, Severity};

/// A finding before its places have lines.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) rule: Rule,
    pub(crate) severity: Severity,
    pub(crate) reach: Reach,
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) variable: Option<String>,
    pub(crate) also: Vec<String>,
    pub(crate) method: Option<String>,
    pub(crate) grows: Vec<Place>,
    pub(crate) emptied_by: Vec<String>,
}

/// What is known of one variable.
#[derive(Default)]
struct Known<'f> {
    types: Vec<&'f Type>,
    assigned_at: Option<Place>,
    sinks: Vec<&'f Sink>,
    shrinks: Vec<(Removal, MethodIndex)>,
}

struct Rules<'p, 'f> {
    program: &'p Program<'f>,
    reach: Vec<Reach>,
    middleware: HashSet<&'f str>,
    /// Classes that have an object that lives as long as the process: where it is.
    held: HashMap<String, String>,
    findings: Vec<Raw>,
}

/// All findings of a program.
pub(crate) fn findings(program: &Program<'_>) -> Vec<Raw> {
    let mut rules = Rules {
        program,
        reach: reaches(program),
        middleware: program.middleware(),
        held: HashMap::new(),
        findings: Vec::new(),
    };
    rules.hold();
    rules.variables();
    rules.kept();
    rules.sites();
    rules.findings
}

impl<'f> Rules<'_, 'f> {
    /// Which classes have an object that stays.
    fn hold(&mut self) {
        for mixin in &self.program.facts.mixins {
            if mixin.path == "Singleton" || mixin.path == "::Singleton" {
                let name = format!("{}.@singleton__instance__", mixin.owner);
                self.held.insert(mixin.owner.clone(), name);
            }
        }
        let mut instances: Vec<_> = self.program.instances().collect();
        instances.sort();
        for (var, class) in instances {
            let stays = match var {
                Var::Ivar { level, .. } => *level == Level::Class,
                Var::Thread(..) | Var::Reader { .. } => false,
                _ => true,
            };
            if stays {
                let name = self.name(var).unwrap_or_default();
                self.held.entry(class).or_insert(name);
            }
        }
    }

    fn reach_of(&self, method: MethodIndex) -> Reach {
        method
            .and_then(|index| self.reach.get(index))
            .copied()
            .unwrap_or(Reach::Boot)
    }

    fn method(&self, index: MethodIndex) -> Option<&'f Method> {
        index.and_then(|index| self.program.facts.methods.get(index))
    }

    fn variables(&mut self) {
        let facts = self.program.facts;
        let mut known: BTreeMap<Var, Known<'f>> = BTreeMap::new();
        let mut resolved: HashMap<&Var, Option<Var>> = HashMap::new();
        let mut resolve = |program: &Program<'f>, var: &'f Var| -> Option<Var> {
            resolved
                .entry(var)
                .or_insert_with(|| program.resolve(var))
                .clone()
        };
        for sink in &facts.sinks {
            if let Some(var) = resolve(self.program, &sink.var) {
                known.entry(var).or_default().sinks.push(sink);
            }
        }
        for assigned in &facts.assigned {
            if let Some(var) = resolve(self.program, &assigned.var) {
                if let Some(it) = known.get_mut(&var) {
                    it.types.push(&assigned.of);
                    if assigned.of.is_collection() {
                        it.assigned_at.get_or_insert(assigned.place);
                    }
                }
            }
        }
        for shrink in &facts.shrinks {
            if let Some(var) = resolve(self.program, &shrink.var) {
                if let Some(it) = known.get_mut(&var) {
                    it.shrinks.push((shrink.how, shrink.method));
                }
            }
        }
        for (var, known) in &known {
            self.variable(var, known);
        }
    }

    fn variable(&mut self, var: &Var, known: &Known<'f>) {
        if !self.lives(var) || known.types.iter().any(|of| **of == Type::Bounded) {
            return;
        }
        let Some(of) = known.types.iter().find(|of| of.is_collection()) else {
            return;
        };
        let is_memory = **of == Type::MemoryLogger;
        let mut sinks: Vec<&Sink> = known
            .sinks
            .iter()
            .filter(|sink| grows(of, sink))
            .copied()
            .collect();
        let hooks: Vec<&Sink> = sinks
            .iter()
            .filter(|sink| {
                self.method(sink.method)
                    .is_some_and(|method| is_hook(&method.name))
            })
            .copied()
            .collect();
        sinks.retain(|sink| {
            let boot = self.reach_of(sink.method) == Reach::Boot;
            let declares = self.reach_of(sink.method) == Reach::Method
                && self
                    .method(sink.method)
                    .is_some_and(|method| declares(&method.name) && !sink.nested);
            let own = declares
                || self.method(sink.method).is_some_and(|method| {
                    method.name == "initialize"
                        && matches!(
                            var,
                            Var::Ivar {
                                level: Level::Instance,
                                ..
                            }
                        )
                });
            !boot && !own && sink.key != Key::Bounded
        });
        let emptied_by = match self.emptied(known) {
            Some(list) => list,
            None => return,
        };
        if sinks.is_empty() {
            return self.subclasses(var, &hooks);
        }
        sinks.sort_by_key(|sink| (std::cmp::Reverse(self.reach_of(sink.method)), sink.place));
        let rule = self.rule(var, of, known, &sinks);
        // entries of a memo are the ones that count
        let first = match rule {
            Rule::UnboundedMemo => sinks
                .iter()
                .find(|sink| self.is_memo(known, sink))
                .or(sinks.first()),
            _ => sinks
                .iter()
                .find(|sink| sink.how != Growth::Read)
                .or(sinks.first()),
        };
        let Some(first) = first else { return };
        let at_definition = rule == Rule::GrowingHashDefault || is_memory;
        let place = match known.assigned_at {
            Some(place) if at_definition => place,
            _ => first.place,
        };
        let reach = sinks
            .iter()
            .map(|sink| self.reach_of(sink.method))
            .max()
            .unwrap_or(Reach::Method);
        let severity = if emptied_by.is_empty() {
            reach.severity()
        } else {
            Severity::Low
        };
        let mut grows: Vec<Place> = sinks.iter().map(|sink| sink.place).collect();
        grows.dedup();
        grows.truncate(20);
        let name = self.name(var).unwrap_or_default();
        let message = message(rule, of, &name, &self.method_name(first.method), &emptied_by);
        self.findings.push(Raw {
            rule,
            severity,
            reach,
            place,
            message,
            also: self.also(var),
            variable: Some(name),
            method: self.method(first.method).map(named),
            grows,
            emptied_by,
        });
    }

    /// None if something takes entries out; else the methods that would, but are not called.
    fn emptied(&self, known: &Known<'f>) -> Option<Vec<String>> {
        let mut unused = Vec::new();
        let grown = known.sinks.iter().filter(|sink| sink.how != Growth::Read);
        let grown: HashSet<MethodIndex> = grown.map(|sink| sink.method).collect();
        for (how, index) in &known.shrinks {
            match (how, self.method(*index)) {
                (Removal::All | Removal::Nil, None) => {}
                (Removal::All | Removal::Nil, Some(method)) => {
                    let by_frameworks =
                        method.entry.is_some() || method.name == "(lambda)" || method.name == "initialize";
                    if by_frameworks || grown.contains(index) || self.program.is_called(&method.name) {
                        return None;
                    }
                    unused.push(named(method));
                }
                _ => return None,
            }
        }
        unused.sort();
        unused.dedup();
        Some(unused)
    }

    fn rule(&self, var: &Var, of: &Type, known: &Known<'f>, sinks: &[&Sink]) -> Rule {
        if matches!(var, Var::Thread(..)) || sinks.iter().any(|sink| sink.of_thread) {
            return Rule::ThreadRetention;
        }
        if let Var::Ivar {
            owner,
            level: Level::Instance,
            ..
        } = var
        {
            if self.middleware.contains(owner.as_str()) {
                return Rule::MiddlewareState;
            }
        }
        match of {
            Type::StoringHash | Type::StoringMap => Rule::GrowingHashDefault,
            Type::Text | Type::Queue | Type::StringIo | Type::MemoryLogger => Rule::LongLivedBuffer,
            _ if sinks.iter().any(|sink| self.is_memo(known, sink)) => Rule::UnboundedMemo,
            _ => Rule::UnboundedCollection,
        }
    }

    /// Whether what is stored is looked up in the same method.
    fn is_memo(&self, known: &Known<'f>, sink: &Sink) -> bool {
        match sink.how {
            Growth::Memo => true,
            Growth::Store => known.sinks.iter().any(|other| {
                other.how == Growth::Read && other.method == sink.method && other.key == Key::Open
            }),
            _ => false,
        }
    }

    /// Whether it lives as long as the process.
    fn lives(&self, var: &Var) -> bool {
        match var {
            Var::Ivar { owner, level, .. } => match level {
                Level::Class => !owner.is_empty() && !owner.contains("(anonymous)"),
                Level::Instance => {
                    self.middleware.contains(owner.as_str())
                        || self.held.contains_key(owner)
                        || self.program.is_of_classes(owner)
                }
            },
            Var::Cvar { owner, .. } => !owner.contains("(anonymous)"),
            Var::Const { path, .. } => !path.contains("(anonymous)"),
            Var::Reader { .. } => false,
            _ => true,
        }
    }

    /// Subclasses are kept by a hook, and made while the program runs.
    fn subclasses(&mut self, var: &Var, hooks: &[&Sink]) {
        let Some(hook) = hooks.first() else { return };
        let Some(method) = self.method(hook.method) else {
            return;
        };
        let program = self.program;
        let made = program.facts.made.iter().any(|made| {
            let parent = program.constant(&made.nesting, &made.parent);
            let below = program
                .ancestors(&parent, Level::Class)
                .iter()
                .any(|side| side.class == method.owner);
            below && self.reach_of(made.method) != Reach::Boot
        });
        if !made {
            return;
        }
        let name = self.name(var).unwrap_or_default();
        self.findings.push(Raw {
            rule: Rule::ClassPerCall,
            severity: Severity::Medium,
            reach: Reach::Method,
            place: hook.place,
            message: format!("{name} keeps every subclass, and subclasses are made while the program runs"),
            also: Vec::new(),
            variable: Some(name),
            method: Some(named(method)),
            grows: vec![hook.place],
            emptied_by: Vec::new(),
        });
    }

    /// Variables of a middleware that keep the last request.
    fn kept(&mut self) {
        let facts = self.program.facts;
        let reset = facts.shrinks.iter().filter(|it| it.how == Removal::Nil);
        let reset: HashSet<&Var> = reset.map(|it| &it.var).collect();
        for kept in &facts.kept {
            if !self.middleware.contains(kept.owner.as_str()) {
                continue;
            }
            if reset.contains(&kept.var) {
                continue;
            }
            let name = self.name(&kept.var).unwrap_or_default();
            self.findings.push(Raw {
                rule: Rule::MiddlewareState,
                severity: Severity::Medium,
                reach: Reach::Request,
                place: kept.place,
                message: format!(
                    "{name} keeps the last request until the next one, and threads overwrite each other's: there is one \
                     object of a middleware"
                ),
                also: Vec::new(),
                variable: Some(name),
                method: self.method(kept.method).map(named),
                grows: vec![kept.place],
                emptied_by: Vec::new(),
            });
        }
    }

    fn sites(&mut self) {
        let facts = self.program.facts;
        for site in &facts.sites {
            let reach = self.reach_of(site.method);
            if !site.always && reach == Reach::Boot {
                continue;
            }
            // what starts something, or registers it, is called once as long as nothing says otherwise
            let starts = self.method(site.method).is_some_and(|method| {
                declares(&method.name)
                    || method.name.starts_with("start_")
                    || method.name.starts_with("enable")
            });
            let hooks = matches!(site.rule, Rule::SubscriptionPerCall | Rule::ThreadRetention);
            if hooks && starts && reach == Reach::Method {
                continue;
            }
            // macros of class bodies define methods
            let defines = matches!(site.rule, Rule::ClassPerCall | Rule::DynamicSymbol);
            if defines
                && self
                    .method(site.method)
                    .is_some_and(|method| self.program.is_of_classes(&method.owner))
            {
                continue;
            }
            if site.what == "add_observer"
                && (self.program.is_called("delete_observer") || self.program.is_called("delete_observers"))
            {
                continue;
            }
            let severity = match (site.always, site.rule) {
                (true, _) => Severity::High,
                _ => reach.severity(),
            };
            let variable = site.variable.as_ref().and_then(|var| self.name(var));
            self.findings.push(Raw {
                rule: site.rule,
                severity,
                reach,
                place: site.place,
                message: format!("{}: {}", site.what, site.why),
                also: Vec::new(),
                variable,
                method: self.method(site.method).map(named),
                grows: vec![site.place],
                emptied_by: Vec::new(),
            });
        }
    }

    fn method_name(&self, index: MethodIndex) -> String {
        self.method(index).map_or_else(String::new, named)
    }

    /// As holders are named.
    fn name(&self, var: &Var) -> Option<String> {
        Some(match var {
            Var::Ivar { owner, level, name } => match level {
                Level::Class => format!("{}.{name}", shown(owner)),
                Level::Instance => match self.held.get(owner) {
                    Some(held) => format!("{held}.{name}"),
                    None => format!("{}.{name}", shown(owner)),
                },
            },
            Var::Cvar { owner, name } => format!("{}.{name}", shown(owner)),
            Var::Const { path, .. } => path.clone(),
            Var::Global(name) => name.clone(),
            Var::Thread(store, key) => match store {
                ThreadStore::Local => format!("thread-local {key}"),
                ThreadStore::Variable => format!("thread variable {key}"),
                ThreadStore::Fiber => format!("fiber storage {key}"),
            },
            Var::ClassAttribute { owner, name } => format!("{}.{name}", shown(owner)),
            Var::Reader { .. } => return None,
        })
    }

    /// Each subclass has a variable of its own.
    fn also(&self, var: &Var) -> Vec<String> {
        let Var::Ivar { owner, level, name } = var else {
            return Vec::new();
        };
        let extends = *level == Level::Instance && self.program.is_of_classes(owner);
        if *level == Level::Instance && !extends {
            return Vec::new();
        }
        let side = Side {
            class: owner.clone(),
            level: *level,
        };
        let below = self
            .program
            .below(&side)
            .into_iter()
            .filter(|side| side.level == Level::Class);
        let mut names: Vec<String> = below.map(|side| format!("{}.{name}", side.class)).collect();
        names.sort();
        names.dedup();
        names.truncate(50);
        names
    }
}

fn shown(owner: &str) -> &str {
    if owner.is_empty() { "Object" } else { owner }
}

/// `Shop::Cart#add`, `Shop::Cart.add`
fn named(method: &Method) -> String {
    let joint = match method.level {
        Level::Instance => "#",
        Level::Class => ".",
    };
    if method.owner.is_empty() {
        return method.name.clone();
    }
    format!("{}{joint}{}", method.owner, method.name)
}

/// Whether this makes a collection of such a type longer.
fn grows(of: &Type, sink: &Sink) -> bool {
    use Growth::{Add, Append, Concat, Count, Log, Memo, Merge, Plus, Read, Store, Write};

    if sink.nested {
        return match of {
            Type::Array | Type::Hash | Type::StoringHash | Type::Map | Type::StoringMap => {
                matches!(
                    sink.how,
                    Append | Add | Concat | Plus | Store | Memo | Count | Merge
                )
            }
            _ => false,
        };
    }
    match of {
        Type::Array => matches!(sink.how, Append | Concat | Plus),
        Type::Hash | Type::Map => matches!(sink.how, Store | Memo | Count | Merge | Plus),
        Type::StoringHash | Type::StoringMap => matches!(sink.how, Read | Store | Memo | Count | Merge),
        Type::Set => matches!(sink.how, Append | Add | Merge | Plus | Concat),
        Type::Text => matches!(sink.how, Append | Concat | Plus),
        Type::Queue => matches!(sink.how, Append),
        Type::StringIo => matches!(sink.how, Append | Write),
        Type::MemoryLogger => matches!(sink.how, Log | Append | Add),
        Type::Bounded | Type::Instance(_) | Type::Other => false,
    }
}

fn message(rule: Rule, of: &Type, name: &str, method: &str, emptied_by: &[String]) -> String {
    let at = if method.is_empty() {
        String::new()
    } else {
        format!(" in {method}")
    };
    let what = match (rule, of) {
        (Rule::UnboundedMemo, _) => format!("{name} keeps a value for every key that it is asked for{at}"),
        (Rule::GrowingHashDefault, _) => format!("{name} stores a value for every key that is read{at}"),
        (Rule::LongLivedBuffer, Type::MemoryLogger) => format!("{name} logs into memory{at}"),
        (Rule::LongLivedBuffer, _) => format!("{name} gets longer with every call{at}"),
        (Rule::ThreadRetention, _) => {
            format!("{name} gets longer with every call{at}, in threads that live on")
        }
        (Rule::MiddlewareState, _) => {
            format!("{name} keeps something of every request{at}; there is one object of a middleware")
        }
        _ => format!("{name} grows with every call{at}"),
    };
    match emptied_by {
        [] => format!("{what}; nothing in the program removes from it"),
        methods => format!(
            "{what}; only {} would empty it, and nothing here calls that",
            methods.join(", ")
        ),
    }
}
