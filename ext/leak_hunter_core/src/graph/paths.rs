//! The way from the roots to an object, step by step, with the names by which each step refers to the next, as far as a
//! dump knows them.

use super::{Graph, Node};
use crate::heap::{Slot, Type};

/// Longer ways (linked lists) are told from both ends.
const LONGEST: usize = 200;

/// How an object refers to the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    /// `root`, `class`, `constant`, `instance_variable`, `class_variable`, `global`, `fiber_local`, `thread_variable`,
    /// `fiber_storage`, `array_element`, `hash_entry`, `struct_member`, `captured`, `superclass`, `attached_object` or
    /// `reference`; `gap` where steps are left out.
    pub kind: String,
    /// As it is written in Ruby; `None` where the dump does not tell.
    pub name: Option<String>,
    /// `dump` when LeakHunter noted it down with the dump, `shape` when the object's shape tells it, `position` when it
    /// follows from the order of the references.
    pub named_by: Option<&'static str>,
}

impl Edge {
    fn unnamed(kind: &str) -> Self {
        Self {
            kind: kind.into(),
            ..Self::default()
        }
    }

    fn named(kind: &str, name: impl Into<String>, named_by: &'static str) -> Self {
        Self {
            kind: kind.into(),
            name: Some(name.into()),
            named_by: Some(named_by),
        }
    }
}

/// One object on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The object, or the category of roots it begins with.
    pub node: Node,
    /// How the step before leads to this one; of the first step, the category of roots.
    pub edge: Edge,
}

/// The steps from the roots to a node along `parents`, the category first. A way of more than 200 steps lacks its
/// middle, which the edge after it says.
pub fn path(graph: &Graph<'_>, parents: &[Node], node: Node) -> Vec<Step> {
    let mut nodes = vec![node];
    let mut at = node;
    // as many steps as there are nodes at most, whatever `parents` holds
    for _ in 0..graph.len() {
        let parent = parents[at as usize];
        if at == graph.top() || parent == graph.top() || parent >= graph.len() {
            break;
        }
        nodes.push(parent);
        at = parent;
    }
    nodes.reverse();
    let gap = nodes.len() > LONGEST;
    if gap {
        let behind = nodes.len() - LONGEST / 2;
        nodes.drain(LONGEST / 2..behind);
    }
    let mut steps = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        let edge = match index.checked_sub(1) {
            _ if gap && index == LONGEST / 2 => Edge::unnamed("gap"),
            Some(before) => edge(graph, nodes[before], *node),
            None => Edge::named("root", graph.category(*node).unwrap_or("unknown"), "dump"),
        };
        steps.push(Step { node: *node, edge });
    }
    steps
}

/// How one node refers to the next.
pub fn edge(graph: &Graph<'_>, parent: Node, child: Node) -> Edge {
    let heap = graph.heap();
    let value = heap.address(child);
    if !graph.is_object(parent) {
        return match heap.names().of_global(value) {
            Some(name) => Edge::named(&name.kind, name.name.clone(), "dump"),
            None => Edge::named("root", graph.category(parent).unwrap_or("unknown"), "dump"),
        };
    }
    if let Some(name) = heap.names().of_edge(heap.address(parent), value) {
        return Edge::named(&name.kind, name.name.clone(), "dump");
    }
    let slots = heap.slots(parent);
    let slot = |index: usize| slots.get(index).copied().unwrap_or(Slot::Other);
    let mut positions: Vec<usize> = heap
        .references(parent)
        .enumerate()
        .filter_map(|(index, number)| (number == child).then_some(index))
        .collect();
    // of several references, that by a variable says most
    positions.sort_by_key(|index| !matches!(slot(*index), Slot::Variable(_)));
    let Some(position) = positions.first().copied() else {
        return Edge::unnamed(if heap.class_of(parent) == Some(child) {
            "class"
        } else {
            "reference"
        });
    };
    let Some(kind) = heap.kind(parent) else {
        return Edge::unnamed("reference");
    };
    let is_class = matches!(kind.type_, Type::Class | Type::Module | Type::IClass);
    match slot(position) {
        Slot::Variable(Some(name)) if name.starts_with("@@") => {
            return Edge::named("class_variable", name, "shape");
        }
        Slot::Variable(Some(name)) => return Edge::named("instance_variable", name, "shape"),
        Slot::Variable(None) if !is_class => return Edge::unnamed("instance_variable"),
        Slot::Variable(None) | Slot::Table => return Edge::unnamed("reference"),
        Slot::Other => {}
    }
    match kind.type_ {
        Type::Array => {
            let own = (0..heap.references(parent).len()).filter(|index| slot(*index) == Slot::Other);
            let element = own.clone().position(|index| index == position);
            let whole = heap.length(parent) == Some(own.count() as u32);
            match element.filter(|_| whole && positions.len() == 1) {
                Some(index) => Edge::named("array_element", format!("[{index}]"), "position"),
                None => Edge::unnamed("array_element"),
            }
        }
        // thread variables stand in a Hash
        Type::Class | Type::Module | Type::IClass => {
            let superclass = heap.classes().superclass(heap.address(parent));
            Edge::unnamed(match () {
                () if superclass == Some(value) => "superclass",
                // only a singleton class refers to an instance of its own: the object it was made for
                () if heap.class_of(child) == Some(parent) => "attached_object",
                () => "reference",
            })
        }
        Type::Hash => thread_local(graph, child).unwrap_or_else(|| Edge::unnamed("hash_entry")),
        Type::Struct => Edge::unnamed("struct_member"),
        Type::Imemo if heap.label(parent) == Some("env") => Edge::unnamed("captured"),
        Type::Data => thread_local(graph, child).unwrap_or_else(|| Edge::unnamed("reference")),
        _ => Edge::unnamed("reference"),
    }
}

/// A thread's locals are referred to by its fiber or its execution context, which Ruby code knows only as the thread.
fn thread_local(graph: &Graph<'_>, child: Node) -> Option<Edge> {
    let name = graph.heap().names().of_local(graph.heap().address(child))?;
    Some(Edge::named(&name.kind, name.name.clone(), "dump"))
}
