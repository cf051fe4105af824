//! As what things are held: by the VM, as locals, as methods, as caches.

use super::tests::{CLASS, Drawing, MODULE};
use super::*;

/// A Ractor and the class of threads.
fn ractor(drawing: &mut Drawing) -> (Address, Address) {
    let ractor_class = drawing.class("Ractor");
    let thread_class = drawing.class("Thread");
    let ractor = drawing.internal("DATA", "ractor", Some(ractor_class));
    drawing.roots.push(("vm", ractor));
    (ractor, thread_class)
}

fn thread(drawing: &mut Drawing, ractor: Address, class: Address) -> Address {
    let thread = drawing.internal("DATA", "VM/thread", Some(class));
    drawing.refer(ractor, thread);
    thread
}

#[test]
fn living_threads_are_held_by_nobody_else() {
    let mut drawing = Drawing::new();
    let (ractor, class) = ractor(&mut drawing);
    let pool = drawing.object("ARRAY");
    drawing.refer(MODULE, pool);
    for line in [7, 7, 9] {
        let thread = thread(&mut drawing, ractor, class);
        drawing.site(thread, "app/mailer.rb", line);
        drawing.refer(pool, thread);
        drawing.leaked.push(thread);
        drawing.leak("STRING", thread);
    }
    let holders = drawing.holders();
    assert_eq!(holders.len(), 1, "one file starts them");
    let holder = &holders[0];
    assert_eq!(
        (holder.kind, holder.alike, holder.count),
        (HolderKind::Threads, 3, 6)
    );
    assert_eq!(holder.reserved, 120);
}

#[test]
fn a_thread_that_has_ended_is_its_list_s() {
    let mut drawing = Drawing::new();
    let (ractor, class) = ractor(&mut drawing);
    let living = thread(&mut drawing, ractor, class);
    let pool = drawing.object("ARRAY");
    drawing.refer(MODULE, pool);
    let ended = drawing.internal("DATA", "VM/thread", Some(class));
    drawing.refer(pool, ended);
    drawing.leaked.push(ended);
    let holders = drawing.holders();
    assert_eq!(
        (holders[0].kind, holders[0].address),
        (HolderKind::Collection, Some(pool))
    );
    assert_ne!(holders[0].address, Some(living));
}

#[test]
fn locals_are_known_by_what_their_keys_have_in_common() {
    let mut drawing = Drawing::new();
    let (ractor, class) = ractor(&mut drawing);
    let thread = thread(&mut drawing, ractor, class);
    for name in ["req1", "req2", "req30"] {
        let value = drawing.leak("STRING", thread);
        drawing.names.push((Some(thread), value, "fiber_local", name));
    }
    let holders = drawing.holders();
    assert_eq!((holders[0].kind, holders[0].count), (HolderKind::ThreadLocals, 3));
    let keys = holders[0].keys.as_ref().unwrap();
    assert_eq!(
        (keys.pattern.as_deref(), holders[0].key_count),
        (Some("req…"), Some(3))
    );
}

#[test]
fn methods_and_caches_of_a_class_are_told_apart_from_what_it_holds_itself() {
    let mut drawing = Drawing::new();
    for line in 1..=3 {
        let method = drawing.internal("IMEMO", "ment", None);
        drawing.site(method, "app/rules.rb", line);
        drawing.refer(CLASS, method);
        drawing.leaked.push(method);
        drawing.leak("STRING", method);
    }
    for _ in 0..100 {
        let cache = drawing.internal("IMEMO", "callinfo", None);
        drawing.site(cache, "(eval)", 1);
        drawing.refer(CLASS, cache);
        drawing.leaked.push(cache);
    }
    let mut kinds: Vec<_> = drawing
        .holders()
        .iter()
        .map(|it| (it.kind.name(), it.count))
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [("method_cache", 100), ("methods", 6)]);
}

#[test]
fn a_few_caches_of_a_line_and_single_method_entries_have_no_holder() {
    let mut drawing = Drawing::new();
    for (label, line) in [("callcache", 1), ("callinfo", 1), ("ment", 2), ("ment", 3)] {
        let cache = drawing.internal("IMEMO", label, None);
        drawing.site(cache, "app/models.rb", line);
        drawing.refer(CLASS, cache);
        drawing.leaked.push(cache);
    }
    assert_eq!(drawing.holders().len(), 0);
}

#[test]
fn caches_of_a_class_that_leaked_are_its_holder_s() {
    let mut drawing = Drawing::new();
    let list = drawing.object("ARRAY");
    drawing.refer(MODULE, list);
    for _ in 0..3 {
        let class = drawing.leak("CLASS", list);
        let cache = drawing.internal("IMEMO", "callcache", None);
        drawing.refer(class, cache);
        drawing.leaked.push(cache);
    }
    let holders = drawing.holders();
    assert_eq!(
        (holders.len(), holders[0].address, holders[0].count),
        (1, Some(list), 6)
    );
}

#[test]
fn a_scope_that_two_methods_share_is_no_holder_of_its_own() {
    let mut drawing = Drawing::new();
    let scope = drawing.internal("IMEMO", "env", None);
    drawing.leaked.push(scope);
    for _ in 0..2 {
        let method = drawing.internal("IMEMO", "ment", None);
        drawing.refer(CLASS, method);
        drawing.leaked.push(method);
        drawing.refer(method, scope);
        drawing.leak("STRING", method);
    }
    let holders = drawing.holders();
    assert_eq!(
        (holders.len(), holders[0].kind, holders[0].count),
        (1, HolderKind::Methods, 5)
    );
}

#[test]
fn a_path_takes_the_way_of_the_owner_before_that_of_a_block() {
    let mut drawing = Drawing::new();
    let pool = drawing.object("ARRAY");
    let block = drawing.internal("DATA", "proc", Some(CLASS));
    drawing.refer(MODULE, block);
    drawing.refer(block, pool);
    let mut server = MODULE;
    for _ in 0..5 {
        let next = drawing.object("OBJECT");
        drawing.refer(server, next);
        server = next;
    }
    drawing.refer(server, pool);
    drawing.leak("STRING", pool);
    let path = &drawing.holders()[0].path;
    assert!(path.iter().all(|step| step.address != Some(block)), "{path:?}");
    assert_eq!(
        path.len(),
        10,
        "vm, Object, Store, five objects, the Array, the String"
    );
}

#[test]
fn a_path_takes_a_method_from_its_own_class() {
    let mut drawing = Drawing::new();
    let base = drawing.object("OBJECT");
    let owner = drawing.internal("CLASS", "", None);
    let method = drawing.internal("IMEMO", "ment", None);
    let block = drawing.internal("DATA", "proc", Some(CLASS));
    let list = drawing.object("ARRAY");
    // far from the roots
    drawing.refer(MODULE, base);
    drawing.refer(base, owner);
    drawing.refer(owner, method);
    drawing.refer(method, block);
    drawing.refer(block, list);
    drawing.leak("STRING", list);
    // near to them, a class that has only called it: its caches follow the method
    let cache = drawing.internal("IMEMO", "callcache", None);
    drawing.refer(CLASS, method);
    drawing.refer(CLASS, cache);
    let path = &drawing.holders()[0].path;
    assert!(path.iter().any(|step| step.address == Some(owner)), "{path:?}");
}

#[test]
fn parts_of_a_string_pin_it() {
    let mut drawing = Drawing::new();
    let list = drawing.object("ARRAY");
    drawing.refer(MODULE, list);
    for _ in 0..3 {
        let part = drawing.leak("STRING", list);
        let whole = drawing.leak("STRING", part);
        drawing.size(whole, 100_000);
    }
    let whole = drawing.leak("STRING", list);
    let part = drawing.leak("STRING", list);
    drawing.refer(part, whole);
    let holders = drawing.holders();
    let pinned = holders[0].pinned.as_ref().unwrap();
    assert_eq!(
        (pinned.count, pinned.memsize),
        (3, 300_000),
        "the list refers to the fourth itself"
    );
}

#[test]
fn a_class_that_was_replaced_is_no_anchor() {
    let mut drawing = Drawing::new();
    let handlers = drawing.object("ARRAY");
    drawing.refer(MODULE, handlers);
    let old = drawing.class_at(handlers, "Handler");
    let new = drawing.class("Handler");
    drawing.names.push((Some(MODULE), new, "constant", "Handler"));
    let seen = drawing.object("ARRAY");
    drawing.refer(old, seen);
    drawing.leak("STRING", seen);
    let holder = &drawing.holders()[0];
    let is_old: Vec<bool> = holder.path.iter().map(|step| step.is_old).collect();
    assert_eq!(is_old, [false, false, false, false, true, false, false]);
}
