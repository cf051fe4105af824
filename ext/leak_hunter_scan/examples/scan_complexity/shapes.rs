//! Sources whose work might grow faster than they do.

/// All of them.
pub const ALL: [&str; 40] = [
    "chain",
    "chain_of_indexes",
    "chain_of_blocks",
    "plus",
    "or",
    "not",
    "parentheses",
    "arrays",
    "hashes",
    "interpolations",
    "lambdas",
    "ifs",
    "elsifs",
    "cases",
    "methods",
    "methods_in_methods",
    "modules_in_modules",
    "long_class_name",
    "classes",
    "subclasses",
    "mixins",
    "mixins_of_one",
    "memos",
    "memos_of_one",
    "locals",
    "files_opened",
    "threads_in_threads",
    "storing_hashes_in_hashes",
    "comments",
    "assignments",
    "multiple_assignments",
    "strings",
    "heredocs",
    "symbols",
    "kept_requests",
    "readers",
    "calls",
    "rescues",
    "line",
    "tags",
];

/// A text of about so many bytes, and not more.
pub fn make(shape: &str, bytes: usize) -> String {
    match shape {
        "chain" => repeat("a", ".b", "", bytes),
        "chain_of_indexes" => repeat("X", "[a]", " << 1", bytes),
        "chain_of_blocks" => repeat("A", ".map{}", "", bytes),
        "plus" => repeat("a = 1", "+a", "", bytes),
        // Of one chain the parser looks at all operands before each; of how many a file has there is a limit, which this
        // stays below.
        "or" => {
            let part = format!("@a = b{}\n{}", "||b".repeat(100), "c = 1\n".repeat(200));
            repeat("", &part, "", bytes)
        }
        "not" => repeat("", "!", "a", bytes),
        "parentheses" => nest("(", "a", ")", bytes),
        "arrays" => nest("X[[", "a", "]]", bytes),
        "hashes" => nest("{a:", "1", "}", bytes),
        "interpolations" => nest("\"#{", "a", "}\"", bytes),
        "lambdas" => nest("->{", "a", "}", bytes),
        "ifs" => nest("if a;", "b", ";end", bytes),
        "elsifs" => repeat("if a\n", "elsif b\nc\n", "end", bytes),
        "cases" => repeat(
            "def a(b)\ncase b\n",
            "when 1 then X[b] = 1\n",
            "end\nend\n",
            bytes,
        ),
        "methods" => numbered(bytes, |it| format!("def m{it} = m{}\n", it / 2)),
        "methods_in_methods" => nest("def a;", "@b", ";end", bytes),
        "modules_in_modules" => nest("module A;", "B = 1", ";end", bytes),
        "long_class_name" => {
            let name = "A".repeat(bytes / 2);
            repeat(&format!("class {name}\n"), "def a;end\n", "end", bytes)
        }
        "classes" => numbered(bytes, |it| {
            format!("class C{it}; X = {{}}; def a(b) = X[b] ||= b; end\n")
        }),
        "subclasses" => numbered(bytes, |it| format!("class C{} < C{it}; end\n", it + 1)),
        "mixins" => numbered(bytes, |it| {
            format!(
                "module M{it}; extend M{}; def a(b) = (@a ||= {{}})[b] ||= b; end\n",
                it / 2
            )
        }),
        "mixins_of_one" => {
            let body = numbered(bytes.saturating_sub(16), |it| format!("extend M{it}\na.b\n"));
            format!("class A\n{body}end")
        }
        "memos" => {
            let body = numbered(bytes.saturating_sub(16), |it| {
                format!("def self.a(b) = (@v{it} ||= {{}})[b] ||= b\n")
            });
            format!("class A\n{body}end")
        }
        "memos_of_one" => repeat("class A\nX = {}\ndef a(b)\n", "X[b] ||= b\n", "end\nend", bytes),
        "locals" => numbered(bytes, |it| format!("a{it} = a{}\n", it / 2)),
        "files_opened" => {
            let body = numbered(bytes.saturating_sub(16), |it| format!("f{it} = File.open(a)\n"));
            format!("def a\n{body}b\nend")
        }
        "threads_in_threads" => nest("Thread.new{loop{", "a", "}}", bytes),
        "storing_hashes_in_hashes" => nest("@a=Hash.new{|h,k|h[k]=", "a", "}", bytes),
        "comments" => repeat(
            "",
            "# leak_hunter:disable all -- x\n# leak_hunter:enable all\n",
            "",
            bytes,
        ),
        "assignments" => repeat("", "@a=", "{}", bytes),
        "multiple_assignments" => repeat("a", ",a", "=b", bytes),
        "strings" => repeat("a = ", "'a' \"b\" ", "", bytes),
        "heredocs" => repeat("", "a <<~A\nb #{c}\nA\n", "", bytes),
        "symbols" => numbered(bytes, |it| format!(":s{it}\n")),
        "kept_requests" => {
            let body = numbered(bytes.saturating_sub(80), |it| format!("@e{it} = env\n"));
            format!("class A\ndef initialize(app) = @app = app\ndef call(env)\n{body}end\nend")
        }
        "readers" => numbered(bytes, |it| format!("def r{} = r{it}\n", it + 1)),
        "calls" => numbered(bytes, |it| format!("A.c{it}(self.class.b)\n")),
        "rescues" => repeat("begin\n", "rescue A\n", "end", bytes),
        "line" => repeat("", "@a[b] << c;", "", bytes),
        _ => repeat("", "<% a %><%= b %>", "", bytes),
    }
}

fn repeat(begin: &str, part: &str, end: &str, bytes: usize) -> String {
    let times = bytes.saturating_sub(begin.len() + end.len()) / part.len();
    format!("{begin}{}{end}", part.repeat(times))
}

fn nest(open: &str, inner: &str, close: &str, bytes: usize) -> String {
    let times = bytes.saturating_sub(inner.len()) / (open.len() + close.len());
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

fn numbered(bytes: usize, part: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for number in 0.. {
        let part = part(number);
        if text.len() + part.len() > bytes {
            break;
        }
        text.push_str(&part);
    }
    text
}
