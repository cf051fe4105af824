//! Last values: what the stack of a thread or a fiber still refers to, though it has long been used. A thread that waits
//! for work keeps its last job until the next one comes. Nothing is added to such a value, and no stack has more of them
//! than it has slots.
//!
//! What is in use is on a stack, too: [`super::in_use`].

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::Past;
use super::choose::Chosen;
use super::leak_tree::LeakTree;
use super::merge::Merged;
use super::role::{Role, living_threads};
use crate::error::Result;
use crate::graph::{Graph, Level, NodeId, Ticks, noted_name};
use crate::heap::{Internal, NONE, ObjectSet};
use crate::ids::ObjectId;
use crate::progress::Progress;

/// More values on one stack are those of calls that go ever deeper.
const SLOTS: usize = 512;
/// Blocks in blocks, so deep.
const SCOPES: usize = 64;
/// In percent: so much else may be there.
pub(super) const TOLERATED: u64 = 10;

/// Whether a holder is what a stack refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StackValue {
    /// It is not.
    No,
    /// The last value of a thread or fiber that waits.
    Last,
    /// A value that is in use, with names that are older.
    InUse,
}

/// Values on stacks, by the holder, by its place among the merged.
pub(super) struct Values<'a> {
    pub(super) leak_tree: &'a LeakTree<'a>,
    living: ObjectSet,
    /// Number of the holder.
    of: HashMap<NodeId, u32, RandomState>,
}

/// What a holder accounts for.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// It is nothing but values on stacks.
    holds_values: bool,
    /// It is nothing but values with older names.
    holds_names: bool,
    /// Objects that its values keep.
    kept: u64,
    /// Objects among them that are younger than their value.
    younger: u64,
}

/// For each of `merged`, whether it is values on stacks alone.
pub(super) fn of_all(
    leak_tree: &LeakTree<'_>,
    merged: &[Merged<'_>],
    past: &dyn Past,
    progress: &Progress,
) -> Result<Vec<StackValue>> {
    let mut ticks = Ticks::new(progress);
    let mut sums = vec![Sums::default(); merged.len()];
    let is_low = |it: &Chosen| {
        it.leaked
            .first()
            .is_some_and(|object| is_low(leak_tree.graph, *object))
    };
    let executions = |it: &&Chosen| it.role == Role::Itself && !it.shared && is_low(it);
    if past.moments() == 0
        || !merged
            .iter()
            .any(|it| it.all.iter().copied().any(|it| executions(&it)))
    {
        return Ok(vec![StackValue::No; merged.len()]);
    }
    let mut values = Values {
        leak_tree,
        living: living_threads(leak_tree.graph, &mut ticks)?,
        of: HashMap::default(),
    };
    for (index, merged) in merged.iter().enumerate() {
        let mut holds_values = true;
        for chosen in &merged.all {
            holds_values =
                holds_values && executions(chosen) && values.add(chosen, index as u32, &mut ticks)?;
        }
        sums[index].holds_values = holds_values;
        let mut holds_names = !holds_values;
        for chosen in &merged.all {
            holds_names =
                holds_names && executions(chosen) && values.has_older_names(chosen, past, &mut ticks)?;
        }
        sums[index].holds_names = holds_names;
    }
    if !values.of.is_empty() {
        values.sum_up(past, &mut sums, &mut ticks)?;
    }
    let is_few = |part: u64, whole: u64| u128::from(part) * 100 <= u128::from(whole) * u128::from(TOLERATED);
    Ok(sums
        .iter()
        .map(|it| match it {
            _ if it.holds_names => StackValue::InUse,
            _ if it.holds_values && it.kept > 0 && is_few(it.younger, it.kept) => StackValue::Last,
            _ => StackValue::No,
        })
        .collect())
}

/// Whether only stacks lead to it.
fn is_low(graph: &Graph, object: ObjectId) -> bool {
    graph.level(object) == Level::LowPriority
}

impl Values<'_> {
    /// Adds the values that a holder holds, or that it is in; `false` where it has anything else.
    fn add(&mut self, chosen: &Chosen, holder: u32, ticks: &mut Ticks<'_>) -> Result<bool> {
        let values = match self.stack_of(chosen.node) {
            // the members are on the stack, or in a scope that is
            Some(_) => chosen.leaked.iter().map(|object| NodeId::from(*object)).collect(),
            None => match self.around(chosen.node, ticks)? {
                Some(value) => vec![value],
                None => return Ok(false),
            },
        };
        if values.len() > SLOTS || !values.iter().all(|value| self.is_on_a_stack(*value)) {
            return Ok(false);
        }
        for value in values {
            ticks.tick()?;
            self.of.insert(value, holder);
        }
        Ok(true)
    }

    /// The outermost leaked object around a leaked one.
    fn around(&self, node: NodeId, ticks: &mut Ticks<'_>) -> Result<Option<NodeId>> {
        let mut found = None;
        let mut at = Some(node);
        while let Some(value) = at.filter(|node| self.leak_tree.is_leaked(*node)) {
            ticks.tick()?;
            found = Some(value);
            at = self.leak_tree.tree.of(value);
        }
        Ok(found)
    }

    /// The thread or fiber that a node is, or whose local variables it has.
    fn stack_of(&self, node: NodeId) -> Option<NodeId> {
        let graph = self.leak_tree.graph;
        let mut at = node;
        for _ in 0..SCOPES {
            let internal = graph.heap().kind(graph.object(at)?)?.internal;
            match internal {
                // one that has ended has no stack: it keeps its result
                Internal::Thread => return self.living.contains(at).then_some(at),
                Internal::Execution => return Some(at),
                Internal::Scope => at = self.leak_tree.tree.of(at)?,
                _ => return None,
            }
        }
        None
    }

    /// Whether nothing but stacks refers to it, and not under a name of its own, as a thread's locals have.
    pub(super) fn is_on_a_stack(&self, value: NodeId) -> bool {
        let graph = self.leak_tree.graph;
        let Some(above) = self.leak_tree.tree.of(value) else {
            return false;
        };
        let Some(stack) = self.stack_of(above) else {
            return self.is_on_several(value, above);
        };
        let is_local = noted_name(graph, stack, value).is_some_and(|name| name.kind.is_key());
        !is_local || above != stack
    }

    /// Whether several stacks refer to it, and nothing else: that of who waits for it, or by chance the machine stack. Then
    /// what is above is no stack, and nothing but stacks leads on from there.
    fn is_on_several(&self, value: NodeId, above: NodeId) -> bool {
        let graph = self.leak_tree.graph;
        let leads_on = graph
            .object(above)
            .is_none_or(|it| graph.level(it) == Level::Strong && !graph.has_low_priority(it));
        leads_on && graph.object(value).is_some_and(|it| is_low(graph, it))
    }

    /// Counts what the values keep: one pass over all nodes, each after its dominator.
    fn sum_up(&self, past: &dyn Past, sums: &mut [Sums], ticks: &mut Ticks<'_>) -> Result<()> {
        let LeakTree { graph, tree, .. } = self.leak_tree;
        let mut value_of = vec![NONE; graph.len() as usize];
        for node in tree.order() {
            ticks.tick()?;
            let holder = match self.of.get(node) {
                Some(holder) => {
                    value_of[*node] = node.get();
                    Some(*holder)
                }
                None => {
                    let Some(above) = tree.of(*node).filter(|above| value_of[*above] != NONE) else {
                        continue;
                    };
                    value_of[*node] = value_of[above];
                    self.of.get(&NodeId::new(value_of[above])).copied()
                }
            };
            let value = graph.object(NodeId::new(value_of[*node]));
            let windows = graph.object(*node).zip(value);
            let windows = windows.and_then(|(object, value)| past.window(object).zip(past.window(value)));
            if let Some((sums, (born, of_the_value))) = holder.map(|it| &mut sums[it as usize]).zip(windows) {
                sums.kept += 1;
                sums.younger += u64::from(born > of_the_value);
            }
        }
        Ok(())
    }
}
