//! The identity rule: which objects of the last dump were born between the first and the second.
//!
//! Ruby reuses slots and compaction moves objects, so an address is not an object. A traced record carries its
//! generation, the GC count at birth. With g1 and g2 the generations in which the first two dumps were taken, or the highest
//! ones in them where they do not say:
//!
//! - A slot is reused only after a later collection, so what is in the third dump with a generation above g1 was not in
//!   the first (it would have had that generation there), and with one below g2 it was in the second. No address is
//!   asked: slot reuse and moves cannot mislead.
//! - Only objects of the boundary generations g1 and g2 need the addresses of the first and second dump, and there
//!   (address, generation) is an object as long as nothing moved.
//! - Untraced records are compared by address, type and class. Where objects moved, or the slot's object was traced
//!   before, nothing can be said: they are withheld and counted.
//!
//! - With more than three dumps, "the second" is the last but one and "the third" the last. Those between say one thing
//!   only: an untraced object whose slot held a traced one there is withheld, since tracing was lost.
//! - Of a mark the generation is known, and no addresses. A collection follows it at once, so what has its generation was there.
//!   Untraced objects cannot be compared with it.
//!
//! - Where the last dump was sampled, its untraced objects may have been born at any time, and most of those born between
//!   the first and the second are among them. They say nothing; the traced ones are counted, and stand for all.
//!
//! The proof is in `docs/accuracy.md`.

use super::census::{Census, Guard};
use super::moves::SiteHashes;
use crate::dump::Classes;
use crate::ids::{Address, Generation};

/// What is known of an object of the third dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Born after the first and before the second dump.
    Survivor(Ground),
    /// Born earlier or later.
    Other,
    /// Not known, for this reason.
    Withheld(Doubt),
    /// Its class differs from the second dump's: another object, or a new singleton class of the same one.
    AskThirdClasses,
}

/// Why an object counts as a survivor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// Its generation decides.
    Generation,
    /// It is of a boundary generation; addresses decide.
    Boundary,
    /// It is untraced; address, type and class decide.
    Address,
}

/// Why it is not known whether an object is a survivor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Untraced, and objects moved.
    Moved,
    /// Its slot held a traced object in an earlier dump, and no move explains that: tracing was cleared, stopped, or its data
    /// lost in a move.
    TracingLost,
    /// Of a boundary generation, objects moved, and one of its site was in that dump, maybe at another address.
    BoundaryMoved,
}

/// Judges the objects of the third dump.
#[derive(Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) first: &'a Census,
    /// The last but one.
    pub(crate) second: &'a Census,
    /// Those between the two.
    pub(crate) between: &'a [Census],
    /// Whether objects moved between the first and the second dump.
    pub(crate) moved: bool,
    /// Whether they moved after the second, and tracing went on all along: then an untraced object in the slot of a traced
    /// one came there, and has lost nothing.
    pub(crate) untraced_came: bool,
    /// Whether the third dump was sampled.
    pub(crate) sampled: bool,
    /// Where objects moved: sites of the boundary generations in the first and the second dump.
    pub(crate) sites: Option<[SiteHashes; 2]>,
}

impl Judge<'_> {
    /// `site` is the hash of type and allocation site, made only when it is needed.
    #[inline]
    pub(crate) fn traced<E>(
        &self,
        address: Address,
        generation: Generation,
        site: impl Fn() -> Result<u64, E>,
    ) -> Result<Verdict, E> {
        let (g1, g2) = (self.first.totals.generation, self.second.totals.generation);
        let born = Some(generation);
        if born < g1 || born > g2 {
            return Ok(Verdict::Other);
        }
        if born > g1 && born < g2 {
            return Ok(Verdict::Survivor(Ground::Generation));
        }
        let was_in = |dump: usize, census: &Census| -> Result<Option<bool>, E> {
            Ok(match &self.sites {
                _ if census.is_mark || census.newest.contains(address) => Some(true),
                Some(sites) if sites[dump].contains(&site()?) => None,
                _ => Some(false),
            })
        };
        let in_first = if born == g1 {
            was_in(0, self.first)?
        } else {
            Some(false)
        };
        let in_second = if born == g2 {
            was_in(1, self.second)?
        } else {
            Some(true)
        };
        Ok(match (in_first, in_second) {
            (Some(true), _) | (_, Some(false)) => Verdict::Other,
            (Some(false), Some(true)) => Verdict::Survivor(Ground::Boundary),
            _ => Verdict::Withheld(Doubt::BoundaryMoved),
        })
    }

    /// `classes` are the third dump's, once they are known; until then some verdicts have to wait for them.
    pub(crate) fn untraced(&self, address: Address, guard: Guard, classes: Option<&Classes>) -> Verdict {
        if self.sampled || self.first.is_mark || self.second.is_mark {
            return Verdict::Other;
        }
        let Some(in_second) = self.second.untraced.get(address).map(Guard::from_raw) else {
            return match self.second.was_traced(address) {
                true if self.untraced_came => Verdict::Withheld(Doubt::Moved),
                true => Verdict::Withheld(Doubt::TracingLost),
                false => Verdict::Other,
            };
        };
        // Slots of classes are reused too, so a class is looked up in the dump that names it.
        let (now, names) = match classes {
            _ if in_second == guard => (in_second, &self.second.classes),
            _ if !in_second.same_type(guard) => return Verdict::Other,
            None => return Verdict::AskThirdClasses,
            Some(third) => (guard, third),
        };
        let is = |before: Guard, its: &Classes| {
            before == now || before.same_type(now) && its.real(before.class()) == names.real(now.class())
        };
        if !is(in_second, &self.second.classes) {
            return Verdict::Other;
        }
        match self.first.untraced.get(address).map(Guard::from_raw) {
            Some(in_first) if is(in_first, &self.first.classes) => Verdict::Other,
            _ if self.moved => Verdict::Withheld(Doubt::Moved),
            None if self.first.was_traced(address) => Verdict::Withheld(Doubt::TracingLost),
            _ if self.between.iter().any(|census| census.was_traced(address)) => {
                Verdict::Withheld(Doubt::TracingLost)
            }
            _ => Verdict::Survivor(Ground::Address),
        }
    }
}
