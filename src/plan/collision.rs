use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

/// In which sense two names are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CollisionKind {
    /// Byte for byte: one object would replace the other, so the later one is refused.
    Exact,
    /// Equal after Unicode normalisation (NFC): one object on file systems that normalise.
    Normalised,
    /// Equal but for case: one object on file systems without case.
    CaseFolded,
}

impl CollisionKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalised => "NFC-equal",
            Self::CaseFolded => "case-folded",
        }
    }
}

/// A name that met an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    pub kind: CollisionKind,
    pub first: String,
    pub second: String,
}

/// Names seen so far, by the form in which all three kinds of collision are equal.
///
/// Holds every name it has seen: about twice its length each.
#[derive(Debug, Default)]
pub struct NameIndex {
    by_form: HashMap<String, Vec<String>>,
}

impl NameIndex {
    /// Takes a name in and tells the gravest collision with an earlier one.
    pub fn insert(&mut self, name: &str) -> Option<Collision> {
        let names = self.by_form.entry(collision_form(name)).or_default();
        let collision = names
            .iter()
            .map(|first| Collision {
                kind: kind_of(first, name),
                first: first.clone(),
                second: name.to_owned(),
            })
            .min_by_key(|collision| collision.kind);
        if collision
            .as_ref()
            .is_none_or(|collision| collision.kind != CollisionKind::Exact)
        {
            names.push(name.to_owned());
        }
        collision
    }
}

/// The form in which names that some file system takes for one are equal.
pub fn collision_form(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}

fn kind_of(first: &str, second: &str) -> CollisionKind {
    if first == second {
        CollisionKind::Exact
    } else if first.nfc().eq(second.nfc()) {
        CollisionKind::Normalised
    } else {
        CollisionKind::CaseFolded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_apart() {
        let mut names = NameIndex::default();
        assert_eq!(names.insert("a/ü.txt"), None);
        assert_eq!(names.insert("a/u.txt"), None);
        let kind = |collision: Option<Collision>| collision.map(|collision| collision.kind);
        assert_eq!(kind(names.insert("a/u\u{308}.txt")), Some(CollisionKind::Normalised));
        assert_eq!(kind(names.insert("A/Ü.txt")), Some(CollisionKind::CaseFolded));
        assert_eq!(kind(names.insert("a/u\u{308}.txt")), Some(CollisionKind::Exact));
        assert_eq!(kind(names.insert("a/U.txt")), Some(CollisionKind::CaseFolded));
    }
}
