//! Where each method runs, by who calls it.

use std::collections::VecDeque;

use crate::facts::Level;
use crate::program::Program;
use crate::rule::Reach;

/// First words of the names of methods that class bodies and initializers call.
const DECLARES: [&str; 27] = [
    "register",
    "add",
    "use",
    "on",
    "def",
    "define",
    "inherited",
    "included",
    "extended",
    "prepended",
    "setup",
    "configure",
    "install",
    "mount",
    "plugin",
    "declare",
    "method",
    "const",
    "autoload",
    "alias",
    "hook",
    "before",
    "after",
    "map",
    "singleton",
    "load",
    "eager",
];

/// Called by Ruby when something is defined.
pub(crate) fn is_hook(name: &str) -> bool {
    matches!(
        name,
        "inherited"
            | "included"
            | "extended"
            | "prepended"
            | "method_added"
            | "singleton_method_added"
            | "append_features"
    )
}

/// Whether a method of this name is called by class bodies and initializers, if nothing says otherwise.
pub(crate) fn declares(name: &str) -> bool {
    let (word, rest) = name
        .split_once('_')
        .map_or((name, None), |(word, rest)| (word, Some(rest)));
    // `add` alone adds what it is given, at any time
    DECLARES.contains(&word)
        && (rest.is_some() || !matches!(word, "add" | "load" | "on" | "map" | "method" | "const"))
}

/// The reach of each method.
pub(crate) fn reaches(program: &Program<'_>) -> Vec<Reach> {
    let methods = &program.facts.methods;
    let mut callees: Vec<Vec<usize>> = vec![Vec::new(); methods.len()];
    let mut called = vec![false; methods.len()];
    let mut at_load = Vec::new();
    let mut later = Vec::new();
    for call in &program.facts.calls {
        for target in program.targets(call) {
            if call.from == Some(target) {
                continue;
            }
            if let Some(flag) = called.get_mut(target) {
                *flag = true;
            }
            match call.from {
                Some(from) => {
                    if let Some(list) = callees.get_mut(from) {
                        list.push(target);
                    }
                }
                None if call.later => later.push(target),
                None => at_load.push(target),
            }
        }
    }
    let mut reach: Vec<Option<Reach>> = vec![None; methods.len()];
    for level in [Reach::Request, Reach::Job] {
        let roots = methods
            .iter()
            .enumerate()
            .filter(|(_, it)| it.entry == Some(level));
        spread(
            roots.map(|(index, _)| index).collect(),
            level,
            &callees,
            &mut reach,
        );
    }
    let unknown = methods.iter().enumerate().filter(|(index, it)| {
        let declares = it.level == Level::Class && declares(&it.name);
        called.get(*index) == Some(&false) && !declares && !is_hook(&it.name) && it.entry != Some(Reach::Boot)
    });
    let roots = unknown.map(|(index, _)| index).chain(later).collect();
    spread(roots, Reach::Method, &callees, &mut reach);
    spread(at_load, Reach::Boot, &callees, &mut reach);
    let declares = methods.iter().enumerate().filter(|(index, it)| {
        is_hook(&it.name) || called.get(*index) == Some(&false) || it.entry == Some(Reach::Boot)
    });
    spread(
        declares.map(|(index, _)| index).collect(),
        Reach::Boot,
        &callees,
        &mut reach,
    );
    reach.into_iter().map(|it| it.unwrap_or(Reach::Method)).collect()
}

/// What is called from there has no less.
fn spread(roots: Vec<usize>, level: Reach, callees: &[Vec<usize>], reach: &mut [Option<Reach>]) {
    let mut queue: VecDeque<usize> = roots.into();
    while let Some(index) = queue.pop_front() {
        let Some(slot) = reach.get_mut(index) else {
            continue;
        };
        if slot.is_some() {
            continue;
        }
        *slot = Some(level);
        queue.extend(callees.get(index).into_iter().flatten());
    }
}
