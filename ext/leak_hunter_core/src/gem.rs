//! Which gem an allocation site belongs to, by its path alone.

/// The application's own code.
pub const APP: &str = "app";
/// What comes with Ruby.
pub const STDLIB: &str = "stdlib";
/// Endings of native extensions.
const NATIVE: [&str; 3] = [".so", ".bundle", ".dll"];
/// Where Fedora and its children have Ruby's own libraries.
const FEDORA: [&str; 3] = ["/usr/share/ruby/", "/usr/lib64/ruby/", "/usr/lib/ruby/"];

/// The owner of a source file: `"rack 2.2.6"`, `"stdlib"`, `"ruby"` (the interpreter itself), `"app"`; `None` when that
/// does not follow from the path (`(eval)`, `-e`).
pub fn of_path(path: &str) -> Option<String> {
    if path.starts_with("<internal:") || path.starts_with("<") {
        return Some("ruby".into());
    }
    if is_linked_in(path) {
        return Some(STDLIB.into());
    }
    if !path.contains(['/', '\\']) && !path.ends_with(".rb") && !path.ends_with(".ru") {
        return None;
    }
    // RubyGems and Bundler build native extensions beside the gems: extensions/x86_64-linux/3.1.0/oj-3.14.2/oj/oj.so
    if let Some((_, rest)) = path.rsplit_once("/extensions/") {
        let mut folders = rest.split('/').skip(1);
        if let (Some(abi), Some(folder)) = (folders.next(), folders.next()) {
            if is_abi(abi) && folder.contains('-') {
                return Some(name_and_version(folder));
            }
        }
    }
    // what a gem says of itself: specifications/racc-1.6.2.gemspec, specifications/default/psych-4.0.4.gemspec
    if let Some((_, file)) = path.rsplit_once("/specifications/") {
        let file = file.strip_prefix("default/").unwrap_or(file);
        if let Some(name) = file.strip_suffix(".gemspec").filter(|name| !name.contains('/')) {
            return Some(name_and_version(name));
        }
    }
    // The innermost folder decides: a vendored gem may lie inside another gem.
    if let Some((_, rest)) = path.rsplit_once("/gems/") {
        let mut folders = rest.split('/');
        let folder = folders.next().unwrap_or(rest);
        // Fedora's native extensions: /usr/lib64/gems/ruby/oj-3.14.2/oj/oj.so
        return match folders.next() {
            Some(native) if folder == "ruby" && native.contains('-') => Some(name_and_version(native)),
            _ => Some(name_and_version(folder)),
        };
    }
    if let Some((_, rest)) = path.rsplit_once("/vendor_ruby/") {
        // Debian installs gems here, without their versions in the path; native ones below those of Ruby and platform.
        return Some(library(rest).into());
    }
    if let Some((before, rest)) = path
        .rsplit_once("/lib/ruby/")
        .or_else(|| path.rsplit_once("/ruby/"))
    {
        // lib/ruby/3.1.0/set.rb, site_ruby for what RubyGems updates of itself, and Debian's
        // /usr/lib/x86_64-linux-gnu/ruby/3.1.0/psych.so
        let first = rest.split('/').next().unwrap_or(rest);
        let is_lib = path.contains("/lib/ruby/") || before.contains("/lib/");
        if is_lib && (is_abi(first) || first == "site_ruby") {
            return Some(STDLIB.into());
        }
    }
    // Fedora has no folder for the version: /usr/share/ruby/set.rb, /usr/lib64/ruby/psych.so
    if FEDORA.iter().any(|folder| path.starts_with(folder)) {
        return Some(STDLIB.into());
    }
    Some(APP.into())
}

/// Whether it is the bare name of an extension, as those have that are linked into Ruby itself: `psych.so`,
/// `json/ext/parser.so`. All others are loaded from a path.
fn is_linked_in(path: &str) -> bool {
    let is_extension = NATIVE.iter().any(|ending| path.ends_with(ending));
    is_extension && !path.starts_with(['/', '\\', '.']) && !path.contains(':')
}

/// Which library a path in a folder of libraries is of, past folders of the Ruby and the platform.
fn library(path: &str) -> &str {
    let is_platform = |folder: &str| folder.contains("-linux") || folder.contains("-darwin");
    let is_of_all = |folder: &&str| is_abi(folder) || is_platform(folder);
    let name = path.split('/').find(|folder| !is_of_all(folder)).unwrap_or(path);
    let mut endings = NATIVE.iter().chain([&".rb"]);
    endings
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

/// A version of Ruby as folders of libraries have it: `3.1.0`, `3.4.0-static`, `3.5.0+1`.
fn is_abi(folder: &str) -> bool {
    folder.starts_with(|first: char| first.is_ascii_digit()) && folder.contains('.')
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
            (
                "/var/lib/gems/3.1.0/extensions/x86_64-linux/3.1.0/oj-3.14.2/oj/oj.so",
                Some("oj 3.14.2"),
            ),
            (
                "/srv/app/vendor/bundle/ruby/3.1.0/extensions/x86_64-linux/3.1.0/nio4r-2.7.0/nio4r_ext.so",
                Some("nio4r 2.7.0"),
            ),
            (
                "/b/bundler/gems/extensions/x86_64-linux/3.3.0-static/rinku-0b1f4c2d9a33/rinku.so",
                Some("rinku 0b1f4c2d9a33"),
            ),
            (
                "/b/gems/sqlite3-1.7.0-x86_64-linux/lib/sqlite3/3.1/sqlite3_native.so",
                Some("sqlite3 1.7.0"),
            ),
            (
                "/usr/lib/x86_64-linux-gnu/ruby/vendor_ruby/3.1.0/sqlite3/sqlite3_native.so",
                Some("sqlite3"),
            ),
            (
                "/usr/lib/x86_64-linux-gnu/ruby/vendor_ruby/3.1.0/bcrypt_ext.so",
                Some("bcrypt_ext"),
            ),
            ("/usr/lib/x86_64-linux-gnu/ruby/3.1.0/psych.so", Some("stdlib")),
            (
                "/usr/local/lib/ruby/3.4.0/x86_64-linux/json/ext/parser.so",
                Some("stdlib"),
            ),
            (
                "/opt/rubies/3.3.0/lib/ruby/vendor_ruby/3.3.0/x86_64-linux/x.so",
                Some("x"),
            ),
            (
                "/opt/rubies/3.3.0/lib/ruby/site_ruby/3.3.0/x86_64-linux/x.so",
                Some("stdlib"),
            ),
            ("psych.so", Some("stdlib")),
            ("json/ext/parser.so", Some("stdlib")),
            ("enc/trans/single_byte.bundle", Some("stdlib")),
            ("./ext/mine.so", Some("app")),
            ("/srv/app/ext/mine.so", Some("app")),
            ("C:/app/ext/mine.so", Some("app")),
            (
                "C:/Ruby31-x64/lib/ruby/3.1.0/x64-mingw-ucrt/psych.so",
                Some("stdlib"),
            ),
            (
                "/opt/homebrew/lib/ruby/gems/3.3.0/extensions/arm64-darwin-23/3.3.0/oj-3.16.1/oj/oj.bundle",
                Some("oj 3.16.1"),
            ),
            (
                "/usr/lib/ruby/gems/3.4.0/extensions/x86_64-linux-gnu/3.4.0/bigdecimal-3.1.8/bigdecimal.so",
                Some("bigdecimal 3.1.8"),
            ),
            (
                "/usr/lib/x86_64-linux-gnu/rubygems-integration/3.1.0/extensions/x86_64-linux/3.1.0/ffi-1.15.5/ffi_c.so",
                Some("ffi 1.15.5"),
            ),
            (
                "/home/u/.local/share/gem/ruby/3.1.0/gems/oj-3.14.2/lib/oj/oj.so",
                Some("oj 3.14.2"),
            ),
            (
                "/usr/share/rubygems-integration/all/specifications/racc-1.6.2.gemspec",
                Some("racc 1.6.2"),
            ),
            (
                "/opt/rubies/3.3.0/lib/ruby/gems/3.3.0/specifications/default/psych-5.1.2.gemspec",
                Some("psych 5.1.2"),
            ),
            ("/srv/app/specifications/racc.rb", Some("app")),
            ("/usr/lib64/gems/ruby/oj-3.14.2/oj/oj.so", Some("oj 3.14.2")),
            ("/usr/share/gems/gems/rack-2.2.6/lib/rack.rb", Some("rack 2.2.6")),
            ("/usr/lib64/ruby/psych.so", Some("stdlib")),
            ("/usr/share/ruby/set.rb", Some("stdlib")),
            ("/usr/share/ruby/vendor_ruby/rack.rb", Some("rack")),
            ("/srv/ruby/3.1.0/app/models/user.rb", Some("app")),
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
