//! A number by which the same holder is known again in another run, worker, or Ruby.

use super::PathStep;

/// Hashes the way to a holder from the last thing on it that has a name of its own: a class, a global, a thread's
/// local, or else the category of roots. Only classes and the names that LeakHunter notes down in every dump go in, and
/// nothing that Ruby keeps for itself.
pub(super) fn of(path: &[PathStep], position: usize, shared: bool) -> u64 {
    let mut hash = Fnv::new();
    if shared {
        hash.add("shared");
    }
    let to = path.len().min(position + 1);
    let anchor = path[..to].iter().rposition(is_anchor);
    let mut last = String::new();
    let mut add = |text: String| {
        // a list, a tree: as deep as it may be
        if text != last {
            hash.add(&text);
        }
        last = text;
    };
    match anchor {
        Some(index) => {
            if is_local(&path[index]) {
                add(edge(&path[index]));
            }
            add(class(&path[index]).unwrap_or_default());
        }
        None => add(category(path.first())),
    }
    let rest = anchor.map_or(1, |index| index + 1);
    for (index, step) in path.iter().enumerate().skip(rest) {
        let edge = edge(step);
        if !edge.is_empty() && index <= position {
            add(edge);
        }
        if let Some(class) = class(step) {
            add(class);
        }
        // what leaked, as the holder has it
        if index > position && is_visible(step) {
            break;
        }
    }
    hash.0
}

fn is_anchor(step: &PathStep) -> bool {
    is_local(step)
        || (matches!(step.type_name.as_str(), "CLASS" | "MODULE")
            && step.class.as_deref().is_some_and(|name| !name.starts_with("#<")))
}

fn is_local(step: &PathStep) -> bool {
    matches!(
        step.edge.kind.as_str(),
        "global" | "fiber_local" | "thread_variable" | "fiber_storage"
    )
}

fn is_visible(step: &PathStep) -> bool {
    step.class.is_some() && !matches!(step.type_name.as_str(), "IMEMO" | "ICLASS")
}

/// A name that is the same wherever the same code runs.
fn edge(step: &PathStep) -> String {
    match (&step.edge.name, step.edge.named_by) {
        (Some(name), Some("dump")) if step.edge.kind != "root" => format!("{} {name}", step.edge.kind),
        _ => String::new(),
    }
}

fn class(step: &PathStep) -> Option<String> {
    let name = step.class.as_deref().filter(|_| is_visible(step))?;
    // where an anonymous class was made has a line in it
    Some(match name.starts_with("#<") {
        true => "#<Class>".into(),
        false => name.into(),
    })
}

/// The categories that mean something to people; all others are the VM's, and change from Ruby to Ruby.
fn category(step: Option<&PathStep>) -> String {
    let name = step.and_then(|step| step.class.as_deref()).unwrap_or("");
    match name {
        "finalizers" | "end_proc" | "machine_context" | "global_tbl" | "unreachable" => name.into(),
        _ => "vm".into(),
    }
}

/// FNV-1a of 64 bits: the standard library promises of no hash that it stays the same.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
