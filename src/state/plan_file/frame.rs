use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::columns::PlannedColumns;
use crate::model::{ItemId, PlanHeader, PlannedListing};
use crate::state::codec::{compress, decompress};

/// One piece of a plan file.
///
/// | bytes | field |
/// |---|---|
/// | 0..16 | item id; zeros where the frame is of no item |
/// | 16..20 | length of the content |
/// | 20..24 | CRC32C of the content |
/// | 24..28 | CRC32C of the 24 bytes before |
///
/// Numbers are big-endian. The content is postcard, compressed with zstd.
#[derive(Serialize, Deserialize)]
pub(super) enum Frame {
    Header(Box<PlanHeader>),
    Item {
        key: String,
        listing: PlannedListing,
        units: Box<PlannedColumns>,
    },
    /// Without it the file is not whole.
    End {
        items: u64,
        units: u64,
    },
}

/// The fixed part before a frame's content.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHead {
    pub item: ItemId,
    pub length: u32,
    checksum: u32,
}

/// No frame is longer than this: a damaged length must not take the machine's memory.
const CONTENT_MAX_BYTES: u32 = 1 << 28;

/// Of no item.
pub(super) const NO_ITEM: ItemId = ItemId([0; 16]);

impl Frame {
    pub(super) fn write(&self, item: ItemId, to: &mut impl Write) -> io::Result<()> {
        let unencodable =
            || io::Error::other("a frame cannot be encoded; this is a defect of `pipeline`: please report it");
        let plain = postcard::to_stdvec(self).map_err(|_| unencodable())?;
        let content = compress(&plain).ok_or_else(unencodable)?;
        let length = u32::try_from(content.len()).map_err(|_| unencodable())?;
        let mut head = [0; FrameHead::LENGTH];
        head[..16].copy_from_slice(&item.0);
        head[16..20].copy_from_slice(&length.to_be_bytes());
        head[20..24].copy_from_slice(&crc32c::crc32c(&content).to_be_bytes());
        let checksum = crc32c::crc32c(&head[..FrameHead::CHECKED]);
        head[FrameHead::CHECKED..].copy_from_slice(&checksum.to_be_bytes());
        to.write_all(&head)?;
        to.write_all(&content)
    }

    pub(super) fn decode(content: &[u8]) -> Result<Self, &'static str> {
        let plain = decompress(content).map_err(|_| "a part of it cannot be decompressed")?;
        postcard::from_bytes(&plain).map_err(|_| "a part of it cannot be decoded")
    }
}

/// Why no whole frame could be read.
pub(super) enum Unread {
    /// The file ends here, or within the frame.
    Ended,
    Damaged(&'static str),
    Io(io::Error),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Ended
        } else {
            Self::Io(error)
        }
    }
}

impl FrameHead {
    pub(super) const LENGTH: usize = 28;
    const CHECKED: usize = Self::LENGTH - 4;

    /// Reads a frame's head and content. The content is checked, and not decoded.
    pub(super) fn read(from: &mut impl Read, content: &mut Vec<u8>) -> Result<Self, Unread> {
        let mut bytes = [0; Self::LENGTH];
        from.read_exact(&mut bytes)?;
        if crc32c::crc32c(&bytes[..Self::CHECKED]) != number(&bytes, Self::CHECKED) {
            return Err(Unread::Damaged("a checksum does not match"));
        }
        let mut item = [0; 16];
        item.copy_from_slice(&bytes[..16]);
        let head = Self {
            item: ItemId(item),
            length: number(&bytes, 16),
            checksum: number(&bytes, 20),
        };
        if head.length > CONTENT_MAX_BYTES {
            return Err(Unread::Damaged("a part of it is longer than any can be"));
        }
        content.resize(usize::try_from(head.length).unwrap_or(usize::MAX), 0);
        from.read_exact(content)?;
        if crc32c::crc32c(content) == head.checksum {
            Ok(head)
        } else {
            Err(Unread::Damaged("a checksum does not match"))
        }
    }

    /// Of head and content together, in bytes.
    pub(super) fn frame_length(&self) -> u64 {
        u64::from(self.length) + Self::LENGTH as u64
    }
}

fn number(bytes: &[u8; FrameHead::LENGTH], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
