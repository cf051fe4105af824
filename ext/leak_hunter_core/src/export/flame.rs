//! A flame graph in one HTML file that loads nothing from anywhere, and what it is made of, for other pages.

use std::io::Write;

use super::out::Out;
use super::{FrameTree, Limits, Subject, View};
use crate::error::Result;
use crate::progress::Progress;

const PAGE: &str = include_str!("flame/page.html");
const PAGE_STYLE: &str = include_str!("flame/page.css");
/// The page's policy allows what has these checksums, and no more. A spec checks that they are up to date.
const PAGE_STYLE_HASH: &str = include_str!("flame/page.css.sha256");

/// What draws a flame graph in a page. It reads its frames from an element `data` in the page, as JSON, and puts what it
/// shows into an element `title`.
#[derive(Clone, Copy, Debug)]
pub struct FlameParts {
    /// The graph itself, and what it is used with: HTML.
    pub graph: &'static str,
    /// CSS.
    pub style: &'static str,
    /// For the page's Content-Security-Policy: `sha256-…`.
    pub style_hash: &'static str,
    /// JavaScript.
    pub script: &'static str,
    /// For the policy, too.
    pub script_hash: &'static str,
}

impl FlameParts {
    /// They are the same in all pages.
    pub const NEW: Self = Self {
        graph: include_str!("flame/graph.html"),
        style: include_str!("flame/graph.css"),
        style_hash: include_str!("flame/graph.css.sha256").trim_ascii(),
        script: include_str!("flame/graph.js"),
        script_hash: include_str!("flame/graph.js.sha256").trim_ascii(),
    };
}

/// Writes the page. `title` is what it is of.
pub fn flame(
    subject: &Subject<'_>,
    title: &str,
    limits: &Limits,
    sink: impl Write,
    progress: &Progress,
) -> Result<()> {
    let mut out = Out::new(sink, progress);
    let mut template = PAGE;
    let parts = FlameParts::NEW;
    // what is filled in is never looked through again: a name may look like a place to fill
    while let Some((before, rest)) = template.split_once("{{") {
        out.text(before)?;
        let (place, after) = rest.split_once("}}").unwrap_or((rest, ""));
        match place {
            "page_style" => out.text(PAGE_STYLE)?,
            "page_style_hash" => out.text(PAGE_STYLE_HASH.trim_ascii())?,
            "graph" => out.text(parts.graph)?,
            "style" => out.text(parts.style)?,
            "style_hash" => out.text(parts.style_hash)?,
            "script" => out.text(parts.script)?,
            "script_hash" => out.text(parts.script_hash)?,
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
