use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use super::names::NameMark;

/// Tables that a set is made of. A table doubles when it is full, and one of many doubles at a time.
const TABLES: usize = 64;

/// A set of names, shortened: some 16 bytes a name, also while it grows.
#[derive(Debug)]
pub struct MarkSet {
    tables: Vec<HashSet<NameMark, BuildHasherDefault<Mark>>>,
}

impl Default for MarkSet {
    fn default() -> Self {
        Self {
            tables: (0..TABLES).map(|_| HashSet::default()).collect(),
        }
    }
}

impl MarkSet {
    /// Whether the name was not there.
    pub fn insert(&mut self, mark: NameMark) -> bool {
        // Bits that the tables themselves look at neither for the place nor for the tag.
        self.tables[(mark >> 40) as usize % TABLES].insert(mark)
    }
}

impl Extend<NameMark> for MarkSet {
    fn extend<T: IntoIterator<Item = NameMark>>(&mut self, marks: T) {
        for mark in marks {
            self.insert(mark);
        }
    }
}

/// A mark is a piece of a digest, and needs no hashing.
#[derive(Clone, Copy, Debug, Default)]
struct Mark(u64);

impl Hasher for Mark {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, mark: u64) {
        self.0 = mark;
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::mark;
    use super::*;

    #[test]
    fn a_name_is_new_once() {
        let mut marks = MarkSet::default();
        let names: Vec<NameMark> = (0..1_000).map(|number: u32| mark(&number.to_string())).collect();
        assert!(names.iter().all(|name| marks.insert(*name)));
        assert!(!names.iter().any(|name| marks.insert(*name)));
    }
}
