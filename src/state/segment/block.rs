use serde::{Deserialize, Serialize};

use crate::model::{Account, ItemId, ItemSummary, UnitRecord};

use super::columns::Columns;
use crate::state::StateError;
use crate::state::codec::{self, DECODED_MAX_BYTES};

/// One sealed page as it stands in a segment. It names its item in full, so that the segments alone can replace the database.
///
/// | bytes | field |
/// |---|---|
/// | 0..4 | `PLSG` |
/// | 4 | version of the block |
/// | 5..21 | item id |
/// | 21..25 | page |
/// | 25..29 | length of the content |
/// | 29..33 | CRC32C of the content |
/// | 33..37 | CRC32C of the 33 bytes before |
///
/// Numbers are big-endian. The content is postcard, compressed with zstd.
#[derive(Serialize, Deserialize)]
pub(in crate::state) struct Block {
    /// As it was when the page was sealed.
    pub summary: ItemSummary,
    pub page: u32,
    pub rows_before: u64,
    pub digest: [u8; 16],
    pub account: Account,
    columns: Columns,
}

const MAGIC: [u8; 4] = *b"PLSG";
const VERSION: u8 = 1;

/// The fixed part before a block's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub item: ItemId,
    pub page: u32,
    pub content_length: u32,
    content_checksum: u32,
}

impl Block {
    pub(in crate::state) fn new(
        summary: &ItemSummary,
        page: u32,
        rows_before: u64,
        digest: [u8; 16],
        records: &[UnitRecord],
    ) -> Self {
        Self {
            summary: summary.clone(),
            page,
            rows_before,
            digest,
            account: Account::of(records),
            columns: Columns::of(records),
        }
    }

    /// Header and content, ready to be appended.
    pub(super) fn encode(&self) -> Result<Vec<u8>, StateError> {
        let plain = postcard::to_stdvec(self).map_err(|_| StateError::Unencodable)?;
        let item = self.summary.id();
        let too_large = StateError::TooLarge {
            item,
            page: self.page,
            bytes: plain.len(),
        };
        if plain.len() > DECODED_MAX_BYTES {
            return Err(too_large);
        }
        let content = codec::compress(&plain).ok_or(StateError::Unencodable)?;
        let header = Header {
            item,
            page: self.page,
            content_length: u32::try_from(content.len()).map_err(|_| too_large)?,
            content_checksum: crc32c::crc32c(&content),
        };
        Ok([&header.encode()[..], &content].concat())
    }

    pub(super) fn decode(header: &Header, content: &[u8]) -> Result<Self, &'static str> {
        if crc32c::crc32c(content) != header.content_checksum {
            return Err("its checksum does not match");
        }
        let plain = codec::decompress(content).map_err(|_| "it cannot be decompressed")?;
        let block: Self = postcard::from_bytes(&plain).map_err(|_| "it cannot be decoded")?;
        if block.summary.id() == header.item && block.page == header.page {
            Ok(block)
        } else {
            Err("its header names another page")
        }
    }

    pub(super) fn into_records(self) -> Result<Vec<UnitRecord>, &'static str> {
        self.columns.into_records().ok_or("its columns contradict each other")
    }
}

impl Header {
    pub(super) const LENGTH: usize = 37;
    const CHECKED: usize = Self::LENGTH - 4;

    fn encode(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5..21].copy_from_slice(&self.item.0);
        bytes[21..25].copy_from_slice(&self.page.to_be_bytes());
        bytes[25..29].copy_from_slice(&self.content_length.to_be_bytes());
        bytes[29..33].copy_from_slice(&self.content_checksum.to_be_bytes());
        let checksum = crc32c::crc32c(&bytes[..Self::CHECKED]);
        bytes[Self::CHECKED..].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; Self::LENGTH]) -> Result<Self, &'static str> {
        if crc32c::crc32c(&bytes[..Self::CHECKED]) != number(bytes, Self::CHECKED) || bytes[..4] != MAGIC {
            return Err("no block begins there");
        }
        if bytes[4] != VERSION {
            return Err("its version is unknown");
        }
        let mut item = [0; 16];
        item.copy_from_slice(&bytes[5..21]);
        Ok(Self {
            item: ItemId(item),
            page: number(bytes, 21),
            content_length: number(bytes, 25),
            content_checksum: number(bytes, 29),
        })
    }

    /// Of header and content together, in bytes.
    pub(super) fn block_length(&self) -> u64 {
        u64::from(self.content_length) + Self::LENGTH as u64
    }
}

fn number(bytes: &[u8; Header::LENGTH], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::model::{ContentHash, HashKind, UnitStatus};

    /// DESIGN.md's budget: names of 40 characters that share nothing but their item, and a SHA-256 each.
    #[test]
    fn a_unit_takes_at_most_seventy_bytes() {
        const UNITS: usize = 800;
        let summary = ItemSummary::new("8b1f6c52-5a0e-4d5b-9a52-0c8f3f1f7f11".to_owned(), 0);
        let records: Vec<UnitRecord> = (0..UNITS).map(|number| random_record(&summary.key, number)).collect();
        assert!(records.iter().all(|record| record.target.len() >= 40));

        let block = Block::new(&summary, 0, 0, [0; 16], &records).encode().unwrap();
        let per_unit = block.len() as f64 / UNITS as f64;
        assert!(per_unit <= 70.0, "{per_unit:.1} bytes a unit");
        let header = Header::decode(block[..Header::LENGTH].try_into().unwrap()).unwrap();
        let read = Block::decode(&header, &block[Header::LENGTH..]).unwrap();
        assert_eq!(read.account, Account::of(&records));
        assert_eq!(read.into_records(), Ok(records));
    }

    fn random_record(item: &str, number: usize) -> UnitRecord {
        let digest = Sha256::digest(number.to_be_bytes());
        let name: String = digest[..18].iter().map(|byte| format!("{byte:02x}")).collect();
        UnitRecord {
            source: format!("uploads/{item}/{name}.bin"),
            target: format!("{item}-{name}.bin"),
            size: Some(u64::from(u32::from_be_bytes([0, digest[20], digest[21], digest[22]]))),
            existed: false,
            rows: Default::default(),
            status: UnitStatus::Done,
            hash: Some(ContentHash {
                kind: HashKind::Sha256,
                bytes: Sha256::digest(digest).to_vec(),
            }),
            attempts: 1,
            failure: None,
            effects: Vec::new(),
        }
    }

    #[test]
    fn any_changed_byte_is_found() {
        let summary = ItemSummary::new("item".to_owned(), 0);
        let block = Block::new(&summary, 3, 0, [0; 16], &[random_record("item", 1)]);
        let bytes = block.encode().unwrap();
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            let header = Header::decode(damaged[..Header::LENGTH].try_into().unwrap());
            let read = header.and_then(|header| Block::decode(&header, &damaged[Header::LENGTH..]));
            assert!(read.is_err(), "byte {place}");
        }
    }
}
