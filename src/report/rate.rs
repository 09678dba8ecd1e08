use std::time::Duration;

use crate::model::format_bytes;

/// The least time over which a rate means anything; below it, start-up dominates.
const SHORTEST: Duration = Duration::from_millis(1);

/// Counts per second; `None` where no time has passed. Always finite and not negative.
pub fn rate_over(count: u64, duration: Duration) -> Option<f64> {
    (duration >= SHORTEST).then(|| count as f64 / duration.as_secs_f64())
}

/// A rate for people in the unit it is given in: one decimal below 10, none above, `–` where there is none.
pub fn format_rate(rate: Option<f64>) -> String {
    match rate.filter(|rate| rate.is_finite() && *rate >= 0.0) {
        None => "–".to_owned(),
        Some(rate) if rate < 9.95 => format!("{rate:.1}"),
        Some(rate) => crate::model::format_count(rate.round() as u64),
    }
}

/// Bytes per second for people: `6.8 MiB/s`, `–` where there is none.
pub fn format_byte_rate(bytes_per_second: Option<f64>) -> String {
    match bytes_per_second.filter(|rate| rate.is_finite() && *rate >= 0.0) {
        None => "–".to_owned(),
        Some(rate) => format!("{}/s", format_bytes(rate.round() as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_gives_no_rate() {
        assert_eq!(rate_over(5, Duration::ZERO), None);
        assert_eq!(rate_over(5, Duration::from_secs(2)), Some(2.5));
        assert_eq!(format_rate(None), "–");
        assert_eq!(format_rate(Some(f64::NAN)), "–");
        assert_eq!(format_byte_rate(Some(f64::INFINITY)), "–");
    }

    #[test]
    fn rates_are_shown_short() {
        assert_eq!(format_rate(Some(2.54)), "2.5");
        assert_eq!(format_rate(Some(12_345.6)), "12,346");
        assert_eq!(format_byte_rate(Some(7_130_316.8)), "6.8 MiB/s");
    }
}
