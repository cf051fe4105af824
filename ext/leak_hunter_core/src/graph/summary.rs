//! Retained sizes added up: by class, and the largest.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::{Analyses, NodeId, Ticks};
use crate::error::Result;
use crate::ids::ObjectId;
use crate::progress::Progress;

impl Analyses {
    /// Bytes retained by the instances of each class, by its name (`None`: hidden objects): of instances that one of the
    /// same class dominates, the upper one counts.
    pub fn retained_by_class(&self, progress: &Progress) -> Result<HashMap<Option<String>, u64>> {
        let heap = self.heap();
        let dominators = self.dominators(progress)?;
        let dominated = self.dominated(progress)?;
        let mut numbers: HashMap<Option<String>, usize> = HashMap::new();
        let number = |kind| {
            let next = numbers.len();
            *numbers.entry(heap.row_name(kind)).or_insert(next)
        };
        let classes: Vec<usize> = heap.all_kinds().iter().map(number).collect();
        let graph = self.graph(progress)?;
        let class_of = |node: NodeId| {
            let object = graph.object(node)?;
            Some(classes[heap.kind_number(object)?.index()])
        };
        let mut retained = vec![0u64; numbers.len()];
        // how many of each class are above the node, and which
        let mut open = vec![0u32; numbers.len()];
        let mut above: Vec<Option<usize>> = Vec::new();
        let mut ticks = Ticks::new(progress);
        let top = graph.top();
        dominated.each_below(top, |node, depth| {
            ticks.tick()?;
            for left in above.drain(depth - 1..).flatten() {
                open[left] -= 1;
            }
            let class = class_of(node);
            if let Some(class) = class {
                if open[class] == 0 {
                    retained[class] = retained[class].saturating_add(dominators.retained(node));
                }
                open[class] += 1;
            }
            above.push(class);
            Ok(())
        })?;
        Ok(numbers
            .into_iter()
            .map(|(name, number)| (name, retained[number]))
            .collect())
    }

    /// The `limit` objects that retain most, largest first.
    pub fn largest_retainers(&self, limit: usize, progress: &Progress) -> Result<Vec<ObjectId>> {
        let dominators = self.dominators(progress)?;
        let key = |object: &ObjectId| (Reverse(dominators.retained(*object)), *object);
        let mut objects: Vec<ObjectId> = self.heap().objects().collect();
        if limit < objects.len() {
            objects.select_nth_unstable_by_key(limit, key);
            objects.truncate(limit);
        }
        objects.sort_unstable_by_key(key);
        Ok(objects)
    }
}
