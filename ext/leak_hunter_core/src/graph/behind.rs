//! Nodes that were numbered last, put where a search in depth would have found them.

use super::preorder::DepthFirst;
use super::{CHECK_EVERY, Ticks};
use crate::error::Result;

/// What was found from a node that had to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    /// The node.
    pub(super) number: u32,
    /// How many nodes were found from it.
    pub(super) found: u32,
}

/// Puts the nodes with the numbers from `strong` on right behind those that they were found from, in the same order.
pub(super) fn put_behind(
    search: &mut DepthFirst,
    behind: &[Behind],
    strong: u32,
    ticks: &mut Ticks<'_>,
) -> Result<()> {
    let Some(first) = behind.first() else {
        return Ok(());
    };
    let moves = Moves {
        numbers: new_numbers(behind, strong, search.order.len(), ticks)?,
        unmoved: first.number as usize + 1,
        strong: strong as usize,
    };
    let new = |number: &mut u32| *number = moves.numbers[*number as usize];
    moves.column(&mut search.order);
    ticks.check()?;
    moves.column(&mut search.parents);
    search.parents.iter_mut().for_each(new);
    ticks.check()?;
    let predecessors = &mut search.predecessors;
    moves.column(&mut predecessors.rows);
    predecessors
        .rows
        .iter_mut()
        .for_each(|[_, earliest]| new(earliest));
    for some in predecessors.later.chunks_mut(CHECK_EVERY) {
        ticks.check()?;
        some.iter_mut().for_each(|[from, _]| new(from));
    }
    Ok(())
}

/// By number, the new one.
fn new_numbers(behind: &[Behind], strong: u32, length: usize, ticks: &mut Ticks<'_>) -> Result<Vec<u32>> {
    let mut numbers = vec![0; length];
    let (mut old, mut shift, mut found) = (0, 0, strong);
    for Behind { number, found: count } in behind {
        ticks.tick()?;
        for old in old..=*number {
            numbers[old as usize] = old + shift;
        }
        old = number + 1;
        for _ in 0..*count {
            numbers[found as usize] = old + shift;
            found += 1;
            shift += 1;
        }
    }
    for old in old..strong {
        numbers[old as usize] = old + shift;
    }
    Ok(numbers)
}

struct Moves {
    /// By number, the new one.
    numbers: Vec<u32>,
    /// As many keep theirs.
    unmoved: usize,
    /// The number of the first one that moves forward; those before it move back, in their order.
    strong: usize,
}

impl Moves {
    fn column<T: Copy>(&self, column: &mut [T]) {
        let forward = column[self.strong..].to_vec();
        for old in (self.unmoved..self.strong).rev() {
            column[self.numbers[old] as usize] = column[old];
        }
        for (number, row) in self.numbers[self.strong..].iter().zip(forward) {
            column[*number as usize] = row;
        }
    }
}
