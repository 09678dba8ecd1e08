//! A statement as words, so that it can be looked at and changed without touching what stands in quotes.

use super::catalogue::table_id;
use super::executor::catalogue_schema;

/// One word of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// An identifier without brackets, a keyword or a number, as it stands there.
    Bare(String),
    /// An identifier that stood in brackets or double quotes.
    Name(String),
    /// The value of a text.
    Text(String),
    Sign(char),
}

impl Word {
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Bare(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub fn is_sign(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }

    /// What it names, when it is an identifier.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Bare(word) | Self::Name(word) => Some(word),
            Self::Text(_) | Self::Sign(_) => None,
        }
    }

    /// As SQLite reads it.
    fn sqlite(&self) -> String {
        match self {
            Self::Bare(word) => word.clone(),
            Self::Name(name) => quoted(name),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Sign(sign) => sign.to_string(),
        }
    }
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Cuts a statement into its words; comments and spaces are left out.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let next = rest[first.len_utf8()..].chars().next();
        let length = match (first, next) {
            (first, _) if first.is_whitespace() => first.len_utf8(),
            ('-', Some('-')) => rest.find('\n').unwrap_or(rest.len()),
            ('/', Some('*')) => rest.find("*/").map_or(rest.len(), |end| end + 2),
            ('N' | 'n', Some('\'')) => {
                let (value, length) = closed(&rest[1..], '\'');
                words.push(Word::Text(value));
                length + 1
            }
            ('\'', _) => {
                let (value, length) = closed(rest, '\'');
                words.push(Word::Text(value));
                length
            }
            ('"', _) => {
                let (value, length) = closed(rest, '"');
                words.push(Word::Name(value));
                length
            }
            ('[', _) => {
                let (value, length) = closed(rest, ']');
                words.push(Word::Name(value));
                length
            }
            (first, _) if is_of_word(first) => {
                let length = rest.find(|sign| !is_of_word(sign)).unwrap_or(rest.len());
                let length = with_fraction(rest, length);
                words.push(Word::Bare(rest[..length].to_owned()));
                length
            }
            (first, _) => {
                words.push(Word::Sign(first));
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    words
}

fn is_of_word(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '_' | '@' | '#' | '$')
}

/// A number goes on behind its point and its exponent's sign.
fn with_fraction(rest: &str, length: usize) -> usize {
    if !rest.starts_with(|sign: char| sign.is_ascii_digit()) {
        return length;
    }
    let signs = rest.char_indices().find(|(at, sign)| {
        let is_exponent = matches!(sign, '-' | '+') && rest[..*at].ends_with(['e', 'E']) && !rest.starts_with("0x");
        !(sign.is_ascii_alphanumeric() || *sign == '.' || is_exponent)
    });
    signs.map_or(rest.len(), |(at, _)| at)
}

/// The value of what begins with a quote, doubled ones made single, and its length with both quotes.
fn closed(text: &str, end: char) -> (String, usize) {
    let mut value = String::new();
    let mut signs = text.char_indices().skip(1).peekable();
    while let Some((at, sign)) = signs.next() {
        if sign != end {
            value.push(sign);
        } else if signs.peek().is_some_and(|(_, next)| *next == end) {
            value.push(end);
            signs.next();
        } else {
            return (value, at + sign.len_utf8());
        }
    }
    (value, text.len())
}

/// Words as SQLite reads them, with what SQL Server spells otherwise.
pub fn sqlite(words: &[Word]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let follows = |offset: usize, sign: char| words.get(at + offset).is_some_and(|word| word.is_sign(sign));
        if word.name().is_some_and(|name| name.eq_ignore_ascii_case("dbo")) && follows(1, '.') {
            // What SQLite calls `main` is the schema that a table without one is in.
            out.push_str("main");
        } else if word.is("option") && follows(1, '(') {
            break;
        } else if word.is_sign('(') && words.get(at + 1).is_some_and(|word| word.is("max")) && follows(2, ')') {
            // A type of any length is one without a length.
            at += 3;
            continue;
        } else if let Some((computed, count)) = computed(&words[at..]) {
            out.push_str(&computed);
            out.push(' ');
            at += count;
            continue;
        } else if word.is("count_big") {
            out.push_str("count");
        } else if word.is("len") && follows(1, '(') {
            out.push_str("length");
        } else if word.is("@@version") {
            out.push_str("'Fake SQL Server'");
        } else if let Word::Bare(digits) = word
            && let Some(digits) = digits.strip_prefix("0x").filter(|digits| digits.len() % 2 == 0)
        {
            out.push_str(&format!("x'{digits}'"));
        } else if let Word::Bare(name) = word
            && name.starts_with('#')
        {
            out.push_str(&format!("temp.{}", quoted(name)));
        } else {
            out.push_str(&word.sqlite());
        }
        // Signs of two characters stay together.
        let is_pair = |first: char, second: char| word.is_sign(first) && follows(1, second);
        let pairs = [('<', '='), ('>', '='), ('<', '>'), ('!', '='), ('|', '|')];
        if !pairs.iter().any(|(first, second)| is_pair(*first, *second)) {
            out.push(' ');
        }
        at += 1;
    }
    out
}

/// A call of a function that SQLite has not, with constants only: its value, and how many words it takes.
fn computed(words: &[Word]) -> Option<(String, usize)> {
    let function = words.first()?;
    let (arguments, count) = bracketed(words.get(1..)?)?;
    let value = match arguments {
        [Word::Text(name)] if function.is("object_id") => {
            let ((schema, table), _) = table_name(&self::words(name))?;
            table_id(&catalogue_schema(&schema), &table).to_string()
        }
        // There is no column here that the server fills with the time of a change.
        [.., Word::Text(_)] if function.is("columnproperty") => "0".to_owned(),
        [Word::Text(text), _, Word::Bare(times)] if function.is("replicate") => {
            Word::Text(text.repeat(times.parse().ok()?)).sqlite()
        }
        _ => return None,
    };
    Some((value, count + 1))
}

/// Cuts at each `;` that stands in no brackets.
pub fn statements(text: &str) -> Vec<Vec<Word>> {
    let all = words(text);
    let statements = all.split(|word| word.is_sign(';'));
    statements
        .filter(|words| !words.is_empty())
        .map(<[Word]>::to_vec)
        .collect()
}

/// The name of a table at the beginning of `words`, its schema (`main` for `dbo` and for none), and how many words it takes.
pub fn table_name(words: &[Word]) -> Option<((String, String), usize)> {
    let first = words.first()?.name()?.to_owned();
    if words.get(1).is_some_and(|word| word.is_sign('.')) {
        let second = words.get(2)?.name()?.to_owned();
        return Some(((schema(&first), second), 3));
    }
    let schema = if first.starts_with('#') { "temp" } else { "main" };
    Some(((schema.to_owned(), first), 1))
}

/// A schema under its name in SQLite.
pub fn schema(name: &str) -> String {
    if name.eq_ignore_ascii_case("dbo") {
        "main".to_owned()
    } else {
        name.to_owned()
    }
}

/// The words between the bracket that `words` begin with and the one that closes it, and how many words that takes with both.
pub fn bracketed(words: &[Word]) -> Option<(&[Word], usize)> {
    words.first().filter(|word| word.is_sign('('))?;
    let mut depth = 0;
    for (at, word) in words.iter().enumerate() {
        match word {
            Word::Sign('(') => depth += 1,
            Word::Sign(')') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&words[1..at], at + 1));
        }
    }
    None
}

/// Cuts at each comma that stands in no brackets.
pub fn by_comma(words: &[Word]) -> Vec<&[Word]> {
    let mut depth = 0;
    let parts = words.split(|word| {
        match word {
            Word::Sign('(') => depth += 1,
            Word::Sign(')') => depth -= 1,
            _ => {}
        }
        depth == 0 && word.is_sign(',')
    });
    parts.collect()
}
