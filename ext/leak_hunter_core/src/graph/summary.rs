//! Retained sizes added up: by class, and the largest.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Dominated, Dominators, Node};
use crate::heap::{Heap, NONE};

impl Heap {
    /// Bytes retained by the instances of each class, by its name: of instances that one of the same class dominates,
    /// the upper one counts.
    pub fn retained_by_class(
        &self,
        dominators: &Dominators,
        dominated: &Dominated,
        top: Node,
    ) -> HashMap<Option<String>, u64, RandomState> {
        let mut numbers: HashMap<Option<String>, usize, RandomState> = HashMap::default();
        let classes: Vec<usize> = self
            .all_kinds()
            .iter()
            .map(|kind| {
                let next = numbers.len();
                *numbers.entry(self.class_name_of_kind(kind)).or_insert(next)
            })
            .collect();
        let class_of = |node: Node| {
            let object = (node < self.len()).then_some(node)?;
            Some(classes[self.kind_number(object)?])
        };
        let mut retained = vec![0u64; numbers.len()];
        // how many of each class are open on the way down
        let mut open = vec![0u32; numbers.len()];
        let mut way: Vec<usize> = Vec::new();
        dominated.each_below(top, |node, depth| {
            for left in way.drain(depth - 1..).filter(|class| *class != NONE as usize) {
                open[left] -= 1;
            }
            let class = class_of(node);
            if let Some(class) = class {
                if open[class] == 0 {
                    retained[class] = retained[class].saturating_add(dominators.retained(node));
                }
                open[class] += 1;
            }
            way.push(class.unwrap_or(NONE as usize));
        });
        numbers
            .into_iter()
            .map(|(name, number)| (name, retained[number]))
            .collect()
    }

    /// The `limit` objects that retain most, largest first.
    pub fn largest_retainers(&self, dominators: &Dominators, limit: usize) -> Vec<u32> {
        let key = |object: &u32| (std::cmp::Reverse(dominators.retained(*object)), *object);
        let mut objects: Vec<u32> = (0..self.len()).collect();
        if limit < objects.len() {
            objects.select_nth_unstable_by_key(limit, key);
            objects.truncate(limit);
        }
        objects.sort_unstable_by_key(key);
        objects
    }
}
