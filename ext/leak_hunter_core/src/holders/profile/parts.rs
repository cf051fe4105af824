//! Which holders of a row are judged by themselves.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::super::choose::Chosen;
use super::super::merge::Merged;
use super::super::past::Past;
use crate::graph::{Graph, NodeId};

/// Which of the holders of a row is which part of it: those that people know by one object are one. Those that are as new
/// as what they hold are one, too: threads that never end.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// By row: its parts.
    pub(super) by_row: Vec<Range<usize>>,
    /// By row, for each that was chosen: its part.
    of_chosen: Vec<Vec<u32>>,
}

impl Parts {
    pub(super) fn of(merged: &[Merged<'_>], past: &dyn Past, graph: &Graph) -> Self {
        let mut parts = Self::default();
        for merged in merged {
            let first = parts.len();
            let mut next = first as u32;
            let mut known: HashMap<Option<NodeId>, u32, RandomState> = HashMap::default();
            let of_chosen = merged.all.iter().map(|chosen| {
                let owner = graph.object(chosen.owner);
                let is_new = owner.is_some_and(|it| past.window(it).is_some_and(|window| window > 0));
                *known.entry((!is_new).then_some(chosen.owner)).or_insert_with(|| {
                    next += 1;
                    next - 1
                })
            });
            parts.of_chosen.push(of_chosen.collect());
            parts.by_row.push(first..next as usize);
        }
        parts
    }

    pub(super) fn len(&self) -> usize {
        self.by_row.last().map_or(0, |row| row.end)
    }

    /// All that was chosen, with its part.
    pub(super) fn each<'a>(
        &'a self,
        merged: &'a [Merged<'a>],
    ) -> impl Iterator<Item = (u32, &'a Chosen)> + 'a {
        let rows = self.of_chosen.iter().zip(merged);
        rows.flat_map(|(parts, merged)| parts.iter().copied().zip(merged.all.iter().copied()))
    }
}
