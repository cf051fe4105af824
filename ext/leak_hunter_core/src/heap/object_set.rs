//! A set of objects, or of nodes, of one heap.

use crate::ids::NodeId;

/// One bit for each number up to the largest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectSet {
    words: Vec<u64>,
}

impl ObjectSet {
    /// The set of these objects.
    pub fn of(objects: impl IntoIterator<Item = impl Into<NodeId>>) -> Self {
        let mut set = Self::default();
        for object in objects {
            set.insert(object);
        }
        set
    }

    /// Adds an object. `false` when the set had it.
    #[inline]
    pub fn insert(&mut self, object: impl Into<NodeId>) -> bool {
        let (word, bit) = place(object.into());
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let missing = self.words[word] & bit == 0;
        self.words[word] |= bit;
        missing
    }

    /// Removes an object.
    pub fn remove(&mut self, object: impl Into<NodeId>) {
        let (word, bit) = place(object.into());
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Whether the set has the object.
    #[inline]
    pub fn contains(&self, object: impl Into<NodeId>) -> bool {
        let (word, bit) = place(object.into());
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// Which word has the bit of a node, and the bit.
#[inline]
fn place(node: NodeId) -> (usize, u64) {
    (node.index() / 64, 1 << (node.get() % 64))
}
