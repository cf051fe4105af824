//! What is told of a holder: what it is, what it accounts for, and the ways to it from the roots.

use std::cmp::Reverse;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::choose::{Chosen, LeakTree};
use super::face::is_visible;
use super::{Holder, Kind, PathStep, Retained, fingerprint};
use crate::graph::{Graph, Node, Step, path};
use crate::heap::Type;

/// Sample addresses of leaked objects that a holder keeps.
const SAMPLES: usize = 5;
/// Sample paths besides the first.
const OTHER_PATHS: usize = 2;

/// A heap, seen from its roots.
pub(super) struct View<'a> {
    pub(super) graph: &'a Graph<'a>,
    pub(super) parents: &'a [Node],
}

impl View<'_> {
    /// What is told of one that was chosen. `None` where nothing leaked is left to it.
    pub(super) fn holder(
        &self,
        chosen: &Chosen,
        leak_tree: &LeakTree<'_>,
        groups: &HashMap<u32, u32, RandomState>,
        retained: Retained,
    ) -> Option<Holder> {
        let heap = self.graph.heap();
        let node = chosen.face;
        let mut by_group: HashMap<u32, (u64, u32), RandomState> = HashMap::default();
        let (mut count, mut memsize) = (0, 0u64);
        let mut samples = Vec::new();
        leak_tree.each_leaked(&chosen.members, |object| {
            count += 1;
            memsize = memsize.saturating_add(heap.memsize(object));
            let group = by_group
                .entry(groups.get(&object).copied().unwrap_or(u32::MAX))
                .or_insert((0, object));
            group.0 += 1;
            group.1 = group.1.min(object);
            if samples.len() < SAMPLES {
                samples.push(object);
            }
        });
        let mut by_group: Vec<(u32, (u64, u32))> = by_group.into_iter().collect();
        by_group.sort_by_key(|(group, (count, _))| (Reverse(*count), *group));
        // the largest group of those that stand nearest to the holder
        let sample = self.sample(chosen, leak_tree, &by_group)?;
        let steps = path(self.graph, self.parents, sample);
        let position = steps
            .iter()
            .position(|step| step.node == node)
            .or_else(|| steps.iter().rposition(|step| step.node == chosen.node))
            .unwrap_or(0);
        let in_words = |steps: &[Step]| -> Vec<PathStep> {
            steps.iter().map(|step| PathStep::of(self.graph, step)).collect()
        };
        let path_of = |object| in_words(&path(self.graph, self.parents, object));
        let other_paths = by_group
            .iter()
            .filter(|(group, _)| groups.get(&sample) != Some(group))
            .take(OTHER_PATHS)
            .map(|(_, (_, object))| path_of(*object))
            .collect();
        let path = in_words(&steps);
        samples.sort_unstable();
        let is_object = self.graph.is_object(node);
        let (file, line, method) = if is_object {
            heap.site(node)
        } else {
            (None, None, None)
        };
        let collection = [node, chosen.node]
            .into_iter()
            .filter(|node| self.graph.is_object(*node))
            .find(|node| {
                heap.kind(*node)
                    .is_some_and(|kind| matches!(kind.type_, Type::Array | Type::Hash))
            });
        Some(Holder {
            address: is_object.then(|| heap.address(node)),
            class: match is_object {
                true => heap.class_name(node),
                false => self.graph.category(node).map(Into::into),
            },
            kind: if chosen.shared {
                Kind::Shared
            } else {
                self.kind(node)
            },
            alike: 1,
            count,
            memsize,
            retained,
            lengths: [
                None,
                None,
                collection.and_then(|node| heap.length(node).map(u64::from)),
            ],
            collection: collection.map(|node| heap.address(node)),
            generation: if is_object { heap.generation(node) } else { None },
            site: (file.map(Into::into), line, method.map(Into::into)),
            groups: by_group
                .into_iter()
                .map(|(group, (count, _))| (group, count))
                .collect(),
            samples: samples.into_iter().map(|object| heap.address(object)).collect(),
            fingerprint: fingerprint::of(&path, position, chosen.shared),
            path,
            position,
            other_paths,
        })
    }

    fn sample(
        &self,
        chosen: &Chosen,
        leak_tree: &LeakTree<'_>,
        by_group: &[(u32, (u64, u32))],
    ) -> Option<u32> {
        // What the holder refers to itself says most; of several the lowest, so that every run says the same.
        let direct = chosen
            .members
            .iter()
            .filter(|node| leak_tree.is_leaked(**node))
            .min_by_key(|node| (self.rank(**node), **node));
        direct
            .copied()
            .or_else(|| by_group.first().map(|(_, (_, object))| *object))
    }

    /// Objects of the application's classes before strings and the VM's own.
    fn rank(&self, object: u32) -> u8 {
        let heap = self.graph.heap();
        match heap.kind(object).map(|kind| kind.type_) {
            _ if !is_visible(heap, object) => 3,
            Some(Type::Object | Type::Struct | Type::Class | Type::Module | Type::Data) => 0,
            Some(Type::String | Type::Other) => 2,
            _ => 1,
        }
    }

    fn kind(&self, node: Node) -> Kind {
        let heap = self.graph.heap();
        if !self.graph.is_object(node) {
            return Kind::Root;
        }
        match heap.kind(node).map(|kind| kind.type_) {
            Some(Type::Array | Type::Hash) => return Kind::Collection,
            Some(Type::Class | Type::Module | Type::IClass) => return Kind::Class,
            _ => {}
        }
        match heap.class_name(node).as_deref() {
            Some("Set" | "Thread::Queue" | "Thread::SizedQueue" | "ObjectSpace::WeakMap") => Kind::Collection,
            Some("Proc" | "Method" | "UnboundMethod" | "Binding") => Kind::Closure,
            Some("Thread") => Kind::Thread,
            Some("Fiber" | "Enumerator" | "Enumerator::Lazy") => Kind::Fiber,
            _ => Kind::Object,
        }
    }
}
