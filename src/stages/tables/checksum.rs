use std::fmt;

use arrow_array::RecordBatch;
use futures::TryStreamExt;

use super::rejects::RejectedRow;
use super::same_json::same_json;
use crate::connect::{ReadRequest, TableStore, cell_text};
use crate::model::{Carry, ColumnMapping, Failure};

/// A digest over rows that does not depend on their order: the sum of the rows' own digests, and their number.
///
/// It is computed here on both sides, over the values as they are carried, so that two databases need have nothing in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowDigest {
    pub rows: u64,
    sum: [u64; 4],
}

impl RowDigest {
    pub fn add(&mut self, batch: &RecordBatch, columns: &[ColumnMapping]) {
        for row in 0..batch.num_rows() {
            let cells = columns.iter().zip(batch.columns());
            let texts = cells.map(|(column, values)| (column, cell_text(column.carry, values, row)));
            for (sum, word) in self.sum.iter_mut().zip(row_digest(texts)) {
                *sum = sum.wrapping_add(word);
            }
            self.rows += 1;
        }
    }

    /// Takes a row out that was rejected. One that could not be read was counted and not digested.
    pub fn take_out(&mut self, rejected: &RejectedRow, columns: &[ColumnMapping]) {
        if rejected.unread.is_empty() {
            let text = |column: &ColumnMapping| rejected.row.get(&column.source)?.as_str().map(str::to_owned);
            let digest = row_digest(columns.iter().map(|column| (column, text(column))));
            for (sum, word) in self.sum.iter_mut().zip(digest) {
                *sum = sum.wrapping_sub(word);
            }
        }
        self.rows = self.rows.saturating_sub(1);
    }
}

/// The digest of one row, of whose values the texts are given; `None` is NULL.
fn row_digest<'a>(texts: impl IntoIterator<Item = (&'a ColumnMapping, Option<String>)>) -> [u64; 4] {
    let mut hasher = blake3::Hasher::new();
    for (column, text) in texts {
        match text {
            None => drop(hasher.update(&[0])),
            Some(text) => {
                let text = canonical(column, text);
                hasher.update(&[1]);
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        }
    }
    let digest = hasher.finalize();
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(digest.as_bytes().chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    words
}

/// A value in the one form that both databases give it: numbers without zeros that say nothing, documents with sorted keys, and texts as
/// the type that they have at the sink gives them back.
fn canonical(column: &ColumnMapping, text: String) -> String {
    match column.carry {
        Carry::Decimal => number(&text).unwrap_or(text),
        Carry::Json => same_json(&text).unwrap_or(text),
        Carry::Text => given_back(&column.target_native, &text).unwrap_or(text),
        _ => text,
    }
}

/// A text as a column of the sink's type gives it back; `None` where that is the text itself, or the type is of another kind.
fn given_back(native: &str, text: &str) -> Option<String> {
    match native.split(['(', ' ']).next().unwrap_or_default() {
        "interval" => duration(text),
        "json" | "jsonb" => same_json(text),
        "uuid" | "uniqueidentifier" => {
            let digits = text.chars().filter(char::is_ascii_alphanumeric);
            Some(digits.map(|digit| digit.to_ascii_lowercase()).collect())
        }
        "boolean" => truth(text),
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "numeric" | "decimal" => number(text),
        // Such a column fills its values up with spaces, or forgets those at their ends; one that is `character varying` does not.
        "character" | "char" | "nchar" if !native.starts_with("character varying") => {
            Some(text.trim_end_matches(' ').to_owned())
        }
        _ => None,
    }
}

/// The words that PostgreSQL takes for a truth value.
fn truth(text: &str) -> Option<String> {
    match text.trim().to_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some("true".to_owned()),
        "f" | "false" | "n" | "no" | "off" | "0" => Some("false".to_owned()),
        _ => None,
    }
}

/// Digits without a plus, zeros before them and zeros at the end of their fraction; `None` for a text of another form.
fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if !(is_number(whole) && is_number(fraction)) || whole.len() + fraction.len() == 0 {
        return None;
    }
    Some(match (whole.trim_start_matches('0'), fraction.trim_end_matches('0')) {
        ("", "") => "0".to_owned(),
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    })
}

/// `-838:59:59.5` as `PT-838H-59M-59.5S`, which is what PostgreSQL writes of it when it is an interval; `None` for a text of another form.
fn duration(text: &str) -> Option<String> {
    let (sign, clock) = text.strip_prefix('-').map_or(("", text), |clock| ("-", clock));
    let (hours, rest) = clock.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if !(is_number(fraction)
        && [hours, minutes, whole]
            .iter()
            .all(|part| !part.is_empty() && is_number(part)))
    {
        return None;
    }
    let plain = |digits: &str| digits.trim_start_matches('0').to_owned();
    let seconds = match (plain(whole), fraction.trim_end_matches('0')) {
        (whole, "") => whole,
        (whole, fraction) if whole.is_empty() => format!("0.{fraction}"),
        (whole, fraction) => format!("{whole}.{fraction}"),
    };
    let parts = [(plain(hours), 'H'), (plain(minutes), 'M'), (seconds, 'S')];
    let told: String = (parts.iter().filter(|(digits, _)| !digits.is_empty()))
        .map(|(digits, unit)| format!("{sign}{digits}{unit}"))
        .collect();
    Some(if told.is_empty() {
        "PT0S".to_owned()
    } else {
        format!("PT{told}")
    })
}

/// The columns of a mapping as they are read back out of the sink, in the form in which their values were carried.
pub fn read_back(columns: &[ColumnMapping]) -> Vec<ColumnMapping> {
    let back = |column: &ColumnMapping| ColumnMapping {
        source: column.target.clone(),
        source_native: column.target_native.clone(),
        ..column.clone()
    };
    columns.iter().map(back).collect()
}

impl fmt::Display for RowDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sum.iter().try_for_each(|word| write!(formatter, "{word:016x}"))
    }
}

/// Reads rows and digests them. Where the request has a place for rows that cannot be read, these are counted and nothing else.
pub async fn digest_rows(database: &dyn TableStore, request: ReadRequest) -> Result<RowDigest, Failure> {
    let (columns, aside) = (request.columns.clone(), request.unread.clone());
    let mut batches = database.read(request).await?;
    let mut digest = RowDigest::default();
    let unread = || aside.as_ref().map_or(0, |aside| aside.take().len() as u64);
    while let Some(batch) = batches.try_next().await? {
        digest.add(&batch, &columns);
        digest.rows += unread();
    }
    digest.rows += unread();
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_told_as_its_column_gives_it_back() {
        for (native, sent, kept) in [
            ("numeric(10,2)", "+012.5", "12.50"),
            ("numeric(10,2)", "-0.0", "0.00"),
            ("integer", " 007", "7"),
            ("boolean", "Y", "true"),
            ("jsonb", "{\"b\":1,\"a\":[ ]}", "{\"a\": [], \"b\": 1}"),
            (
                "uuid",
                "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}",
                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            ),
            ("character(5)", "ab", "ab   "),
        ] {
            let told = given_back(native, sent);
            assert!(told.is_some(), "{native}");
            assert_eq!(told, given_back(native, kept), "{native}");
        }
        assert_ne!(
            given_back("numeric(10,2)", "12.5"),
            given_back("numeric(10,2)", "12.05")
        );
        assert_ne!(number("100"), number("1"));
        assert_ne!(number("0.1"), number("-0.1"));
        for (native, text) in [("character varying(5)", "ab "), ("text", "007"), ("integer", "NaN")] {
            assert_eq!(given_back(native, text), None, "{native}");
        }
    }

    #[test]
    fn a_time_is_told_as_the_interval_that_it_becomes() {
        for (clock, expected) in [
            ("12:30:00", "PT12H30M"),
            ("-838:59:59.120000", "PT-838H-59M-59.12S"),
            ("00:00:00", "PT0S"),
            ("-00:00:00.000001", "PT-0.000001S"),
            ("00:00:10", "PT10S"),
        ] {
            assert_eq!(duration(clock).as_deref(), Some(expected));
        }
        for other in ["PT12H", "1 day", "12:30", "a:b:c", "1:2:", "::", "1:2:3:4"] {
            assert_eq!(duration(other), None, "{other}");
        }
    }
}
