//! Dates and times of the proleptic Gregorian calendar as numbers, over the whole range that databases keep: year 0 is 1 BC, and years go
//! beyond 9999. The two day algorithms are those of Howard Hinnant, "chrono-compatible low-level date algorithms" (2013).

/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// Days since 1970-01-01 of a date; the month and day must exist.
pub fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of so many days since 1970-01-01.
pub fn date_of(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // Both lie within 1..=31 by the arithmetic above.
    (
        year,
        u32::try_from(month).unwrap_or_default(),
        u32::try_from(day).unwrap_or_default(),
    )
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether the calendar has such a day.
pub fn exists(year: i64, month: u32, day: u32) -> bool {
    (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month)
}

/// Days since 1970-01-01 of `2024-02-29`; `None` when no such day exists.
pub fn parse_date(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() < 4 || year.len() > 7 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let year = sign * i64::from(number(year)?);
    let (month, day) = (number(month)?, number(day)?);
    exists(year, month, day).then(|| days_of(year, month, day))
}

/// Microseconds since midnight of `23:59`, `23:59:59` or `23:59:59.123456`; further digits are cut.
pub fn parse_time(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next().unwrap_or("00"));
    let (whole, fraction) = second.split_once('.').unwrap_or((second, ""));
    if hour.len() != 2 || minute.len() != 2 || whole.len() != 2 {
        return None;
    }
    let (hour, minute, whole) = (number(hour)?, number(minute)?, number(whole)?);
    if hour > 24 || minute > 59 || whole > 59 {
        return None;
    }
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(whole);
    let us = seconds * 1_000_000 + parse_fraction(fraction)?;
    (us <= DAY_US).then_some(us)
}

fn parse_fraction(digits: &str) -> Option<i64> {
    let kept = &digits.as_bytes()[..digits.len().min(6)];
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let value = kept.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let missing = u32::try_from(6 - kept.len()).unwrap_or_default();
    Some(value * 10_i64.pow(missing))
}

/// Microseconds since 1970-01-01 00:00 of `2024-02-29 23:59:59.5`, with a space or `T` between; a date alone is its midnight. A zone
/// (`Z`, `+01:00`) is taken into account and forgotten.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let Some((date, rest)) = text.split_once([' ', 'T']) else {
        return parse_date(text)?.checked_mul(DAY_US);
    };
    let (time, offset_us) = split_zone(rest.trim_start())?;
    parse_date(date)?
        .checked_mul(DAY_US)?
        .checked_add(parse_time(time)?)?
        .checked_sub(offset_us)
}

/// A time and its zone's offset from UTC.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time.trim_end(), 0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, 0));
    };
    let (time, zone) = text.split_at(at);
    if !zone.is_ascii() {
        return None;
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone[1..].chars().filter(|sign| *sign != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (number(&digits)?, 0),
        4 => (number(&digits[..2])?, number(&digits[2..])?),
        _ => return None,
    };
    let offset = i64::from(hours) * 3_600 + i64::from(minutes) * 60;
    Some((time.trim_end(), sign * offset * 1_000_000))
}

fn number(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// `2024-02-29`; years before 0 with a sign.
pub fn format_date(days: i64) -> String {
    let (year, month, day) = date_of(days);
    if year < 0 {
        format!("-{:04}-{month:02}-{day:02}", -year)
    } else {
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// `23:59:59`, with as many as six digits of the second's fraction as it has.
pub fn format_time(us: i64) -> String {
    let (seconds, fraction) = (us / 1_000_000, us % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 {
        return format!("{hour:02}:{minute:02}:{second:02}");
    }
    let digits = format!("{fraction:06}");
    format!("{hour:02}:{minute:02}:{second:02}.{}", digits.trim_end_matches('0'))
}

/// `2024-02-29 23:59:59.5`
pub fn format_timestamp(us: i64) -> String {
    let (days, rest) = (us.div_euclid(DAY_US), us.rem_euclid(DAY_US));
    format!("{} {}", format_date(days), format_time(rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(parse_date("1970-01-01"), Some(0));
        assert_eq!(parse_date("2000-02-29"), Some(11_016));
        assert_eq!(parse_date("0001-01-01"), Some(-719_162));
        assert_eq!(parse_date("9999-12-31"), Some(2_932_896));
        assert_eq!(format_date(-719_163), "0000-12-31");
        for wrong in [
            "2023-02-29",
            "0000-00-00",
            "2024-13-01",
            "24-01-01",
            "2024-1-1",
            "",
            "x",
        ] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_and_zones() {
        assert_eq!(parse_time("23:59:59.999999"), Some(DAY_US - 1));
        assert_eq!(parse_time("24:00:00"), Some(DAY_US));
        assert_eq!(parse_time("10:20:30.5"), Some(37_230_500_000));
        assert_eq!(parse_time("10:20:30.1234567"), parse_time("10:20:30.123456"));
        assert_eq!(parse_timestamp("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse_timestamp("1970-01-01 00:00:00Z"), Some(0));
        assert_eq!(parse_timestamp("1969-12-31 23:59:59.999999"), Some(-1));
        assert_eq!(parse_timestamp("1970-01-02"), Some(DAY_US));
        for wrong in ["25:00:00", "10:60:00", "10:00:60", "1:00:00", "10"] {
            assert_eq!(parse_time(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_day_and_moment_comes_back(days in -2_000_000_i64..3_000_000, us in 0..DAY_US) {
            let moment = days * DAY_US + us;
            prop_assert_eq!(parse_date(&format_date(days)), Some(days));
            prop_assert_eq!(parse_timestamp(&format_timestamp(moment)), Some(moment));
        }

        #[test]
        fn no_text_makes_parsing_panic(text in "\\PC{0,30}", like in "[-+0-9:.TZ ]{0,30}") {
            for text in [text, like] {
                let _ = (parse_date(&text), parse_time(&text), parse_timestamp(&text));
            }
        }
    }
}
