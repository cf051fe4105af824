//! Where the entries of a holder were allocated: what it holds itself, and not what hangs on that.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::merge::Merged;
use crate::gem;
use crate::heap::{AllocationSite, Heap};

/// The place at which most entries of a holder were allocated; of the application's own code, if there is some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries {
    /// The place.
    pub site: AllocationSite,
    /// So many of the entries.
    pub count: u64,
}

/// The place of a holder's entries; `None` where none was traced.
pub(super) fn of(heap: &Heap, merged: &Merged<'_>) -> Option<Entries> {
    let mut by_kind: BTreeMap<_, u64> = BTreeMap::new();
    for object in merged.all.iter().flat_map(|chosen| &chosen.leaked) {
        if let Some(kind) = heap.kind_number(*object) {
            *by_kind.entry(kind).or_default() += 1;
        }
    }
    let mut by_site: BTreeMap<_, u64> = BTreeMap::new();
    for (kind, count) in by_kind {
        if let Some(site) = heap
            .all_kinds()
            .get(kind.index())
            .and_then(|kind| heap.site_of_kind(kind))
        {
            *by_site.entry((site.file, site.line, site.method)).or_default() += count;
        }
    }
    let is_of_the_app = |file: Option<&str>| file.and_then(gem::of_path).as_deref() == Some(gem::APP);
    let ((file, line, method), count) = by_site
        .into_iter()
        .filter(|((file, _, _), _)| file.is_some())
        .min_by_key(|((file, line, _), count)| {
            (Reverse(is_of_the_app(*file)), Reverse(*count), *file, *line)
        })?;
    let site = crate::heap::Site { file, line, method };
    Some(Entries {
        site: site.into(),
        count,
    })
}
