/// How fast something may go; what is absent has no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Speed {
    /// Pieces of work begun in a second; more than zero.
    pub rate: Option<f64>,
    /// Bytes in a second; at least 1.
    pub bandwidth: Option<u64>,
}

/// Parses a rate as pieces in a second: `500/s`, `30/m`, `1000/h`, `2.5/s`.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let problem = || format!("`{text}` is not a rate; write a number and a time, as in `500/s`, `30/m` or `1000/h`");
    let (number, unit) = text.trim().split_once('/').ok_or_else(problem)?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return Err(problem()),
    };
    let number: f64 = number.trim().parse().map_err(|_| problem())?;
    if !number.is_finite() || number <= 0.0 {
        return Err(format!("`{text}` lets nothing through; a rate is more than zero"));
    }
    Ok(number / seconds)
}

/// Parses a bandwidth as bytes in a second: a size and `/s`, as in `50MiB/s`.
pub fn parse_bandwidth(text: &str) -> Result<u64, String> {
    let problem = || format!("`{text}` is not a bandwidth; write a size for each second, as in `50MiB/s`");
    let (size, unit) = text.trim().split_once('/').ok_or_else(problem)?;
    if unit.trim() != "s" {
        return Err(problem());
    }
    match super::parse_size(size).map_err(|_| problem())? {
        0 => Err(format!("`{text}` lets nothing through; a bandwidth is at least `1B/s`")),
        bytes => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_with_their_time() {
        assert_eq!(parse_rate("500/s"), Ok(500.0));
        assert_eq!(parse_rate("30/m"), Ok(0.5));
        assert_eq!(parse_rate("7200 / h"), Ok(2.0));
        assert_eq!(parse_rate("2.5/s"), Ok(2.5));
        for wrong in ["500", "500/d", "/s", "0/s", "-1/s", "inf/s", "NaN/s", ""] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bandwidths_are_read_for_each_second() {
        assert_eq!(parse_bandwidth("50MiB/s"), Ok(50 << 20));
        assert_eq!(parse_bandwidth("1MB/s"), Ok(1_000_000));
        for wrong in ["50MiB", "50MiB/m", "0/s", "0.1B/s", "fast", ""] {
            assert!(parse_bandwidth(wrong).is_err(), "{wrong}");
        }
    }
}
