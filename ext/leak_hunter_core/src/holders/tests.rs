//! Holders of small heaps whose answer is plain to see, and what must hold for any heap.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::dump::Fields;
use crate::heap::{HeapBuilder, Name};

pub(super) const CLASS: Address = Address::new(0x10_0000);
const OBJECT: Address = Address::new(0x10_0028);
pub(super) const MODULE: Address = Address::new(0x10_0050);

/// A heap drawn object by object.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    objects: BTreeMap<Address, (Fields<'static>, Vec<Address>)>,
    pub(super) roots: Vec<(&'static str, Address)>,
    pub(super) names: Vec<(Option<Address>, Address, &'static str, &'static str)>,
    pub(super) leaked: Vec<Address>,
    next: u64,
}

impl Drawing {
    /// With a class `Thing` and a module `Store` that the roots lead to.
    pub(super) fn new() -> Self {
        let mut drawing = Self {
            next: 0x20_0000,
            ..Self::default()
        };
        drawing.put(CLASS, "CLASS", None, Some("Thing"));
        drawing.put(OBJECT, "CLASS", None, Some("Object"));
        drawing.put(MODULE, "MODULE", None, Some("Store"));
        drawing.refer(OBJECT, CLASS);
        drawing.refer(OBJECT, MODULE);
        drawing.roots.push(("vm", OBJECT));
        drawing
    }

    fn put(
        &mut self,
        address: Address,
        kind: &'static str,
        class: Option<Address>,
        name: Option<&'static str>,
    ) {
        let fields = Fields {
            address,
            kind: kind.as_bytes().into(),
            class,
            name: name.map(|name| name.as_bytes().into()),
            memsize: 40,
            ..Fields::default()
        };
        self.objects.insert(address, (fields, Vec::new()));
    }

    fn next_address(&mut self) -> Address {
        let address = Address::new(self.next);
        self.next += 40;
        address
    }

    pub(super) fn object(&mut self, kind: &'static str) -> Address {
        self.instance(kind, CLASS)
    }

    fn instance(&mut self, kind: &'static str, class: Address) -> Address {
        let address = self.next_address();
        self.put(address, kind, Some(class), None);
        address
    }

    /// A class of its own, that the roots lead to.
    pub(super) fn class(&mut self, name: &'static str) -> Address {
        self.class_at(OBJECT, name)
    }

    /// A class that another object refers to.
    pub(super) fn class_at(&mut self, holder: Address, name: &'static str) -> Address {
        let address = self.next_address();
        self.put(address, "CLASS", None, Some(name));
        self.refer(holder, address);
        address
    }

    pub(super) fn size(&mut self, object: Address, memsize: u64) {
        self.objects.get_mut(&object).unwrap().0.memsize = memsize;
    }

    /// Of C code or of the VM, by what that calls it.
    pub(super) fn internal(
        &mut self,
        kind: &'static str,
        label: &'static str,
        class: Option<Address>,
    ) -> Address {
        let address = self.object(kind);
        let fields = &mut self.objects.get_mut(&address).unwrap().0;
        fields.class = class;
        match kind {
            "IMEMO" => fields.imemo_type = Some(label.as_bytes().into()),
            _ => fields.struct_name = Some(label.as_bytes().into()),
        }
        address
    }

    /// Where an object was allocated.
    pub(super) fn site(&mut self, object: Address, file: &'static str, line: u64) {
        let fields = &mut self.objects.get_mut(&object).unwrap().0;
        fields.file = Some(file.as_bytes().into());
        fields.line = Some(line);
    }

    /// Of no class, as the VM keeps them.
    pub(super) fn hidden(&mut self, kind: &'static str, label: &'static str) -> Address {
        let address = self.object(kind);
        let fields = &mut self.objects.get_mut(&address).unwrap().0;
        fields.class = None;
        fields.imemo_type = Some(label.as_bytes().into());
        address
    }

    pub(super) fn leak(&mut self, kind: &'static str, holder: Address) -> Address {
        let address = self.object(kind);
        self.refer(holder, address);
        self.leaked.push(address);
        address
    }

    pub(super) fn refer(&mut self, from: Address, to: Address) {
        self.objects.get_mut(&from).unwrap().1.push(to);
    }

    fn heap(&self) -> Heap {
        let mut builder = HeapBuilder::new(self.objects.keys().copied()).unwrap();
        for (category, address) in &self.roots {
            builder.root(*category, vec![*address]);
        }
        builder.root("finalizers", Vec::new());
        for (owner, value, kind, name) in &self.names {
            let name = Name {
                kind: crate::graph::EdgeKind::named(kind).unwrap(),
                name: (*name).into(),
            };
            builder.name(*owner, *value, name);
        }
        builder.build_from(self.objects.values().cloned()).unwrap()
    }

    pub(super) fn holders(&self) -> Vec<Holder> {
        self.found().holders
    }

    /// What the roots lead to.
    fn reachable(&self) -> BTreeSet<Address> {
        let mut reachable = BTreeSet::new();
        let mut open: Vec<Address> = self.roots.iter().map(|(_, address)| *address).collect();
        while let Some(address) = open.pop() {
            if reachable.insert(address) {
                let (fields, references) = &self.objects[&address];
                open.extend(references.iter().copied().chain(fields.class));
            }
        }
        reachable
    }

    fn found(&self) -> Found {
        let heap = Arc::new(self.heap());
        let leaked: Vec<Leaked> = self
            .leaked
            .iter()
            .map(|address| Leaked {
                object: heap.find(*address).unwrap(),
                group: 0,
            })
            .collect();
        holders(&heap, &leaked, None, &Progress::default()).unwrap()
    }
}

fn edges(holder: &Holder) -> Vec<String> {
    holder
        .path
        .iter()
        .filter_map(|step| step.edge.name.clone())
        .collect()
}

#[test]
fn the_collection_that_grows_is_the_holder() {
    let mut drawing = Drawing::new();
    let list = drawing.object("ARRAY");
    drawing.refer(MODULE, list);
    drawing.names.push((Some(MODULE), list, "constant", "ALL"));
    for _ in 0..10 {
        let entry = drawing.leak("OBJECT", list);
        drawing.leak("STRING", entry);
    }
    let holders = drawing.holders();
    assert_eq!(holders.len(), 1);
    let holder = &holders[0];
    assert_eq!(holder.address, Some(list));
    assert_eq!(
        (holder.kind, holder.count, holder.memsize),
        (HolderKind::Collection, 20, 800)
    );
    let expected = Retained {
        exclusive: 800,
        shared: 0,
        cut: 840,
    };
    assert_eq!(holder.retained, expected);
    assert!(edges(holder).contains(&"ALL".into()), "{:?}", edges(holder));
}

#[test]
fn two_ways_to_a_holder_promise_nothing_of_one_cut() {
    let mut drawing = Drawing::new();
    let list = drawing.object("ARRAY");
    drawing.refer(MODULE, list);
    drawing.refer(CLASS, list);
    drawing.leak("OBJECT", list);
    assert_eq!(drawing.holders()[0].retained.cut, 0);
}

#[test]
fn what_two_collections_hold_is_told_to_be_shared() {
    let mut drawing = Drawing::new();
    let [one, two] = [drawing.object("ARRAY"), drawing.object("HASH")];
    drawing.refer(MODULE, one);
    drawing.refer(CLASS, two);
    for _ in 0..4 {
        let entry = drawing.leak("OBJECT", one);
        drawing.refer(two, entry);
    }
    let holders = drawing.holders();
    assert_eq!(holders.len(), 1);
    assert_eq!((holders[0].kind, holders[0].count), (HolderKind::Shared, 4));
    assert!([Some(one), Some(two)].contains(&holders[0].address));
    assert_eq!((holders[0].retained.exclusive, holders[0].retained.cut), (0, 0));
    assert_eq!(holders[0].retained.shared, 160);
}

#[test]
fn all_that_share_are_named_below_a_module_too() {
    let mut drawing = Drawing::new();
    let [first, second, third] = [(); 3].map(|()| drawing.object("ARRAY"));
    for list in [first, second, third] {
        drawing.refer(MODULE, list);
    }
    drawing.names.push((Some(MODULE), first, "constant", "FIRST"));
    drawing.names.push((Some(MODULE), second, "constant", "SECOND"));
    for number in 0..40 {
        let leaked = drawing.leak("OBJECT", first);
        drawing.refer(second, leaked);
        if number == 0 {
            drawing.refer(third, leaked);
        }
    }
    let holders = drawing.holders();
    assert_eq!(holders.len(), 1);
    let holder = &holders[0];
    assert_eq!((holder.kind, holder.count), (HolderKind::Shared, 40));
    assert_eq!((holder.retained.exclusive, holder.retained.shared), (0, 1600));
    let together: Vec<_> = holder.together.iter().map(|it| (it.address, it.count)).collect();
    assert_eq!(together, [(Some(second), 40)], "the third has one of forty");
    let mut names = holder.together[0]
        .path
        .iter()
        .map(|step| step.edge.name.as_deref());
    assert_eq!(names.next_back(), Some(Some("SECOND")));
}

#[test]
fn many_that_each_hold_a_little_are_told_as_what_holds_them() {
    let mut drawing = Drawing::new();
    let users = drawing.object("HASH");
    drawing.refer(MODULE, users);
    for _ in 0..20 {
        let user = drawing.object("OBJECT");
        drawing.refer(users, user);
        drawing.leak("STRING", user);
    }
    let holders = drawing.holders();
    assert_eq!(holders.len(), 1);
    assert_eq!((holders[0].address, holders[0].count), (Some(users), 20));
}

#[test]
fn two_leaks_under_one_object_are_two_holders() {
    let mut drawing = Drawing::new();
    let app = drawing.object("OBJECT");
    drawing.refer(MODULE, app);
    let lists = [drawing.object("ARRAY"), drawing.object("ARRAY")];
    for (count, list) in [3, 5].into_iter().zip(lists) {
        drawing.refer(app, list);
        for _ in 0..count {
            drawing.leak("OBJECT", list);
        }
    }
    let found: Vec<_> = drawing
        .holders()
        .iter()
        .map(|holder| (holder.address, holder.count))
        .collect();
    // alike but for the names that only a living process knows
    assert_eq!(found, [(Some(lists[1]), 8)]);
    drawing.names.push((Some(app), lists[0], "constant", "A"));
    let found: Vec<_> = drawing
        .holders()
        .iter()
        .map(|holder| (holder.address, holder.count))
        .collect();
    assert_eq!(found, [(Some(lists[1]), 5), (Some(lists[0]), 3)]);
}

#[test]
fn a_list_is_held_where_it_begins() {
    let mut drawing = Drawing::new();
    // the youngest links are no survivors: they came after the second dump
    let mut last = drawing.object("OBJECT");
    drawing.refer(MODULE, last);
    let head = last;
    for _ in 0..5 {
        let link = drawing.object("OBJECT");
        drawing.refer(last, link);
        last = link;
    }
    for _ in 0..5 {
        last = drawing.leak("OBJECT", last);
    }
    let holders = drawing.holders();
    assert_eq!((holders[0].address, holders[0].count), (Some(head), 5));
    assert_eq!(
        (holders[0].retained.exclusive, holders[0].retained.cut),
        (200, 440)
    );
}

#[test]
fn an_old_list_is_one_holder_of_what_hangs_on_its_nodes() {
    for kinds in [["OBJECT", "OBJECT"], ["OBJECT", "HASH"]] {
        for length in [3, 30, 300] {
            let mut drawing = Drawing::new();
            let head = drawing.object(kinds[0]);
            drawing.refer(MODULE, head);
            let mut node = head;
            for number in 1..=length {
                drawing.leak("STRING", node);
                let next = drawing.object(kinds[number % 2]);
                drawing.refer(node, next);
                node = next;
            }
            let holders = drawing.holders();
            assert_eq!(holders.len(), 1);
            assert_eq!(holders.iter().map(|it| it.count).sum::<u64>(), length as u64);
            let whole = 40 * (2 * length as u64 + 1);
            for holder in &holders {
                assert!(holder.path.len() <= 202);
                // not the sum over all nodes of what is below each
                assert!(holder.retained.cut <= whole, "{} of {whole}", holder.retained.cut);
            }
            if kinds[0] == kinds[1] {
                let holder = &holders[0];
                assert_eq!((holder.address, holder.alike), (Some(head), 1));
                assert_eq!(holder.path[holder.position].address, Some(head));
                assert_eq!(holder.retained.cut, whole);
            }
        }
    }
}

#[test]
fn the_length_of_a_list_is_not_in_its_fingerprint() {
    let fingerprint = |length: usize| {
        let mut drawing = Drawing::new();
        let mut node = drawing.object("OBJECT");
        drawing.refer(MODULE, node);
        for _ in 0..length {
            let hash = drawing.object("HASH");
            drawing.refer(node, hash);
            node = drawing.object("OBJECT");
            drawing.refer(hash, node);
        }
        let list = drawing.object("ARRAY");
        drawing.refer(node, list);
        drawing.leak("STRING", list);
        drawing.holders()[0].fingerprint
    };
    for length in [2, 50, 99, 100, 101, 1_000] {
        assert_eq!(fingerprint(length), fingerprint(3), "{length}");
    }
}

/// Before Ruby 4.0 a Set is an object with a Hash, from then on DATA of C.
#[test]
fn a_set_has_one_fingerprint_on_every_ruby() {
    let draw = |old: bool| {
        let mut drawing = Drawing::new();
        let class = drawing.class("Set");
        let hash_class = drawing.class("Hash");
        let set = drawing.instance(if old { "OBJECT" } else { "DATA" }, class);
        drawing.refer(MODULE, set);
        drawing.names.push((Some(MODULE), set, "constant", "SEEN"));
        let mut storage = set;
        if old {
            storage = drawing.instance("HASH", hash_class);
            drawing.refer(set, storage);
        }
        for _ in 0..3 {
            drawing.leak("STRING", storage);
        }
        let holders = drawing.holders();
        assert_eq!(holders.len(), 1);
        assert_eq!(holders[0].address, Some(set));
        assert_eq!(holders[0].kind, HolderKind::Collection);
        holders[0].fingerprint
    };
    assert_eq!(draw(true), draw(false));
}

/// A fingerprint is an identity across versions: these numbers never change.
#[test]
fn known_holders_have_known_fingerprints() {
    let constant = |kind: &'static str, name: &'static str, leaked: &'static str| {
        let mut drawing = Drawing::new();
        let holder = drawing.object(kind);
        drawing.refer(MODULE, holder);
        drawing.names.push((Some(MODULE), holder, "constant", name));
        drawing.leak(leaked, holder);
        drawing
    };
    let mut global = Drawing::new();
    let list = global.object("ARRAY");
    global.roots.push(("global_tbl", list));
    global.names.push((None, list, "global", "$list"));
    global.leak("OBJECT", list);
    let mut finalizers = Drawing::new();
    let closure = finalizers.object("DATA");
    finalizers.roots.push(("end_proc", closure));
    finalizers.leak("OBJECT", closure);
    let mut shared = constant("ARRAY", "ALL", "OBJECT");
    let entry = shared.leaked[0];
    shared.refer(CLASS, entry);
    let drawings = [
        (constant("ARRAY", "ALL", "OBJECT"), FINGERPRINTS[0]),
        (constant("HASH", "@cache", "STRING"), FINGERPRINTS[1]),
        (global, FINGERPRINTS[2]),
        (finalizers, FINGERPRINTS[3]),
        (shared, FINGERPRINTS[4]),
    ];
    let found: Vec<u64> = drawings
        .iter()
        .map(|(drawing, _)| drawing.holders()[0].fingerprint)
        .collect();
    let known: Vec<u64> = drawings.iter().map(|(_, fingerprint)| *fingerprint).collect();
    assert_eq!(found, known, "{found:#x?}");
}

const FINGERPRINTS: [u64; 5] = [
    0x0828_5a4d_5ee8_9a6e,
    0x992c_5991_dea1_a57f,
    0xc27c_70e7_4e53_791a,
    0x142c_a598_3bf7_9bcb,
    0xd076_670f_9acd_508d,
];

/// A damaged dump can say of any object that it takes 2^64 - 1 bytes.
#[test]
fn the_largest_number_does_not_name_the_wrong_holder() {
    let mut drawing = Drawing::new();
    let [large, small] = [drawing.object("ARRAY"), drawing.object("HASH")];
    drawing.names.push((Some(MODULE), large, "constant", "LARGE"));
    drawing.names.push((Some(MODULE), small, "constant", "SMALL"));
    for list in [small, large] {
        drawing.refer(MODULE, list);
        for _ in 0..3 {
            drawing.leak("OBJECT", list);
        }
    }
    let leaked = drawing.leaked.clone();
    drawing.size(leaked[3], u64::MAX);
    drawing.size(leaked[4], u64::MAX);
    drawing.size(leaked[0], u64::MAX);
    let holders = drawing.holders();
    let found: Vec<_> = holders.iter().map(|it| (it.address, it.memsize)).collect();
    assert_eq!(found, [(Some(large), u64::MAX), (Some(small), u64::MAX)]);
    assert_eq!(holders[0].retained.exclusive, u64::MAX);
}

#[test]
fn what_ruby_hides_is_told_as_what_can_be_seen() {
    let mut drawing = Drawing::new();
    let closure = drawing.object("DATA");
    let env = drawing.hidden("IMEMO", "env");
    drawing.refer(MODULE, closure);
    drawing.refer(closure, env);
    drawing.leak("OBJECT", env);
    assert_eq!(drawing.holders()[0].address, Some(closure));
}

#[test]
fn inline_caches_and_the_stack_hide_no_holder() {
    let mut drawing = Drawing::new();
    let list = drawing.object("ARRAY");
    let cache = drawing.hidden("IMEMO", "constcache");
    drawing.refer(MODULE, list);
    drawing.refer(OBJECT, cache);
    drawing.refer(cache, list);
    let entry = drawing.leak("OBJECT", list);
    drawing.roots.push(("machine_context", entry));
    drawing.leaked.push(cache);
    // the call caches of a class on Ruby 4
    let table = drawing.object("DATA");
    let fields = &mut drawing.objects.get_mut(&table).unwrap().0;
    fields.class = None;
    fields.struct_name = Some(b"VM/cc_table".into());
    drawing.refer(MODULE, table);
    drawing.refer(table, list);
    drawing.leaked.push(table);
    let holders = drawing.holders();
    assert_eq!(holders.len(), 1);
    assert_eq!((holders[0].address, holders[0].count), (Some(list), 1));
    assert_eq!(holders[0].retained.cut, 80);
}

#[test]
fn a_fingerprint_has_nothing_in_it_that_changes_from_run_to_run() {
    let draw = |from: u64, count: usize, name: &'static str| {
        let mut drawing = Drawing::new();
        drawing.next = from;
        let list = drawing.object("ARRAY");
        drawing.refer(MODULE, list);
        drawing.names.push((Some(MODULE), list, "constant", name));
        for _ in 0..count {
            drawing.leak("OBJECT", list);
        }
        drawing.holders()[0].fingerprint
    };
    assert_eq!(draw(0x20_0000, 3, "ALL"), draw(0x7f00_0000, 90, "ALL"));
    assert_ne!(draw(0x20_0000, 3, "ALL"), draw(0x20_0000, 3, "SOME"));
}

/// Any objects, any references, any of them leaked.
fn any_drawing() -> impl Strategy<Value = Drawing> {
    let kinds = ["OBJECT", "ARRAY", "HASH", "STRING", "DATA", "CLASS"];
    let object = (
        proptest::sample::select(kinds.to_vec()),
        proptest::collection::vec(0..30usize, 0..4),
        any::<bool>(),
        0..4u8,
        prop_oneof![4 => Just(40u64), 1 => Just(u64::MAX), 1 => u64::MAX - 50.., 1 => Just(u64::from(u32::MAX)), 1 => 0..100u64],
    );
    proptest::collection::vec(object, 1..30).prop_map(|objects| {
        let mut drawing = Drawing::new();
        let addresses: Vec<Address> = objects.iter().map(|(kind, ..)| drawing.object(kind)).collect();
        for ((_, references, leaked, root, memsize), address) in objects.iter().zip(&addresses) {
            drawing.size(*address, *memsize);
            for index in references {
                drawing.refer(*address, addresses[index % addresses.len()]);
            }
            match root {
                0 => drawing.refer(MODULE, *address),
                1 => drawing.roots.push(("machine_context", *address)),
                _ => {}
            }
            if *leaked {
                drawing.leaked.push(*address);
            }
        }
        drawing
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn every_leaked_object_has_one_holder(drawing in any_drawing()) {
        let Found { holders, set_aside } = drawing.found();
        // what no root leads to has no holder
        let reachable = drawing.reachable();
        let held: Vec<Address> = drawing.leaked.iter().copied().filter(|it| reachable.contains(it)).collect();
        prop_assert_eq!(holders.iter().map(|it| it.count).sum::<u64>(), held.len() as u64);
        prop_assert_eq!(set_aside.garbage.count, (drawing.leaked.len() - held.len()) as u64);
        let memsize = |address: &Address| drawing.objects[address].0.memsize;
        let sum = |sum: u64, memsize: u64| sum.saturating_add(memsize);
        let leaked = held.iter().map(memsize).fold(0, sum);
        prop_assert_eq!(holders.iter().map(|it| it.memsize).fold(0, sum), leaked);
        prop_assert!(holders.is_sorted_by_key(|it| std::cmp::Reverse(it.memsize)));
        let all: BTreeSet<Address> = drawing.objects.keys().copied().collect();
        for holder in &holders {
            prop_assert!(holder.count > 0);
            prop_assert!(holder.address.is_none_or(|address| all.contains(&address)));
            prop_assert!(holder.position < holder.path.len());
            prop_assert_eq!(holder.groups.iter().map(|share| share.count).sum::<u64>(), holder.count);
            let retained = holder.retained;
            prop_assert!(sum(retained.exclusive, retained.shared) >= holder.memsize);
        }
    }
}
