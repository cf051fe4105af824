//! Names in use: a thread that works has its current value on its stack, the request that is being served. That is newer
//! than some of the names in it. Ruby has each name once: when a String becomes a key of a Hash, and one like it is still a
//! key, that one is taken. So the names of the last request, which is still on a stack, become those of the next one.
//!
//! A Hash that was copied with its entries has old names with old values. This one has old names with values as new as
//! itself.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::Past;
use super::choose::Chosen;
use super::last_value::{TOLERATED, Values};
use crate::error::Result;
use crate::graph::{NodeId, Ticks};
use crate::heap::Type;
use crate::ids::ObjectId;

/// Hashes in Hashes, so deep.
const DEPTH: usize = 64;

impl Values<'_> {
    /// Whether what leaked there is names in Hashes on a stack that are newer, each with a value as new as the Hash.
    pub(super) fn has_older_names(
        &self,
        chosen: &Chosen,
        past: &dyn Past,
        ticks: &mut Ticks<'_>,
    ) -> Result<bool> {
        let mut by_hash: HashMap<NodeId, HashSet<ObjectId, RandomState>, RandomState> = HashMap::default();
        for object in &chosen.leaked {
            ticks.tick()?;
            match self.leak_tree.tree.of(NodeId::from(*object)) {
                Some(above) if self.is_text(*object) => by_hash.entry(above).or_default().insert(*object),
                _ => return Ok(false),
            };
        }
        let (mut names, mut others) = (0u64, 0u64);
        for (hash, texts) in &by_hash {
            if !self.is_in_use(*hash, past, ticks)? {
                return Ok(false);
            }
            let found = self.names_in(*hash, texts, past, ticks)?;
            names += found;
            others += texts.len() as u64 - found;
        }
        Ok(names > 0 && u128::from(others) * 100 <= u128::from(names + others) * u128::from(TOLERATED))
    }

    /// How many of `texts` are keys whose value was born when the Hash was.
    fn names_in(
        &self,
        hash: NodeId,
        texts: &HashSet<ObjectId, RandomState>,
        past: &dyn Past,
        ticks: &mut Ticks<'_>,
    ) -> Result<u64> {
        let graph = self.leak_tree.graph;
        let Some(object) = graph.object(hash) else {
            return Ok(0);
        };
        let born = past.window(object);
        // keys and values in turn
        let mut references = graph.heap().references(object).peekable();
        let mut found = 0;
        while let Some(key) = references.next() {
            ticks.tick()?;
            let value = references.peek().filter(|_| texts.contains(&key));
            found += u64::from(value.is_some_and(|value| past.window(*value) == born));
        }
        Ok(found)
    }

    /// Whether it is a Hash of the last window that only a stack leads to.
    fn is_in_use(&self, node: NodeId, past: &dyn Past, ticks: &mut Ticks<'_>) -> Result<bool> {
        let graph = self.leak_tree.graph;
        let is_new_hash = graph.object(node).is_some_and(|object| {
            let kind = graph.heap().kind(object);
            kind.is_some_and(|kind| kind.type_ == Type::Hash) && past.window(object) == Some(past.moments())
        });
        let mut at = Some(node).filter(|_| is_new_hash);
        for _ in 0..DEPTH {
            ticks.tick()?;
            match at {
                Some(value) if self.is_on_a_stack(value) => return Ok(true),
                Some(value) => at = self.leak_tree.tree.of(value),
                None => break,
            }
        }
        Ok(false)
    }

    fn is_text(&self, object: ObjectId) -> bool {
        let kind = self.leak_tree.graph.heap().kind(object);
        kind.is_some_and(|kind| matches!(kind.type_, Type::String | Type::Symbol))
    }
}
