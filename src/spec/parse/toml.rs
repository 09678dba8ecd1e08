use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{DEPTH_MAX, too_deep};
use crate::spec::{Entry, Node, NodeValue, Problem, Span};

pub(super) fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors.iter().map(|error| syntax_problem(text, error)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let root = Node::new(table_value(table.get_ref(), 0, &mut problems), table.span());
    if problems.is_empty() { Ok(root) } else { Err(problems) }
}

fn syntax_problem(text: &str, error: &toml::de::Error) -> Problem {
    let span = clip(text, error.span().unwrap_or(0..0));
    let message = error.message();
    let word = &text[span.clone()];
    // The parser takes a bare word for a number that went wrong.
    if message.starts_with("invalid") && word.starts_with(char::is_alphabetic) {
        return Problem::new(format!("this is not TOML: `{word}` stands without quotes"))
            .at(span)
            .help(format!("put it in quotes: `\"{word}\"`"));
    }
    Problem::new(format!("this is not TOML: {}", message.trim()))
        .at(span)
        .help(remedy(message))
}

fn remedy(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "each key stands once in its table; take one of the two out"
    } else if message.contains("string") || message.contains("quot") {
        "texts stand in quotes: `name = \"value\"`"
    } else {
        "a line is `key = value` or `[table]`; texts stand in quotes: `name = \"value\"`"
    }
}

/// A span that lies in the text, on character boundaries.
fn clip(text: &str, span: Span) -> Span {
    let boundary = |offset: usize| {
        let offset = offset.min(text.len());
        (0..=offset)
            .rev()
            .find(|offset| text.is_char_boundary(*offset))
            .unwrap_or(0)
    };
    boundary(span.start)..boundary(span.end)
}

fn table_value(table: &DeTable<'_>, depth: usize, problems: &mut Vec<Problem>) -> NodeValue {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().clone().into_owned(),
            key_span: key.span(),
            value: node(value, depth + 1, problems),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    NodeValue::Map(entries)
}

fn node(value: &Spanned<DeValue<'_>>, depth: usize, problems: &mut Vec<Problem>) -> Node {
    let span = value.span();
    if depth > DEPTH_MAX {
        problems.push(too_deep().at(span.clone()));
        return Node::new(NodeValue::Null, span);
    }
    let read = match value.get_ref() {
        DeValue::String(text) => NodeValue::Text(text.clone().into_owned()),
        DeValue::Boolean(value) => NodeValue::Boolean(*value),
        // TOML's own dates have no counterpart in the model; they stay the text they were written as.
        DeValue::Datetime(datetime) => NodeValue::Text(datetime.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => NodeValue::Integer(integer),
            Err(_) => unusable(integer, &span, problems),
        },
        DeValue::Float(float) => match float.as_str().parse::<f64>() {
            Ok(number) if number.is_finite() => NodeValue::Number(number),
            _ => unusable(float, &span, problems),
        },
        DeValue::Array(array) => NodeValue::List(array.iter().map(|value| node(value, depth + 1, problems)).collect()),
        DeValue::Table(table) => table_value(table, depth, problems),
    };
    Node::new(read, span)
}

fn unusable(number: &impl std::fmt::Display, span: &Span, problems: &mut Vec<Problem>) -> NodeValue {
    problems.push(
        Problem::new(format!("the number `{number}` cannot be used"))
            .at(span.clone())
            .help("use a finite number that fits into 64 bits, or put it in quotes to make it a text"),
    );
    NodeValue::Null
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_places_are_read_in_the_order_of_the_text() {
        let text = "b = 1\na = [1.5, \"\u{e4}\", 2024-01-01, 0x10, true]\n[z.y]\nx.w = { v = 'u' }\n";
        let root = parse(text).unwrap();
        let expected = serde_json::json!({
            "b": 1, "a": [1.5, "\u{e4}", "2024-01-01", 16, true], "z": {"y": {"x": {"w": {"v": "u"}}}}
        });
        assert_eq!(root.to_json(), expected);
        let keys: Vec<&str> = root.entries().iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "z"]);
        root.visit_scalars("", &mut |_, node| {
            if let NodeValue::Text(value) = &node.value {
                assert!(text[node.span.clone()].contains(value.as_str()));
            }
        });
    }

    #[test]
    fn what_is_no_spec_is_refused() {
        for wrong in [
            "a = inf",
            "a = 99999999999999999999",
            "a = 1\na = 2",
            "a",
            "[a",
            "a = \"x",
            "a = {b = 1",
            "\u{e4} = ",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_of_any_depth_is_refused_in_good_time() {
        let depth = 20_000;
        for deep in [
            format!("a = {}{}", "[".repeat(depth), "]".repeat(depth)),
            format!("a = {}", "{b = ".repeat(depth)),
            format!("{}a = 1", "a.".repeat(depth)),
            format!("[{}a]\nb = 1", "a.".repeat(depth)),
        ] {
            assert!(parse(&deep).is_err());
        }
    }
}
