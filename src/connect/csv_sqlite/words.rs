use std::collections::BTreeSet;

/// A piece of an SQL text, as far as finding names needs it.
#[derive(Debug, PartialEq, Eq)]
enum Word<'a> {
    /// An identifier or keyword, quotes taken off.
    Name(&'a str),
    Sign(char),
    /// A literal or parameter.
    Other,
}

/// Every identifier in an SQL text, in lower case: a superset of the tables and columns it uses.
pub(super) fn names(text: &str) -> BTreeSet<String> {
    split(text)
        .into_iter()
        .filter_map(|word| match word {
            Word::Name(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// Identifiers that stand on either side of `=`, `==`, `IS` or `IN`, in lower case: the columns that rows are looked up by.
pub(super) fn compared_names(text: &str) -> BTreeSet<String> {
    let words = split(text);
    let mut compared = BTreeSet::new();
    for (index, word) in words.iter().enumerate() {
        let compares = match word {
            Word::Sign('=') => true,
            Word::Name(name) => name.eq_ignore_ascii_case("in") || name.eq_ignore_ascii_case("is"),
            _ => false,
        };
        if !compares {
            continue;
        }
        if let Some(Word::Name(name)) = index.checked_sub(1).and_then(|before| words.get(before)) {
            compared.insert(name.to_ascii_lowercase());
        }
        compared.extend(name_behind(&words[index + 1..]));
    }
    compared
}

/// The last part of a possibly qualified name (`t.column`) at the start of `words`.
fn name_behind(words: &[Word<'_>]) -> Option<String> {
    match words {
        [Word::Name(_), Word::Sign('.'), rest @ ..] => name_behind(rest),
        [Word::Name(name), ..] => Some(name.to_ascii_lowercase()),
        _ => None,
    }
}

fn split(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' => quoted(rest, '\''),
            '"' | '`' => quoted(rest, first),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            ':' | '@' | '$' => {
                1 + rest[1..]
                    .find(|character| !is_word(character))
                    .unwrap_or(rest.len() - 1)
            }
            _ if is_word(first) => rest.find(|character| !is_word(character)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(length);
        rest = behind;
        match first {
            '-' if length > 1 => {}
            '/' if length > 1 => {}
            '\'' | ':' | '@' | '$' => words.push(Word::Other),
            '"' | '`' | '[' => words.push(Word::Name(word.get(1..word.len() - 1).unwrap_or_default())),
            _ if first.is_ascii_digit() => words.push(Word::Other),
            _ if is_word(first) => words.push(Word::Name(word)),
            _ if first.is_whitespace() => {}
            _ => words.push(Word::Sign(first)),
        }
    }
    words
}

/// The length of a quoted piece with its quotes; a doubled quote does not end it.
fn quoted(text: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(found) = text[from..].find(quote) {
        let end = from + found + 1;
        if !text[end..].starts_with(quote) {
            return end;
        }
        from = end + 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_in_comparisons_are_found_and_literals_are_not() {
        let text = "select a.Uri -- where no = 1\nfrom files a join [items] b on a.Key = b.\"Other Key\" \
                    where x=:id and y in (1, 2) and 'quoted = z' = `W` /* c = d */";
        let compared: Vec<String> = compared_names(text).into_iter().collect();
        assert_eq!(compared, ["key", "other key", "w", "x", "y"]);
        assert!(names(text).contains("items") && !names(text).contains("no"));
    }

    #[test]
    fn an_unfinished_text_is_no_trouble() {
        for text in ["'", "\"", "[", "/*", "a = '", ":", "é = \"ü"] {
            names(text);
            compared_names(text);
        }
    }
}
