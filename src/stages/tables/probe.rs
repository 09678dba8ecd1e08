use std::collections::BTreeMap;
use std::fmt;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float32Type, Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use futures::TryStreamExt;

use crate::connect::{Ddl, ReadRequest, RowsFrom, TableMapping, TableStore, UnreadRows};
use crate::model::{Carry, ColumnMapping, Engine, Failure, RowRange, Value};
use crate::plan::ProbedColumn;

use super::PlannedTable;

/// What becomes of a value that does not go over as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Case {
    Nul,
    TooLong,
    NotFinite,
    TooPrecise,
    TooLarge,
    OutOfYears,
    BecomesNull,
    NotCarried,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nul => "with a NUL",
            Self::TooLong => "too long",
            Self::NotFinite => "not finite",
            Self::TooPrecise => "with more digits behind the point",
            Self::TooLarge => "too large",
            Self::OutOfYears => "in years that the sink has not",
            Self::BecomesNull => "that become NULL",
            Self::NotCarried => "that cannot be carried",
        })
    }
}

/// What is looked at in the values of one column.
#[derive(Clone, Copy, Debug, Default)]
struct Check {
    nul: bool,
    characters_max: Option<usize>,
    finite: bool,
    /// Digits before and behind the point.
    digits_max: Option<(usize, usize)>,
    /// Seconds since 1970, from and up to.
    seconds: Option<(i64, i64)>,
    nulls: bool,
}

/// First and last second of the years 0 to 9999, and of the years 1 to 9999.
const FROM_YEAR_0: (i64, i64) = (-62_167_219_200, 253_402_300_799);
const FROM_YEAR_1: (i64, i64) = (-62_135_596_800, 253_402_300_799);

const SECONDS_A_DAY: i64 = 86_400;

impl Check {
    /// By what the engines say of themselves, and what the sink's type allows.
    fn of(column: &ColumnMapping, source: Engine, sink: Engine) -> Self {
        let arguments = arguments(&column.target_native);
        let is_date = matches!(column.carry, Carry::Date | Carry::Timestamp | Carry::Instant);
        let is_text = matches!(column.carry, Carry::Text | Carry::Json);
        let years = match sink {
            Engine::MySql => Some(FROM_YEAR_0),
            Engine::SqlServer => Some(FROM_YEAR_1),
            _ => None,
        };
        Self {
            nul: is_text && sink == Engine::Postgres,
            characters_max: arguments
                .first()
                .copied()
                .filter(|_| is_text && column.target_native.contains("char")),
            finite: sink != Engine::Postgres
                && matches!(column.carry, Carry::Float32 | Carry::Float64 | Carry::Decimal),
            digits_max: match arguments[..] {
                [precision, scale] if column.carry == Carry::Decimal => Some((precision.saturating_sub(scale), scale)),
                _ => None,
            },
            seconds: years.filter(|_| is_date),
            nulls: is_date && source == Engine::MySql,
        }
    }

    fn case(&self, carry: Carry, values: &ArrayRef, row: usize) -> Option<Case> {
        match carry {
            Carry::Text | Carry::Json => self.of_text(values.as_string::<i32>().value(row)),
            Carry::Decimal => self.of_decimal(values.as_string::<i32>().value(row)),
            Carry::Float32 => self.of_float(values.as_primitive::<Float32Type>().value(row).into()),
            Carry::Float64 => self.of_float(values.as_primitive::<Float64Type>().value(row)),
            Carry::Date => {
                let days = i64::from(values.as_primitive::<Date32Type>().value(row));
                self.of_seconds(days.saturating_mul(SECONDS_A_DAY))
            }
            Carry::Timestamp | Carry::Instant => {
                let microseconds = values.as_primitive::<TimestampMicrosecondType>().value(row);
                self.of_seconds(microseconds.div_euclid(1_000_000))
            }
            _ => None,
        }
    }

    fn of_text(&self, text: &str) -> Option<Case> {
        let is_longer = |max| text.len() > max && text.chars().count() > max;
        match self.characters_max {
            _ if self.nul && text.contains('\0') => Some(Case::Nul),
            Some(max) if is_longer(max) => Some(Case::TooLong),
            _ => None,
        }
    }

    fn of_float(&self, value: f64) -> Option<Case> {
        (self.finite && !value.is_finite()).then_some(Case::NotFinite)
    }

    fn of_decimal(&self, text: &str) -> Option<Case> {
        let digits = text.trim_start_matches(['-', '+']);
        if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return self.finite.then_some(Case::NotFinite);
        }
        let (before, behind) = self.digits_max?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.trim_start_matches('0').len() > before {
            return Some(Case::TooLarge);
        }
        (fraction.trim_end_matches('0').len() > behind).then_some(Case::TooPrecise)
    }

    fn of_seconds(&self, seconds: i64) -> Option<Case> {
        let (from, to) = self.seconds?;
        (seconds < from || seconds > to).then_some(Case::OutOfYears)
    }
}

/// The numbers in the brackets of a type: `numeric(10,2)` → 10, 2.
fn arguments(native: &str) -> Vec<usize> {
    let inner = native.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let inner = inner.map_or("", |(inner, _)| inner);
    let numbers: Result<Vec<usize>, _> = inner.split(',').map(|number| number.trim().parse()).collect();
    numbers.unwrap_or_default()
}

/// Reads every row of a table and counts the values that would not go over as they are, by column; nothing is written. Columns of which all
/// values do are left out.
///
/// What a source's own reader cuts, such as a seventh digit of a second, is not seen here.
///
/// # Errors
/// What the source answers.
pub async fn probe_table(
    source: &dyn TableStore,
    sink: Engine,
    planned: &PlannedTable,
    mapping: &TableMapping,
) -> Result<Vec<ProbedColumn>, Failure> {
    let columns = &mapping.columns;
    let checks = (columns.iter()).map(|column| Check::of(column, source.engine(), sink));
    let checks: Vec<Check> = checks.collect();
    let aside = UnreadRows::default();
    let request = ReadRequest {
        from: planned.from.clone(),
        columns: columns.clone(),
        range: RowRange::Whole,
        snapshot: None,
        unread: Some(aside.clone()),
    };
    let mut batches = source.read(request).await?;
    let mut found: Vec<BTreeMap<Case, u64>> = vec![BTreeMap::new(); columns.len()];
    let mut values: Vec<u64> = vec![0; columns.len()];
    let mut look = |batch: &RecordBatch| {
        for (place, (column, check)) in columns.iter().zip(&checks).enumerate() {
            let array = batch.column(place);
            values[place] += (array.len() - array.null_count()) as u64;
            let cases = (0..array.len()).filter(|row| array.is_valid(*row));
            for case in cases.filter_map(|row| check.case(column.carry, array, row)) {
                *found[place].entry(case).or_default() += 1;
            }
        }
    };
    let mut unread: Vec<u64> = vec![0; columns.len()];
    loop {
        let batch = batches.try_next().await?;
        // What else stands in a row that cannot be read is looked at like any other.
        for row in aside.take() {
            look(&row.row);
            row.columns.iter().for_each(|place| unread[*place] += 1);
        }
        match batch {
            Some(batch) => look(&batch),
            None => break,
        }
    }
    // Between two of the kind rows are handed on as they are.
    let is_decoded = source.engine() != Engine::Postgres || sink != Engine::Postgres;
    for (place, count) in unread.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        values[place] += count;
        if is_decoded {
            found[place].insert(Case::NotCarried, count);
        }
    }
    for (place, count) in values_at_source(source, planned, columns, &checks).await? {
        let lost = count.saturating_sub(values[place]);
        if lost > 0 {
            found[place].insert(Case::BecomesNull, lost);
        }
    }
    let probed = columns.iter().zip(found).filter(|(_, cases)| !cases.is_empty());
    Ok(probed
        .map(|(column, cases)| ProbedColumn {
            column: column.source.clone(),
            cases: cases
                .into_iter()
                .map(|(case, count)| (case.to_string(), count))
                .collect(),
        })
        .collect())
}

/// How many values the source itself counts, of the columns that are asked about.
async fn values_at_source(
    source: &dyn TableStore,
    planned: &PlannedTable,
    columns: &[ColumnMapping],
    checks: &[Check],
) -> Result<Vec<(usize, u64)>, Failure> {
    let asked: Vec<usize> = (0..columns.len()).filter(|place| checks[*place].nulls).collect();
    let RowsFrom::Table(table) = &planned.from else {
        return Ok(Vec::new());
    };
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let engine = source.engine();
    let counts: Vec<String> = (asked.iter())
        .map(|place| format!("count({}) as n{place}", engine.quote(&columns[*place].source)))
        .collect();
    let text = format!("select {} from {}", counts.join(", "), Ddl::new(engine).table(table));
    let rows: Vec<_> = source.rows(&text, &[]).await?.try_collect().await?;
    let count = |place: &usize| match rows.first()?.get(&format!("n{place}"))? {
        Value::Integer(count) => Some((*place, count.unsigned_abs())),
        Value::Text(text) => Some((*place, text.parse().ok()?)),
        _ => None,
    };
    Ok(asked.iter().filter_map(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(native: &str, carry: Carry, source: Engine, sink: Engine) -> Check {
        let column = ColumnMapping {
            source: "c".to_owned(),
            source_native: String::new(),
            carry,
            target: "c".to_owned(),
            target_native: native.to_owned(),
            is_nullable: true,
            is_identity: false,
            losses: Vec::new(),
        };
        Check::of(&column, source, sink)
    }

    #[test]
    fn texts_are_measured_in_characters() {
        let check = check("character varying(3)", Carry::Text, Engine::Sqlite, Engine::Postgres);
        assert_eq!(check.of_text("äöü"), None);
        assert_eq!(check.of_text("four"), Some(Case::TooLong));
        assert_eq!(check.of_text("a\0"), Some(Case::Nul));
    }

    #[test]
    fn digits_are_counted_without_zeros_that_say_nothing() {
        let check = check("decimal(5,2)", Carry::Decimal, Engine::Postgres, Engine::MySql);
        let case = |text| check.of_decimal(text);
        assert_eq!([case("-0123.4500"), case("0"), case("999.99")], [None; 3]);
        assert_eq!(case("1000"), Some(Case::TooLarge));
        assert_eq!(case("1.005"), Some(Case::TooPrecise));
        assert_eq!([case("NaN"), case("-Infinity")], [Some(Case::NotFinite); 2]);
    }

    #[test]
    fn years_are_those_of_the_sink() {
        let check = check("date", Carry::Date, Engine::Postgres, Engine::MySql);
        let days = |days: i64| check.of_seconds(days * SECONDS_A_DAY);
        assert_eq!([days(0), days(-719_528), days(2_932_896)], [None; 3]);
        assert_eq!([days(-719_529), days(2_932_897)], [Some(Case::OutOfYears); 2]);
        assert_eq!(days(i32::MAX.into()), Some(Case::OutOfYears), "infinity");
    }
}
