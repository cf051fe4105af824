//! By which name code is required, as far as the path of its file says.

/// Endings of files that are required without them.
const ENDINGS: [&str; 4] = [".rb", ".so", ".bundle", ".dll"];

/// The feature of a file in a folder from which Ruby requires: `mail/message` of
/// `…/gems/mail-2.8.1/lib/mail/message.rb`. `None` of the application's files, of which the path says more.
pub fn of_path(path: &str) -> Option<&str> {
    let inside = in_gem(path)
        .or_else(|| in_extension(path))
        .or_else(|| in_ruby(path))?;
    Some(without_ending(inside)).filter(|feature| !feature.is_empty())
}

/// A path without the ending of code.
pub fn without_ending(path: &str) -> &str {
    ENDINGS
        .iter()
        .find_map(|ending| path.strip_suffix(ending))
        .unwrap_or(path)
}

fn in_gem(path: &str) -> Option<&str> {
    let (_, inside) = path.rsplit_once("/gems/")?;
    let (folder, inside) = inside.split_once('/')?;
    if folder.contains('-') {
        return inside.strip_prefix("lib/");
    }
    None
}

/// `extensions/x86_64-linux/3.1.0/oj-3.14.2/oj/oj.so`
fn in_extension(path: &str) -> Option<&str> {
    let (_, inside) = path.rsplit_once("/extensions/")?;
    inside.splitn(4, '/').nth(3)
}

/// `/usr/lib/ruby/3.1.0/set.rb`, `vendor_ruby/mail.rb`, with folders of the Ruby and the platform between.
fn in_ruby(path: &str) -> Option<&str> {
    let (_, mut inside) = path
        .rsplit_once("/vendor_ruby/")
        .or_else(|| path.rsplit_once("/site_ruby/"))
        .or_else(|| {
            path.rsplit_once("/ruby/")
                .filter(|(_, inside)| is_version(first(inside)))
        })?;
    while is_version(first(inside)) || is_platform(first(inside)) {
        (_, inside) = inside.split_once('/')?;
    }
    Some(inside)
}

fn first(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// A version of Ruby as folders of libraries have it: `3.1.0`, `3.4.0-static`.
fn is_version(folder: &str) -> bool {
    folder.starts_with(|first: char| first.is_ascii_digit()) && folder.contains('.')
}

fn is_platform(folder: &str) -> bool {
    ["-linux", "-darwin", "-mingw", "-freebsd"]
        .iter()
        .any(|system| folder.contains(system))
}

#[cfg(test)]
mod tests {
    use super::of_path;

    #[test]
    fn a_feature_is_what_is_required() {
        let expected = [
            ("/b/gems/mail-2.8.1/lib/mail/message.rb", Some("mail/message")),
            (
                "/b/gems/outer-1.0/vendor/gems/inner-2.0/lib/inner.rb",
                Some("inner"),
            ),
            ("/b/bundler/gems/rails-0b1f4c2d9a33/lib/rails.rb", Some("rails")),
            ("/b/gems/devise-4.9.0/app/models/user.rb", None),
            (
                "/b/extensions/x86_64-linux/3.1.0/oj-3.14.2/oj/oj.so",
                Some("oj/oj"),
            ),
            ("/usr/lib/ruby/vendor_ruby/mail.rb", Some("mail")),
            (
                "/usr/lib/x86_64-linux-gnu/ruby/vendor_ruby/3.1.0/sqlite3/sqlite3_native.so",
                Some("sqlite3/sqlite3_native"),
            ),
            ("/usr/lib/ruby/3.1.0/set.rb", Some("set")),
            ("/usr/lib/x86_64-linux-gnu/ruby/3.1.0/psych.so", Some("psych")),
            (
                "/opt/r/lib/ruby/3.4.0/x86_64-linux/json/ext/parser.so",
                Some("json/ext/parser"),
            ),
            ("/srv/app/lib/report.rb", None),
            ("/srv/ruby/app.rb", None),
            ("/srv/gems/report/lib/report.rb", None),
        ];
        for (path, feature) in expected {
            assert_eq!(of_path(path), feature, "{path}");
        }
    }
}
