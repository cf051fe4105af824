//! What people call a holder, where the object that dominates is not the one they know.

use crate::graph::{Dominators, Graph, Node};
use crate::heap::{Heap, Type};

/// Whether Ruby code could hold it in its hands.
pub(super) fn is_visible(heap: &Heap, object: u32) -> bool {
    heap.kind(object)
        .is_some_and(|kind| kind.class != 0 && !matches!(kind.type_, Type::Imemo | Type::IClass))
}

/// The object that Ruby code can see around a hidden one (the Proc around its environment), the Set around its Hash, the
/// first link of a chain of links.
pub(super) fn of(graph: &Graph<'_>, tree: &Dominators, node: Node) -> Node {
    let heap = graph.heap();
    let mut at = node;
    while graph.is_object(at) && !is_visible(heap, at) {
        match tree.of(at) {
            Some(above) if graph.is_object(above) => at = above,
            // a hidden object that roots lead to is theirs
            Some(above) if above != graph.top() => return above,
            _ => return node,
        }
    }
    while let Some(above) = visible_above(graph, tree, at) {
        let wraps = heap.class_name(above).as_deref() == Some("Set");
        if !wraps && !are_links(heap, above, at) {
            break;
        }
        at = above;
    }
    at
}

/// The object that Ruby code can see which alone keeps this one, be it by way of hidden ones.
fn visible_above(graph: &Graph<'_>, tree: &Dominators, object: u32) -> Option<u32> {
    let mut above = tree.of(object)?;
    while graph.is_object(above) && !is_visible(graph.heap(), above) {
        above = tree.of(above)?;
    }
    graph.is_object(above).then_some(above)
}

/// Whether both are links of a chain: objects of one class, and no collections.
fn are_links(heap: &Heap, one: u32, next: u32) -> bool {
    let (Some(kind), Some(next_kind)) = (heap.kind(one), heap.kind(next)) else {
        return false;
    };
    kind.class != 0
        && (kind.class, kind.type_) == (next_kind.class, next_kind.type_)
        && matches!(kind.type_, Type::Object | Type::Struct | Type::Data)
}
