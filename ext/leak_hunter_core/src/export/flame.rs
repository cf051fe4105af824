//! A flame graph in one HTML file that loads nothing from anywhere.

use std::io::Write;

use super::out::Out;
use super::{FrameTree, Limits, Subject, View};
use crate::error::Result;
use crate::progress::Progress;

const TEMPLATE: &str = include_str!("flame/template.html");
const STYLE: &str = include_str!("flame/style.css");
const SCRIPT: &str = include_str!("flame/script.js");
/// The page's policy allows these two and no others. A spec checks that they are up to date.
const STYLE_HASH: &str = include_str!("flame/style.sha256");
const SCRIPT_HASH: &str = include_str!("flame/script.sha256");

/// Writes the page. `title` is what it is of.
pub fn flame(
    subject: &Subject<'_>,
    title: &str,
    limits: &Limits,
    sink: impl Write,
    progress: &Progress,
) -> Result<()> {
    let mut out = Out::new(sink, progress);
    let mut template = TEMPLATE;
    // what is filled in is never looked through again: a name may look like a place to fill
    while let Some((before, rest)) = template.split_once("{{") {
        out.text(before)?;
        let (place, after) = rest.split_once("}}").unwrap_or((rest, ""));
        match place {
            "style" => out.text(STYLE)?,
            "script" => out.text(SCRIPT)?,
            "style_hash" => out.text(STYLE_HASH.trim())?,
            "script_hash" => out.text(SCRIPT_HASH.trim())?,
            "data" => data(subject, title, limits, &mut out, progress)?,
            _ => {}
        }
        template = after;
    }
    out.text(template)?;
    out.finish()
}

fn data<W: Write>(
    subject: &Subject<'_>,
    title: &str,
    limits: &Limits,
    out: &mut Out<'_, W>,
    progress: &Progress,
) -> Result<()> {
    out.text("{\"title\":")?;
    out.json(title)?;
    out.text(",\"partial\":")?;
    out.text(if subject.counted.is_some() {
        "true"
    } else {
        "false"
    })?;
    out.text(",\"views\":[")?;
    for (index, view) in View::ALL.into_iter().enumerate() {
        let tree = FrameTree::new(subject, view, limits, progress)?;
        out.text(if index > 0 {
            ",\n{\"name\":"
        } else {
            "\n{\"name\":"
        })?;
        out.json(view.name())?;
        out.text(",\"title\":")?;
        out.json(view.title())?;
        out.text(",\"labels\":")?;
        out.strings(tree.labels.iter().map(AsRef::as_ref))?;
        for Column { name, of } in COLUMNS {
            out.text(",\n\"")?;
            out.text(name)?;
            out.text("\":[")?;
            out.numbers(tree.frames.iter().map(of))?;
            out.text("]")?;
        }
        out.text("}")?;
    }
    out.text("]}")
}

/// A number of each frame.
struct Column {
    name: &'static str,
    of: fn(&super::Frame) -> u64,
}

const COLUMNS: [Column; 4] = [
    Column {
        name: "label",
        of: |frame| u64::from(frame.label),
    },
    Column {
        name: "parent",
        of: |frame| u64::from(frame.parent),
    },
    Column {
        name: "count",
        of: |frame| frame.count,
    },
    Column {
        name: "bytes",
        of: |frame| frame.bytes,
    },
];
