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

/// The form in which names that some file system takes for one are equal.
pub fn collision_form(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.nfc().flat_map(char::to_lowercase).nfc().collect()
}
