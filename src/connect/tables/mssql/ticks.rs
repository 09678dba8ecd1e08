//! Times in the server's own unit of 100 nanoseconds, as text and back: one digit more than what travels elsewhere.

use crate::connect::tables::civil;

/// Days from 0001-01-01 to 1970-01-01.
pub(super) const EPOCH_DAYS: i64 = 719_162;

/// Days from 1900-01-01 to 1970-01-01.
pub(super) const EPOCH_DAYS_1900: i64 = 25_567;

pub(super) const DAY_TICKS: i64 = 864_000_000_000;

const MINUTE_TICKS: i64 = 600_000_000;

/// The last day that the server has, 9999-12-31, counted from 0001-01-01.
pub(super) const DAYS_MAX: i64 = 3_652_058;

/// `23:59:59.1234567`, without zeros that say nothing.
pub(super) fn format_time(ticks: i64) -> String {
    let (seconds, fraction) = (ticks / 10_000_000, ticks % 10_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 {
        return format!("{hour:02}:{minute:02}:{second:02}");
    }
    let digits = format!("{fraction:07}");
    format!("{hour:02}:{minute:02}:{second:02}.{}", digits.trim_end_matches('0'))
}

/// `2024-02-29 23:59:59.1234567`; the days are counted from 1970-01-01.
pub(super) fn format_moment(days: i64, ticks: i64) -> String {
    format!("{} {}", civil::format_date(days), format_time(ticks))
}

/// A moment in UTC as its zone has it: `2024-02-29 23:59:59+02:00`.
pub(super) fn format_offset(days: i64, ticks: i64, offset_minutes: i64) -> String {
    let local = days * DAY_TICKS + ticks + offset_minutes * MINUTE_TICKS;
    let sign = if offset_minutes < 0 { '-' } else { '+' };
    let minutes = offset_minutes.abs();
    let moment = format_moment(local.div_euclid(DAY_TICKS), local.rem_euclid(DAY_TICKS));
    format!("{moment}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Ticks since midnight; digits beyond seven are cut. `None` for a time that no day has.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let us = civil::parse_time(text)?;
    let seventh = match text.split_once('.') {
        Some((_, fraction)) => fraction.as_bytes().get(6).map_or(0, |digit| i64::from(digit - b'0')),
        None => 0,
    };
    let ticks = us * 10 + seventh;
    (ticks < DAY_TICKS).then_some(ticks)
}

/// Days from 1970-01-01 and ticks of a moment without a zone; a date alone is its midnight.
pub(super) fn parse_moment(text: &str) -> Option<(i64, i64)> {
    match text.split_once([' ', 'T']) {
        Some((date, time)) => Some((civil::parse_date(date)?, parse_time(time)?)),
        None => Some((civil::parse_date(text)?, 0)),
    }
}

/// Days and ticks in UTC, and the offset in minutes, of a moment with a zone (`+02:00`, `+02`, `Z`); without one it is in UTC.
pub(super) fn parse_offset(text: &str) -> Option<(i64, i64, i64)> {
    let behind_date = text.find([' ', 'T'])?;
    let zone = text[behind_date..].find(['+', '-', 'Z']).map(|at| behind_date + at);
    let (moment, zone) = text.split_at(zone.unwrap_or(text.len()));
    let (days, ticks) = parse_moment(moment.trim_end())?;
    let offset = match zone {
        "" | "Z" => 0,
        zone => {
            let (sign, digits) = (if zone.starts_with('-') { -1 } else { 1 }, zone.get(1..)?);
            let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "00"));
            let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
            (0..=14).contains(&hours).then_some(())?;
            (0..=59).contains(&minutes).then_some(())?;
            sign * (hours * 60 + minutes)
        }
    };
    let utc = days * DAY_TICKS + ticks - offset * MINUTE_TICKS;
    Some((utc.div_euclid(DAY_TICKS), utc.rem_euclid(DAY_TICKS), offset))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_seventh_digit_is_kept() {
        assert_eq!(parse_time("23:59:59.9999999"), Some(DAY_TICKS - 1));
        assert_eq!(format_time(DAY_TICKS - 1), "23:59:59.9999999");
        assert_eq!(parse_time("24:00:00"), None);
        assert_eq!(format_moment(-EPOCH_DAYS, 1), "0001-01-01 00:00:00.0000001");
        assert_eq!(
            format_moment(DAYS_MAX - EPOCH_DAYS, DAY_TICKS - 1),
            "9999-12-31 23:59:59.9999999"
        );
    }

    #[test]
    fn an_offset_is_shown_and_taken_into_account() {
        let (days, ticks, offset) = parse_offset("2024-01-01 00:30:00.0000001+02:00").unwrap();
        assert_eq!(format_moment(days, ticks), "2023-12-31 22:30:00.0000001");
        assert_eq!(format_offset(days, ticks, offset), "2024-01-01 00:30:00.0000001+02:00");
        assert_eq!(format_offset(0, 0, -210), "1969-12-31 20:30:00-03:30");
        assert_eq!(
            parse_offset("2024-01-01 00:30:00+00"),
            parse_offset("2024-01-01T00:30:00Z")
        );
        for wrong in [
            "2024-01-01",
            "2024-01-01 00:30:00+15:00",
            "2024-01-01 00:30:00+x",
            "x y+",
        ] {
            assert_eq!(parse_offset(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_comes_back(days in -EPOCH_DAYS..=DAYS_MAX - EPOCH_DAYS, ticks in 0..DAY_TICKS) {
            prop_assert_eq!(parse_moment(&format_moment(days, ticks)), Some((days, ticks)));
        }

        #[test]
        fn no_text_makes_parsing_panic(text in "\\PC{0,30}", like in "[-+0-9:.TZ ]{0,30}") {
            for text in [text, like] {
                let _ = (parse_time(&text), parse_moment(&text), parse_offset(&text));
            }
        }
    }
}
