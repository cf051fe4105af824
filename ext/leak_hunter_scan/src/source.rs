//! Which files are read, and what their paths say.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use leak_hunter_core::{Progress, Result};

use crate::rule::Reach;
use crate::walk::Role;

/// A file is read up to this size. Ruby files that people write have some 10 kB.
pub const LARGEST: u64 = 1 << 20;

/// So many files are read.
const MOST: usize = 200_000;

/// Folders of other people's code, of tests, and of what is no code.
const SKIPPED: [&str; 14] = [
    "node_modules",
    "vendor",
    "tmp",
    "log",
    "coverage",
    "spec",
    "test",
    "tests",
    "features",
    "pkg",
    "public",
    "target",
    "doc",
    "storage",
];

/// A file to read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// As it is named in results.
    pub(crate) shown: PathBuf,
    /// Within the folder that was given: what says where its code runs.
    pub(crate) within: PathBuf,
    pub(crate) size: u64,
}

/// Files, and what could not be listed.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) files: Vec<Source>,
    pub(crate) unreadable: Vec<PathBuf>,
    pub(crate) too_many: bool,
}

/// The Ruby files of folders, and files as they are given.
pub(crate) fn list(paths: &[PathBuf], root: Option<&Path>, progress: &Progress) -> Result<Sources> {
    let mut sources = Sources::default();
    for path in paths {
        let named = root.and_then(|root| path.strip_prefix(root).ok()).unwrap_or(path);
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => {
                let shown = if paths.len() == 1 {
                    PathBuf::new()
                } else {
                    named.to_path_buf()
                };
                folder(path, &shown, &mut sources, progress)?;
            }
            Ok(data) => sources.files.push(Source {
                path: path.clone(),
                shown: named.to_path_buf(),
                // folders around a project say nothing
                within: match path.file_name() {
                    Some(name) if named.is_absolute() => PathBuf::from(name),
                    _ => named.to_path_buf(),
                },
                size: data.len(),
            }),
            Err(_) => sources.unreadable.push(path.clone()),
        }
    }
    sources.files.sort_by(|one, other| one.shown.cmp(&other.shown));
    sources.files.dedup_by(|one, other| one.path == other.path);
    Ok(sources)
}

/// Links are not followed: a folder may lead back to itself.
fn folder(root: &Path, shown: &Path, sources: &mut Sources, progress: &Progress) -> Result<()> {
    let mut open = vec![(root.to_path_buf(), shown.to_path_buf())];
    while let Some((folder, shown)) = open.pop() {
        progress.check()?;
        let Ok(entries) = fs::read_dir(&folder) else {
            sources.unreadable.push(shown);
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if !text.starts_with('.') && !SKIPPED.contains(&&*text) {
                    open.push((entry.path(), shown.join(&name)));
                }
            } else if kind.is_file() && is_ruby(&text) {
                if sources.files.len() >= MOST {
                    sources.too_many = true;
                    return Ok(());
                }
                let size = entry.metadata().map_or(0, |data| data.len());
                sources.files.push(Source {
                    path: entry.path(),
                    within: relative(&entry.path(), root),
                    shown: shown.join(&name),
                    size,
                });
            }
        }
    }
    Ok(())
}

fn relative(path: &Path, root: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_path_buf()
}

fn is_ruby(name: &str) -> bool {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    match ending {
        "rb" => !(stem.ends_with("_spec") || stem.ends_with("_test")),
        "rake" | "ru" | "erb" | "jbuilder" | "thor" => true,
        _ => matches!(name, "Rakefile"),
    }
}

/// The text of a file, unless it is too large or changes its size.
pub(crate) fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text)?;
    Ok((text.len() as u64 <= LARGEST).then_some(text))
}

/// What a path says.
pub(crate) fn role(path: &Path) -> Role {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let name = parts.last().map(|it| it.as_ref()).unwrap_or_default();
    let within = |folder: &str| parts.iter().rev().skip(1).any(|part| part == folder);
    let template = name.ends_with(".erb");
    let entry = if within("controllers")
        || within("helpers")
        || within("views")
        || within("channels")
        || within("components")
    {
        Some(Reach::Request)
    } else if within("jobs") || within("workers") || within("mailers") {
        Some(Reach::Job)
    } else {
        None
    };
    let test = ["spec", "test", "features", "testing"].into_iter().any(within)
        || matches!(
            name,
            "test_case.rb"
                | "test_helper.rb"
                | "spec_helper.rb"
                | "testing.rb"
                | "test_fixtures.rb"
                | "fixtures.rb"
        )
        || (name == "test.rb" && within("environments"));
    let boot = within("initializers")
        || within("migrate")
        || within("seeds")
        || name == "seeds.rb"
        || within("generators");
    Role {
        entry: entry.filter(|_| !boot),
        boot,
        test,
        template,
    }
}
