//! Whether a key is one of a few.

use crate::facts::Key;
use crate::tree::{Expr, Kind};

use super::Walker;

/// Words for things of which a program has a few.
const FEW: [&str; 63] = [
    "adapter",
    "action",
    "action_name",
    "arity",
    "attr",
    "attr_name",
    "attribute",
    "attribute_name",
    "association",
    "base",
    "callback",
    "charset",
    "class",
    "class_name",
    "clazz",
    "cls",
    "column",
    "column_name",
    "controller",
    "controller_name",
    "currency",
    "database",
    "date_format",
    "descendant",
    "encoding",
    "engine",
    "env_name",
    "environment",
    "event_name",
    "ext",
    "extension",
    "field",
    "format",
    "handler",
    "hook",
    "http_method",
    "klass",
    "lang",
    "language",
    "level",
    "locale",
    "macro",
    "method",
    "method_name",
    "mime",
    "mime_type",
    "mod",
    "model",
    "model_class",
    "model_name",
    "module",
    "namespace",
    "option",
    "platform",
    "plugin",
    "request_method",
    "role",
    "severity",
    "subclass",
    "superclass",
    "mixin",
    "table",
    "type",
];

/// Calls that answer one of a few, whatever they are called on.
const FEW_CALLS: [&str; 16] = [
    "class",
    "singleton_class",
    "locale",
    "pid",
    "arity",
    "model_name",
    "env",
    "nil?",
    "empty?",
    "is_a?",
    "!",
    "==",
    "wday",
    "%",
    "encoding",
    "request_method",
];

/// Calls that answer as many things as they are called on.
const SAME: [&str; 22] = [
    "to_s",
    "to_sym",
    "name",
    "to_i",
    "downcase",
    "upcase",
    "underscore",
    "camelize",
    "classify",
    "constantize",
    "dup",
    "freeze",
    "hash",
    "itself",
    "strip",
    "demodulize",
    "to_str",
    "intern",
    "-@",
    "inspect",
    "pluralize",
    "singularize",
];

/// Whether a name stands for one of a few.
pub(super) fn few(name: &str) -> bool {
    let name = name.trim_start_matches(['@', '_']);
    FEW.contains(&name)
        || [
            "_class", "_type", "_klass", "_model", "_locale", "_module", "_method", "_format",
        ]
        .iter()
        .any(|end| name.ends_with(end))
        || ["base_class", "owner_class"].contains(&name)
}

impl<'a> Walker<'a> {
    pub(super) fn key(&self, expr: Option<&Expr<'a>>) -> Key {
        match expr {
            None => Key::None,
            Some(expr) if self.is_bounded(expr) => Key::Bounded,
            Some(_) => Key::Open,
        }
    }

    /// Whether it can be one of a few things alone.
    pub(super) fn is_bounded(&self, expr: &Expr<'a>) -> bool {
        match &expr.kind {
            Kind::Nil
            | Kind::SelfRef
            | Kind::Literal
            | Kind::Number
            | Kind::Text(_)
            | Kind::Symbol(_)
            | Kind::Const(_) => true,
            Kind::Interpolated(list)
            | Kind::InterpolatedSymbol(list)
            | Kind::Array(list)
            | Kind::Hash(list)
            | Kind::Seq(list) => list.iter().all(|it| self.is_bounded(it)),
            Kind::Local(name) => {
                let local = self.frame.locals.get(name);
                local.is_some_and(|local| local.bounded) || self.frame.checked.contains(name) || few(name)
            }
            Kind::Ivar(name) => few(name),
            Kind::Either(left, right) => self.is_bounded(left) && self.is_bounded(right),
            Kind::Branch(it) => it.yes.iter().chain(&it.no).all(|it| self.is_bounded(it)),
            Kind::Call(call) => {
                if FEW_CALLS.contains(&call.name) || (few(call.name) && call.args.is_empty()) {
                    return true;
                }
                match &call.receiver {
                    None => call.name == "__method__",
                    Some(receiver) => {
                        (SAME.contains(&call.name) || call.name == "+")
                            && self.is_bounded(receiver)
                            && call.args.iter().all(|it| self.is_bounded(it))
                    }
                }
            }
            _ => false,
        }
    }

    /// Whether what is gone through is written in the program: a literal, a constant.
    pub(super) fn is_fixed_list(&self, expr: &Expr<'a>) -> bool {
        match &expr.kind {
            Kind::Array(list) | Kind::Hash(list) => list.iter().all(|it| self.is_bounded(it)),
            Kind::Const(_) => true,
            Kind::Local(name) => self.frame.locals.get(name).is_some_and(|local| local.bounded),
            Kind::Call(call) => {
                let passes = matches!(
                    call.name,
                    "each"
                        | "map"
                        | "keys"
                        | "values"
                        | "each_key"
                        | "with_index"
                        | "each_with_index"
                        | "select"
                        | "reject"
                        | "to_a"
                        | "freeze"
                        | "sort"
                        | "reverse"
                        | "column_names"
                        | "columns"
                        | "members"
                        | "constants"
                        | "instance_methods"
                        | "public_instance_methods"
                        | "descendants"
                        | "subclasses"
                        | "ancestors"
                );
                let class = matches!(
                    call.name,
                    "column_names"
                        | "columns"
                        | "members"
                        | "constants"
                        | "instance_methods"
                        | "public_instance_methods"
                        | "descendants"
                        | "subclasses"
                        | "ancestors"
                );
                class
                    || (passes
                        && call
                            .receiver
                            .as_ref()
                            .is_some_and(|receiver| self.is_fixed_list(receiver)))
            }
            Kind::Seq(_) => !std::ptr::eq(expr.last(), expr) && self.is_fixed_list(expr.last()),
            Kind::Other(list) => list.iter().all(|it| matches!(it.kind, Kind::Number)) && !list.is_empty(),
            _ => false,
        }
    }
}
