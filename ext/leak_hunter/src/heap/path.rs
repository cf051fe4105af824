//! The shortest way from the roots to an object, step by step.

use leak_hunter_core::graph::path;
use leak_hunter_core::holders::PathStep;
use magnus::{Error, Module, RArray, RClass, Ruby, method};

use super::Wrapped;
use crate::convert::array;
use crate::holders::step_to_hash;

impl Wrapped {
    fn path_to(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let number = this.check(ruby, number)?;
        let parents = this.parents(ruby)?;
        let reach = this.reach(ruby)?;
        let graph = this.whole.graph(&reach);
        let steps: Vec<PathStep> = path(&graph, &parents, number)
            .iter()
            .map(|step| PathStep::of(&graph, step))
            .collect();
        array(ruby, &steps, step_to_hash)
    }
}

pub(super) fn init(class: RClass) -> Result<(), Error> {
    class.define_method("path_to", method!(Wrapped::path_to, 1))
}
