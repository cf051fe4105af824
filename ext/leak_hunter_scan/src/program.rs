//! The whole program: which constant, class, method and variable is meant where.

use std::collections::{HashMap, HashSet};

use crate::facts::{CallOf, Facts, Level, On, Reader, Type, Var};

/// A class as seen by its instances, or by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Side {
    pub(crate) class: String,
    pub(crate) level: Level,
}

/// A method of a class.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    owner: String,
    level: Level,
    name: String,
}

/// As many classes above another are looked at.
const ANCESTORS: usize = 64;

/// Methods of one name that a call may mean when its receiver is not known.
const ALIKE: usize = 3;

pub(crate) struct Program<'f> {
    pub(crate) facts: &'f Facts,
    /// Constants and classes.
    known: HashSet<String>,
    parents: HashMap<Side, Vec<Side>>,
    readers: HashMap<Name, &'f Reader>,
    methods: HashMap<Name, Vec<usize>>,
    by_name: HashMap<&'f str, Vec<usize>>,
    /// Variables of objects and classes that are written or changed.
    mentioned: HashSet<Var>,
    instances: HashMap<Var, On>,
    called: HashSet<&'f str>,
    modules: HashSet<&'f str>,
    /// Modules whose instances are classes.
    extended: HashSet<String>,
    children: HashMap<Side, Vec<Side>>,
}

impl<'f> Program<'f> {
    pub(crate) fn new(facts: &'f Facts) -> Self {
        let mut program = Self {
            facts,
            known: HashSet::new(),
            parents: HashMap::new(),
            readers: HashMap::new(),
            methods: HashMap::new(),
            by_name: HashMap::new(),
            mentioned: HashSet::new(),
            instances: HashMap::new(),
            called: facts.calls.iter().map(|call| call.name.as_str()).collect(),
            modules: facts
                .classes
                .iter()
                .filter(|it| it.is_module)
                .map(|it| it.name.as_str())
                .collect(),
            extended: HashSet::new(),
            children: HashMap::new(),
        };
        program
            .known
            .extend(facts.classes.iter().map(|class| class.name.clone()));
        for assigned in &facts.assigned {
            if let Var::Const { nesting, path } = &assigned.var {
                program.known.insert(join(nesting, path));
            }
        }
        for reader in &facts.readers {
            let name = Name {
                owner: reader.owner.clone(),
                level: reader.level,
                name: reader.name.clone(),
            };
            program.readers.entry(name).or_insert(reader);
        }
        for (index, method) in facts.methods.iter().enumerate() {
            let name = Name {
                owner: method.owner.clone(),
                level: method.level,
                name: method.name.clone(),
            };
            program.methods.entry(name).or_default().push(index);
            program.by_name.entry(&method.name).or_default().push(index);
        }
        program.relate();
        program.mention();
        program
    }

    /// Which classes are above which.
    fn relate(&mut self) {
        let mut parents: HashMap<Side, Vec<Side>> = HashMap::new();
        let both = [Level::Instance, Level::Class];
        for mixin in &self.facts.mixins {
            let module = self.constant(&mixin.nesting, &mixin.path);
            if mixin.level == Level::Class {
                self.extended.insert(module.clone());
            }
            let side = |level| Side {
                class: mixin.owner.clone(),
                level,
            };
            let of_module = |class: String, level| Side { class, level };
            parents
                .entry(side(mixin.level))
                .or_default()
                .push(of_module(module.clone(), Level::Instance));
            if mixin.level == Level::Instance {
                // a concern's class methods
                let list = parents.entry(side(Level::Class)).or_default();
                let class_methods = format!("{module}::ClassMethods");
                if self.known.contains(&class_methods) {
                    list.push(of_module(class_methods, Level::Instance));
                }
                if self.modules.contains(module.as_str()) {
                    list.push(of_module(module, Level::Class));
                }
            }
        }
        for class in &self.facts.classes {
            let Some(superclass) = &class.superclass else {
                continue;
            };
            let superclass = self.constant(&class.nesting, superclass);
            if matches!(superclass.as_str(), "Module" | "Class") {
                self.extended.insert(class.name.clone());
            }
            for level in both {
                let side = Side {
                    class: class.name.clone(),
                    level,
                };
                parents.entry(side).or_default().push(Side {
                    class: superclass.clone(),
                    level,
                });
            }
        }
        for list in parents.values_mut() {
            let mut seen = HashSet::new();
            list.retain(|side| seen.insert(side.clone()));
        }
        for (side, list) in &parents {
            for parent in list {
                self.children
                    .entry(parent.clone())
                    .or_default()
                    .push(side.clone());
            }
        }
        self.parents = parents;
    }

    /// Whether instances of a module are classes: it is extended, or has a concern's class methods.
    pub(crate) fn is_of_classes(&self, owner: &str) -> bool {
        owner.ends_with("::ClassMethods")
            || matches!(owner, "Module" | "Class")
            || self.extended.contains(owner)
    }

    /// Classes below, the nearest first; not more than a few.
    pub(crate) fn below(&self, side: &Side) -> Vec<Side> {
        let mut list = vec![side.clone()];
        let mut next = 0;
        while let Some(side) = list.get(next) {
            next += 1;
            let children: Vec<Side> = self
                .children
                .get(side)
                .into_iter()
                .flatten()
                .take(ANCESTORS)
                .cloned()
                .collect();
            list.extend(children);
            if list.len() > ANCESTORS {
                break;
            }
        }
        list.remove(0);
        list
    }

    fn mention(&mut self) {
        let facts = self.facts;
        let assigned = facts.assigned.iter().map(|it| &it.var);
        let sinks = facts.sinks.iter().map(|it| &it.var);
        let shrinks = facts.shrinks.iter().map(|it| &it.var);
        let returns = facts.methods.iter().filter_map(|it| it.returns.as_ref());
        let all = assigned.chain(sinks).chain(shrinks).chain(returns);
        let plain = all.filter(|var| matches!(var, Var::Ivar { .. } | Var::Cvar { .. }));
        self.mentioned = plain.cloned().collect();
        let mut instances = HashMap::new();
        for assigned in facts.assigned.iter().filter(|it| it.once) {
            if let Type::Instance(class) = &assigned.of {
                if let Some(var) = self.resolve(&assigned.var) {
                    instances.entry(var).or_insert_with(|| class.clone());
                }
            }
        }
        self.instances = instances;
    }

    /// What a variable's object is an instance of.
    pub(crate) fn instances(&self) -> impl Iterator<Item = (&Var, String)> {
        self.instances.iter().map(|(var, on)| (var, self.class_of(on)))
    }

    fn class_of(&self, on: &On) -> String {
        match on {
            On::Own { owner, .. } => owner.clone(),
            On::Const { nesting, path } => self.constant(nesting, path),
        }
    }

    /// The full name of a constant that is written in a class.
    pub(crate) fn constant(&self, nesting: &str, path: &str) -> String {
        if let Some(top) = path.strip_prefix("::") {
            return top.to_owned();
        }
        let mut around = nesting;
        loop {
            let candidate = join(around, path);
            if self.known.contains(&candidate) {
                return candidate;
            }
            if around.is_empty() {
                break;
            }
            around = around.rsplit_once("::").map_or("", |(outer, _)| outer);
        }
        for side in self.ancestors(nesting, Level::Instance).iter().skip(1) {
            let candidate = join(&side.class, path);
            if self.known.contains(&candidate) {
                return candidate;
            }
        }
        path.to_owned()
    }

    /// A class and what is above it, the nearest first.
    pub(crate) fn ancestors(&self, class: &str, level: Level) -> Vec<Side> {
        let mut list = vec![Side {
            class: class.to_owned(),
            level,
        }];
        let mut next = 0;
        while let Some(side) = list.get(next) {
            next += 1;
            let Some(parents) = self.parents.get(side) else {
                continue;
            };
            let few = parents.iter().take(ANCESTORS);
            let parents: Vec<Side> = few.filter(|side| !list.contains(side)).cloned().collect();
            list.extend(parents);
            if list.len() > ANCESTORS {
                break;
            }
        }
        list
    }

    /// The one variable that is meant, however it is written.
    pub(crate) fn resolve(&self, var: &Var) -> Option<Var> {
        self.resolve_within(var, 5)
    }

    fn resolve_within(&self, var: &Var, depth: u32) -> Option<Var> {
        let depth = depth.checked_sub(1)?;
        match var {
            Var::Reader { on, name } => {
                let found = self.reader(on, name)?;
                self.resolve_within(&found, depth)
            }
            Var::Const { nesting, path } => Some(Var::Const {
                nesting: String::new(),
                path: self.constant(nesting, path),
            }),
            Var::Ivar { owner, level, name } => {
                let mut found = var.clone();
                for side in self.ancestors(owner, *level).into_iter().skip(1) {
                    let candidate = Var::Ivar {
                        owner: side.class,
                        level: side.level,
                        name: name.clone(),
                    };
                    if self.mentioned.contains(&candidate) {
                        found = candidate;
                    }
                }
                Some(found)
            }
            Var::Cvar { owner, name } => {
                let mut found = var.clone();
                for side in self.ancestors(owner, Level::Instance).into_iter().skip(1) {
                    let candidate = Var::Cvar {
                        owner: side.class,
                        name: name.clone(),
                    };
                    if self.mentioned.contains(&candidate) {
                        found = candidate;
                    }
                }
                Some(found)
            }
            _ => Some(var.clone()),
        }
    }

    fn reader(&self, on: &On, name: &str) -> Option<Var> {
        let side = match on {
            On::Own { owner, level } => Side {
                class: owner.clone(),
                level: *level,
            },
            On::Const { nesting, path } => {
                let full = self.constant(nesting, path);
                let held = Var::Const {
                    nesting: String::new(),
                    path: full.clone(),
                };
                match self.instances.get(&held) {
                    Some(class) => Side {
                        class: self.class_of(class),
                        level: Level::Instance,
                    },
                    None => Side {
                        class: full,
                        level: Level::Class,
                    },
                }
            }
        };
        self.ancestors(&side.class, side.level)
            .into_iter()
            .find_map(|side| {
                let key = Name {
                    owner: side.class,
                    level: side.level,
                    name: name.to_owned(),
                };
                if let Some(reader) = self.readers.get(&key) {
                    return Some(reader.var.clone());
                }
                let methods = self.methods.get(&key)?;
                methods
                    .iter()
                    .find_map(|index| self.facts.methods.get(*index)?.returns.clone())
            })
    }

    /// Methods that a call may mean.
    pub(crate) fn targets(&self, call: &CallOf) -> Vec<usize> {
        match &call.on {
            Some(On::Own { owner, level }) => {
                let found = self.methods_of(owner, *level, &call.name);
                if found.is_empty() {
                    self.alike(&call.name)
                } else {
                    found
                }
            }
            Some(On::Const { nesting, path }) => {
                let class = self.constant(nesting, path);
                let held = Var::Const {
                    nesting: String::new(),
                    path: class.clone(),
                };
                if let Some(on) = self.instances.get(&held) {
                    return self.methods_of(&self.class_of(on), Level::Instance, &call.name);
                }
                if call.name == "new" {
                    return self.methods_of(&class, Level::Instance, "initialize");
                }
                self.methods_of(&class, Level::Class, &call.name)
            }
            None => self.alike(&call.name),
        }
    }

    fn methods_of(&self, class: &str, level: Level, name: &str) -> Vec<usize> {
        for side in self.ancestors(class, level) {
            let key = Name {
                owner: side.class,
                level: side.level,
                name: name.to_owned(),
            };
            if let Some(found) = self.methods.get(&key) {
                return found.clone();
            }
        }
        Vec::new()
    }

    fn alike(&self, name: &str) -> Vec<usize> {
        match self.by_name.get(name) {
            Some(list) if list.len() <= ALIKE => list.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether anything calls a method of this name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.called.contains(name)
    }

    /// Classes of which there is one object, or one chain of them: Rack's and Sidekiq's middleware.
    pub(crate) fn middleware(&self) -> HashSet<&'f str> {
        let mut found = HashSet::new();
        for method in &self.facts.methods {
            if method.level != Level::Instance || method.name != "call" || method.dups {
                continue;
            }
            let of_class = |name: &str| {
                let key = Name {
                    owner: method.owner.clone(),
                    level: Level::Instance,
                    name: name.to_owned(),
                };
                self.methods
                    .get(&key)
                    .and_then(|list| self.facts.methods.get(*list.first()?))
            };
            let takes_app = of_class("initialize").is_some_and(|it| {
                it.params
                    .first()
                    .is_some_and(|name| matches!(name.as_str(), "app" | "_app" | "downstream"))
            });
            let rack = matches!(method.params.as_slice(), [env] if env == "env" || env == "_env" || env == "environment");
            let sidekiq = matches!(method.params.as_slice(),
                [_, job, queue, ..] if matches!(job.as_str(), "job" | "msg" | "message" | "_job") && queue.contains("queue"));
            if (rack && takes_app) || sidekiq {
                found.insert(method.owner.as_str());
            }
        }
        found
    }
}

fn join(outer: &str, path: &str) -> String {
    match path.strip_prefix("::") {
        Some(top) => top.to_owned(),
        None if outer.is_empty() => path.to_owned(),
        None => format!("{outer}::{path}"),
    }
}
