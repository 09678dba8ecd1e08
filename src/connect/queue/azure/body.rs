use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::model::{Failure, MessageEncoding};

/// The longest text of a message, as it travels.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// The request's body for a message's body.
///
/// # Errors
/// Class `data`: `queue.too_large`, `queue.characters` (a control character, which XML cannot carry).
pub(super) fn render(body: &str, encoding: MessageEncoding) -> Result<String, Failure> {
    let text = match encoding {
        MessageEncoding::Base64 => BASE64_STANDARD.encode(body),
        MessageEncoding::Text => body.to_owned(),
    };
    if text.len() > TEXT_BYTES_MAX {
        let (bytes, encoded) = (body.len(), text.len());
        let as_sent = match encoding {
            MessageEncoding::Base64 => format!(", {encoded} as Base64"),
            MessageEncoding::Text => String::new(),
        };
        let message = format!("the message has {bytes} bytes{as_sent}; the queue takes at most {TEXT_BYTES_MAX}");
        return Err(Failure::data("queue.too_large", message));
    }
    let mut xml = String::with_capacity(text.len() + 64);
    xml.push_str("<QueueMessage><MessageText>");
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            // A parser takes a bare one for a line break.
            '\r' => xml.push_str("&#13;"),
            '\t' | '\n' => xml.push(character),
            character if character < ' ' || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                let message = format!(
                    "the message holds the character U+{:04X}, which cannot travel as text; set `encoding: base64` on the connection",
                    u32::from(character)
                );
                return Err(Failure::data("queue.characters", message));
            }
            character => xml.push(character),
        }
    }
    xml.push_str("</MessageText></QueueMessage>");
    Ok(xml)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_escaped_and_base64_needs_no_escaping() {
        let xml = |body, encoding| render(body, encoding).unwrap();
        assert_eq!(
            xml("a<b>&\r\n\"ü\"", MessageEncoding::Text),
            "<QueueMessage><MessageText>a&lt;b&gt;&amp;&#13;\n\"ü\"</MessageText></QueueMessage>"
        );
        assert_eq!(
            xml("{\"a\": \u{1}}", MessageEncoding::Base64),
            "<QueueMessage><MessageText>eyJhIjogAX0=</MessageText></QueueMessage>"
        );
    }

    #[test]
    fn what_the_queue_cannot_carry_is_refused_before_it_is_sent() {
        let code = |body: &str, encoding| render(body, encoding).unwrap_err().code;
        assert_eq!(code("a\u{0}b", MessageEncoding::Text), "queue.characters");
        assert_eq!(code("a\u{ffff}b", MessageEncoding::Text), "queue.characters");
        assert!(render(&"x".repeat(65_536), MessageEncoding::Text).is_ok());
        assert_eq!(code(&"x".repeat(65_537), MessageEncoding::Text), "queue.too_large");
        assert!(render(&"x".repeat(49_152), MessageEncoding::Base64).is_ok());
        assert_eq!(code(&"x".repeat(49_153), MessageEncoding::Base64), "queue.too_large");
    }
}
