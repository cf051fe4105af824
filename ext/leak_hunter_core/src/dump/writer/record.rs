//! One object as a record.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::detail::{CodeRange, Content, Detail, Details, Text};
use super::text::TextBuffer;
use crate::dump::{Classes, Fields, Type};
use crate::heap::{Dictionary, Row};
use crate::ids::{Address, SiteId};

/// What is known of all objects.
pub(super) struct Known<'a> {
    pub(super) dictionary: Dictionary<'a>,
    pub(super) details: &'a dyn Details,
    /// Rows of [`Dictionary::classes`]
    pub(super) class_rows: HashMap<Address, usize, RandomState>,
    pub(super) classes: Classes,
    /// Strings that are paths of code.
    pub(super) code_paths: HashMap<Address, &'a str, RandomState>,
    /// Sizes that do not fit into rows.
    pub(super) large: &'a HashMap<Address, u64>,
}

/// An object to be written.
pub(super) struct Object<'a> {
    pub(super) row: &'a Row,
    /// Number of the row
    pub(super) number: usize,
    pub(super) references: &'a [Address],
    pub(super) site: Option<SiteId>,
}

impl Known<'_> {
    pub(super) fn write(&self, object: &Object<'_>, out: &mut TextBuffer) {
        let Some(kind) = self.dictionary.kinds.get(object.row.kind.index()) else {
            return;
        };
        let type_ = kind.type_();
        let detail = self.details.detail(object.number);
        out.put(b"{\"address\":");
        out.address(object.row.address);
        out.put(b", \"type\":\"");
        out.put(&kind.kind);
        out.put(b"\"");
        common(kind, type_, &detail, out);
        match type_ {
            Type::Class | Type::Module | Type::IClass => self.class(object.row.address, out),
            Type::Data => member(b", \"struct\":", kind.struct_name.as_deref(), out),
            Type::Imemo => {
                member(b", \"imemo_type\":", kind.imemo_type.as_deref(), out);
                if let Content::CallCache { receiver_class } = detail.content {
                    out.put(b", \"receiver_class\":");
                    out.address(receiver_class);
                }
            }
            _ => self.content(object, &detail, out),
        }
        if !object.references.is_empty() {
            out.put(b", \"references\":");
            out.addresses(object.references);
        }
        self.site(object.site, out);
        let memsize = match object.row.memsize {
            u32::MAX => self.large.get(&object.row.address).copied().unwrap_or(0),
            memsize => u64::from(memsize),
        };
        if memsize > 0 {
            out.put(b", \"memsize\":");
            out.number(memsize);
        }
        out.put(b"}\n");
    }

    fn content(&self, object: &Object<'_>, detail: &Detail, out: &mut TextBuffer) {
        let length = u64::from(object.row.length);
        match detail.content {
            Content::None | Content::CallCache { .. } => {}
            Content::Object(variables) => {
                out.flag(b", \"embedded\":true", variables.embedded);
                out.put(b", \"ivars\":");
                out.number(variables.count);
                out.flag(b", \"too_complex_shape\":true", variables.too_complex);
            }
            Content::String(text) => self.string(object.row.address, length, &text, out),
            Content::Symbol { bytesize, capacity } => size(bytesize, capacity, out),
            Content::Array { shared, embedded } => {
                out.put(b", \"length\":");
                out.number(length);
                out.flag(b", \"shared\":true", shared);
                out.flag(b", \"embedded\":true", embedded);
            }
            Content::Hash { default_proc } => {
                out.put(b", \"size\":");
                out.number(length);
                if let Some(default) = object.references.last().filter(|_| default_proc) {
                    out.put(b", \"default\":");
                    out.address(*default);
                }
            }
            Content::File { fd } => {
                out.put(b", \"fd\":");
                out.flag(b"-", fd < 0);
                out.number(u64::from(fd.unsigned_abs()));
            }
        }
    }

    fn string(&self, address: Address, length: u64, text: &Text, out: &mut TextBuffer) {
        out.flag(b", \"embedded\":true", text.embedded);
        out.flag(b", \"broken\":true", text.coderange == CodeRange::UnwrittenBroken);
        out.flag(b", \"fstring\":true", text.fstring);
        out.flag(b", \"chilled\":true", text.chilled);
        if text.shared {
            out.put(b", \"shared\":true");
        } else {
            size(length, text.capacity, out);
            // Of all contents only these: names of the program's files.
            let whole = |path: &&&str| path.len() as u64 == length && path.is_ascii();
            if let Some(path) = self.code_paths.get(&address).filter(whole) {
                out.put(b", \"value\":");
                out.json(path.as_bytes());
            }
        }
        if let Some(encoding) = text.encoding {
            out.put(b", \"encoding\":");
            out.raw(self.details.encoding(encoding));
        }
        if let Some(coderange) = text.coderange.name() {
            out.put(b", \"coderange\":");
            out.raw(coderange.as_bytes());
        }
        out.flag(b", \"broken\":true", text.coderange == CodeRange::Broken);
    }

    fn class(&self, address: Address, out: &mut TextBuffer) {
        let row = self.class_rows.get(&address);
        let Some(class) = row.and_then(|row| self.dictionary.classes.get(*row)) else {
            return;
        };
        if let Some(superclass) = class.superclass {
            out.put(b", \"superclass\":");
            out.address(superclass);
        }
        if class.class.is_none() || class.type_() == Type::IClass {
            return;
        }
        if let Some(name) = &class.name {
            out.put(b", \"name\":");
            out.json(name);
        } else if let Some(name) = self.real_name(class) {
            member(b", \"real_class_name\":", Some(name), out);
        }
        out.flag(b", \"singleton\":true", class.singleton);
    }

    /// The name of the first class in the chain that is no singleton class.
    fn real_name(&self, class: &Fields<'_>) -> Option<&[u8]> {
        let real = self.class_rows.get(&self.classes.real(class.address))?;
        self.dictionary.classes.get(*real)?.name.as_deref()
    }

    fn site(&self, site: Option<SiteId>, out: &mut TextBuffer) {
        let Some(site) = site.and_then(|site| self.dictionary.sites.get(site.index())) else {
            return;
        };
        member(b", \"file\":", site.file.as_deref(), out);
        if let Some(line) = site.line {
            out.put(b", \"line\":");
            out.number(line);
        }
        if let Some(method) = &site.method {
            out.put(b", \"method\":");
            out.json(method);
        }
        if let Some(generation) = site.generation {
            out.put(b", \"generation\":");
            out.number(generation.get());
        }
        if let Some(context) = &site.context {
            out.put(b", \"context\":");
            out.json(context);
        }
        if let Some(stack) = site.stack {
            out.put(b", \"stack\":");
            out.number(u64::from(stack.get()));
        }
        if let Some(bytes) = site.sampled_bytes {
            out.put(b", \"sampled_bytes\":");
            out.number(u64::from(bytes));
        }
    }
}

/// What stands before the members of a type.
fn common(kind: &Fields<'_>, type_: Type, detail: &Detail, out: &mut TextBuffer) {
    let numbers = [
        (&b", \"shape_id\":"[..], detail.shape_id),
        (b", \"slot_size\":", detail.slot_size),
    ];
    for (member, number) in numbers {
        if let Some(number) = number {
            out.put(member);
            out.number(u64::from(number));
        }
    }
    let class = match type_ {
        Type::Imemo => detail.imemo_class,
        _ => kind.class,
    };
    if let Some(class) = class {
        out.put(b", \"class\":");
        out.address(class);
    }
    out.flag(b", \"frozen\":true", detail.frozen);
}

fn size(bytes: u64, capacity: Option<u64>, out: &mut TextBuffer) {
    out.put(b", \"bytesize\":");
    out.number(bytes);
    if let Some(capacity) = capacity.filter(|capacity| *capacity != bytes) {
        out.put(b", \"capacity\":");
        out.number(capacity);
    }
}

/// A member with a raw text.
fn member(key: &[u8], text: Option<&[u8]>, out: &mut TextBuffer) {
    if let Some(text) = text {
        out.put(key);
        out.raw(text);
    }
}
