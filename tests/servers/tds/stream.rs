//! A connection, in the clear or encrypted. The messages by which both ends agree on encryption travel inside of the protocol's own packets.
//!
//! Source: MS-TDS 2.2.6.5 and 3.2.5.2.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The kind of the packets that both ends agree in.
const AGREEING: u8 = 0x12;

pub enum Stream {
    Plain(TcpStream),
    Encrypted(Box<StreamOwned<ServerConnection, Wrapped>>),
}

impl Stream {
    /// Lets both ends agree on encryption, which the client begins.
    pub fn encrypt(self, config: &Arc<ServerConfig>) -> Result<Self> {
        let Self::Plain(tcp) = self else {
            return Ok(self);
        };
        let mut wrapped = Wrapped {
            tcp,
            is_agreeing: true,
            incoming: Vec::new(),
            outgoing: Vec::new(),
        };
        let mut connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut wrapped)?;
        }
        wrapped.flush()?;
        wrapped.is_agreeing = false;
        Ok(Self::Encrypted(Box::new(StreamOwned::new(connection, wrapped))))
    }

    pub fn shutdown(&self) -> Result<()> {
        match self {
            Self::Plain(tcp) => tcp.shutdown(Shutdown::Both),
            Self::Encrypted(stream) => stream.sock.tcp.shutdown(Shutdown::Both),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into),
            Self::Encrypted(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, from: &[u8]) -> Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(from),
            Self::Encrypted(stream) => stream.write(from),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

/// What encryption writes and reads, in packets as long as both ends are agreeing.
pub struct Wrapped {
    tcp: TcpStream,
    is_agreeing: bool,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Wrapped {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if !self.is_agreeing {
            return self.tcp.read(into);
        }
        self.flush()?;
        if self.incoming.is_empty() {
            let mut head = [0; 8];
            self.tcp.read_exact(&mut head)?;
            let length = usize::from(u16::from_be_bytes([head[2], head[3]])).saturating_sub(head.len());
            self.incoming.resize(length, 0);
            self.tcp.read_exact(&mut self.incoming)?;
        }
        let count = into.len().min(self.incoming.len());
        into[..count].copy_from_slice(&self.incoming[..count]);
        self.incoming.drain(..count);
        Ok(count)
    }
}

impl Write for Wrapped {
    fn write(&mut self, from: &[u8]) -> Result<usize> {
        if !self.is_agreeing {
            return self.tcp.write(from);
        }
        self.outgoing.extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> Result<()> {
        if !self.outgoing.is_empty() {
            let length = u16::try_from(self.outgoing.len() + 8).unwrap_or(u16::MAX).to_be_bytes();
            let mut packet = vec![AGREEING, 0x01, length[0], length[1], 0, 0, 1, 0];
            packet.append(&mut self.outgoing);
            self.tcp.write_all(&packet)?;
        }
        self.tcp.flush()
    }
}
