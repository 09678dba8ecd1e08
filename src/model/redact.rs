use std::borrow::Cow;

/// Text with credentials taken out: query strings of URIs, and the values of well-known secret keys.
///
/// The single gate for text of unknown origin (an error of a library, a value of a data row) on its way into a record, a log or
/// a message. Returns the text itself when there is nothing to hide.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut redacted = Cow::Borrowed(text);
    if redacted.contains("://") {
        redacted = Cow::Owned(strip_queries(&redacted));
    }
    for key in SECRET_KEYS {
        if let Some(hidden) = hide_values(&redacted, key) {
            redacted = Cow::Owned(hidden);
        }
    }
    redacted
}

/// Keys whose value is a credential wherever they are met, compared without case.
const SECRET_KEYS: [&str; 12] = [
    "sig=",
    "AccountKey=",
    "SharedAccessSignature=",
    "SharedKey ",
    "X-Amz-Signature=",
    "X-Amz-Credential=",
    "X-Amz-Security-Token=",
    "Signature=",
    "Credential=",
    "Bearer ",
    "password=",
    "pwd=",
];

const HIDDEN: &str = "[hidden]";

fn strip_queries(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let after = start + "://".len();
        let end = rest[after..].find(ends_uri).map_or(rest.len(), |offset| after + offset);
        let uri = &rest[..end];
        let authority_end = uri[after..].find(['/', '?']).map_or(uri.len(), |offset| after + offset);
        out.push_str(&uri[..after]);
        let authority = &uri[after..authority_end];
        if let Some((_, host)) = authority.rsplit_once('@') {
            out.push_str(HIDDEN);
            out.push('@');
            out.push_str(host);
        } else {
            out.push_str(authority);
        }
        let path = &uri[authority_end..];
        match path.find('?') {
            Some(query) => {
                out.push_str(&path[..query]);
                out.push('?');
                out.push_str(HIDDEN);
            }
            None => out.push_str(path),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn ends_uri(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '<' | '>' | ')' | ',')
}

fn hide_values(text: &str, key: &str) -> Option<String> {
    let mut from = 0;
    let mut out: Option<String> = None;
    while let Some(found) = find_ignoring_case(&text[from..], key) {
        let value_start = from + found + key.len();
        let value_end = text[value_start..]
            .find(|character: char| ends_uri(character) || matches!(character, '&' | ';' | '}'))
            .map_or(text.len(), |offset| value_start + offset);
        if value_end > value_start && &text[value_start..value_end] != HIDDEN {
            let out = out.get_or_insert_with(String::new);
            out.push_str(&text[from..value_start]);
            out.push_str(HIDDEN);
        } else if let Some(out) = out.as_mut() {
            out.push_str(&text[from..value_end]);
        } else if value_end > from {
            out = Some(text[from..value_end].to_owned());
        }
        from = value_end;
    }
    out.map(|mut out| {
        out.push_str(&text[from..]);
        out
    })
}

/// Byte offset of `needle` (ASCII) in `text`, ASCII case ignored.
fn find_ignoring_case(text: &str, needle: &str) -> Option<usize> {
    text.as_bytes()
        .windows(needle.len())
        .position(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn a_text_without_secrets_stays_as_it_is() {
        assert_eq!(redact("nothing: `a?b` at 10:00"), "nothing: `a?b` at 10:00");
    }

    #[test]
    fn query_strings_and_user_information_of_uris_are_hidden() {
        assert_eq!(
            redact("GET https://acc.blob.example/c/a.bin?sv=1&sig=abc%3D, then s3://u:p@host/k"),
            "GET https://acc.blob.example/c/a.bin?[hidden], then s3://[hidden]@host/k"
        );
    }

    #[test]
    fn values_of_secret_keys_are_hidden_wherever_they_stand() {
        assert_eq!(
            redact("AccountKey=abc==;EndpointSuffix=x"),
            "AccountKey=[hidden];EndpointSuffix=x"
        );
        assert_eq!(redact("a.bin?SIG=xyz&b=1 sig=2"), "a.bin?SIG=[hidden]&b=1 sig=[hidden]");
        assert_eq!(redact("é sig=ü"), "é sig=[hidden]");
    }
}
