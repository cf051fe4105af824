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
        let Place { word, bit } = place(object.into());
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let missing = self.words[word] & bit == 0;
        self.words[word] |= bit;
        missing
    }

    /// Removes an object.
    pub fn remove(&mut self, object: impl Into<NodeId>) {
        let Place { word, bit } = place(object.into());
        if let Some(word) = self.words.get_mut(word) {
            *word &= !bit;
        }
    }

    /// Adds all of another set.
    pub fn extend(&mut self, other: &Self) {
        if other.words.len() > self.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Whether the set has the object.
    #[inline]
    pub fn contains(&self, object: impl Into<NodeId>) -> bool {
        let Place { word, bit } = place(object.into());
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// Where a node's bit is.
struct Place {
    word: usize,
    bit: u64,
}

#[inline]
fn place(node: NodeId) -> Place {
    Place {
        word: node.index() / 64,
        bit: 1 << (node.get() % 64),
    }
}
