//! Which gem an allocation site belongs to, by its path alone.

/// The owner of a source file: `"rack 2.2.6"`, `"stdlib"`, `"ruby"` (the interpreter itself), `"app"`; `None` when that
/// does not follow from the path (`(eval)`, `-e`).
pub fn of_path(path: &str) -> Option<String> {
    if path.starts_with("<internal:") || path.starts_with("<") {
        return Some("ruby".into());
    }
    if !path.contains(['/', '\\']) && !path.ends_with(".rb") && !path.ends_with(".ru") {
        return None;
    }
    // The innermost folder decides: a vendored gem may lie inside another gem.
    if let Some((_, rest)) = path.rsplit_once("/gems/") {
        let folder = rest.split('/').next().unwrap_or(rest);
        return Some(name_and_version(folder));
    }
    if let Some((_, rest)) = path.rsplit_once("/vendor_ruby/") {
        // Debian installs gems here, without their versions in the path.
        let name = rest.split('/').next().unwrap_or(rest);
        return Some(name.strip_suffix(".rb").unwrap_or(name).into());
    }
    if let Some((_, rest)) = path.rsplit_once("/lib/ruby/") {
        // lib/ruby/3.1.0/set.rb, and site_ruby for what RubyGems updates of itself.
        if rest.starts_with(|first: char| first.is_ascii_digit()) || rest.starts_with("site_ruby/") {
            return Some("stdlib".into());
        }
    }
    Some("app".into())
}

/// `rack-2.2.6`, `nokogiri-1.15.0-x86_64-linux`, or `rails-0b1f4c2d9a33` from a Git checkout.
fn name_and_version(folder: &str) -> String {
    let parts: Vec<&str> = folder.split('-').collect();
    let version = parts
        .iter()
        .skip(1)
        .position(|part| part.starts_with(|first: char| first.is_ascii_digit()) && part.contains('.'));
    if let Some(index) = version {
        return format!("{} {}", parts[..=index].join("-"), parts[index + 1]);
    }
    match folder.rsplit_once('-') {
        Some((name, tail)) if is_version(tail) || is_revision(tail) => format!("{name} {tail}"),
        _ => folder.into(),
    }
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn is_revision(text: &str) -> bool {
    text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::of_path;

    #[test]
    fn the_gem_of_a_path_is_named_with_its_version() {
        let expected = [
            (
                "/usr/local/bundle/gems/rack-2.2.6/lib/rack/utils.rb",
                Some("rack 2.2.6"),
            ),
            (
                "/b/gems/nokogiri-1.15.0-x86_64-linux/lib/nokogiri.rb",
                Some("nokogiri 1.15.0"),
            ),
            (
                "/b/gems/rack-mini-profiler-3.1.0/lib/x.rb",
                Some("rack-mini-profiler 3.1.0"),
            ),
            (
                "/b/gems/outer-1.0.0/vendor/gems/inner-2.0.0/lib/x.rb",
                Some("inner 2.0.0"),
            ),
            (
                "/b/bundler/gems/rails-0b1f4c2d9a33/activerecord/lib/x.rb",
                Some("rails 0b1f4c2d9a33"),
            ),
            (
                "/usr/share/rubygems-integration/all/gems/mustermann-2.0.2/lib/m.rb",
                Some("mustermann 2.0.2"),
            ),
            (
                "/usr/lib/ruby/vendor_ruby/active_support/cache.rb",
                Some("active_support"),
            ),
            ("/usr/lib/ruby/vendor_ruby/rack.rb", Some("rack")),
            ("/usr/lib/ruby/3.1.0/set.rb", Some("stdlib")),
            (
                "/opt/rubies/3.4.1/lib/ruby/site_ruby/3.4.0/rubygems.rb",
                Some("stdlib"),
            ),
            ("<internal:kernel>", Some("ruby")),
            ("/srv/app/models/user.rb", Some("app")),
            ("app.rb", Some("app")),
            ("config.ru", Some("app")),
            ("(eval)", None),
            ("-e", None),
        ];
        for (path, gem) in expected {
            assert_eq!(of_path(path).as_deref(), gem, "{path}");
        }
    }
}
