//! Heaps whose graphs are awkward to walk: long, wide, deep, shared; what leaked is everywhere, at the leaves, or at the
//! end.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;

use leak_hunter_core::Progress;
use leak_hunter_core::export::{Limits, Subject, View, folded};
use leak_hunter_core::graph::{Graph, dominators, path};
use leak_hunter_core::heap::Heap;
use leak_hunter_core::holders::{Leaked, holders_in};
use leak_hunter_core::ids::Generation;

use crate::{Folder, Shape};

const SIZES: [usize; 3] = [4_000, 8_000, 16_000];
const OLD: u64 = 1;
/// Objects of this generation leaked.
const LEAKED: u64 = 9;
/// A report shows so many steps of a path at most, and so many paths of a holder.
const LONGEST_PATH: usize = 202;
const PATHS: usize = 3;

macro_rules! shapes {
    ($($name:ident)*) => {
        &[$(Shape { name: stringify!($name), sizes: SIZES, make: $name }),*]
    };
}

pub(crate) const SHAPES: &[Shape] = shapes! {
    star list list_leaked list_end list_of_two_classes list_back_to_the_head hidden_list comb ladder ladder_leaked
    deep_tree deep_tree_leaked shared_tails shared_by_all many_holders many_holders_in_an_array many_groups grid
    semi_nca
};

/// One Array holds everything.
fn star(objects: usize) -> Vec<u8> {
    let mut dump = Dump::new();
    let leaves: Vec<usize> = (1..objects).collect();
    dump.object(0, "ARRAY", OLD, &leaves);
    for leaf in leaves {
        dump.object(leaf, "OBJECT", LEAKED, &[]);
    }
    dump.bytes()
}

/// A linked list that is old. Each node has a leaked object.
fn list(objects: usize) -> Vec<u8> {
    list_of(objects / 2, |_| ("OBJECT", OLD), |_| Some(LEAKED))
}

/// A linked list that leaked as a whole.
fn list_leaked(objects: usize) -> Vec<u8> {
    list_of(
        objects,
        |node| ("OBJECT", if node == 0 { OLD } else { LEAKED }),
        |_| None,
    )
}

/// A linked list that is old, but for its last nodes.
fn list_end(objects: usize) -> Vec<u8> {
    let end = objects - objects / 8;
    list_of(
        objects,
        |node| ("OBJECT", if node < end { OLD } else { LEAKED }),
        |_| None,
    )
}

/// A list whose nodes are objects and Hashes by turns.
fn list_of_two_classes(objects: usize) -> Vec<u8> {
    list_of(
        objects / 2,
        |node| (["OBJECT", "HASH"][node % 2], OLD),
        |_| Some(LEAKED),
    )
}

/// Each node of a list has a leaked object that refers to all the list by its head.
fn list_back_to_the_head(objects: usize) -> Vec<u8> {
    let mut dump = Dump::new();
    let nodes = objects / 2;
    for node in 0..nodes {
        let next = (node + 1 < nodes).then_some(node + 1);
        let references: Vec<usize> = next.into_iter().chain([nodes + node]).collect();
        dump.object(node, ["OBJECT", "HASH"][node % 2], OLD, &references);
        dump.object(nodes + node, "OBJECT", LEAKED, &[0, node]);
    }
    dump.bytes()
}

/// A list of the VM's own objects.
fn hidden_list(objects: usize) -> Vec<u8> {
    list_of(objects / 2, |_| ("IMEMO", OLD), |_| Some(LEAKED))
}

/// A list of so many nodes, each with a type and a generation, and some with an object of their own.
fn list_of(
    nodes: usize,
    node_of: impl Fn(usize) -> (&'static str, u64),
    leaf_of: impl Fn(usize) -> Option<u64>,
) -> Vec<u8> {
    let mut dump = Dump::new();
    for node in 0..nodes {
        let (kind, generation) = node_of(node);
        let next = (node + 1 < nodes).then_some(node + 1);
        let leaf = leaf_of(node).map(|generation| (nodes + node, generation));
        let references: Vec<usize> = next.into_iter().chain(leaf.map(|it| it.0)).collect();
        dump.object(node, kind, generation, &references);
        if let Some((leaf, generation)) = leaf {
            dump.object(leaf, "OBJECT", generation, &[]);
        }
    }
    dump.bytes()
}

/// A long list, and from each of its nodes a short one whose last object leaked.
fn comb(objects: usize) -> Vec<u8> {
    const TOOTH: usize = 8;
    let mut dump = Dump::new();
    let nodes = objects / (TOOTH + 1);
    for node in 0..nodes {
        let tooth = nodes + node * TOOTH;
        let next = (node + 1 < nodes).then_some(node + 1);
        let references: Vec<usize> = next.into_iter().chain([tooth]).collect();
        dump.object(node, "OBJECT", OLD, &references);
        for step in 0..TOOTH - 1 {
            dump.object(tooth + step, "STRUCT", OLD, &[tooth + step + 1]);
        }
        dump.object(tooth + TOOTH - 1, "OBJECT", LEAKED, &[]);
    }
    dump.bytes()
}

/// Two lists with rungs between them: nothing dominates anything but the roots.
fn ladder(objects: usize) -> Vec<u8> {
    rungs(objects, OLD, true)
}

/// The same, of objects that leaked.
fn ladder_leaked(objects: usize) -> Vec<u8> {
    rungs(objects, LEAKED, false)
}

fn rungs(objects: usize, generation: u64, leaves: bool) -> Vec<u8> {
    let mut dump = Dump::new();
    dump.root(1);
    let rungs = objects / if leaves { 3 } else { 2 };
    for rung in 0..rungs {
        let (left, right, leaf) = (2 * rung, 2 * rung + 1, 2 * rungs + rung);
        let next: &[usize] = if rung + 1 < rungs {
            &[left + 2, right + 2]
        } else {
            &[]
        };
        let mut both = next.to_vec();
        if leaves {
            both.push(leaf);
            dump.object(leaf, "OBJECT", LEAKED, &[]);
        }
        dump.object(left, "OBJECT", generation, &both);
        dump.object(right, "STRUCT", generation, &both);
    }
    dump.bytes()
}

/// A binary tree whose leaves leaked.
fn deep_tree(objects: usize) -> Vec<u8> {
    tree_of(objects, |node| if 2 * node + 1 < objects { OLD } else { LEAKED })
}

/// A binary tree that leaked as a whole.
fn deep_tree_leaked(objects: usize) -> Vec<u8> {
    tree_of(objects, |node| if node == 0 { OLD } else { LEAKED })
}

fn tree_of(objects: usize, generation: impl Fn(usize) -> u64) -> Vec<u8> {
    let mut dump = Dump::new();
    for node in 0..objects {
        let children: Vec<usize> = [2 * node + 1, 2 * node + 2]
            .into_iter()
            .filter(|child| *child < objects)
            .collect();
        dump.object(
            node,
            ["OBJECT", "HASH", "ARRAY"][node % 3],
            generation(node),
            &children,
        );
    }
    dump.bytes()
}

/// Many lists that all end in one long young list.
fn shared_tails(objects: usize) -> Vec<u8> {
    let mut dump = Dump::new();
    let heads = objects / 2;
    dump.class_per_object = true;
    for head in 0..heads {
        dump.root(head);
        dump.object(head, "ARRAY", OLD, &[heads + head]);
    }
    for node in heads..objects {
        let next = (node + 1 < objects).then_some(node + 1);
        dump.object(node, "OBJECT", LEAKED, next.as_slice());
    }
    dump.bytes()
}

/// Many holders, each of one object, and all these objects refer to the same young ones.
fn shared_by_all(objects: usize) -> Vec<u8> {
    let mut dump = Dump::new();
    dump.class_per_object = true;
    let holders = objects / 3;
    let shared = 2 * holders;
    for holder in 0..holders {
        dump.root(holder);
        dump.object(holder, "ARRAY", OLD, &[holders + holder]);
        dump.object(holders + holder, "OBJECT", LEAKED, &[shared]);
    }
    dump.root(shared);
    for node in shared..objects {
        let next = (node + 1 < objects).then_some(node + 1);
        dump.object(node, "OBJECT", LEAKED - 1, next.as_slice());
    }
    dump.bytes()
}

/// A class that refers to many objects, each of a class of its own and with something that leaked.
fn many_holders(objects: usize) -> Vec<u8> {
    holders_below(objects, "CLASS")
}

/// An Array of many objects, likewise.
fn many_holders_in_an_array(objects: usize) -> Vec<u8> {
    holders_below(objects, "ARRAY")
}

fn holders_below(objects: usize, kind: &str) -> Vec<u8> {
    let mut dump = Dump::new();
    dump.class_per_object = true;
    let holders: Vec<usize> = (1..=objects / 2).collect();
    dump.object(0, kind, OLD, &holders);
    for holder in &holders {
        dump.object(*holder, "OBJECT", OLD, &[holders.len() + holder]);
        dump.object(holders.len() + holder, "OBJECT", LEAKED, &[]);
    }
    dump.bytes()
}

/// One holder of objects that are all of another group.
fn many_groups(objects: usize) -> Vec<u8> {
    list_of(
        objects / 2,
        |_| ("OBJECT", OLD),
        |node| Some(LEAKED + node as u64),
    )
}

/// A square of objects that refer to their right and lower neighbours.
fn grid(objects: usize) -> Vec<u8> {
    let mut dump = Dump::new();
    let side = objects.isqrt();
    for node in 0..side * side {
        let right = (node % side + 1 < side).then_some(node + 1);
        let below = (node + side < side * side).then_some(node + side);
        let references: Vec<usize> = right.into_iter().chain(below).collect();
        let generation = if node % 3 == 1 { LEAKED } else { OLD };
        dump.object(node, "OBJECT", generation, &references);
    }
    dump.bytes()
}

/// What Semi-NCA is slowest at: a long chain from which many nodes have their dominator far up (L. Georgiadis, R. Tarjan,
/// R. Werneck, "Finding Dominators in Practice", 2006, section 4).
fn semi_nca(objects: usize) -> Vec<u8> {
    let mut dump = Dump::new();
    let part = objects / 2;
    // a chain, and behind its end nodes that the end and the head refer to
    let ends: Vec<usize> = (part..objects).collect();
    for node in 0..part {
        let mut references = Vec::new();
        if node + 1 < part {
            references.push(node + 1);
        } else {
            references.extend(&ends);
        }
        if node == 0 {
            references.extend(&ends);
        }
        dump.object(node, "OBJECT", OLD, &references);
    }
    for end in ends {
        dump.object(end, "OBJECT", LEAKED, &[]);
    }
    dump.bytes()
}

/// A dump in the making: objects by number. Those that Ruby code can see have a class.
struct Dump {
    text: String,
    objects: usize,
    class_per_object: bool,
}

impl Dump {
    const CLASSES: u64 = 0x7e00_0000_0000;

    /// With a root that leads to the first object.
    fn new() -> Self {
        let mut dump = Self {
            text: String::new(),
            objects: 0,
            class_per_object: false,
        };
        dump.root(0);
        dump
    }

    fn address(number: usize) -> u64 {
        0x7f00_0000_0000 + number as u64 * 40
    }

    fn root(&mut self, number: usize) {
        let address = Self::address(number);
        let _ = writeln!(
            self.text,
            r#"{{"type":"ROOT", "root":"vm", "references":["{address:#x}"]}}"#
        );
    }

    fn object(&mut self, number: usize, kind: &str, generation: u64, references: &[usize]) {
        let address = Self::address(number);
        self.objects = self.objects.max(number + 1);
        let _ = write!(self.text, r#"{{"address":"{address:#x}", "type":"{kind}""#);
        if kind != "IMEMO" {
            let _ = write!(self.text, r#", "class":"{:#x}""#, self.class_of(number));
        }
        for (index, reference) in references.iter().enumerate() {
            let before = if index == 0 { r#", "references":["# } else { ", " };
            let _ = write!(self.text, r#"{before}"{:#x}""#, Self::address(*reference));
        }
        let end = if references.is_empty() { "" } else { "]" };
        let _ = writeln!(
            self.text,
            r#"{end}, "file":"a.rb", "line":1, "generation":{generation}, "memsize":40}}"#
        );
    }

    fn class_of(&self, number: usize) -> u64 {
        let index = if self.class_per_object { number } else { 0 };
        Self::CLASSES + index as u64 * 40
    }

    /// The text, with the classes.
    fn bytes(mut self) -> Vec<u8> {
        let classes = if self.class_per_object { self.objects } else { 1 };
        for number in 0..classes {
            let address = self.class_of(number);
            let _ = writeln!(
                self.text,
                r#"{{"address":"{address:#x}", "type":"CLASS", "name":"C{number}", "file":"a.rb", "line":1, "generation":1, "memsize":40}}"#
            );
        }
        self.text.into_bytes()
    }
}

/// Loads the heap, finds who holds what leaked, and lays out its bytes.
pub(crate) fn run(text: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new()?;
    let progress = Progress::default();
    let heap = Arc::new(Heap::load(&folder.write("heap.json", text)?, Some(1), &progress)?);
    let graph = Graph::new(Arc::clone(&heap), &progress)?;
    let tree = dominators(&graph, &progress)?;
    let parents = graph.parents(&progress)?;
    let leaked: Vec<Leaked> = heap
        .objects()
        .filter_map(|object| {
            let group = heap.generation(object)?.get().checked_sub(LEAKED)? as u32;
            Some(Leaked { object, group })
        })
        .collect();
    let since = Some(Generation::new(LEAKED - 1));
    let holders = holders_in(&graph, &tree, &parents, &leaked, since, &progress)?.holders;
    let held: u64 = holders.iter().map(|holder| holder.count).sum();
    if held != leaked.len() as u64 {
        return Err(format!("{held} of {} leaked objects have a holder", leaked.len()).into());
    }
    for holder in &holders {
        let paths = holder.other_paths.iter().chain([&holder.path]);
        if paths.clone().count() > PATHS || paths.map(Vec::len).any(|length| length > LONGEST_PATH) {
            return Err("more of the paths than a report can show".into());
        }
    }
    if let Some(last) = heap.objects().next_back() {
        path(&graph, &parents, last.into(), &progress)?;
    }
    let subject = Subject {
        graph: &graph,
        dominators: &tree,
        counted: None,
    };
    // a line of the output has so many labels at most
    let limits = Limits {
        depth: 10,
        ..Limits::default()
    };
    for view in View::ALL {
        folded(&subject, view, &limits, std::io::sink(), &progress)?;
    }
    Ok(())
}
