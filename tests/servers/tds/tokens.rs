//! The tokens of an answer that are no rows. Source: MS-TDS 2.2.7, "Packet Data Token Stream Definition".

use super::reader::PACKET;

pub const DONE: u8 = 0xFD;
pub const DONE_PROCEDURE: u8 = 0xFE;
pub const DONE_IN_PROCEDURE: u8 = 0xFF;

const MORE: u16 = 0x01;
const ERROR: u16 = 0x02;
const COUNT: u16 = 0x10;
const ATTENTION: u16 = 0x20;

/// Latin1, no case, code page 1252: `SQL_Latin1_General_CP1_CI_AS`.
pub const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

pub fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A text behind its length in characters.
pub fn short_text(text: &str) -> Vec<u8> {
    let mut bytes = vec![u8::try_from(text.encode_utf16().count()).unwrap_or(u8::MAX)];
    bytes.extend(wide(text));
    bytes
}

fn long_text(text: &str) -> Vec<u8> {
    let count = u16::try_from(text.encode_utf16().count()).unwrap_or(u16::MAX);
    let mut bytes = count.to_le_bytes().to_vec();
    bytes.extend(wide(text));
    bytes
}

fn with_length(token: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![token];
    bytes.extend(u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(body);
    bytes
}

/// How a statement ended.
pub fn done(token: u8, rows: Option<u64>, is_error: bool, is_last: bool) -> Vec<u8> {
    let mut status = 0;
    if !is_last {
        status |= MORE;
    }
    if is_error {
        status |= ERROR;
    }
    if rows.is_some() {
        status |= COUNT;
    }
    done_with(token, status, rows.unwrap_or_default())
}

pub fn done_attention() -> Vec<u8> {
    done_with(DONE, ATTENTION, 0)
}

fn done_with(token: u8, status: u16, rows: u64) -> Vec<u8> {
    let mut bytes = vec![token];
    bytes.extend(status.to_le_bytes());
    // The number of a `select`, which is what all that give rows are here.
    bytes.extend(0xC1_u16.to_le_bytes());
    bytes.extend(rows.to_le_bytes());
    bytes
}

/// An error, or from severity 10 down a message.
pub fn message(number: u32, severity: u8, text: &str) -> Vec<u8> {
    let mut body = number.to_le_bytes().to_vec();
    body.extend([1, severity]);
    body.extend(long_text(text));
    body.extend(short_text("fake"));
    body.extend(short_text(""));
    body.extend(1_u32.to_le_bytes());
    with_length(if severity > 10 { 0xAA } else { 0xAB }, &body)
}

pub fn return_status() -> Vec<u8> {
    vec![0x79, 0, 0, 0, 0]
}

pub fn login_acknowledged(database: &str) -> Vec<u8> {
    let mut body = vec![1];
    // Version 7.4, in the order of the network.
    body.extend([0x74, 0, 0, 4]);
    body.extend(short_text("Fake SQL Server"));
    body.extend([16, 0, 0, 0]);
    let mut bytes = changed_text(1, database, "master");
    bytes.extend(changed_collation());
    bytes.extend(changed_text(2, "us_english", ""));
    bytes.extend(message(5_701, 0, &format!("Changed database context to '{database}'.")));
    bytes.extend(with_length(0xAD, &body));
    bytes.extend(changed_text(4, &PACKET.to_string(), &PACKET.to_string()));
    bytes
}

fn changed_text(kind: u8, new: &str, old: &str) -> Vec<u8> {
    let mut body = vec![kind];
    body.extend(short_text(new));
    body.extend(short_text(old));
    with_length(0xE3, &body)
}

fn changed_collation() -> Vec<u8> {
    let mut body = vec![7, 5];
    body.extend(COLLATION);
    body.push(0);
    with_length(0xE3, &body)
}

/// A transaction has begun (8), been committed (9) or rolled back (10).
pub fn changed_transaction(kind: u8, descriptor: u64) -> Vec<u8> {
    let bytes = descriptor.to_le_bytes();
    let mut body = vec![kind];
    if kind == 8 {
        body.push(8);
        body.extend(bytes);
        body.push(0);
    } else {
        body.extend([0, 8]);
        body.extend(bytes);
    }
    with_length(0xE3, &body)
}
