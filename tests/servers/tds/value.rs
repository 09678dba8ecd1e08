//! Values between SQLite, which keeps them as texts in the server's own form, and the wire. Source: MS-TDS 2.2.5.5.

use rusqlite::types::{Value, ValueRef};

use super::dates::{date_text, days_of, moment_of, ticks_of, time_text};
use super::reader::Cursor;
use super::types::SqlType;

/// Bytes of one chunk of a long value: odd, so that characters are cut in the middle.
const CHUNK: usize = 1_001;

const DAY_TICKS: i64 = 864_000_000_000;
const MINUTE_TICKS: i64 = 600_000_000;
/// Days from 0001-01-01 to 1900-01-01.
const DAYS_1900: i64 = 693_595;

/// A value with its length before it; NULL too.
pub fn encode(sql_type: &SqlType, value: ValueRef<'_>) -> Option<Vec<u8>> {
    if matches!(value, ValueRef::Null) {
        return Some(null(sql_type));
    }
    let bytes = content(sql_type, value)?;
    Some(match sql_type {
        SqlType::Text | SqlType::NText | SqlType::Image => {
            let mut out = vec![16];
            out.extend([0xAB; 24]);
            out.extend(u32::try_from(bytes.len()).ok()?.to_le_bytes());
            out.extend(bytes);
            out
        }
        chunked if chunked.is_chunked() => {
            let mut out = u64::try_from(bytes.len()).ok()?.to_le_bytes().to_vec();
            for chunk in bytes.chunks(CHUNK) {
                out.extend(u32::try_from(chunk.len()).ok()?.to_le_bytes());
                out.extend(chunk);
            }
            out.extend([0; 4]);
            out
        }
        sized if has_long_length(sized) => {
            let mut out = u16::try_from(bytes.len()).ok()?.to_le_bytes().to_vec();
            out.extend(bytes);
            out
        }
        _ => {
            let mut out = vec![u8::try_from(bytes.len()).ok()?];
            out.extend(bytes);
            out
        }
    })
}

fn has_long_length(sql_type: &SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::NVarChar(_)
            | SqlType::NChar(_)
            | SqlType::VarChar(_)
            | SqlType::Char(_)
            | SqlType::VarBinary(_)
            | SqlType::Binary(_)
            | SqlType::RowVersion
    )
}

fn null(sql_type: &SqlType) -> Vec<u8> {
    match sql_type {
        chunked if chunked.is_chunked() => vec![0xFF; 8],
        sized if has_long_length(sized) => vec![0xFF; 2],
        _ => vec![0],
    }
}

fn content(sql_type: &SqlType, value: ValueRef<'_>) -> Option<Vec<u8>> {
    let text = || match value {
        ValueRef::Text(bytes) => String::from_utf8(bytes.to_vec()).ok(),
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(value.to_string()),
        ValueRef::Null | ValueRef::Blob(_) => None,
    };
    let integer = || match value {
        ValueRef::Integer(value) => Some(value),
        _ => text()?.parse().ok(),
    };
    let real = || match value {
        ValueRef::Real(value) => Some(value),
        _ => text()?.parse::<f64>().ok(),
    };
    Some(match sql_type {
        SqlType::Bit => vec![u8::from(integer()? != 0)],
        SqlType::Int(bytes) => integer()?.to_le_bytes()[..usize::from(*bytes)].to_vec(),
        SqlType::Decimal(_, scale) | SqlType::Numeric(_, scale) => {
            let (is_negative, magnitude) = scaled(&text()?, *scale)?;
            let mut out = vec![u8::from(!is_negative)];
            out.extend(magnitude.to_le_bytes());
            out
        }
        SqlType::Money => {
            let bytes = ten_thousandths(&text()?)?.to_le_bytes();
            // The half with the higher digits comes first.
            [&bytes[4..], &bytes[..4]].concat()
        }
        SqlType::SmallMoney => i32::try_from(ten_thousandths(&text()?)?).ok()?.to_le_bytes().to_vec(),
        #[expect(clippy::cast_possible_truncation, reason = "a `real` has half the digits")]
        SqlType::Real => (real()? as f32).to_le_bytes().to_vec(),
        SqlType::Float => real()?.to_le_bytes().to_vec(),
        SqlType::Date => days_of(&text()?)?.to_le_bytes()[..3].to_vec(),
        SqlType::Time(scale) => ticks(ticks_of(&text()?)?, *scale),
        SqlType::DateTime2(scale) => {
            let (days, at, _) = moment_of(&text()?)?;
            [&ticks(at, *scale)[..], &days.to_le_bytes()[..3]].concat()
        }
        SqlType::DateTimeOffset(scale) => {
            let (days, at, offset) = moment_of(&text()?)?;
            let utc = days * DAY_TICKS + at - offset * MINUTE_TICKS;
            let mut out = ticks(utc.rem_euclid(DAY_TICKS), *scale);
            out.extend(&utc.div_euclid(DAY_TICKS).to_le_bytes()[..3]);
            out.extend(i16::try_from(offset).ok()?.to_le_bytes());
            out
        }
        SqlType::DateTime => {
            let (days, at, _) = moment_of(&text()?)?;
            let mut out = i32::try_from(days - DAYS_1900).ok()?.to_le_bytes().to_vec();
            // Three-hundredths of a second.
            out.extend(u32::try_from((at * 3 + 50_000) / 100_000).ok()?.to_le_bytes());
            out
        }
        SqlType::SmallDateTime => {
            let (days, at, _) = moment_of(&text()?)?;
            let mut out = u16::try_from(days - DAYS_1900).ok()?.to_le_bytes().to_vec();
            out.extend(u16::try_from(at / MINUTE_TICKS).ok()?.to_le_bytes());
            out
        }
        SqlType::NVarChar(_) | SqlType::NChar(_) | SqlType::NText | SqlType::Xml | SqlType::Other(_) => match value {
            ValueRef::Blob(bytes) => bytes.to_vec(),
            _ => padded(text()?, sql_type)
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
        },
        SqlType::VarChar(_) | SqlType::Char(_) | SqlType::Text => {
            let text = padded(text()?, sql_type);
            text.chars()
                .map(|sign| u8::try_from(u32::from(sign)).unwrap_or(b'?'))
                .collect()
        }
        SqlType::VarBinary(_) | SqlType::Binary(_) | SqlType::Image | SqlType::RowVersion => match value {
            ValueRef::Blob(bytes) => bytes.to_vec(),
            _ => return None,
        },
        SqlType::Guid => swapped(&digits(&text()?)?)?,
    })
}

fn padded(text: String, sql_type: &SqlType) -> String {
    let length = match sql_type {
        SqlType::NChar(length) | SqlType::Char(length) => usize::from(*length),
        _ => 0,
    };
    let missing = length.saturating_sub(text.encode_utf16().count());
    text + &" ".repeat(missing)
}

fn ticks(at: i64, scale: u8) -> Vec<u8> {
    let length = match scale {
        0..=2 => 3,
        3 | 4 => 4,
        _ => 5,
    };
    (at / 10_i64.pow(u32::from(7 - scale))).to_le_bytes()[..length].to_vec()
}

/// Sign and digits of a decimal number with so many digits behind its point.
fn scaled(text: &str, scale: u8) -> Option<(bool, u128)> {
    let digits = text.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = format!("{fraction:0<width$}", width = usize::from(scale));
    let magnitude = format!("{whole}{}", &fraction[..usize::from(scale)]).parse().ok()?;
    Some((text.starts_with('-'), magnitude))
}

fn ten_thousandths(text: &str) -> Option<i64> {
    let (is_negative, magnitude) = scaled(text, 4)?;
    let value = i128::try_from(magnitude).ok()?;
    i64::try_from(if is_negative { -value } else { value }).ok()
}

fn digits(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|sign| *sign != '-').collect();
    (0..16)
        .map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}

/// The first three groups of an identifier travel with their bytes in the other order.
fn swapped(bytes: &[u8]) -> Option<Vec<u8>> {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    ORDER.iter().map(|at| bytes.get(*at).copied()).collect()
}

/// Reads a value that a client sends. `None` when it is not as its type says.
pub fn decode(sql_type: &SqlType, is_fixed: bool, cursor: &mut Cursor<'_>) -> Option<Value> {
    let bytes = match sql_type {
        SqlType::Text | SqlType::NText | SqlType::Image => {
            let pointer = cursor.length::<1>()?;
            if pointer == 0 {
                return Some(Value::Null);
            }
            cursor.take(pointer + 8)?;
            let length = cursor.length::<4>()?;
            cursor.take(length)?.to_vec()
        }
        chunked if chunked.is_chunked() => match chunks(cursor)? {
            Some(bytes) => bytes,
            None => return Some(Value::Null),
        },
        sized if has_long_length(sized) => {
            let length = cursor.length::<2>()?;
            if length == 0xFFFF {
                return Some(Value::Null);
            }
            cursor.take(length)?.to_vec()
        }
        sized => {
            let length = if is_fixed {
                fixed_length(sized)
            } else {
                cursor.length::<1>()?
            };
            if length == 0 {
                return Some(Value::Null);
            }
            cursor.take(length)?.to_vec()
        }
    };
    read_content(sql_type, &bytes)
}

fn fixed_length(sql_type: &SqlType) -> usize {
    usize::try_from(sql_type.describe().length).unwrap_or_default()
}

fn chunks(cursor: &mut Cursor<'_>) -> Option<Option<Vec<u8>>> {
    if cursor.number::<8>()? == u64::MAX {
        return Some(None);
    }
    let mut bytes = Vec::new();
    loop {
        match cursor.length::<4>()? {
            0 => return Some(Some(bytes)),
            length => bytes.extend(cursor.take(length)?),
        }
    }
}

fn number(bytes: &[u8]) -> u128 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u128::from(*byte))
}

fn small(bytes: &[u8]) -> i64 {
    i64::try_from(number(bytes)).unwrap_or_default()
}

fn read_content(sql_type: &SqlType, bytes: &[u8]) -> Option<Value> {
    let text = |text: String| Some(Value::Text(text));
    match sql_type {
        SqlType::Bit | SqlType::Int(1) => Some(Value::Integer(small(bytes))),
        SqlType::Int(_) => {
            let shift = 64 - 8 * u32::try_from(bytes.len()).ok()?;
            let unsigned = u64::try_from(number(bytes)).ok()?;
            Some(Value::Integer((unsigned << shift).cast_signed() >> shift))
        }
        SqlType::Decimal(_, scale) | SqlType::Numeric(_, scale) => {
            text(point(bytes[0] == 0, number(&bytes[1..]), (*scale).into()))
        }
        SqlType::Money => {
            let value = i64::from_le_bytes([&bytes[4..], &bytes[..4]].concat().try_into().ok()?);
            text(point(value < 0, value.unsigned_abs().into(), 4))
        }
        SqlType::SmallMoney => {
            let value = i32::from_le_bytes(bytes.try_into().ok()?);
            text(point(value < 0, value.unsigned_abs().into(), 4))
        }
        SqlType::Real => Some(Value::Real(f32::from_le_bytes(bytes.try_into().ok()?).into())),
        SqlType::Float => Some(Value::Real(f64::from_le_bytes(bytes.try_into().ok()?))),
        SqlType::Date => text(date_text(small(bytes))),
        SqlType::Time(scale) => text(time_text(small(bytes) * 10_i64.pow(u32::from(7 - scale)))),
        SqlType::DateTime2(scale) => {
            let (time, date) = bytes.split_at(bytes.len() - 3);
            let at = small(time) * 10_i64.pow(u32::from(7 - scale));
            text(format!("{} {}", date_text(small(date)), time_text(at)))
        }
        SqlType::DateTimeOffset(scale) => {
            let (moment, offset) = bytes.split_at(bytes.len() - 2);
            let (time, date) = moment.split_at(moment.len() - 3);
            let offset = i64::from(i16::from_le_bytes(offset.try_into().ok()?));
            let at = small(time) * 10_i64.pow(u32::from(7 - scale));
            let local = small(date) * DAY_TICKS + at + offset * MINUTE_TICKS;
            let sign = if offset < 0 { '-' } else { '+' };
            text(format!(
                "{} {}{sign}{:02}:{:02}",
                date_text(local.div_euclid(DAY_TICKS)),
                time_text(local.rem_euclid(DAY_TICKS)),
                offset.abs() / 60,
                offset.abs() % 60
            ))
        }
        SqlType::DateTime => {
            let days = i64::from(i32::from_le_bytes(bytes[..4].try_into().ok()?)) + DAYS_1900;
            let ms = (small(&bytes[4..]) * 10 + 1) / 3;
            text(format!("{} {}", date_text(days), time_text(ms * 10_000)))
        }
        SqlType::SmallDateTime => {
            let (days, minutes) = (small(&bytes[..2]) + DAYS_1900, small(&bytes[2..]));
            text(format!("{} {}", date_text(days), time_text(minutes * MINUTE_TICKS)))
        }
        SqlType::NVarChar(_) | SqlType::NChar(_) | SqlType::NText | SqlType::Xml | SqlType::Other(_) => {
            let units: Vec<u16> = bytes
                .chunks_exact(2)
                .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
                .collect();
            let units = units.strip_prefix(&[0xFEFF]).unwrap_or(&units);
            Some(String::from_utf16(units).map_or_else(|_| Value::Blob(bytes.to_vec()), Value::Text))
        }
        SqlType::VarChar(_) | SqlType::Char(_) | SqlType::Text => {
            text(bytes.iter().map(|byte| char::from(*byte)).collect())
        }
        SqlType::VarBinary(_) | SqlType::Binary(_) | SqlType::Image | SqlType::RowVersion => {
            Some(Value::Blob(bytes.to_vec()))
        }
        SqlType::Guid => {
            let digits: String = swapped(bytes)?.iter().map(|byte| format!("{byte:02x}")).collect();
            let groups = [
                &digits[..8],
                &digits[8..12],
                &digits[12..16],
                &digits[16..20],
                &digits[20..],
            ];
            text(groups.join("-"))
        }
    }
}

fn point(is_negative: bool, magnitude: u128, scale: usize) -> String {
    let digits = format!("{magnitude:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if is_negative && magnitude > 0 { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}
