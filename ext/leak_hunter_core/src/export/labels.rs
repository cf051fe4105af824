//! What the objects of a heap are called where they stand beside others: by class, classes by their own name, and what
//! a constant or variable holds by that.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::frames::HEAP;
use crate::graph::{Graph, NodeId, RootCategory, variable_name};
use crate::heap::{EdgeKind, Heap, Internal, Name, Type};
use crate::ids::{Address, ObjectId};

/// Number of a label.
pub(crate) type Label = u32;

/// The objects that constants and variables hold, and what they are called by that.
#[derive(Debug, Default)]
pub struct Named(HashMap<ObjectId, Box<str>, RandomState>);

impl Named {
    /// All that the heap has names of.
    pub fn new(heap: &Heap) -> Self {
        let mut best: HashMap<ObjectId, Box<str>, RandomState> = HashMap::default();
        for (edge, name) in heap.names().all() {
            let Some(object) = heap.find(edge.value).filter(|object| !is_module(heap, *object)) else {
                continue;
            };
            let text: Box<str> = format!(
                "{} ({})",
                qualified(heap, edge.owner.get(), name),
                class_label(heap, object)
            )
            .into();
            // of several, the shortest: an alias in a namespace of its own says less
            let known = best.entry(object).or_insert_with(|| text.clone());
            if (text.len(), &text) < (known.len(), known) {
                *known = text;
            }
        }
        Self(best)
    }

    /// What an object is called: by the constant or variable that holds it, or by its class.
    pub fn label(&self, heap: &Heap, object: ObjectId) -> String {
        match self.0.get(&object) {
            Some(label) => label.to_string(),
            None => class_label(heap, object),
        }
    }

    /// Bytes it takes.
    pub fn memory(&self) -> usize {
        self.0.values().map(|text| text.len() + 32).sum()
    }
}

/// Labels, numbered as they are met.
#[derive(Debug)]
pub(crate) struct Labels<'a> {
    graph: &'a Graph,
    texts: IndexSet<Box<str>, RandomState>,
    by_kind: Vec<Option<Label>>,
    /// Of objects that have a name of their own.
    named: HashMap<ObjectId, Label, RandomState>,
}

impl<'a> Labels<'a> {
    pub(crate) fn new(graph: &'a Graph) -> Self {
        Self {
            graph,
            texts: IndexSet::default(),
            by_kind: vec![None; graph.heap().all_kinds().len()],
            named: HashMap::default(),
        }
    }

    /// Calls objects by the constants and variables that hold them.
    pub(crate) fn add_names(&mut self) {
        let named = Named::new(self.graph.heap());
        let mut named: Vec<_> = named.0.into_iter().collect();
        named.sort_unstable();
        for (object, text) in named {
            let label = self.number(&text);
            self.named.insert(object, label);
        }
    }

    pub(crate) fn number(&mut self, text: &str) -> Label {
        match self.texts.get_index_of(text) {
            Some(label) => label as Label,
            None => self.texts.insert_full(text.into()).0 as Label,
        }
    }

    pub(crate) fn of(&mut self, node: NodeId) -> Label {
        let heap = self.graph.heap();
        let Some(object) = self.graph.object(node) else {
            let unreachable = RootCategory::Unreachable.name();
            let text = match self.graph.category(node) {
                Some(category) if category == unreachable => unreachable.into(),
                Some(category) => format!("root {category}"),
                None => HEAP.into(),
            };
            return self.number(&text);
        };
        if let Some(label) = self.named.get(&object) {
            return *label;
        }
        let kind = heap.kind_number(object);
        let known = kind.and_then(|kind| self.by_kind[kind.index()]);
        if let Some(label) = known {
            return label;
        }
        let label = self.number(&class_label(heap, object));
        match kind.filter(|_| !is_module(heap, object)) {
            Some(kind) => self.by_kind[kind.index()] = Some(label),
            None => drop(self.named.insert(object, label)),
        }
        label
    }

    /// What an object is called below another: by its class, and by the variable that leads to it.
    pub(crate) fn below(&mut self, parent: NodeId, node: NodeId) -> Label {
        let label = self.of(node);
        let has_name = self
            .graph
            .object(node)
            .is_none_or(|object| self.named.contains_key(&object));
        let name = if has_name {
            None
        } else {
            variable_name(self.graph, parent, node)
        };
        match (name, self.texts.get_index(label as usize)) {
            (Some(name), Some(class)) => {
                let text = format!("{name} {class}");
                self.number(&text)
            }
            _ => label,
        }
    }

    pub(crate) fn into_texts(self) -> Vec<Box<str>> {
        self.texts.into_iter().collect()
    }
}

fn is_module(heap: &Heap, object: ObjectId) -> bool {
    heap.kind(object).is_some_and(|kind| kind.type_.is_class())
}

/// The class of an object; of a class or module, what it is and its own name.
pub(crate) fn class_label(heap: &Heap, object: ObjectId) -> String {
    let kind = heap.kind(object);
    if kind.is_some_and(|kind| kind.internal == Internal::Tracing) {
        return heap.tracing_name().into();
    }
    let type_ = kind.map(|kind| kind.type_);
    let own = |what: &str| match heap.classes().name(heap.address(object)) {
        Some(name) => format!("{what} {name}"),
        None => what.into(),
    };
    match type_ {
        // C code that has no class of its own
        Some(Type::Data) if heap.class_name(object).as_deref() == Some("Object") => {
            format!("{} (Ruby internal)", heap.label(object).unwrap_or("DATA"))
        }
        Some(Type::Class) if heap.classes().real(heap.address(object)) != heap.address(object) => {
            "singleton class".into()
        }
        Some(Type::Class) => own("class"),
        Some(Type::Module) => own("module"),
        Some(Type::IClass) => "included module".into(),
        // Rack has an `env`, too
        Some(Type::Imemo) if kind.is_some_and(|kind| kind.internal == Internal::Scope) => {
            "closure scope (Ruby internal)".into()
        }
        Some(Type::Imemo) => format!("{} (Ruby internal)", heap.label(object).unwrap_or("IMEMO")),
        _ => heap
            .class_name(object)
            .unwrap_or_else(|| format!("{} (Ruby internal)", heap.type_name(object))),
    }
}

/// A name as it is written: `Shop::AUDIT_TRAIL`, `Shop @cache`, `$cache`.
fn qualified(heap: &Heap, owner: Option<Address>, name: &Name) -> String {
    let owner = match owner.and_then(|owner| heap.classes().name(owner)) {
        Some(owner) if owner != "Object" => owner,
        _ => return local(name),
    };
    match name.kind {
        EdgeKind::Constant => format!("{owner}::{}", name.name),
        EdgeKind::InstanceVariable | EdgeKind::ClassVariable => format!("{owner} {}", name.name),
        _ => local(name),
    }
}

/// A name that needs no owner.
fn local(name: &Name) -> String {
    match name.kind {
        EdgeKind::FiberLocal => format!("Thread#[:{}]", name.name),
        EdgeKind::ThreadVariable => format!("thread variable {}", name.name),
        EdgeKind::FiberStorage => format!("Fiber[:{}]", name.name),
        _ => name.name.clone(),
    }
}
