//! The neighbourhood of an object as a picture for Graphviz.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Write;

use foldhash::fast::RandomState;

use super::Subject;
use super::labels::class_label;
use super::out::Out;
use super::printable::printable;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::NodeId;
use crate::heap::{Heap, ObjectSet};
use crate::ids::ObjectId;
use crate::progress::Progress;

const CHECK_EVERY: usize = 1 << 15;
/// Rounds of looking through the whole heap for who refers to what is shown.
const ROUNDS: usize = 8;
/// Of one object's references, or referrers, so many are shown.
const FAN: usize = 12;
const LONGEST_LABEL: usize = 60;

/// What makes an object a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The object refers to it, or it to the object.
    Any,
    /// The object refers to it.
    References,
    /// It refers to the object.
    Referrers,
    /// It dominates the object, or is dominated by it.
    Dominators,
}

impl Relation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Any, Self::References, Self::Referrers, Self::Dominators];

    /// As it is called in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::References => "references",
            Self::Referrers => "referrers",
            Self::Dominators => "dominators",
        }
    }
}

impl std::str::FromStr for Relation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|relation| relation.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::new(
                ErrorKind::Options,
                format!("relation: {name:?} is not one of {names}"),
            )
        })
    }
}

/// What to show.
#[derive(Clone, Copy, Debug)]
pub struct Neighbourhood {
    /// The object in the middle.
    pub object: ObjectId,
    /// Who are its neighbours.
    pub relation: Relation,
    /// At most so many objects, the nearest.
    pub limit: usize,
}

/// Writes Graphviz' DOT.
pub fn dot(
    subject: &Subject<'_>,
    neighbourhood: &Neighbourhood,
    sink: impl Write,
    progress: &Progress,
) -> Result<()> {
    let limit = neighbourhood.limit.clamp(1, 1000);
    let mut picture = Picture {
        subject,
        limit,
        shown: vec![neighbourhood.object.into()],
        known: HashSet::from_iter([neighbourhood.object.into()]),
        edges: Vec::new(),
        left_out: false,
    };
    match neighbourhood.relation {
        Relation::Dominators => picture.dominators(neighbourhood.object.into(), progress)?,
        relation => picture.references(neighbourhood.object, relation, progress)?,
    }
    picture.write(neighbourhood, Out::new(sink, progress))
}

struct Picture<'a> {
    subject: &'a Subject<'a>,
    limit: usize,
    shown: Vec<NodeId>,
    known: HashSet<NodeId, RandomState>,
    edges: Vec<Arrow>,
    left_out: bool,
}

/// An arrow of the picture.
struct Arrow {
    from: NodeId,
    to: NodeId,
}

impl Picture<'_> {
    fn heap(&self) -> &Heap {
        self.subject.graph.heap()
    }

    /// Whether there is room for the node, or it is there already.
    fn show(&mut self, node: impl Into<NodeId>) -> bool {
        let node = node.into();
        if self.known.contains(&node) {
            return true;
        }
        if self.shown.len() >= self.limit {
            self.left_out = true;
            return false;
        }
        self.known.insert(node);
        self.shown.push(node);
        true
    }

    fn retained(&self, node: impl Into<NodeId>) -> u64 {
        self.subject.dominators.retained(node)
    }

    /// The larger first, and not too many.
    fn largest<N: Copy + Ord + Into<NodeId>>(&mut self, mut nodes: Vec<N>) -> Vec<N> {
        nodes.sort_unstable_by_key(|node| (std::cmp::Reverse(self.retained(*node)), *node));
        nodes.dedup();
        self.left_out |= nodes.len() > FAN;
        nodes.truncate(FAN);
        nodes
    }

    fn references(&mut self, object: ObjectId, relation: Relation, progress: &Progress) -> Result<()> {
        let mut frontier = vec![object];
        for _ in 0..ROUNDS {
            let mut next = Vec::new();
            if relation != Relation::References {
                for referrers in self.referrers(&frontier, progress)? {
                    for referrer in self.largest(referrers) {
                        let new = !self.known.contains(&referrer.into());
                        if self.show(referrer) && new {
                            next.push(referrer);
                        }
                    }
                }
            }
            if relation != Relation::Referrers {
                for object in &frontier {
                    let references = self.heap().references(*object).collect();
                    for reference in self.largest(references) {
                        let new = !self.known.contains(&reference.into());
                        if self.show(reference) && new {
                            next.push(reference);
                        }
                    }
                }
            }
            if next.is_empty() || self.shown.len() >= self.limit {
                break;
            }
            frontier = next;
        }
        self.connect();
        Ok(())
    }

    /// By target, who refers to it: one look through the heap for all of them.
    fn referrers(&self, targets: &[ObjectId], progress: &Progress) -> Result<Vec<Vec<ObjectId>>> {
        let wanted = ObjectSet::of(targets.iter().copied());
        let mut found: HashMap<ObjectId, Vec<ObjectId>, RandomState> = HashMap::default();
        for object in self.heap().objects() {
            if object.index() % CHECK_EVERY == 0 {
                progress.check()?;
            }
            for reference in self.heap().references(object) {
                if reference != object && wanted.contains(reference) {
                    found.entry(reference).or_default().push(object);
                }
            }
        }
        let list = |target: &ObjectId| found.remove(target).unwrap_or_default();
        Ok(targets.iter().map(list).collect())
    }

    /// All references between those that are shown.
    fn connect(&mut self) {
        let graph = self.subject.graph;
        for object in self.shown.iter().filter_map(|node| graph.object(*node)) {
            let references = self.heap().references(object).map(NodeId::from);
            let mut references: Vec<NodeId> = references.filter(|it| self.known.contains(it)).collect();
            references.sort_unstable();
            references.dedup();
            let from = NodeId::from(object);
            self.edges
                .extend(references.into_iter().map(|to| Arrow { from, to }));
        }
    }

    /// The way up to the top, and the largest below.
    fn dominators(&mut self, object: NodeId, progress: &Progress) -> Result<()> {
        let dominators = self.subject.dominators;
        let mut node = object;
        while let Some(idom) = dominators.of(node) {
            if !self.show(idom) {
                break;
            }
            self.edges.push(Arrow { from: idom, to: node });
            node = idom;
        }
        let mut below: HashMap<NodeId, Vec<NodeId>, RandomState> = HashMap::default();
        for (index, node) in dominators.order().iter().enumerate() {
            if index % CHECK_EVERY == 0 {
                progress.check()?;
            }
            // `order` has each after its dominator
            if let Some(idom) = dominators
                .of(*node)
                .filter(|it| *it == object || below.contains_key(it))
            {
                below.entry(idom).or_default().push(*node);
                below.entry(*node).or_default();
            }
        }
        let mut open = VecDeque::from([object]);
        while let Some(node) = open.pop_front() {
            for child in self.largest(below.remove(&node).unwrap_or_default()) {
                if self.show(child) {
                    self.edges.push(Arrow {
                        from: node,
                        to: child,
                    });
                    open.push_back(child);
                }
            }
        }
        Ok(())
    }

    fn write<W: Write>(&self, neighbourhood: &Neighbourhood, mut out: Out<'_, W>) -> Result<()> {
        out.text("digraph heap {\n  rankdir=LR;\n")?;
        out.text(
            "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#f4f4f4\", fontname=\"sans-serif\"];\n",
        )?;
        out.text("  edge [fontname=\"sans-serif\", fontsize=10];\n")?;
        for node in &self.shown {
            out.text(&format!("  n{} [label=\"{}\"", node.get(), self.label(*node)))?;
            if *node == NodeId::from(neighbourhood.object) {
                out.text(", penwidth=3, fillcolor=\"#ffe08a\"")?;
            } else if !self.subject.graph.is_object(*node) {
                out.text(", shape=ellipse")?;
            }
            out.text("];\n")?;
        }
        for Arrow { from, to } in &self.edges {
            out.text(&format!("  n{} -> n{}", from.get(), to.get()))?;
            let graph = self.subject.graph;
            let ends = graph.object(*from).zip(graph.object(*to));
            let name = ends.and_then(|(from, to)| {
                let names = self.heap().names();
                names.of_edge(self.heap().address(from), self.heap().address(to))
            });
            match name {
                _ if neighbourhood.relation == Relation::Dominators => out.text(" [style=dashed]")?,
                Some(name) => out.text(&format!(" [label=\"{}\"]", escaped(&name.name)))?,
                None => {}
            }
            out.text(";\n")?;
        }
        if self.left_out {
            out.text("  more [label=\"more, not shown\", shape=plaintext, style=\"\"];\n")?;
        }
        out.text("}\n")?;
        out.finish()
    }

    fn label(&self, node: NodeId) -> String {
        let Some(object) = self.subject.graph.object(node) else {
            return escaped(self.subject.graph.category(node).unwrap_or("roots"));
        };
        let class = escaped(&class_label(self.heap(), object));
        let address = self.heap().address(object);
        let own = self.heap().memsize(object);
        let retained = self.retained(node);
        format!("{class}\\n{address:#x}\\n{own} B, retains {retained} B")
    }
}

/// Text for a label in quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for (index, char) in printable(text).chars().enumerate() {
        match char {
            _ if index >= LONGEST_LABEL => {
                escaped.push('…');
                break;
            }
            '"' | '\\' => escaped.extend(['\\', char]),
            char => escaped.push(char),
        }
    }
    escaped
}
