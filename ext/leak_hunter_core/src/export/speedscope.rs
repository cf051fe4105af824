//! The file format of <https://www.speedscope.app>: one profile for each view, in bytes.

use std::io::Write;

use foldhash::fast::RandomState;
use indexmap::IndexSet;

use super::out::Out;
use super::{FrameTree, Limits, Subject, View};
use crate::error::Result;
use crate::progress::Progress;

/// Labels of all views, by number.
type Names<'a> = IndexSet<&'a str, RandomState>;

/// Writes speedscope's JSON. `name` is what the profile is of.
pub fn speedscope(
    subject: &Subject<'_>,
    name: &str,
    limits: &Limits,
    sink: impl Write,
    progress: &Progress,
) -> Result<()> {
    let mut profiles = Vec::new();
    for view in View::ALL {
        let tree = FrameTree::new(subject, view, limits, progress)?;
        profiles.push(Profile { view, tree });
    }
    let names: Names<'_> = profiles
        .iter()
        .flat_map(|profile| &profile.tree.labels)
        .map(AsRef::as_ref)
        .collect();

    let mut out = Out::new(sink, progress);
    out.text("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":")?;
    out.json(concat!("leak_hunter@", env!("CARGO_PKG_VERSION")))?;
    out.text(",\"name\":")?;
    out.json(name)?;
    out.text(",\"activeProfileIndex\":0,\n\"shared\":{\"frames\":[")?;
    for (index, name) in names.iter().enumerate() {
        out.text(if index > 0 { ",\n{\"name\":" } else { "{\"name\":" })?;
        out.json(name)?;
        out.text("}")?;
    }
    out.text("]},\n\"profiles\":[")?;
    for (index, profile) in profiles.iter().enumerate() {
        out.text(if index > 0 { ",\n" } else { "" })?;
        profile.write(&mut out, &names)?;
    }
    out.text("]}\n")?;
    out.finish()
}

/// The frames of one view.
struct Profile {
    view: View,
    tree: FrameTree,
}

impl Profile {
    fn write<W: Write>(&self, out: &mut Out<'_, W>, names: &Names<'_>) -> Result<()> {
        let Self { view, tree } = self;
        let number = |label: u32| names.get_index_of(&*tree.labels[label as usize]).unwrap_or(0) as u64;
        let weighty: Vec<usize> = (1..tree.frames.len())
            .filter(|index| tree.frames[*index].bytes > 0)
            .collect();
        out.text("{\"type\":\"sampled\",\"unit\":\"bytes\",\"name\":")?;
        out.json(view.title())?;
        out.text(",\"startValue\":0,\"endValue\":")?;
        out.number(tree.frames[0].total_bytes)?;
        out.text(",\n\"samples\":[")?;
        for (position, index) in weighty.iter().enumerate() {
            out.text(if position > 0 { ",[" } else { "[" })?;
            out.numbers(tree.stack(*index).into_iter().map(number))?;
            out.text("]")?;
        }
        out.text("],\n\"weights\":[")?;
        out.numbers(weighty.iter().map(|index| tree.frames[*index].bytes))?;
        out.text("]}")
    }
}
