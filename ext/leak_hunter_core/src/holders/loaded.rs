//! Code that was loaded between the moments. A file runs once, so what it leaves is no leak, however much it is.
//!
//! A dump does not say which files were loaded when. But a file that was has left something that only code outside of
//! methods makes: classes, modules, methods. All of those are of one window, and nothing else that was allocated in the
//! file is older.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::leak_tree::LeakTree;
use super::merge::Merged;
use super::role::LOADING;
use super::{Leaked, Past};
use crate::error::Result;
use crate::graph::{NodeId, Ticks};
use crate::heap::{Heap, Internal, Kind, NONE, Type};
use crate::ids::ObjectId;
use crate::progress::Progress;
use crate::{feature, gem};

/// In percent: with as much of what it accounts for, a holder is loaded code.
const MOST: u64 = 90;
/// So few other objects say nothing.
const FEW: u64 = 20;

/// What was loaded, and is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedCode {
    /// By which name it was required, where the path says that: `mail`.
    pub feature: Option<String>,
    /// The file that loaded the others, as far as their names tell.
    pub file: String,
    /// How many files.
    pub files: u64,
    /// There is nothing else that could grow.
    pub is_all: bool,
}

/// A file that was loaded.
#[derive(Debug)]
struct File<'a> {
    path: &'a str,
    /// The window in which it was, or that it is not known to have been.
    window: Option<usize>,
}

/// The files that were loaded between the moments.
#[derive(Debug)]
pub(super) struct LoadedFiles<'a> {
    files: Vec<File<'a>>,
    /// By kind: number of the file.
    by_kind: Vec<u32>,
    /// By window: whether anything was loaded in it.
    windows: Vec<bool>,
    /// By path without its ending.
    by_name: HashMap<&'a str, u32, RandomState>,
}

/// How much of a holder is loaded code.
#[derive(Clone, Debug, Default)]
struct Share {
    all: u64,
    loaded: u64,
    /// Bytes by number of the file.
    by_file: BTreeMap<u32, u64>,
}

impl<'a> LoadedFiles<'a> {
    pub(super) fn of(
        heap: &'a Heap,
        leaked: &[Leaked],
        past: &dyn Past,
        progress: &Progress,
    ) -> Result<Self> {
        let mut ticks = Ticks::new(progress);
        let mut found = Self {
            files: Vec::new(),
            by_kind: Vec::new(),
            windows: vec![false; past.moments() + 1],
            by_name: HashMap::default(),
        };
        let mut numbers: HashMap<&str, u32, RandomState> = HashMap::default();
        for it in leaked {
            ticks.tick()?;
            let window = past.window(it.object).filter(|window| *window > 0);
            let kind = heap.kind(it.object).filter(|kind| is_definition(kind));
            let path = kind
                .and_then(|kind| heap.site_of_kind(kind)?.file)
                .filter(|path| is_file(path));
            if let (Some(window), Some(path)) = (window, path) {
                numbers.entry(path).or_insert_with(|| {
                    let window = Some(window);
                    found.files.push(File { path, window });
                    found.files.len() as u32 - 1
                });
            }
        }
        if found.files.is_empty() {
            return Ok(found);
        }
        let number = |kind: &Kind| {
            let file = heap.site_of_kind(kind).and_then(|site| site.file);
            file.and_then(|file| numbers.get(file).copied()).unwrap_or(NONE)
        };
        found.by_kind = heap.all_kinds().iter().map(number).collect();
        for object in heap.objects() {
            ticks.tick()?;
            found.check(heap, object, past);
        }
        for (number, file) in found.files.iter().enumerate() {
            if let Some(loaded) = file.window.and_then(|window| found.windows.get_mut(window)) {
                *loaded = true;
                found
                    .by_name
                    .insert(feature::without_ending(file.path), number as u32);
            }
        }
        Ok(found)
    }

    /// Forgets the file of an object that was there before, or that came when the file ran again.
    fn check(&mut self, heap: &Heap, object: ObjectId, past: &dyn Past) {
        let Some(number) = self.number(heap, object) else {
            return;
        };
        let file = &mut self.files[number as usize];
        let (Some(loaded), Some(born)) = (file.window, past.window(object)) else {
            return;
        };
        let is_other = heap.kind(object).is_some_and(is_definition) && born != loaded;
        if born < loaded || is_other {
            file.window = None;
        }
    }

    fn number(&self, heap: &Heap, object: ObjectId) -> Option<u32> {
        let number = *self.by_kind.get(heap.kind_number(object)?.index())?;
        (number != NONE).then_some(number)
    }

    /// The file in which an object was allocated, if it was loaded.
    fn loaded(&self, heap: &Heap, object: ObjectId) -> Option<u32> {
        let number = self.number(heap, object)?;
        self.files[number as usize].window.map(|_| number)
    }

    /// For each of `merged`, the code that it holds; `None` where that is something else.
    pub(super) fn of_all(
        &self,
        leak_tree: &LeakTree<'_>,
        merged: &[Merged<'_>],
        past: &dyn Past,
        progress: &Progress,
    ) -> Result<Vec<Option<LoadedCode>>> {
        if !self.files.iter().any(|file| file.window.is_some()) {
            return Ok(vec![None; merged.len()]);
        }
        let mut ticks = Ticks::new(progress);
        let mut shares = vec![Share::default(); merged.len()];
        for (share, merged) in shares.iter_mut().zip(merged) {
            for member in merged.all.iter().flat_map(|chosen| &chosen.members) {
                self.add(leak_tree, *member, past, share, &mut ticks)?;
            }
        }
        let mut of_all: BTreeMap<u32, u64> = BTreeMap::new();
        for (number, bytes) in shares.iter().flat_map(|share| &share.by_file) {
            *of_all.entry(*number).or_default() += bytes;
        }
        let largest = self.largest(&of_all);
        let files = of_all.len() as u64;
        Ok(shares
            .iter()
            .map(|share| self.describe(share, largest, files))
            .collect())
    }

    /// Adds what leaked at a member and below. What a loaded class has from the window in which it was loaded belongs to
    /// it, wherever it was allocated: by macros, say.
    fn add(
        &self,
        leak_tree: &LeakTree<'_>,
        member: NodeId,
        past: &dyn Past,
        share: &mut Share,
        ticks: &mut Ticks<'_>,
    ) -> Result<()> {
        let heap = leak_tree.graph.heap();
        let of_class = leak_tree
            .graph
            .object(member)
            .filter(|object| heap.kind(*object).is_some_and(is_definition))
            .and_then(|object| self.loaded(heap, object));
        for Leaked { object, .. } in leak_tree.leaked(&[member], ticks)? {
            ticks.tick()?;
            share.all += 1;
            let window = past.window(object);
            let own = self.loaded(heap, object);
            let around = of_class.filter(|number| self.files[*number as usize].window == window);
            if let Some(number) = own.or(around) {
                share.loaded += 1;
                *share.by_file.entry(number).or_default() += heap.memsize(object);
            } else if self.is_of_loading(heap, object)
                && window.is_some_and(|window| self.is_loaded_in(window))
            {
                share.loaded += 1;
            }
        }
        Ok(())
    }

    fn is_loaded_in(&self, window: usize) -> bool {
        self.windows.get(window).is_some_and(|loaded| *loaded)
    }

    /// Whether it was allocated while a file was compiled, or noted down as loaded: on the line that requires it.
    fn is_of_loading(&self, heap: &Heap, object: ObjectId) -> bool {
        let method = heap.site(object).and_then(|site| site.method);
        method.is_some_and(|method| LOADING.contains(&method))
    }

    /// `largest` is the file that stands for all that was loaded, `files` their number: of a holder of nothing but what
    /// loading itself leaves.
    fn describe(&self, share: &Share, largest: Option<&'a str>, files: u64) -> Option<LoadedCode> {
        if share.loaded == 0 || share.loaded * 100 < share.all * MOST {
            return None;
        }
        let own = self.largest(&share.by_file);
        let file = self.outermost(own.or(largest)?);
        Some(LoadedCode {
            feature: feature::of_path(file).map(Into::into),
            file: file.into(),
            files: own.map_or(files, |_| share.by_file.len() as u64),
            is_all: share.all - share.loaded < FEW,
        })
    }

    /// The file of most bytes, of the gem or application of most bytes; of what comes with Ruby, if there is nothing else.
    fn largest(&self, files: &BTreeMap<u32, u64>) -> Option<&'a str> {
        let mut by_owner: BTreeMap<Option<String>, u64> = BTreeMap::new();
        let owner = |number: u32| gem::of_path(self.files[number as usize].path);
        for (number, bytes) in files {
            *by_owner.entry(owner(*number)).or_default() += bytes;
        }
        let is_of_ruby = |owner: &Option<String>| owner.as_deref() == Some(gem::STDLIB);
        let (largest, _) = by_owner
            .iter()
            .max_by_key(|(owner, bytes)| (!is_of_ruby(owner), **bytes))?;
        let of_it = files.iter().filter(|(number, _)| owner(**number) == *largest);
        let (number, _) = of_it.max_by_key(|(number, bytes)| (**bytes, Reverse(**number)))?;
        Some(self.files[*number as usize].path)
    }

    /// Of the files that were loaded, the one that is called like the folder in which a file is: `mail.rb` of
    /// `mail/message.rb`; of several the outermost.
    fn outermost(&self, path: &'a str) -> &'a str {
        let mut folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let around = folders.find_map(|folder| self.by_name.get(folder));
        let around = around.map(|number| self.files[*number as usize].path);
        let owner = gem::of_path(path);
        around
            .filter(|around| gem::of_path(around) == owner)
            .unwrap_or(path)
    }
}

/// Whether it is what code outside of methods makes: a class, a module, a method.
fn is_definition(kind: &Kind) -> bool {
    let is_made_so =
        matches!(kind.type_, Type::Class | Type::Module) || kind.internal == Internal::MethodEntry;
    is_made_so && kind.method.is_none()
}

fn is_file(path: &str) -> bool {
    !path.starts_with(['<', '(', '-'])
}
