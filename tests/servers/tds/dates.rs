//! Days and times of the wire as texts and back: an algorithm of its own, so that an error of the program's is not shared.

/// Days from 0001-01-01 to a date, counted year by year and month by month.
pub fn days_of(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day): (i64, usize, i64) = (
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    );
    let before = year - 1;
    let days = before * 365 + before / 4 - before / 100 + before / 400;
    let months: i64 = lengths(year).get(..month.checked_sub(1)?)?.iter().sum();
    Some(days + months + day - 1)
}

fn lengths(year: i64) -> [i64; 12] {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    [
        31,
        if is_leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ]
}

pub fn date_text(days: i64) -> String {
    let mut year = days / 366 + 1;
    while days_of(&format!("{}-1-1", year + 1)).is_some_and(|next| next <= days) {
        year += 1;
    }
    let mut rest = days - days_of(&format!("{year}-1-1")).unwrap_or_default();
    let mut month = 1;
    for length in lengths(year) {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", rest + 1)
}

/// Hundreds of nanoseconds since midnight.
pub fn ticks_of(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let digits: i64 = format!("{fraction:0<7}").get(..7)?.parse().ok()?;
    Some(((hour * 60 + minute) * 60 + second) * 10_000_000 + digits)
}

pub fn time_text(ticks: i64) -> String {
    let (seconds, digits) = (ticks / 10_000_000, ticks % 10_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if digits == 0 {
        return clock;
    }
    format!("{clock}.{}", format!("{digits:07}").trim_end_matches('0'))
}

/// Days, ticks and offset in minutes of `2024-01-01 00:00:00.1+02:00`; without an offset it is 0.
pub fn moment_of(text: &str) -> Option<(i64, i64, i64)> {
    let (date, rest) = text.split_once([' ', 'T']).unwrap_or((text, "00:00:00"));
    let (time, zone) = rest.split_at(rest.find(['+', '-', 'Z']).unwrap_or(rest.len()));
    let offset = match zone {
        "" | "Z" => 0,
        zone => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    Some((days_of(date)?, ticks_of(time.trim_end())?, offset))
}
