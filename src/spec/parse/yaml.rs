use serde_yaml::Value;

use super::places::{Place, Places, SYNTAX_HELP, Shape, Unplaced, braces_problem, character_at};
use super::too_deep;
use crate::spec::{Entry, Node, NodeValue, Problem, Span};

/// Two readings of one text: `serde_yaml` gives the values, `saphyr-parser` the places. Where they disagree the text is refused.
pub(super) fn parse(text: &str) -> Result<Node, Vec<Problem>> {
    let places = match Places::read(text) {
        Ok(places) => places,
        // The parser of the values would take minutes over such a text.
        Err(Unplaced::TooDeep(span)) => return Err(vec![too_deep().at(span)]),
        Err(Unplaced::Syntax(problem)) => {
            let accident = problem.span.as_ref().and_then(|span| braces_accident(text, span.start));
            return Err(vec![accident.or_else(|| values(text).err()).unwrap_or(problem)]);
        }
    };
    let mut problems = Vec::new();
    places.root.check(text, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let value = values(text).map_err(|problem| vec![problem])?;
    let root = zip(&value, &places.root, &mut problems);
    if problems.is_empty() { Ok(root) } else { Err(problems) }
}

fn values(text: &str) -> Result<Value, Problem> {
    serde_yaml::from_str(text).map_err(|error| syntax_problem(text, &error))
}

fn syntax_problem(text: &str, error: &serde_yaml::Error) -> Problem {
    let offset = error
        .location()
        .map_or(0, |location| offset_of(text, location.line(), location.column()));
    if let Some(accident) = braces_accident(text, offset) {
        return accident;
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let line = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let indentation = &text[line..];
    let help = if indentation[..indentation.len() - indentation.trim_start_matches([' ', '\t']).len()].contains('\t') {
        "YAML is indented with spaces; this line begins with a tab"
    } else if message.contains("alias") || message.contains("repetition") {
        "write the values out instead of repeating them through `*aliases`"
    } else if message.contains("more than one document") {
        "a spec is one document: take out the line `---`"
    } else {
        SYNTAX_HELP
    };
    Problem::new(format!("this is not YAML: {message}"))
        .at(character_at(text, offset))
        .help(help)
}

/// Finds a `{{` outside of quotes on the line of a syntax error or one of the two before it.
fn braces_accident(text: &str, offset: usize) -> Option<Problem> {
    let offset = offset.min(text.len());
    let line_end = text[offset..].find('\n').map_or(text.len(), |length| offset + length);
    let mut end = line_end;
    for _ in 0..3 {
        let start = text[..end].rfind('\n').map_or(0, |newline| newline + 1);
        let line = &text[start..end];
        if let Some(at) = unquoted_braces(line) {
            let length = line[at..].find("}}").map_or(2, |close| close + 2);
            return Some(braces_problem(start + at..start + at + length));
        }
        end = start.checked_sub(1)?;
    }
    None
}

/// A `{{` outside of quotes where YAML takes it for a map: at the beginning of a value, or within brackets.
fn unquoted_braces(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut in_brackets = false;
    for (at, character) in line.char_indices() {
        let before = line[..at].trim_end();
        match (quote, character) {
            (None, '#') if before.len() < at || at == 0 => return None,
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, '{') if line[at..].starts_with("{{") && (in_brackets || begins_value(before)) => return Some(at),
            (None, '{' | '[') => in_brackets = true,
            _ => {}
        }
    }
    None
}

/// Whether a value begins after this part of a line.
fn begins_value(before: &str) -> bool {
    before.is_empty() || before.ends_with([':', '-', ','])
}

/// Byte offset of a line and column, both counted from 1 in characters.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start = match line.saturating_sub(2) {
        _ if line <= 1 => 0,
        before => text
            .match_indices('\n')
            .nth(before)
            .map_or(text.len(), |(newline, _)| newline + 1),
    };
    text[start..]
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(text.len(), |(offset, _)| start + offset)
}

fn zip(value: &Value, place: &Place, problems: &mut Vec<Problem>) -> Node {
    let span = place.span.clone();
    let read = match (value, &place.shape) {
        (Value::Tagged(tagged), _) => {
            problems.push(
                Problem::new(format!("the YAML tag `{}` is not used here", tagged.tag))
                    .at(span.clone())
                    .help("take the tag out; kinds are written as keys"),
            );
            NodeValue::Null
        }
        (value, Shape::Alias) => return at_one_place(value, &span, problems),
        (Value::Sequence(values), Shape::List(places)) if values.len() == places.len() => {
            let nodes = values
                .iter()
                .zip(places)
                .map(|(value, place)| zip(value, place, problems));
            NodeValue::List(nodes.collect())
        }
        (Value::Mapping(mapping), Shape::Map(pairs)) if mapping.len() == pairs.len() => {
            let mut entries = Vec::with_capacity(pairs.len());
            for ((key, value), (key_place, value_place)) in mapping.iter().zip(pairs) {
                let key_span = key_place.span.clone();
                let Some(key) = key_text(key, &key_span, problems) else {
                    continue;
                };
                let value = zip(value, value_place, problems);
                entries.push(Entry { key, key_span, value });
            }
            NodeValue::Map(entries)
        }
        (value, Shape::Scalar { text, plain }) if agrees(value, text, *plain) => scalar(value, &span, problems),
        _ => {
            problems.push(
                Problem::new("this YAML can be read in two ways")
                    .at(span.clone())
                    .help("write it more plainly: texts in quotes, one value to a line"),
            );
            NodeValue::Null
        }
    };
    Node::new(read, span)
}

fn agrees(value: &Value, text: &str, plain: bool) -> bool {
    match value {
        Value::String(value) => value == text,
        Value::Null | Value::Bool(_) | Value::Number(_) => plain,
        _ => false,
    }
}

fn scalar(value: &Value, span: &Span, problems: &mut Vec<Problem>) -> NodeValue {
    match value {
        Value::Bool(value) => NodeValue::Boolean(*value),
        Value::String(text) => NodeValue::Text(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => NodeValue::Integer(integer),
            (None, Some(float)) if float.is_finite() && !number.is_u64() => NodeValue::Number(float),
            _ => {
                problems.push(
                    Problem::new(format!("the number `{number}` cannot be used"))
                        .at(span.clone())
                        .help("use a finite number that fits into 64 bits, or put it in quotes to make it a text"),
                );
                NodeValue::Null
            }
        },
        _ => NodeValue::Null,
    }
}

fn key_text(key: &Value, span: &Span, problems: &mut Vec<Problem>) -> Option<String> {
    match key {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => {
            problems.push(
                Problem::new("a key is a text")
                    .at(span.clone())
                    .help("put it in quotes: `\"key\": value`"),
            );
            None
        }
    }
}

/// The values of an alias, all at the place of the alias.
fn at_one_place(value: &Value, span: &Span, problems: &mut Vec<Problem>) -> Node {
    let read = match value {
        Value::Sequence(values) => {
            NodeValue::List(values.iter().map(|value| at_one_place(value, span, problems)).collect())
        }
        Value::Mapping(mapping) => {
            let mut entries = Vec::with_capacity(mapping.len());
            for (key, value) in mapping {
                if let Some(key) = key_text(key, span, problems) {
                    let value = at_one_place(value, span, problems);
                    entries.push(Entry {
                        key,
                        key_span: span.clone(),
                        value,
                    });
                }
            }
            NodeValue::Map(entries)
        }
        value => scalar(value, span, problems),
    };
    Node::new(read, span.clone())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(value: &Value) -> serde_json::Value {
        serde_json::to_value(value).unwrap()
    }

    /// Every scalar that is written plainly stands at its span.
    fn assert_places(node: &Node, text: &str) {
        node.visit_scalars("", &mut |pointer, node| {
            let place = text
                .get(node.span.clone())
                .unwrap_or_else(|| panic!("{pointer}: span {:?} in {text:?}", node.span));
            if let NodeValue::Text(value) = &node.value
                && value.chars().all(char::is_alphanumeric)
                && !value.is_empty()
            {
                assert!(
                    place.contains(value.as_str()),
                    "{pointer}: {place:?} is not {value:?} in {text:?}"
                );
            }
        });
    }

    #[test]
    fn places_are_bytes_whatever_the_characters_and_line_ends() {
        let text = "\u{e4}: \u{1f3d4}x\r\nlist:\r\n  - w\u{f6}rt\r\n  - {k: v}\r\n";
        let root = parse(text).unwrap();
        assert_places(&root, text);
        assert_eq!(&text[root.entries()[0].key_span.clone()], "\u{e4}");
    }

    #[test]
    fn values_are_those_of_the_value_parser() {
        let text = "a: 1\nb: [1.5, true, null, ~, 'x', \"1\", 0x10, no]\nc: {d: |\n  x\n}\n";
        let root = parse("a: 1\nb: [1.5, true, null, ~, 'x', \"1\", 0x10, no]\n").unwrap();
        let expected = serde_json::json!({"a": 1, "b": [1.5, true, null, null, "x", "1", 16, "no"]});
        assert_eq!(root.to_json(), expected);
        assert!(parse(text).is_err());
    }

    #[test]
    fn aliases_have_the_values_of_their_anchor_and_their_own_place() {
        let text = "a: &x {k: v}\nb: *x\n";
        let root = parse(text).unwrap();
        assert_eq!(root.to_json(), serde_json::json!({"a": {"k": "v"}, "b": {"k": "v"}}));
        assert_eq!(&text[root.child("b").unwrap().child("k").unwrap().span.clone()], "*x");
    }

    #[test]
    fn what_is_no_spec_is_refused() {
        for wrong in [
            "a: !tag b",
            "? [a]\n: b",
            "a: 1\n---\nb: 2",
            "a: .inf",
            "a: 99999999999999999999",
            "a: *x",
            "<<: {",
            "a: \u{7}",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let deep = format!("a: {}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(parse(&deep).is_err());
        let wide = format!("a: {}", "{b: ".repeat(100_000));
        assert!(parse(&wide).is_err());
    }

    fn any_yaml() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            (-1.0e6..1.0e6).prop_map(serde_json::Value::from),
            "[a-z\u{e4}:#{}\\[\\]&*!|>'\"%@`, \\n-]{0,12}".prop_map(serde_json::Value::from),
            "\\PC{0,8}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                proptest::collection::btree_map("[A-Za-z\u{fc} ]{1,6}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever the one crate writes, both read alike.
        #[test]
        fn both_readings_of_a_text_agree(value in any_yaml()) {
            let text = serde_yaml::to_string(&value).unwrap();
            // Known differences are refused with a problem, never read wrongly.
            match parse(&text) {
                Ok(root) => {
                    let expected: Value = serde_yaml::from_str(&text).unwrap();
                    prop_assert_eq!(root.to_json(), json(&expected));
                    assert_places(&root, &text);
                }
                Err(problems) => prop_assert!(false, "{text:?}: {problems:?}"),
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "([a-c:{}\\[\\],&*!|>'\"#? \\n\\t\u{e4}-]){0,40}") {
            if let Ok(root) = parse(&text) {
                assert_places(&root, &text);
            }
        }
    }
}
