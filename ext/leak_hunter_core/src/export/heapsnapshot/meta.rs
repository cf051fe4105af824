//! How V8 describes the columns of a snapshot.

/// Types by their number.
pub(super) struct Types(&'static [&'static str]);

impl Types {
    pub(super) fn of(&self, name: &str) -> u64 {
        self.0.iter().position(|known| *known == name).unwrap_or(0) as u64
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> &[&str] {
        self.0
    }
}

pub(super) const NODES: Types = Types(&[
    "hidden",
    "array",
    "string",
    "object",
    "code",
    "closure",
    "regexp",
    "number",
    "native",
    "synthetic",
    "concatenated string",
    "sliced string",
    "symbol",
    "bigint",
    "object shape",
]);

pub(super) const EDGES: Types = Types(&[
    "context", "element", "property", "internal", "hidden", "shortcut", "weak",
]);

pub(super) const META: &str = r#"{"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],
"node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic",
"concatenated string","sliced string","symbol","bigint","object shape"],
"string","number","number","number","number","number"],
"edge_fields":["type","name_or_index","to_node"],
"edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],
"trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],
"trace_node_fields":["id","function_info_index","count","size","children"],
"sample_fields":["timestamp_us","last_assigned_id"],
"location_fields":["object_index","script_id","line","column"]}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_those_that_the_file_declares() {
        let meta: serde_json::Value = serde_json::from_str(META).unwrap();
        assert_eq!(meta["node_types"][0], serde_json::json!(NODES.names()));
        assert_eq!(meta["edge_types"][0], serde_json::json!(EDGES.names()));
    }
}
