//! When two JSON documents say the same: databases sort keys, write numbers anew, and leave out what says nothing.

use std::fmt::Write;

use serde_json::Value;

/// A document in the one form that all of the same meaning have; `None` when the text is no document.
pub fn same_json(text: &str) -> Option<String> {
    let document: Value = serde_json::from_str(&with_numbers_as_texts(text)?).ok()?;
    Some(document.to_string())
}

/// The document with each number as a text that no document has: read as numbers, those of many digits would be rounded.
fn with_numbers_as_texts(text: &str) -> Option<String> {
    let mut told = String::with_capacity(text.len() + 16);
    let (mut rest, mut is_in_text) = (text, false);
    while let Some(character) = rest.chars().next() {
        match character {
            '\\' if is_in_text => {
                let end = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
                told.push_str(&rest[..end]);
                rest = &rest[end..];
                continue;
            }
            '"' => is_in_text = !is_in_text,
            '-' | '0'..='9' if !is_in_text => {
                let end = rest.find(|of: char| !matches!(of, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
                let (number, behind) = rest.split_at(end.unwrap_or(rest.len()));
                // No text of a document can begin so: a control character within one is written as an escape.
                write!(told, "\"\\u0000{}\"", plain(number)?).ok()?;
                rest = behind;
                continue;
            }
            _ => {}
        }
        told.push(character);
        rest = &rest[character.len_utf8()..];
    }
    Some(told)
}

/// A number as its digits without zeros at either end, and the power of ten of the last; `None` when it is none.
fn plain(number: &str) -> Option<String> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (sign, digits) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let kept = digits.trim_end_matches('0');
    let power = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let power = power.checked_add(i64::try_from(digits.len() - kept.len()).ok()?)?;
    match kept.trim_start_matches('0') {
        "" => Some("0".to_owned()),
        kept => Some(format!("{sign}{kept}e{power}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn documents_of_one_meaning_have_one_form() {
        for (one, other) in [
            ("[1e2]", "[100]"),
            ("[-0, -0.0, 0e9]", "[0,0.0,0]"),
            ("{\"b\": 1.50, \"a\": [true, null]}", "{\"a\":[true,null],\"b\":1.5}"),
            ("1e400", &format!("1{}", "0".repeat(400))),
            ("[0.001, 120]", "[1e-3, 1.2E+2]"),
            (
                "{\"a 1\": \"\\\"1.0\\\" und ü\"}",
                "{ \"a 1\" : \"\\\"1.0\\\" und \\u00fc\" }",
            ),
        ] {
            assert_eq!(same_json(one), same_json(other), "{one} {other}");
            assert!(same_json(one).is_some(), "{one}");
        }
    }

    #[test]
    fn documents_of_two_meanings_have_two() {
        for (one, other) in [
            ("[1]", "[\"1\"]"),
            ("[1]", "[-1]"),
            ("[12345678901234567890123]", "[12345678901234567890124]"),
            ("[1.0000000000000000000001]", "[1]"),
            ("{\"a\": \"1.0\"}", "{\"a\": \"1\"}"),
        ] {
            assert_ne!(same_json(one), same_json(other), "{one} {other}");
        }
        for wrong in ["", "{", "[1-]", "[1e99999999999999999999]"] {
            assert_eq!(same_json(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,30}", like in "[-0-9.eE\\[\\]{}\",:\\\\u ]{0,30}") {
            let _ = (same_json(&text), same_json(&like));
        }
    }
}
