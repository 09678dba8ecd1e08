use sha2::{Digest, Sha256};

use crate::model::{ContentHash, HashKind};

/// A content hash over bytes as they stream by, of the kind the sink asks for.
pub enum Hasher {
    Sha256(Box<Sha256>),
    Blake3(Box<blake3::Hasher>),
    Crc32c(u32),
    None,
}

impl Hasher {
    pub fn new(kind: HashKind) -> Self {
        match kind {
            HashKind::Sha256 => Self::Sha256(Box::default()),
            HashKind::Blake3 => Self::Blake3(Box::default()),
            HashKind::Crc32c => Self::Crc32c(0),
            HashKind::None => Self::None,
        }
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
            Self::Crc32c(state) => *state = crc32c::crc32c_append(*state, bytes),
            Self::None => {}
        }
    }

    /// The hash over everything given; `None` where none was asked for.
    pub fn finish(self) -> Option<ContentHash> {
        let (kind, bytes) = match self {
            Self::Sha256(hasher) => (HashKind::Sha256, hasher.finalize().to_vec()),
            Self::Blake3(hasher) => (HashKind::Blake3, hasher.finalize().as_bytes().to_vec()),
            Self::Crc32c(state) => (HashKind::Crc32c, state.to_be_bytes().to_vec()),
            Self::None => return None,
        };
        Some(ContentHash { kind, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_gives_its_published_value_for_the_digits() {
        let hash = |kind| {
            let mut hasher = Hasher::new(kind);
            hasher.update(b"1234");
            hasher.update(b"56789");
            hasher.finish().map(|hash| hash.to_string())
        };
        assert_eq!(hash(HashKind::Crc32c).as_deref(), Some("crc32c:e3069283"));
        assert_eq!(
            hash(HashKind::Sha256).as_deref(),
            Some("sha256:15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225")
        );
        assert!(hash(HashKind::Blake3).is_some_and(|text| text.len() == "blake3:".len() + 64));
        assert_eq!(hash(HashKind::None), None);
    }
}
