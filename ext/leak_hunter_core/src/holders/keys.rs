//! Keys of thread-locals by what they have in common: applications make keys of their data, `req1`, `req2` …

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use crate::graph::{EdgeKind, NodeId};
use crate::heap::{Name, Names};
use crate::ids::OptionalAddress;

/// Stands for what differs.
const OTHERS: char = '…';
/// More patterns than this say less than what all keys begin with.
const MOST: usize = 8;

/// Keys that are alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keys {
    /// Of what they are keys.
    pub kind: EdgeKind,
    /// `req…`; of a single key that. `None` where the keys are not known.
    pub pattern: Option<String>,
}

impl Keys {
    /// All keys of this kind.
    pub(super) fn all(kind: EdgeKind) -> Self {
        Self { kind, pattern: None }
    }

    fn of(name: &Name) -> Self {
        Self {
            kind: name.kind,
            pattern: Some(without_numbers(&name.name)),
        }
    }
}

/// `req…` of `req12`.
pub(super) fn without_numbers(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter.is_ascii_digit() {
            true if pattern.ends_with(OTHERS) => {}
            true => pattern.push(OTHERS),
            false => pattern.push(letter),
        }
    }
    pattern
}

/// A node, and the name by which what is above it refers to it.
pub(super) struct Named<'a> {
    pub(super) name: &'a Name,
    pub(super) node: NodeId,
}

/// Nodes whose keys are alike.
struct Alike {
    keys: Keys,
    nodes: Vec<NodeId>,
}

/// What is named by keys, by the patterns of the keys.
pub(super) fn by_pattern(named: Vec<Named<'_>>) -> BTreeMap<Keys, Vec<NodeId>> {
    let mut by_pattern: BTreeMap<Keys, Vec<NodeId>> = BTreeMap::new();
    for Named { name, node } in named {
        by_pattern.entry(Keys::of(name)).or_default().push(node);
    }
    if by_pattern.len() <= MOST {
        return by_pattern;
    }
    let mut by_kind: BTreeMap<EdgeKind, Vec<Alike>> = BTreeMap::new();
    for (keys, nodes) in by_pattern {
        by_kind.entry(keys.kind).or_default().push(Alike { keys, nodes });
    }
    let joined = by_kind.into_iter().flat_map(|(kind, all)| match all.len() {
        0..=MOST => all,
        _ => {
            let patterns: Vec<&str> = all.iter().filter_map(|it| it.keys.pattern.as_deref()).collect();
            let pattern = Some(in_common(&patterns));
            let nodes = all.into_iter().flat_map(|it| it.nodes).collect();
            vec![Alike {
                keys: Keys { kind, pattern },
                nodes,
            }]
        }
    });
    joined.map(|it| (it.keys, it.nodes)).collect()
}

/// What all begin with, and what stands for the rest.
fn in_common(patterns: &[&str]) -> String {
    let first = patterns.first().copied().unwrap_or_default();
    let common = patterns.iter().fold(first.chars().count(), |least, pattern| {
        let same = first
            .chars()
            .zip(pattern.chars())
            .take_while(|(one, two)| one == two);
        least.min(same.count())
    });
    let beginning: String = first.chars().take(common).collect();
    format!("{}{OTHERS}", beginning.trim_end_matches(OTHERS))
}

/// Keys of one thread or fiber.
#[derive(PartialEq, Eq, Hash)]
struct KeysOfOne {
    owner: OptionalAddress,
    keys: Keys,
}

/// How many keys of each pattern a thread has, at most: as many threads may have a local of one key. Keys that hold nothing
/// of the heap are not known.
#[derive(Debug, Default)]
pub(super) struct KeyCounts(HashMap<Keys, u64, RandomState>);

impl KeyCounts {
    pub(super) fn of(names: &Names) -> Self {
        let mut by_owner: HashMap<_, u64, RandomState> = HashMap::default();
        for (edge, name) in names.all().filter(|(_, name)| name.kind.is_key()) {
            let of_one = KeysOfOne {
                owner: edge.owner,
                keys: Keys::of(name),
            };
            *by_owner.entry(of_one).or_default() += 1;
        }
        let mut most: HashMap<Keys, u64, RandomState> = HashMap::default();
        for (of_one, count) in by_owner {
            let known = most.entry(of_one.keys).or_default();
            *known = count.max(*known);
        }
        Self(most)
    }

    pub(super) fn count(&self, keys: &Keys) -> Option<u64> {
        self.0.get(keys).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Address;

    fn patterns(names: &[&str]) -> Vec<String> {
        let names: Vec<Name> = names
            .iter()
            .map(|name| Name {
                kind: EdgeKind::FiberLocal,
                name: (*name).into(),
            })
            .collect();
        let named = names
            .iter()
            .map(|name| Named {
                name,
                node: NodeId::default(),
            })
            .collect();
        by_pattern(named)
            .into_keys()
            .filter_map(|keys| keys.pattern)
            .collect()
    }

    #[test]
    fn keys_with_numbers_are_alike() {
        assert_eq!(
            patterns(&["req1", "req22", "req1x", "cache"]),
            ["cache", "req…", "req…x"]
        );
        assert_eq!(patterns(&["a1b2", "a7b99"]), ["a…b…"]);
    }

    #[test]
    fn keys_of_several_threads_are_not_added_up() {
        let mut names = Names::default();
        let mut add = |owner: u64, value: u64, name: &str| {
            let name = Name {
                kind: EdgeKind::FiberLocal,
                name: name.into(),
            };
            names.add(Address::new(owner), Address::new(value), name);
        };
        for thread in [0x1000, 0x2000, 0x3000] {
            add(thread, thread + 8, "recent_queries");
        }
        add(0x1000, 0x5000, "req1");
        add(0x2000, 0x5008, "req1");
        add(0x2000, 0x5010, "req2");
        let counts = KeyCounts::of(&names);
        let count = |pattern: &str| {
            counts.count(&Keys {
                kind: EdgeKind::FiberLocal,
                pattern: Some(pattern.into()),
            })
        };
        assert_eq!((count("recent_queries"), count("req…")), (Some(1), Some(2)));
    }

    #[test]
    fn many_keys_are_known_by_what_they_begin_with() {
        let names: Vec<String> = (b'a'..b'm')
            .map(|letter| format!("user_{}", char::from(letter)))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(patterns(&names), ["user_…"]);
        let apart = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        assert_eq!(patterns(&apart), ["…"]);
    }
}
