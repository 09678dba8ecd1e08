use std::io::{Read, Result, Write};

use super::stream::Stream;

/// Bytes of one packet, its head of eight among them.
pub const PACKET: usize = 4_096;

const HEAD: usize = 8;
const LAST: u8 = 0x01;

/// A whole message, its packets put together.
pub struct Message {
    pub kind: u8,
    pub body: Vec<u8>,
}

/// Reads a message; `None` when the client has left.
pub fn read_message(stream: &mut Stream) -> Result<Option<Message>> {
    let mut message = Message {
        kind: 0,
        body: Vec::new(),
    };
    loop {
        let mut head = [0; HEAD];
        if let Err(error) = stream.read_exact(&mut head) {
            return if message.body.is_empty() { Ok(None) } else { Err(error) };
        }
        message.kind = head[0];
        let length = usize::from(u16::from_be_bytes([head[2], head[3]])).saturating_sub(HEAD);
        let start = message.body.len();
        message.body.resize(start + length, 0);
        stream.read_exact(&mut message.body[start..])?;
        if head[1] & LAST != 0 {
            return Ok(Some(message));
        }
    }
}

/// An answer on its way, cut into packets wherever they are full.
pub struct Answer<'a> {
    stream: &'a mut Stream,
    waiting: Vec<u8>,
    number: u8,
}

impl<'a> Answer<'a> {
    pub fn new(stream: &'a mut Stream) -> Self {
        Self {
            stream,
            waiting: Vec::with_capacity(2 * PACKET),
            number: 0,
        }
    }

    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.waiting.extend_from_slice(bytes);
        while self.waiting.len() > PACKET - HEAD {
            let rest = self.waiting.split_off(PACKET - HEAD);
            let full = std::mem::replace(&mut self.waiting, rest);
            self.packet(&full, 0)?;
        }
        Ok(())
    }

    pub fn end(mut self) -> Result<()> {
        let last = std::mem::take(&mut self.waiting);
        self.packet(&last, LAST)
    }

    /// Sends what there is, as a message that does not end.
    pub fn flush_unfinished(mut self) -> Result<()> {
        let last = std::mem::take(&mut self.waiting);
        if last.is_empty() {
            return Ok(());
        }
        self.packet(&last, 0)
    }

    fn packet(&mut self, body: &[u8], status: u8) -> Result<()> {
        self.number = self.number.wrapping_add(1);
        let length = u16::try_from(body.len() + HEAD).unwrap_or(u16::MAX).to_be_bytes();
        let mut packet = vec![0x04, status, length[0], length[1], 0, 0, self.number, 0];
        packet.extend_from_slice(body);
        self.stream.write_all(&packet)
    }
}

/// What is left of a message.
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub fn rest(&self) -> usize {
        self.rest.len()
    }

    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub fn number<const N: usize>(&mut self) -> Option<u64> {
        let mut bytes = [0; 8];
        bytes[..N].copy_from_slice(self.take(N)?);
        Some(u64::from_le_bytes(bytes))
    }

    pub fn length<const N: usize>(&mut self) -> Option<usize> {
        usize::try_from(self.number::<N>()?).ok()
    }

    /// UTF-16 of so many units.
    pub fn wide(&mut self, units: usize) -> Option<String> {
        let units = self.take(units * 2)?.chunks_exact(2);
        let units: Vec<u16> = units.map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
        Some(String::from_utf16_lossy(&units))
    }
}
