//! Folded stacks, one a line with its bytes: `root vm;class Object;Shop::TRAIL (Array);Visit 4800`. What flame graph
//! tools of all kinds read.

use std::io::Write;

use super::out::Out;
use super::printable::printable;
use super::{FrameTree, Limits, Subject, View};
use crate::error::Result;
use crate::progress::Progress;

/// Writes folded stacks.
pub fn folded(
    subject: &Subject<'_>,
    view: View,
    limits: &Limits,
    sink: impl Write,
    progress: &Progress,
) -> Result<()> {
    let tree = FrameTree::new(subject, view, limits, progress)?;
    let labels: Vec<String> = tree.labels.iter().map(|label| plain(label)).collect();
    let mut out = Out::new(sink, progress);
    for (index, frame) in tree.frames.iter().enumerate().skip(1) {
        if frame.bytes == 0 {
            continue;
        }
        for (position, label) in tree.stack(index).into_iter().enumerate() {
            out.text(if position > 0 { ";" } else { "" })?;
            out.text(&labels[label as usize])?;
        }
        out.text(" ")?;
        out.number(frame.bytes)?;
        out.text("\n")?;
    }
    out.finish()
}

/// Without what the format takes for its own.
fn plain(label: &str) -> String {
    printable(label).replace(';', ",")
}
