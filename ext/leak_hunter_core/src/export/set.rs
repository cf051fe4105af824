//! A set of objects of one heap.

/// One bit an object.
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

    /// Adds an object; tells whether it was missing.
    pub fn insert(&mut self, object: u32) -> bool {
        let (word, bit) = (object as usize / 64, 1 << (object % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let missing = self.words[word] & bit == 0;
        self.words[word] |= bit;
        missing
    }

    /// Whether the object is in it.
    #[inline]
    pub fn contains(&self, object: u32) -> bool {
        let word = self.words.get(object as usize / 64).copied().unwrap_or(0);
        word & 1 << (object % 64) != 0
    }
}
