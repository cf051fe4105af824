//! The shortest path from the roots to an object, step by step, with the names by which each step refers to the next, as
//! far as a dump knows them.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::edge::{Edge, EdgeKind, NamedBy};
use super::path_finder::{Length, PathFinder, PathNode};
use super::ticks::Ticks;
use super::{Graph, NodeId};
use crate::error::Result;
use crate::heap::{Heap, Internal, Name, Slot, Type};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// One object on a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The object, or the category of roots that the path begins with.
    pub node: NodeId,
    /// How the step before refers to this one; of the first step, the category of roots.
    pub edge: Edge,
}

/// The steps from the roots to a node along `parents` ([`Graph::parents`]), the category first. A path of 200 steps or
/// more lacks its middle: the edge behind the gap is an [`EdgeKind::Gap`].
pub fn path(graph: &Graph, parents: &[NodeId], node: NodeId, progress: &Progress) -> Result<Vec<Step>> {
    let nodes = PathFinder::new(graph, parents, progress).find(node, None, Length::FULL)?;
    let names = EdgeNames::of(graph, &[&nodes], progress)?;
    Ok(names.steps(&nodes))
}

/// The name that a dump has of the reference from one node to the next, whatever kind of objects they are.
pub(crate) fn noted_name(graph: &Graph, parent: NodeId, child: NodeId) -> Option<&Name> {
    let heap = graph.heap();
    let names = heap.names();
    let child = graph.object(child)?;
    let value = heap.address(child);
    let Some(parent) = graph
        .object(parent)
        .filter(|parent| !is_pinned_list(heap, *parent))
    else {
        return names.of_global(value);
    };
    names.of_edge(heap.address(parent), value).or_else(|| {
        // A thread's locals are referenced by its fiber or its execution context, which Ruby code knows only as the
        // thread; thread variables are in a Hash.
        let type_ = heap.kind(parent)?.type_;
        (matches!(type_, Type::Hash | Type::Data) && heap.class_of(parent) != Some(child))
            .then(|| names.of_local(value))?
    })
}

/// Objects with more variables are not looked through.
const MOST_VARIABLES: usize = 64;

/// The name of the variable by which one node refers to another, where the dump has it: `@token`. At most a few
/// references are looked at, so that this may be asked of every object.
pub(crate) fn variable_name(graph: &Graph, parent: NodeId, child: NodeId) -> Option<&str> {
    let heap = graph.heap();
    if let Some(name) = noted_name(graph, parent, child) {
        return Some(&name.name);
    }
    let (parent, child) = (graph.object(parent)?, graph.object(child)?);
    if heap.references(parent).len() > MOST_VARIABLES {
        return None;
    }
    heap.references(parent)
        .zip(heap.slots(parent))
        .find_map(|(to, slot)| match slot {
            Slot::Variable(name) if to == child => name,
            _ => None,
        })
}

/// Whether it stands for a root.
pub(crate) fn is_pinned_list(heap: &Heap, object: ObjectId) -> bool {
    heap.kind(object)
        .is_some_and(|kind| kind.internal == Internal::PinnedObjects)
}

/// What an object refers to, each once, and how.
pub fn references(graph: &Graph, object: ObjectId, progress: &Progress) -> Result<Vec<Step>> {
    let link = |to| Link { from: object, to };
    let mut links: Vec<Link> = graph.heap().references(object).map(link).collect();
    links.sort_unstable();
    links.dedup();
    let mut names = EdgeNames {
        graph,
        references: HashMap::default(),
    };
    if !links.is_empty() {
        names.look_at(&links, &mut Ticks::new(progress))?;
    }
    let step = |link: &Link| Step {
        node: link.to.into(),
        edge: names.edge(object.into(), link.to.into()),
    };
    Ok(links.iter().map(step).collect())
}

/// What is known of the references from one object to another.
#[derive(Clone, Copy, Debug)]
struct References<'a> {
    /// Of several references, that by a variable says most.
    slot: Slot<'a>,
    /// Which element of an Array it is, where that is known.
    element: Option<u32>,
}

/// What is needed to name the references of some paths. The references of an object are read once, however many paths
/// lead over it: it may have millions.
pub(crate) struct EdgeNames<'a> {
    graph: &'a Graph,
    references: HashMap<Link, References<'a>, RandomState>,
}

/// From one object to another, by one reference or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Link {
    from: ObjectId,
    to: ObjectId,
}

impl<'a> EdgeNames<'a> {
    pub(crate) fn of(graph: &'a Graph, paths: &[&[PathNode]], progress: &Progress) -> Result<Self> {
        let mut wanted: Vec<Link> = paths
            .iter()
            .flat_map(|path| path.windows(2))
            .filter(|step| step[1].omitted == 0)
            .filter_map(|step| {
                let from = graph.object(step[0].node)?;
                let to = graph.object(step[1].node)?;
                Some(Link { from, to })
            })
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut names = Self {
            graph,
            references: HashMap::default(),
        };
        let mut ticks = Ticks::new(progress);
        for of_parent in wanted.chunk_by(|one, two| one.from == two.from) {
            names.look_at(of_parent, &mut ticks)?;
        }
        Ok(names)
    }

    /// Looks at what one object refers to. `wanted` has it and some of those, ascending.
    fn look_at(&mut self, wanted: &[Link], ticks: &mut Ticks<'_>) -> Result<()> {
        let heap = self.graph.heap();
        let parent = wanted[0].from;
        let slots = heap.slots(parent);
        let is_array = heap.kind(parent).is_some_and(|kind| kind.type_ == Type::Array);
        let is_class = |child| heap.class_of(parent) == Some(child);
        if slots.is_empty() && !is_array && !wanted.iter().any(|link| is_class(link.to)) {
            return Ok(());
        }
        let slot = |index: usize| slots.get(index).copied().unwrap_or(Slot::Other);
        let elements = match slots.is_empty() {
            true => heap.references(parent).len(),
            false => slots.iter().filter(|slot| **slot == Slot::Other).count(),
        };
        // numbers and `nil` are no references, so only where each element is one it is known which is which
        let is_whole = is_array && heap.length(parent) == Some(elements as u32);
        let mut element = 0;
        for (index, child) in heap.references(parent).enumerate() {
            ticks.tick()?;
            let slot = slot(index);
            let own = (is_whole && slot == Slot::Other).then_some(element);
            element += u32::from(slot == Slot::Other);
            let link = Link {
                from: parent,
                to: child,
            };
            if wanted.binary_search(&link).is_err() {
                continue;
            }
            let known = self.references.entry(link);
            let known = known.and_modify(|known| {
                known.element = None;
                if !matches!(known.slot, Slot::Variable(_)) && matches!(slot, Slot::Variable(_)) {
                    known.slot = slot;
                }
            });
            known.or_insert(References { slot, element: own });
        }
        Ok(())
    }

    /// The steps of one of the paths.
    pub(crate) fn steps(&self, path: &[PathNode]) -> Vec<Step> {
        let edge = |index: usize| match index.checked_sub(1) {
            _ if path[index].omitted > 0 => Edge::gap(path[index].omitted),
            Some(before) => self.edge(path[before].node, path[index].node),
            None => self.root_edge(path[index].node),
        };
        let step = |index: usize| Step {
            node: path[index].node,
            edge: edge(index),
        };
        (0..path.len()).map(step).collect()
    }

    fn root_edge(&self, category: NodeId) -> Edge {
        let name = self.graph.category(category).unwrap_or("unknown");
        Edge::named(EdgeKind::Root, name, NamedBy::Dump)
    }

    fn edge(&self, parent: NodeId, child: NodeId) -> Edge {
        if let Some(name) = noted_name(self.graph, parent, child) {
            return Edge::named(name.kind, name.name.clone(), NamedBy::Dump);
        }
        let Some(from) = self.graph.object(parent) else {
            return self.root_edge(parent);
        };
        let (parent, Some(child)) = (from, self.graph.object(child)) else {
            return Edge::unnamed(EdgeKind::Reference);
        };
        let heap = self.graph.heap();
        let link = Link {
            from: parent,
            to: child,
        };
        let references = self.references.get(&link);
        if references.is_none() && heap.class_of(parent) == Some(child) {
            return Edge::unnamed(EdgeKind::Class);
        }
        let Some(kind) = heap.kind(parent) else {
            return Edge::unnamed(EdgeKind::Reference);
        };
        let is_class = kind.type_.is_class();
        match references.map_or(Slot::Other, |it| it.slot) {
            Slot::Variable(Some(name)) if name.starts_with("@@") => {
                return Edge::named(EdgeKind::ClassVariable, name, NamedBy::Shape);
            }
            Slot::Variable(Some(name)) => {
                return Edge::named(EdgeKind::InstanceVariable, name, NamedBy::Shape);
            }
            Slot::Variable(None) if !is_class => return Edge::unnamed(EdgeKind::InstanceVariable),
            Slot::Variable(None) | Slot::Table => return Edge::unnamed(EdgeKind::Reference),
            Slot::Other => {}
        }
        match kind.type_ {
            Type::Array => match references.and_then(|it| it.element) {
                Some(index) => Edge::named(EdgeKind::ArrayElement, format!("[{index}]"), NamedBy::Position),
                None => Edge::unnamed(EdgeKind::ArrayElement),
            },
            Type::Class | Type::Module | Type::IClass => {
                let superclass = heap.classes().superclass(heap.address(parent));
                Edge::unnamed(match () {
                    () if superclass == Some(heap.address(child)) => EdgeKind::Superclass,
                    // only a singleton class refers to an instance of its own: the object it was made for
                    () if heap.class_of(child) == Some(parent) => EdgeKind::AttachedObject,
                    () => EdgeKind::Reference,
                })
            }
            Type::Hash => Edge::unnamed(EdgeKind::HashEntry),
            Type::Struct => Edge::unnamed(EdgeKind::StructMember),
            Type::Imemo if kind.internal == Internal::Scope => Edge::unnamed(EdgeKind::Captured),
            _ => Edge::unnamed(EdgeKind::Reference),
        }
    }
}

/// Whether each element of an Array has a reference: numbers and `nil` have none.
pub(crate) fn is_whole_array(heap: &Heap, object: ObjectId) -> bool {
    heap.kind(object).is_some_and(|kind| kind.type_ == Type::Array)
        && heap.length(object) == Some(heap.references(object).len() as u32)
}
