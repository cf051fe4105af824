//! V8's `.heapsnapshot`, which Chrome's memory panel opens.
//!
//! The top of the graph is V8's root, categories of roots stand below its `(GC roots)`. References that do not keep an
//! object alive here (see [`crate::graph::Graph`]) are weak there, so that dominators and retained sizes are the same.
//! Where an object was made is its allocation stack. Strings have no contents here: a heap holds secrets.

use std::io::Write;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::labels::class_label;
use super::out::Out;
use crate::error::Result;
use crate::graph::{Graph, Level, NodeId, is_whole_array};
use crate::heap::{Heap, ObjectSet, Slot, Type};
use crate::ids::ObjectId;
use crate::progress::Progress;

mod ids;
mod meta;
mod sites;

use ids::Ids;
use meta::{EDGES, META, NODES};
use sites::Sites;

/// Fields of a node. Edges lead to the first field of theirs.
const FIELDS: u64 = 7;
/// References that have a number of their own, where nothing better is known of them.
const NUMBERED: usize = 1000;

/// Writes the snapshot of all objects.
pub fn heapsnapshot(graph: &Graph, sink: impl Write, progress: &Progress) -> Result<()> {
    let snapshot = Snapshot::new(graph);
    let mut out = Out::new(sink, progress);
    out.text("{\"snapshot\":{\"meta\":")?;
    out.text(META)?;
    for (name, number) in [
        (
            "node_count",
            u64::from(graph.heap().len()) + 2 + categories(graph).len() as u64,
        ),
        ("edge_count", snapshot.edge_count()),
        ("trace_function_count", snapshot.sites.len() + 1),
    ] {
        out.text(",\"")?;
        out.text(name)?;
        out.text("\":")?;
        out.number(number)?;
    }
    let mut strings = Strings::default();
    out.text("},\n\"nodes\":[")?;
    snapshot.nodes(&mut out, &mut strings)?;
    out.text("],\n\"edges\":[")?;
    snapshot.edges(&mut out, &mut strings)?;
    out.text("],\n")?;
    snapshot.sites.write(graph.heap(), &mut out, &mut strings)?;
    out.text(",\n\"samples\":[],\n\"locations\":[],\n\"strings\":")?;
    out.strings(strings.0.iter().map(AsRef::as_ref))?;
    out.text("}\n")?;
    out.finish()
}

/// Texts by number. The first is always the empty one.
#[derive(Default)]
struct Strings(IndexSet<Box<str>, RandomState>);

impl Strings {
    fn number(&mut self, text: &str) -> u64 {
        let number = match self.0.get_index_of(text) {
            Some(number) => number,
            None => self.0.insert_full(text.into()).0,
        };
        number as u64
    }
}

/// What Chrome calls objects of one kind: the numbers of their type and of their name.
#[derive(Clone, Copy)]
struct NodeLabel {
    type_: u64,
    name: u64,
}

struct Snapshot<'a> {
    graph: &'a Graph,
    sites: Sites<'a>,
    /// Objects that are referred to from roots: Chrome counts distances from these.
    entries: Vec<ObjectId>,
    /// Whose references have names.
    owners: ObjectSet,
}

impl<'a> Snapshot<'a> {
    fn new(graph: &'a Graph) -> Self {
        let heap = graph.heap();
        let mut entries: Vec<ObjectId> = categories(graph)
            .flat_map(|category| graph.successors(category))
            .filter_map(|node| graph.object(node))
            .filter(|object| graph.level(*object) == Level::Strong)
            .collect();
        entries.sort_unstable();
        entries.dedup();
        let owners = heap
            .names()
            .all()
            .filter_map(|(edge, _)| heap.find(edge.owner.get()?));
        Self {
            graph,
            sites: Sites::new(heap),
            entries,
            owners: ObjectSet::of(owners),
        }
    }

    /// Where a node of the graph stands among the nodes: behind root, `(GC roots)` and the categories.
    fn node(&self, object: impl Into<NodeId>) -> u64 {
        (u64::from(object.into().get()) + 2 + categories(self.graph).len() as u64) * FIELDS
    }

    fn category_edges(&self, category: NodeId) -> u64 {
        self.graph.successors(category).count() as u64
    }

    fn object_edges(&self, object: ObjectId) -> u64 {
        let heap = self.graph.heap();
        u64::from(heap.class_of(object).is_some()) + heap.references(object).len() as u64
    }

    fn edge_count(&self) -> u64 {
        let roots = 1 + self.entries.len() as u64 + categories(self.graph).len() as u64;
        let categories: u64 = categories(self.graph).map(|it| self.category_edges(it)).sum();
        let objects: u64 = self.graph.heap().objects().map(|it| self.object_edges(it)).sum();
        roots + categories + objects
    }

    fn nodes<W: Write>(&self, out: &mut Out<'_, W>, strings: &mut Strings) -> Result<()> {
        let heap = self.graph.heap();
        let mut ids = Ids::new(heap);
        let node = |out: &mut Out<'_, W>, fields: [u64; 6], first: bool| {
            out.text(if first { "" } else { ",\n" })?;
            out.numbers(fields.into_iter().chain([0]))
        };
        let synthetic = NODES.of("synthetic");
        let root_edges = 1 + self.entries.len() as u64;
        node(
            out,
            [synthetic, strings.number(""), ids.synthetic(), 0, root_edges, 0],
            true,
        )?;
        let below = categories(self.graph);
        let name = strings.number("(GC roots)");
        node(
            out,
            [synthetic, name, ids.synthetic(), 0, below.len() as u64, 0],
            false,
        )?;
        for category in below {
            let name = strings.number(&format!("({})", self.graph.category(category).unwrap_or("roots")));
            let edges = self.category_edges(category);
            node(out, [synthetic, name, ids.synthetic(), 0, edges, 0], false)?;
        }
        let mut by_kind: Vec<Option<NodeLabel>> = vec![None; heap.all_kinds().len()];
        for object in heap.objects() {
            let kind = heap.kind_number(object);
            let is_module = heap
                .kind(object)
                .is_some_and(|kind| matches!(kind.type_, Type::Class | Type::Module));
            let known = kind.and_then(|kind| by_kind[kind.index()]);
            let label = known.unwrap_or_else(|| NodeLabel {
                type_: NODES.of(node_type(heap, object)),
                name: strings.number(&class_label(heap, object)),
            });
            if let Some(kind) = kind.filter(|_| !is_module) {
                by_kind[kind.index()] = Some(label);
            }
            let trace = kind.map_or(0, |kind| self.sites.trace(kind));
            let size = heap.memsize(object).min(u64::from(u32::MAX));
            let edges = self.object_edges(object);
            let NodeLabel { type_, name } = label;
            node(out, [type_, name, ids.of(object), size, edges, trace], false)?;
        }
        Ok(())
    }

    fn edges<W: Write>(&self, out: &mut Out<'_, W>, strings: &mut Strings) -> Result<()> {
        let graph = self.graph;
        let [element, property, internal, weak] =
            ["element", "property", "internal", "weak"].map(|name| EDGES.of(name));
        let gc_roots = FIELDS;
        let name = strings.number("(GC roots)");
        out.numbers([internal, name, gc_roots])?;
        let edge = |out: &mut Out<'_, W>, fields: [u64; 3]| {
            out.text(",\n")?;
            out.numbers(fields)
        };
        let name = strings.number("root");
        for object in &self.entries {
            // not what keeps them alive: that are the categories
            edge(out, [weak, name, self.node(*object)])?;
        }
        for (index, _) in categories(graph).enumerate() {
            edge(out, [element, index as u64 + 1, (index as u64 + 2) * FIELDS])?;
        }
        for category in categories(graph) {
            for (index, object) in graph.successors(category).enumerate() {
                edge(out, [element, index as u64 + 1, self.node(object)])?;
            }
        }
        let class_name = strings.number("class");
        let mut unnamed = Vec::new();
        let heap = graph.heap();
        for object in heap.objects() {
            // of all that the object refers to, in the same order, those that count
            let mut essential = graph.successors(object.into()).peekable();
            let mut type_of = |next: ObjectId, type_: u64| match essential.next_if_eq(&NodeId::from(next)) {
                Some(_) => type_,
                None => weak,
            };
            if let Some(class) = heap.class_of(object) {
                edge(out, [type_of(class, internal), class_name, self.node(class)])?;
            }
            let has_names = self.owners.contains(object);
            let slots = heap.slots(object);
            let is_whole_array = slots.is_empty() && is_whole_array(heap, object);
            for (index, next) in heap.references(object).enumerate() {
                let told = has_names.then(|| heap.names().of_edge(heap.address(object), heap.address(next)));
                let told = told.flatten().map(|name| name.name.as_str());
                let variable = || match slots.get(index) {
                    Some(Slot::Variable(name)) => *name,
                    _ => None,
                };
                let (type_, name) = match told.or_else(variable) {
                    Some(told) => (property, strings.number(told)),
                    None if is_whole_array => (element, index as u64),
                    None => (internal, number_of(index, &mut unnamed, strings)),
                };
                edge(out, [type_of(next, type_), name, self.node(next)])?;
            }
        }
        Ok(())
    }
}

fn categories(graph: &Graph) -> impl ExactSizeIterator<Item = NodeId> + use<> {
    graph.category_nodes()
}

fn number_of(index: usize, known: &mut Vec<u64>, strings: &mut Strings) -> u64 {
    if index >= NUMBERED {
        return strings.number("#...");
    }
    while known.len() <= index {
        let next = known.len() + 1;
        known.push(strings.number(&format!("#{next}")));
    }
    known[index]
}

/// Chrome sorts objects into groups by type, and by name where the type is `object` or `native`: that is the class here.
fn node_type(heap: &Heap, object: ObjectId) -> &'static str {
    match heap.kind(object).map(|kind| kind.type_) {
        Some(Type::Imemo | Type::IClass) => "native",
        _ => "object",
    }
}
