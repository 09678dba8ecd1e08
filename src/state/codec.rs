use serde::Serialize;
use serde::de::DeserializeOwned;

/// Version of the encoding of every record of the database; the first byte of each.
const VERSION: u8 = 1;

/// Records above this are compressed; below it compression costs more than it saves.
const COMPRESS_FROM_BYTES: usize = 512;

const COMPRESSION_LEVEL: i32 = 3;

/// No record decodes to more than this: a damaged length must not take the machine's memory.
pub(super) const DECODED_MAX_BYTES: usize = 1 << 30;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("a record ends too early")]
    Short,
    #[error("a record has the unknown version {0}")]
    Version(u8),
    #[error("a record cannot be decompressed")]
    Compression,
    #[error("a record cannot be decoded")]
    Content,
}

/// version ‖ plain or compressed ‖ postcard. `None` only for a value that postcard has no form for, of which there is none here.
pub(super) fn encode(record: &impl Serialize) -> Option<Vec<u8>> {
    let plain = postcard::to_stdvec(record).ok()?;
    if plain.len() >= COMPRESS_FROM_BYTES
        && let Ok(compressed) = zstd::bulk::compress(&plain, COMPRESSION_LEVEL)
    {
        return Some([&[VERSION, COMPRESSED][..], &compressed].concat());
    }
    Some([&[VERSION, PLAIN][..], &plain].concat())
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let [version, form, content @ ..] = bytes else {
        return Err(DecodeError::Short);
    };
    match (*version, *form) {
        (VERSION, PLAIN) => postcard::from_bytes(content).map_err(|_| DecodeError::Content),
        (VERSION, COMPRESSED) => postcard::from_bytes(&decompress(content)?).map_err(|_| DecodeError::Content),
        (VERSION, _) => Err(DecodeError::Compression),
        (other, _) => Err(DecodeError::Version(other)),
    }
}

pub(super) fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    zstd::bulk::compress(plain, COMPRESSION_LEVEL).ok()
}

/// Decompresses one frame, whose own header names its length.
pub(super) fn decompress(frame: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let length = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten();
    let length = length.and_then(|length| usize::try_from(length).ok());
    match length {
        Some(length) if length <= DECODED_MAX_BYTES => {
            zstd::bulk::decompress(frame, length).map_err(|_| DecodeError::Compression)
        }
        _ => Err(DecodeError::Compression),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_records_come_back_as_they_were() {
        for length in [0, 10, 100_000] {
            let record: Vec<String> = (0..length).map(|number| format!("unit {number}")).collect();
            let bytes = encode(&record).unwrap();
            assert_eq!(decode::<Vec<String>>(&bytes), Ok(record));
        }
    }

    #[test]
    fn damaged_bytes_are_an_error_and_never_a_panic() {
        let bytes = encode(&vec!["x".repeat(400); 10]).unwrap();
        for length in 0..bytes.len() {
            assert!(decode::<Vec<String>>(&bytes[..length]).is_err());
        }
        assert_eq!(decode::<u8>(&[9, 0, 0]), Err(DecodeError::Version(9)));
        assert_eq!(decode::<u8>(&[1, 1, 255, 255, 255]), Err(DecodeError::Compression));
    }
}
