use super::reader::Cursor;

/// What a LOGIN7 message says.
pub struct Login {
    pub user: String,
    pub password: String,
    pub database: String,
}

/// The answer to a PRELOGIN: a version, encryption or none, no further sessions in one connection.
///
/// Source: MS-TDS 2.2.6.5.
pub fn prelogin(is_encrypted: bool) -> Vec<u8> {
    let encryption: &[u8] = if is_encrypted { &[0x01] } else { &[0x02] };
    let options: [(u8, &[u8]); 3] = [(0x00, &[16, 0, 0, 0, 0, 0]), (0x01, encryption), (0x04, &[0])];
    let mut at = options.len() * 5 + 1;
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    for (option, body) in options {
        heads.push(option);
        heads.extend(u16::try_from(at).unwrap_or_default().to_be_bytes());
        heads.extend(u16::try_from(body.len()).unwrap_or_default().to_be_bytes());
        bodies.extend_from_slice(body);
        at += body.len();
    }
    heads.push(0xFF);
    heads.extend(bodies);
    heads
}

/// Reads a LOGIN7. Source: MS-TDS 2.2.6.4.
pub fn login(body: &[u8]) -> Option<Login> {
    // The places of the texts follow the fixed part; each is an offset in bytes and a length in characters.
    let text = |number: usize| -> Option<&[u8]> {
        let mut place = Cursor::new(body.get(36 + number * 4..)?);
        let (offset, length) = (place.length::<2>()?, place.length::<2>()?);
        body.get(offset..offset + length * 2)
    };
    let plain = |bytes: &[u8]| Cursor::new(bytes).wide(bytes.len() / 2);
    let hidden: Vec<u8> = text(2)?.iter().map(|byte| (byte ^ 0xA5).rotate_left(4)).collect();
    Some(Login {
        user: plain(text(1)?)?,
        password: plain(&hidden)?,
        database: plain(text(8)?)?,
    })
}
