use std::sync::Arc;

use super::{Document, Node, Problem, Span};

/// Keys of a connection whose value is a secret, wherever they stand.
pub const SECRET_FIELDS: [&str; 10] = [
    "account_key",
    "sas_token",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "service_account_key",
    "password",
    "bearer_token",
    "private_key",
    "passphrase",
];

/// Keys within a text whose value is a secret (`AccountKey=…`), compared without case.
const SECRET_MARKS: [&str; 8] = [
    "accountkey=",
    "sharedaccesssignature=",
    "sharedaccesskey=",
    "sig=",
    "x-amz-signature=",
    "x-amz-security-token=",
    "password=",
    "pwd=",
];

/// What a secret's characters become in excerpts; one for each byte, so that positions stay.
const MASK: char = '*';

/// Secrets written as plain text anywhere in a document: a problem and a span for each, neither of which shows the secret.
pub fn plain_text_secrets(document: &Document) -> (Vec<Problem>, Vec<Span>) {
    let mut problems = Vec::new();
    let mut spans = Vec::new();
    document.root.visit_scalars("", &mut |pointer, node| {
        if is_reference_only(node) {
            return;
        }
        // There a key is a column's name, whose type is no secret.
        let mut fields = SECRET_FIELDS.into_iter().filter(|_| !pointer.contains("/types/"));
        let field = fields.find(|field| pointer.strip_suffix(field).is_some_and(|before| before.ends_with('/')));
        let problem = match field {
            Some(field) => Problem::new(format!("`{field}` holds a secret as plain text")).help(format!(
                "write a reference instead: `{field}: ${{env:NAME}}` or `{field}: ${{file:PATH}}`"
            )),
            None => {
                let Some(what) = node.as_text().and_then(secret_within) else {
                    return;
                };
                Problem::new(format!("a secret stands in this text: the value of {what}")).help(
                    "take it out and give the connection a reference, as in `account_key: ${env:NAME}`; \
                     what was written here should be considered known to others and be replaced",
                )
            }
        };
        problems.push(problem.at(node.span.clone()).label("not shown"));
        spans.push(node.span.clone());
    });
    (problems, spans)
}

/// Exactly one `${env:NAME}` or `${file:PATH}`.
fn is_reference_only(node: &Node) -> bool {
    let inner = node
        .as_text()
        .and_then(|text| text.strip_prefix("${env:").or_else(|| text.strip_prefix("${file:")))
        .and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}']) && !name.contains(":-"))
}

/// What kind of secret a text holds, if any.
fn secret_within(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    for mark in SECRET_MARKS {
        if marked_values(&lower, mark).next().is_some() {
            return Some(format!("`{mark}…`"));
        }
    }
    user_information(text).map(|_| "`user:password@` in an address".to_owned())
}

/// The spans of literal values after `mark` in a text in lower case. A value that begins with `$` or `{` is a reference.
fn marked_values<'a>(lower: &'a str, mark: &'a str) -> impl Iterator<Item = Span> + 'a {
    lower.match_indices(mark).filter_map(move |(start, _)| {
        let before = lower[..start].chars().next_back();
        if before.is_some_and(|before| before.is_ascii_alphanumeric()) {
            return None;
        }
        let value = start + mark.len();
        let end = lower[value..]
            .find(ends_value)
            .map_or(lower.len(), |offset| value + offset);
        let literal = &lower[value..end];
        (!literal.is_empty() && !literal.starts_with(['$', '{', ':', '@', '?'])).then_some(value..end)
    })
}

fn ends_value(character: char) -> bool {
    character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '&' | ';' | ',' | ')')
}

/// The span of the password in `scheme://user:password@host`.
fn user_information(text: &str) -> Option<Span> {
    text.match_indices("://").find_map(|(start, separator)| {
        let from = start + separator.len();
        let end = text[from..]
            .find(|character: char| character.is_whitespace() || matches!(character, '/' | '?' | '#' | '"' | '\''))
            .map_or(text.len(), |offset| from + offset);
        let at = text[from..end].rfind('@')?;
        let colon = text[from..from + at].find(':')?;
        let password = from + colon + 1..from + at;
        let literal = text.get(password.clone())?;
        (!literal.is_empty() && !literal.starts_with("${")).then_some(password)
    })
}

/// A text with its secrets written over: those at `spans`, and whatever else in the raw text looks like one. The second matters
/// where a file could not be parsed, and for excerpts that show a secret beside another problem.
pub(super) fn mask(text: &str, spans: &[Span]) -> Arc<str> {
    let mut secret: Vec<Span> = spans.to_vec();
    secret.extend(suspects(text));
    if secret.is_empty() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for (offset, character) in text.char_indices() {
        let hidden = !character.is_whitespace() && secret.iter().any(|span| span.contains(&offset));
        if hidden {
            out.extend(std::iter::repeat_n(MASK, character.len_utf8()));
        } else {
            out.push(character);
        }
    }
    out.into()
}

/// A message without the secrets of the text that it speaks of.
pub(super) fn hide_secrets(message: &str, text: &str, spans: &[Span]) -> String {
    let mut out = message.to_owned();
    for span in spans.iter().cloned().chain(suspects(text)) {
        let secret = text.get(span).unwrap_or_default().trim_matches(['"', '\'']).trim();
        if secret.len() >= 3 && out.contains(secret) {
            out = out.replace(secret, "[hidden]");
        }
    }
    out
}

/// Spans of raw text that look like secrets: values of secret fields, marked values, passwords in addresses.
fn suspects(text: &str) -> Vec<Span> {
    let lower = text.to_ascii_lowercase();
    let mut spans: Vec<Span> = SECRET_MARKS
        .iter()
        .flat_map(|mark| marked_values(&lower, mark).collect::<Vec<_>>())
        .collect();
    for field in SECRET_FIELDS {
        spans.extend(
            lower
                .match_indices(field)
                .filter_map(|(start, _)| field_value(text, start + field.len())),
        );
    }
    let mut from = 0;
    while let Some(span) = text.get(from..).and_then(user_information) {
        spans.push(from + span.start..from + span.end);
        from += span.end;
    }
    spans
}

/// The literal after a field's `:` or `=` on the same line.
fn field_value(text: &str, after_key: usize) -> Option<Span> {
    let line_end = text[after_key..]
        .find('\n')
        .map_or(text.len(), |offset| after_key + offset);
    let rest = &text[after_key..line_end];
    let separator = rest.find([':', '='])?;
    if !rest[..separator].trim_matches(['"', '\'', ' ', '\t']).is_empty() {
        return None;
    }
    let value = &rest[separator + 1..];
    let literal = value.trim().trim_start_matches(['"', '\'']);
    if literal.is_empty() || literal.starts_with("${") {
        return None;
    }
    let start = after_key + separator + 1 + (value.len() - value.trim_start().len());
    let end = text[start..line_end]
        .find([',', '}'])
        .map_or(line_end, |offset| start + offset);
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Problems, Rendering, SourceFile, Syntax, parse};

    const SECRET: &str = "c2VjcmV0LXZhbHVl";

    fn file(text: &str) -> SourceFile {
        SourceFile::new("spec", text, Syntax::Yaml)
    }

    #[test]
    fn plain_secrets_are_found_and_references_are_not() {
        for secret in [
            format!("account_key: {SECRET}"),
            format!("a: {{ session_token: 'x${{env:A}}{SECRET}' }}"),
            format!("a: 'DefaultEndpointsProtocol=https;AccountName=x;AccountKey={SECRET}'"),
            format!("a: https://host/c?sv=1&sig={SECRET}"),
            format!("a: ['postgres://user:{SECRET}@host/db']"),
            format!("a: Server=x;Password={SECRET};"),
            "account_key: 12345".to_owned(),
        ] {
            let document = parse(&file(&secret)).unwrap();
            let (problems, spans) = plain_text_secrets(&document);
            assert_eq!((problems.len(), spans.len()), (1, 1), "{secret}");
        }
        for fine in [
            "account_key: ${env:KEY}",
            "sas_token: ${file:/run/secrets/x}",
            "a: Server=x;Password=${env:PASSWORD};",
            "a: https://host/a@b:c",
            "a: select * from t where sig=:sig and design=1",
            "a: https://user@host/",
        ] {
            let document = parse(&file(fine)).unwrap();
            assert_eq!(plain_text_secrets(&document).0, [], "{fine}");
        }
    }

    #[test]
    fn a_column_may_be_called_as_a_secret_is() {
        let document = parse(&file("source: { items: { types: { password: text } } }")).unwrap();
        assert_eq!(plain_text_secrets(&document).0, []);
    }

    #[test]
    fn no_rendering_shows_a_secret_even_of_a_text_that_cannot_be_parsed() {
        for broken in [
            format!("account_key: {SECRET}\na: [\n"),
            format!("account_key: \"{SECRET}\n"),
            format!("account_key = '{SECRET}' }}}}\na: b: c"),
            format!("a: \"x;AccountKey={SECRET}\nb: }}"),
            format!("a: {{ url: https://u:{SECRET}@h/\n"),
            format!("account_key: {SECRET}: {SECRET}"),
        ] {
            let source = file(&broken);
            let mut problems = Problems::default();
            problems.add(&source, parse(&source).unwrap_err(), &[]);
            let text = problems.render(Rendering::Plain);
            assert!(!text.contains(SECRET), "{text}");
        }
    }

    #[test]
    fn masking_keeps_every_position() {
        let text = "key: ü\naccount_key: gehéim\nnext: 1\n";
        let masked = mask(text, &[]);
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.lines().nth(2), Some("next: 1"));
        assert!(!masked.contains("geh"));
    }
}
