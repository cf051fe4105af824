//! A set of objects, or of nodes, of one heap.

/// One bit for each number up to the largest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectSet {
    words: Vec<u64>,
}

impl ObjectSet {
    /// The set of these objects.
    pub fn of(objects: impl IntoIterator<Item = u32>) -> Self {
        let mut set = Self::default();
        for object in objects {
            set.insert(object);
        }
        set
    }

    /// Adds an object. `false` when the set had it.
    #[inline]
    pub fn insert(&mut self, object: u32) -> bool {
        let (word, bit) = (object as usize / 64, 1 << (object % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let missing = self.words[word] & bit == 0;
        self.words[word] |= bit;
        missing
    }

    /// Removes an object.
    pub fn remove(&mut self, object: u32) {
        if let Some(word) = self.words.get_mut(object as usize / 64) {
            *word &= !(1 << (object % 64));
        }
    }

    /// Whether the set has the object.
    #[inline]
    pub fn contains(&self, object: u32) -> bool {
        let word = self.words.get(object as usize / 64).copied().unwrap_or(0);
        word & 1 << (object % 64) != 0
    }
}
