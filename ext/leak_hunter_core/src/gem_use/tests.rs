//! Heaps of a few records, as each Ruby writes them: an application, the gem `used` and the gem `idle`.

use std::fmt::Write as _;

use super::*;
use crate::Heap;

const APP: &str = "/srv/app/app.rb";
const USED: &str = "/b/gems/used-1.2.0/lib/used.rb";
const IDLE: &str = "/b/gems/idle-0.1.0/lib/idle.rb";

/// A dump that is written record by record.
#[derive(Default)]
struct Dump(String);

impl Dump {
    fn add(mut self, address: u64, type_: &str, members: &str, references: &[u64]) -> Self {
        let references: Vec<String> = references.iter().map(|it| format!("\"{it:#x}\"")).collect();
        let members = if members.is_empty() {
            String::new()
        } else {
            format!(", {members}")
        };
        let references = match references.is_empty() {
            true => String::new(),
            false => format!(", \"references\":[{}]", references.join(", ")),
        };
        writeln!(
            self.0,
            "{{\"address\":\"{address:#x}\", \"type\":\"{type_}\"{members}{references}, \"memsize\":40, \"flags\":{{\"marked\":true}}}}"
        )
        .unwrap();
        self
    }

    fn string(self, address: u64, value: &str) -> Self {
        self.add(
            address,
            "STRING",
            &format!("\"class\":\"0x8\", \"value\":\"{value}\""),
            &[],
        )
    }

    fn imemo(self, address: u64, kind: &str, members: &str, references: &[u64]) -> Self {
        let members = match members.is_empty() {
            true => format!("\"imemo_type\":\"{kind}\""),
            false if members.starts_with("\"class\"") => format!("{members}, \"imemo_type\":\"{kind}\""),
            false => format!("\"imemo_type\":\"{kind}\", {members}"),
        };
        self.add(address, "IMEMO", &members, references)
    }

    fn class(self, address: u64, name: &str, superclass: u64, references: &[u64]) -> Self {
        let members = format!("\"class\":\"0x10\", \"superclass\":\"{superclass:#x}\", \"name\":\"{name}\"");
        self.add(address, "CLASS", &members, references)
    }

    fn uses(&self) -> GemUses {
        gem_uses(&heap_of(&self.0), &OwnerTable::default(), &Progress::default()).unwrap()
    }
}

fn heap_of(dump: &str) -> Heap {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), dump).unwrap();
    Heap::load(file.path(), Some(1), &Progress::default()).unwrap()
}

/// Code of all three at 0x1000, 0x2000 and 0x3000, methods at 0x2100 and 0x3100, classes at 0x2200 and 0x3200. `caches`
/// are what the application's code refers to besides.
fn program(caches: &[u64], of_used_class: &[u64]) -> Dump {
    let app: Vec<u64> = caches.iter().copied().chain([0x1008]).collect();
    let used: Vec<u64> = [0x2100].iter().chain(of_used_class).copied().collect();
    Dump::default()
        .class(0x8, "String", 0x18, &[])
        .class(0x10, "Class", 0x18, &[])
        .class(0x18, "Object", 0x18, &[])
        .string(0x1008, APP)
        .string(0x2008, USED)
        .string(0x3008, IDLE)
        .string(0x2010, "templates/page.erb")
        .imemo(0x1000, "iseq", "", &app)
        // what stands in the code may look like a path, too
        .imemo(0x2000, "iseq", "", &[0x2010, 0x2008])
        .imemo(0x2300, "iseq", "", &[0x2008])
        .add(
            0x3010,
            "ARRAY",
            "\"class\":\"0x18\", \"length\":2",
            &[0x3008, 0x3008],
        )
        .imemo(0x3000, "iseq", "", &[0x3010])
        .imemo(0x2100, "ment", "", &[0x2200, 0x2200, 0x2000])
        .imemo(0x3100, "ment", "", &[0x3200, 0x3200, 0x3000])
        .class(0x2200, "Used::Thing", 0x18, &used)
        .class(0x3200, "Idle", 0x18, &[0x3100])
}

fn gem(uses: &GemUses, name: &str) -> GemUse {
    uses.gems
        .iter()
        .find(|gem| gem.name == name)
        .cloned()
        .unwrap_or_default()
}

fn seen(uses: &GemUses, name: &str) -> Vec<(String, &'static str)> {
    let gem = gem(uses, name);
    gem.uses
        .iter()
        .map(|it| (it.user.clone(), it.kind.name()))
        .collect()
}

#[test]
fn code_and_classes_have_the_owner_of_their_path() {
    let uses = program(&[], &[]).uses();
    let used = gem(&uses, "used");
    assert_eq!((used.files, used.code.count, used.classes.count), (1, 2, 1));
    assert_eq!(used.namespaces.iter().collect::<Vec<_>>(), ["Used::Thing"]);
    assert_eq!(gem(&uses, "idle").code.count, 1, "its path is an Array of two");
    assert_eq!(gem(&uses, "app").code.count, 1);
    assert_eq!(seen(&uses, "used"), []);
    assert_eq!((uses.evidence.code, uses.evidence.with_path), (4, 4));
}

#[test]
fn ruby_3_1_tells_who_called_whom() {
    let uses = program(&[0x1100], &[])
        .imemo(0x1100, "callcache", "\"class\":\"0x2200\"", &[0x2100])
        .uses();
    let app = |kind| ("app".to_string(), kind);
    assert_eq!(seen(&uses, "used"), [app("call"), app("receiver")]);
    assert_eq!(seen(&uses, "idle"), []);
    assert_eq!(gem(&uses, "used").uses[0].example.file.as_deref(), Some(APP));
    assert_eq!(uses.evidence.calls, 1);
}

#[test]
fn ruby_3_3_tells_of_which_class_the_receiver_was() {
    let uses = program(&[0x1100], &[])
        .imemo(
            0x1100,
            "callcache",
            "\"called_id\":\"go\", \"receiver_class\":\"0x2200\"",
            &[],
        )
        .uses();
    assert_eq!(seen(&uses, "used"), [("app".to_string(), "receiver")]);
    assert_eq!((uses.evidence.calls, uses.evidence.receivers), (0, 1));
}

#[test]
fn a_constant_that_was_read_is_a_use() {
    let in_class = program(&[0x1100], &[]).imemo(0x1100, "constcache", "\"class\":\"0x2200\"", &[]);
    let in_references = program(&[0x1100], &[]).imemo(0x1100, "constcache", "", &[0x2200]);
    for dump in [in_class, in_references] {
        let uses = dump.uses();
        assert_eq!(seen(&uses, "used"), [("app".to_string(), "constant")]);
        assert_eq!(
            gem(&uses, "used").uses[0].example.class.as_deref(),
            Some("Used::Thing")
        );
        assert_eq!(gem(&uses, "app").ran, 1);
        assert_eq!(gem(&uses, "idle").ran, 0);
    }
}

#[test]
fn methods_in_caches_of_classes_are_counted() {
    // up to Ruby 3.4 the class itself refers to its cached methods, once more
    let twice = program(&[], &[0x2100]).uses();
    // from 4.0 on there is a table
    let table = program(&[], &[0x4000])
        .add(0x4000, "DATA", "\"struct\":\"VM/cc_table\"", &[0x2100])
        .uses();
    for uses in [twice, table] {
        assert_eq!(gem(&uses, "used").cached_methods, 1);
        assert_eq!(gem(&uses, "idle").cached_methods, 0);
        assert_eq!(uses.evidence.cached_methods, 1);
    }
}

#[test]
fn who_inherits_or_includes_uses_it() {
    let iclass = "\"class\":\"0x3200\", \"superclass\":\"0x2200\"";
    let uses = program(&[], &[])
        // class Mine < Used::Thing; include Idle
        .add(0x5008, "ICLASS", iclass, &[])
        .class(0x5000, "Mine", 0x5008, &[0x5100])
        .imemo(0x5100, "ment", "", &[0x5000, 0x5000, 0x1000])
        .uses();
    assert_eq!(seen(&uses, "idle"), [("app".to_string(), "includes")]);
    let uses = program(&[], &[]).class(0x5000, "Mine", 0x2200, &[]).uses();
    assert_eq!(
        seen(&uses, "used"),
        [("app".to_string(), "inherits")],
        "without a method, too"
    );
    assert_eq!(
        gem(&uses, "used").uses[0].example.by_class.as_deref(),
        Some("Mine")
    );
}

#[test]
fn what_is_in_a_class_of_the_application_is_its_own() {
    let uses = program(&[], &[])
        .class(0x5000, "Mine", 0x18, &[])
        .imemo(0x5100, "ment", "", &[0x5000, 0x5000, 0x1000])
        .class(0x5200, "Mine::Generated", 0x18, &[])
        .imemo(0x5300, "ment", "", &[0x5200, 0x5200, 0x3000])
        .uses();
    assert_eq!(gem(&uses, "idle").classes.count, 1);
    assert_eq!(gem(&uses, "app").classes.count, 2);
}

#[test]
fn who_holds_an_object_uses_it() {
    let uses = program(&[], &[])
        .class(0x5000, "Mine", 0x18, &[0x5100])
        .imemo(0x5100, "ment", "", &[0x5000, 0x5000, 0x1000])
        .add(0x6000, "OBJECT", "\"class\":\"0x5000\"", &[0x6008])
        .add(0x6008, "OBJECT", "\"class\":\"0x2200\"", &[])
        .uses();
    assert_eq!(seen(&uses, "used"), [("app".to_string(), "holds")]);
    assert_eq!(gem(&uses, "used").instances.count, 1);
}

#[test]
fn methods_in_classes_of_others_are_patches() {
    let uses = program(&[], &[])
        .imemo(0x3108, "ment", "", &[0x8, 0x8, 0x3000])
        .uses();
    let patches = gem(&uses, "idle").patches;
    assert_eq!((patches.methods, patches.cached), (1, 0));
    assert_eq!(patches.classes.iter().collect::<Vec<_>>(), ["String"]);
}

#[test]
fn the_caller_knows_whose_the_files_of_a_folder_are() {
    let mut table = OwnerTable::default();
    table.add("/srv/app", "shop");
    let heap = heap_of(&program(&[], &[]).0);
    let uses = gem_uses(&heap, &table, &Progress::default()).unwrap();
    assert_eq!(gem(&uses, "shop").code.count, 1);
    assert_eq!(gem(&uses, "app"), GemUse::default());
}

#[test]
fn what_is_damaged_says_little_and_ends() {
    let circle = program(&[0x1100], &[])
        .imemo(0x1100, "callcache", "", &[0x1100])
        .imemo(0x2108, "ment", "", &[0x2108])
        .imemo(0x2110, "ment", "", &[0x2118])
        .imemo(0x2118, "ment", "", &[0x2110])
        .class(0x7100, &"A::".repeat(2000), 0x18, &[])
        .class(0x7200, &"A::".repeat(100), 0x18, &[0x7300])
        .imemo(0x7300, "ment", "", &[0x7200, 0x7200, 0x3000])
        .class(0x7000, "A", 0x7008, &[])
        .class(0x7008, "B", 0x7000, &[]);
    assert_eq!(seen(&circle.uses(), "used"), []);
    let nothing = Dump::default().string(0x8, "x");
    assert_eq!(nothing.uses(), GemUses::default());
}
