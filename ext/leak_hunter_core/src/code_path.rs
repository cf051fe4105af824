//! Which texts are paths of Ruby code. Every piece of compiled code (iseq) refers to the String that is its path; so these
//! Strings say which gem the code is of.

/// No path is longer.
const LONGEST: usize = 1024;
/// Endings of code, and of templates that become code.
const ENDINGS: [&[u8]; 11] = [
    b".rb",
    b".ru",
    b".rake",
    b".thor",
    b".erb",
    b".haml",
    b".slim",
    b".builder",
    b".jbuilder",
    b".arb",
    b"Rakefile",
];
/// Where programs are whose names have no ending.
const PROGRAMS: [&[u8]; 3] = [b"/bin/", b"/exe/", b"/sbin/"];
/// How Ruby 3.3 and newer call code that was evaluated at a line of a file.
const EVALUATED: &[u8] = b"(eval at ";

/// The path of code that a text is, or that it names: `/app/x.rb` of `(eval at /app/x.rb:7)`.
pub fn of_text(text: &[u8]) -> Option<&[u8]> {
    if text.len() > LONGEST {
        return None;
    }
    // nearly all Strings are sorted out by their last byte
    match text.last()? {
        b')' => {
            let inside = text.strip_prefix(EVALUATED)?.strip_suffix(b")")?;
            let colon = inside.iter().rposition(|byte| *byte == b':')?;
            Some(&inside[..colon]).filter(|path| is_path(path))
        }
        _ => Some(text).filter(|text| is_path(text)),
    }
}

fn is_path(text: &[u8]) -> bool {
    let is_plain = |text: &[u8]| {
        !text
            .iter()
            .any(|byte| *byte < b' ' || *byte == b'\\' || *byte == b'"')
    };
    if ENDINGS.iter().any(|ending| text.ends_with(ending)) {
        return is_plain(text);
    }
    text.first() == Some(&b'/') && PROGRAMS.iter().any(|folder| is_in(text, folder)) && is_plain(text)
}

/// Whether a path is of a file right in a folder of this name.
fn is_in(path: &[u8], folder: &[u8]) -> bool {
    let name = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    name < path.len() && path[..name].ends_with(folder)
}

#[cfg(test)]
mod tests {
    use super::of_text;

    #[test]
    fn paths_of_code_are_told_from_other_texts() {
        let expected = [
            ("/srv/app/models/user.rb", Some("/srv/app/models/user.rb")),
            ("app.rb", Some("app.rb")),
            ("config.ru", Some("config.ru")),
            ("/srv/app/views/a.html.erb", Some("/srv/app/views/a.html.erb")),
            ("(eval at /g/x-1.0/lib/x.rb:12)", Some("/g/x-1.0/lib/x.rb")),
            ("/usr/bin/rackup", Some("/usr/bin/rackup")),
            ("/srv/app/bin/", None),
            ("/srv/bin/data/file", None),
            ("(eval)", None),
            ("(eval at x)", None),
            ("two\nlines.rb", None),
            ("a \"quote\".rb", None),
            ("hello", None),
            ("", None),
        ];
        for (text, path) in expected {
            let found = of_text(text.as_bytes()).map(|path| std::str::from_utf8(path).unwrap());
            assert_eq!(found, path, "{text}");
        }
        assert_eq!(of_text(&[b"/".as_slice(), &[b'a'; 1100], b".rb"].concat()), None);
    }
}
