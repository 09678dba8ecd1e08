//! UUIDs as text and as 16 bytes.

/// The bytes of `6ba7b810-9dad-11d1-80b4-00c04fd430c8`, with or without dashes and braces. `None` when the text is none.
pub fn parse(text: &str) -> Option<[u8; 16]> {
    let text = text.trim_start_matches('{').trim_end_matches('}');
    let mut digits = text.bytes().filter(|byte| *byte != b'-');
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        let high = char::from(digits.next()?).to_digit(16)?;
        let low = char::from(digits.next()?).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(bytes)
}

/// In small letters, with dashes.
pub fn format(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_comes_back() {
        let text = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        assert_eq!(format(&parse(text).unwrap()), text);
        assert_eq!(parse("{6BA7B8109DAD11D180B400C04FD430C8}"), parse(text));
        for wrong in [
            "",
            "6ba7b810",
            "6ba7b810-9dad-11d1-80b4-00c04fd430c8a",
            "zba7b810-9dad-11d1-80b4-00c04fd430c8",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
