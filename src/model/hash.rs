use std::fmt;

use serde::{Deserialize, Serialize};

/// Which content hash is computed over the bytes as they stream by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashKind {
    #[default]
    Sha256,
    Blake3,
    Crc32c,
    None,
}

impl HashKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Blake3 => "blake3",
            Self::Crc32c => "crc32c",
            Self::None => "none",
        }
    }
}

/// A content hash: its kind, and its bytes (32 for SHA-256 and BLAKE3, 4 for CRC32C, big-endian).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentHash {
    pub kind: HashKind,
    pub bytes: Vec<u8>,
}

impl fmt::Display for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.kind.name())?;
        self.bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
