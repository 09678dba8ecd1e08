use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

/// The widest text that `pad` makes, in characters: longer names are refused by every store.
const PAD_MAX: usize = 1_000;
/// Hexadecimal digits of `hash` unless told otherwise: 64 bits.
const HASH_DIGITS: usize = 16;

/// One helper: its name, how it is called, how many arguments it takes, and what it does.
#[derive(Debug)]
pub(super) struct Helper {
    pub(super) name: &'static str,
    usage: &'static str,
    arguments: std::ops::RangeInclusive<usize>,
    pub(super) call: fn(&[&str]) -> Result<String, String>,
}

/// Every helper that a template can call. All but `default` refuse NULL.
static HELPERS: [Helper; 12] = [
    row(
        "lower",
        "lower VALUE",
        1,
        1,
        |arguments| Ok(arguments[0].to_lowercase()),
    ),
    row(
        "upper",
        "upper VALUE",
        1,
        1,
        |arguments| Ok(arguments[0].to_uppercase()),
    ),
    row("snake", "snake VALUE", 1, 1, |arguments| Ok(snake(arguments[0]))),
    row("basename", "basename PATH", 1, 1, |arguments| {
        Ok(basename(arguments[0]).to_owned())
    }),
    row("stem", "stem PATH", 1, 1, |arguments| {
        Ok(split_extension(arguments[0]).0.to_owned())
    }),
    row("ext", "ext PATH", 1, 1, |arguments| {
        Ok(split_extension(arguments[0]).1.to_owned())
    }),
    row("default", "default VALUE FALLBACK", 2, 8, |arguments| {
        Ok(arguments
            .iter()
            .find(|value| !value.is_empty())
            .copied()
            .unwrap_or_default()
            .to_owned())
    }),
    row("replace", "replace VALUE \"from\" \"to\"", 3, 3, |arguments| {
        Ok(arguments[0].replace(arguments[1], arguments[2]))
    }),
    row("pad", "pad VALUE WIDTH [\"0\"]", 2, 3, pad),
    row("date", "date VALUE \"%Y-%m-%d\"", 2, 2, |arguments| {
        date(arguments[0], arguments[1])
    }),
    row("hash", "hash VALUE [DIGITS]", 1, 2, hash),
    row("url_path", "url_path URI", 1, 1, |arguments| url_path(arguments[0])),
];

const fn row(
    name: &'static str,
    usage: &'static str,
    least: usize,
    most: usize,
    call: fn(&[&str]) -> Result<String, String>,
) -> Helper {
    Helper {
        name,
        usage,
        arguments: least..=most,
        call,
    }
}

impl Helper {
    /// Whether it has an answer to NULL.
    pub(super) fn takes_null(&self) -> bool {
        self.name == "default"
    }
}

pub(super) fn exists(name: &str) -> bool {
    HELPERS.iter().any(|helper| helper.name == name)
}

/// The helper of this name, if it can be called with this many arguments; a message and a remedy otherwise.
pub(super) fn find(name: &str, count: usize) -> Result<&'static Helper, (String, String)> {
    let Some(helper) = HELPERS.iter().find(|helper| helper.name == name) else {
        let names: Vec<&str> = HELPERS.iter().map(|helper| helper.name).collect();
        let help = match crate::spec::closest(name, names.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("the helpers are `{}`", names.join("`, `")),
        };
        return Err((format!("there is no helper `{name}`"), help));
    };
    if helper.arguments.contains(&count) {
        return Ok(helper);
    }
    Err((
        format!(
            "`{name}` does not take {count} argument{}",
            if count == 1 { "" } else { "s" }
        ),
        format!("call it as `{{{{{}}}}}`", helper.usage),
    ))
}

/// `WorkItemId` → `work_item_id`, `HTTPServer` → `http_server`, `a b-c` → `a_b_c`.
fn snake(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 4);
    for (index, character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let before = index.checked_sub(1).map(|before| characters[before]);
        let after_lower = before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
        let ends_acronym =
            before.is_some_and(char::is_uppercase) && characters.get(index + 1).is_some_and(|next| next.is_lowercase());
        if character.is_uppercase() && (after_lower || ends_acronym) && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(character.to_lowercase());
    }
    out.trim_end_matches('_').to_owned()
}

/// The part after the last separator, of paths of either style.
fn basename(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A file name's stem and its extension without the dot; a name that begins with its only dot has no extension.
fn split_extension(path: &str) -> (&str, &str) {
    let name = basename(path);
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (name, ""),
    }
}

fn pad(arguments: &[&str]) -> Result<String, String> {
    let width: usize = arguments[1]
        .parse()
        .ok()
        .filter(|width| *width <= PAD_MAX)
        .ok_or_else(|| format!("its width is a whole number up to {PAD_MAX}, not `{}`", arguments[1]))?;
    let fill = arguments.get(2).copied().unwrap_or("0");
    let mut characters = fill.chars();
    let (Some(fill), None) = (characters.next(), characters.next()) else {
        return Err(format!("it fills with one character, not `{fill}`"));
    };
    let missing = width.saturating_sub(arguments[0].chars().count());
    Ok(std::iter::repeat_n(fill, missing).chain(arguments[0].chars()).collect())
}

/// A timestamp (RFC 3339), a date with or without time, or whole seconds since 1970; times are UTC.
fn date(text: &str, format: &str) -> Result<String, String> {
    let text = text.trim();
    let moment = text
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| {
            text.parse()
                .ok()
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        })
        .map(|timestamp| jiff::tz::TimeZone::UTC.to_datetime(timestamp))
        .or_else(|| text.parse::<jiff::civil::DateTime>().ok())
        .or_else(|| text.replacen(' ', "T", 1).parse::<jiff::civil::DateTime>().ok())
        .or_else(|| text.parse::<jiff::civil::Date>().ok().map(|date| date.at(0, 0, 0, 0)))
        .ok_or_else(|| format!("`{text}` is not a date; it takes RFC 3339 or seconds since 1970"))?;
    jiff::fmt::strtime::format(format, moment).map_err(|error| format!("`{format}` cannot be used: {error}"))
}

/// The first digits of the value's SHA-256, in hexadecimal.
fn hash(arguments: &[&str]) -> Result<String, String> {
    let digits: usize = match arguments.get(1) {
        None => HASH_DIGITS,
        Some(text) => text
            .parse()
            .ok()
            .filter(|digits| (1..=64).contains(digits))
            .ok_or_else(|| format!("its number of digits is from 1 to 64, not `{text}`"))?,
    };
    let digest = Sha256::digest(arguments[0].as_bytes());
    let mut hexadecimal: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    hexadecimal.truncate(digits);
    Ok(hexadecimal)
}

/// An object's path, percent-decoded, out of a full URI or a path.
///
/// Scheme, host, query and fragment go; the leading slash goes. In a full URI the first segment of the path may be the container
/// or bucket (`https://account.blob.core.windows.net/container/…`) or part of the name (`https://bucket.s3.amazonaws.com/…`); only
/// the connection can tell, so the path stays whole here and the reader takes its own container off.
fn url_path(text: &str) -> Result<String, String> {
    let path = match text.split_once("://") {
        Some((_, rest)) => {
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            rest.split_once('/').map_or("", |(_, path)| path)
        }
        // Without a scheme it is a path: a `#` may be part of the name, a query never is.
        None => text.split('?').next().unwrap_or_default(),
    };
    let decoded = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| "the path is not UTF-8 once its percent signs are decoded".to_owned())?;
    Ok(decoded.strip_prefix('/').unwrap_or(&decoded).to_owned())
}
