use serde::de::IgnoredAny;

use super::super::Message;
use crate::model::Failure;

/// The longest body that is taken: the file itself has no bound, but what waits for its writer is held in memory.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A message as its line, ended by a line break: `{"id":…,"body":…}`. A body that is JSON stands there as it is, any other as a string.
///
/// # Errors
/// Class `data`, code `queue.too_large`.
pub(super) fn render(Message { id, body }: Message<'_>) -> Result<Vec<u8>, Failure> {
    if body.len() > BODY_BYTES_MAX {
        let message = format!(
            "the message has {} bytes; the queue takes at most {BODY_BYTES_MAX}",
            body.len()
        );
        return Err(Failure::data("queue.too_large", message));
    }
    // Within JSON a line break can only stand between tokens. The text is kept rather than its value, which would lose the digits of
    // long numbers and the order of keys.
    let body = match serde_json::from_str::<IgnoredAny>(body) {
        Ok(_) => body.replace(['\n', '\r'], " "),
        Err(_) => quoted(body),
    };
    Ok(format!("{{\"id\":{},\"body\":{body}}}\n", quoted(id)).into_bytes())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(body: &str) -> String {
        String::from_utf8(render(Message { id: "a-1", body }).unwrap()).unwrap()
    }

    #[test]
    fn json_stands_as_it_is_and_text_as_a_string() {
        assert_eq!(
            line(r#"{"b":1,"a":2}"#),
            "{\"id\":\"a-1\",\"body\":{\"b\":1,\"a\":2}}\n"
        );
        assert_eq!(
            line("{\n \"n\": 1.50\r\n}"),
            "{\"id\":\"a-1\",\"body\":{  \"n\": 1.50  }}\n"
        );
        assert_eq!(
            line("two\nlines \"ü\""),
            "{\"id\":\"a-1\",\"body\":\"two\\nlines \\\"ü\\\"\"}\n"
        );
        assert_eq!(line("{broken"), "{\"id\":\"a-1\",\"body\":\"{broken\"}\n");
        assert_eq!(line(""), "{\"id\":\"a-1\",\"body\":\"\"}\n");
    }
}
