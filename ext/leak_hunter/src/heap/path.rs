//! The shortest way from the roots to an object, step by step.

use leak_hunter_core::heap::{Edge, Graph, Node, edge};
use magnus::{Error, Module, RArray, RClass, RHash, Ruby, method};

use super::Wrapped;
use crate::convert::Hash;

impl Wrapped {
    fn path_to(ruby: &Ruby, this: &Self, number: u32) -> Result<RArray, Error> {
        let number = this.check(ruby, number)?;
        let parents = this.parents(ruby)?;
        let reach = this.reach(ruby)?;
        let graph = this.whole.graph(&reach);
        let mut way = vec![number];
        let mut node = number;
        while node != graph.top() && graph.is_object(node) {
            node = parents[node as usize];
            way.push(node);
        }
        way.reverse();
        let steps = ruby.ary_new_capa(way.len());
        for pair in way.windows(2) {
            steps.push(step(ruby, &graph, pair[0], pair[1])?)?;
        }
        Ok(steps)
    }
}

/// `from` is an object or a category of roots.
fn step(ruby: &Ruby, graph: &Graph<'_>, from: Node, to: u32) -> Result<RHash, Error> {
    let heap = graph.heap();
    let Edge { kind, name, named_by } = edge(graph, from, to);
    let edge = Hash::new(ruby)
        .set("kind", kind)?
        .set("name", name)?
        .set("named_by", named_by)?;
    let step = Hash::new(ruby)
        .set("address", format!("{:#x}", heap.address(to)))?
        .set("class", heap.class_name(to))?
        .set("type", heap.type_name(to))?
        .set("edge", edge.hash)?;
    Ok(step.hash)
}

pub(super) fn init(class: RClass) -> Result<(), Error> {
    class.define_method("path_to", method!(Wrapped::path_to, 1))
}
