//! Decimal numbers as text and in the binary form of PostgreSQL's `numeric`: groups of four decimal digits.

use std::fmt;

/// The first 16 bits after the length: sign of a number that is no number.
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Digits of one group, and the largest that it can be.
const GROUP: usize = 4;
const GROUP_MAX: u16 = 9_999;

/// Appends a decimal number in PostgreSQL's binary form. `None` when the text is no decimal number.
///
/// Source: `numeric_recv` of PostgreSQL: 16-bit group count, weight of the first group, sign, digits after the point, groups.
pub fn encode_numeric(text: &str, out: &mut Vec<u8>) -> Option<()> {
    match text {
        "NaN" => return special(NAN, out),
        "Infinity" | "inf" | "+Infinity" => return special(INFINITY, out),
        "-Infinity" | "-inf" => return special(NEGATIVE_INFINITY, out),
        _ => {}
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (is_negative, digits) = match mantissa.as_bytes().first()? {
        b'-' => (true, &mantissa[1..]),
        b'+' => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || !all_digits.clone().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if exponent != 0 {
        let shifted = shift(whole, fraction, exponent)?;
        let sign = if is_negative { "-" } else { "" };
        return encode_numeric(&format!("{sign}{shifted}"), out);
    }
    let whole = whole.trim_start_matches('0');
    let first = whole.len() % GROUP;
    let mut groups: Vec<i16> = Vec::with_capacity(whole.len() / GROUP + fraction.len() / GROUP + 2);
    if first > 0 {
        groups.push(group(&whole.as_bytes()[..first]));
    }
    groups.extend(whole.as_bytes()[first..].chunks(GROUP).map(group));
    let mut weight = i32::try_from(groups.len()).ok()? - 1;
    groups.extend(fraction.as_bytes().chunks(GROUP).map(|digits| {
        let missing = u32::try_from(GROUP - digits.len()).unwrap_or_default();
        group(digits) * 10_i16.pow(missing)
    }));
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= i32::try_from(leading).ok()?;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    if groups.is_empty() {
        weight = 0;
    }
    let sign = if is_negative && !groups.is_empty() { NEGATIVE } else { 0 };
    out.extend(i16::try_from(groups.len()).ok()?.to_be_bytes());
    out.extend(i16::try_from(weight).ok()?.to_be_bytes());
    out.extend(sign.to_be_bytes());
    out.extend(u16::try_from(fraction.len()).ok()?.to_be_bytes());
    for group in groups {
        out.extend(group.to_be_bytes());
    }
    Some(())
}

fn special(sign: u16, out: &mut Vec<u8>) -> Option<()> {
    out.extend([0; 4]);
    out.extend(sign.to_be_bytes());
    out.extend([0; 2]);
    Some(())
}

fn group(digits: &[u8]) -> i16 {
    digits.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0'))
}

/// Digits with their point moved; bounded by what a numeric can hold at all.
fn shift(whole: &str, fraction: &str, exponent: i32) -> Option<String> {
    const DIGITS_MAX: usize = 150_000;
    let places = usize::try_from(exponent.unsigned_abs()).ok()?;
    if places > DIGITS_MAX {
        return None;
    }
    if exponent > 0 {
        let moved = places.min(fraction.len());
        let zeros = "0".repeat(places - moved);
        Some(format!("{whole}{}{zeros}.{}", &fraction[..moved], &fraction[moved..]))
    } else {
        let zeros = "0".repeat(places.saturating_sub(whole.len()));
        let split = whole.len().saturating_sub(places);
        Some(format!("{}.{zeros}{}{fraction}", &whole[..split], &whole[split..]))
    }
}

/// Writes the text of a number in PostgreSQL's binary form. `None`, and nothing written, when the bytes are none.
pub fn decode_numeric(bytes: &[u8], out: &mut impl fmt::Write) -> Option<()> {
    let (header, groups) = bytes.split_first_chunk::<8>()?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let (count, weight, sign, scale) = (
        usize::from(word(0)),
        word(2).cast_signed(),
        word(4),
        usize::from(word(6)),
    );
    match sign {
        NAN => return out.write_str("NaN").ok(),
        INFINITY => return out.write_str("Infinity").ok(),
        NEGATIVE_INFINITY => return out.write_str("-Infinity").ok(),
        _ => {}
    }
    let groups = groups.get(..2 * count)?.as_chunks::<2>().0;
    if groups.iter().any(|group| u16::from_be_bytes(*group) > GROUP_MAX) {
        return None;
    }
    let weight = i32::from(weight);
    let digits = |place: i32| {
        let index = usize::try_from(weight - place).ok();
        let group = index.and_then(|index| groups.get(index));
        let group = group.map_or(0, |group| u16::from_be_bytes(*group));
        [group / 1_000, group / 100 % 10, group / 10 % 10, group % 10].map(|digit| b'0' + digit.to_le_bytes()[0])
    };
    let mut write = |digits: &[u8]| out.write_str(std::str::from_utf8(digits).ok()?).ok();
    if sign == NEGATIVE {
        write(b"-")?;
    }
    let mut is_first = true;
    for place in (0..=weight.max(0)).rev() {
        let digits = digits(place);
        let zeros = match is_first {
            true => digits.iter().take_while(|digit| **digit == b'0').count(),
            false => 0,
        };
        // The last digit before the point stands there even when it is a zero.
        let zeros = if place == 0 { zeros.min(GROUP - 1) } else { zeros };
        is_first &= zeros == GROUP;
        write(&digits[zeros..])?;
    }
    if scale > 0 {
        write(b".")?;
    }
    for (place, written) in (1..).zip((0..scale).step_by(GROUP)) {
        write(&digits(-place)[..GROUP.min(scale - written)])?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: &[u8]) -> Option<String> {
        let mut text = String::new();
        decode_numeric(bytes, &mut text).map(|()| text)
    }

    fn through(text: &str) -> Option<String> {
        let mut bytes = Vec::new();
        encode_numeric(text, &mut bytes)?;
        decoded(&bytes)
    }

    #[test]
    fn numbers_come_back_with_their_scale() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "9999",
            "10000",
            "123456789.987654321",
            "-0.0001",
            "0.00010000",
            "1000000000000000000000000000000.5",
            "NaN",
            "Infinity",
            "-Infinity",
        ] {
            assert_eq!(through(text).as_deref(), Some(text), "{text}");
        }
    }

    #[test]
    fn other_spellings_mean_the_same_number() {
        for (text, same) in [
            ("+1.50", "1.50"),
            ("007", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1.5e3", "1500"),
            ("15e-3", "0.015"),
            ("1e20", "100000000000000000000"),
            ("-0", "0"),
        ] {
            assert_eq!(through(text).as_deref(), Some(same), "{text}");
        }
        for wrong in ["", "-", ".", "1,5", "0x1", "1e", "1e999999999", "nan?"] {
            assert_eq!(through(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_number_comes_back(whole in "[1-9][0-9]{0,40}", fraction in "[0-9]{0,40}", is_negative in any::<bool>()) {
            let sign = if is_negative { "-" } else { "" };
            let point = if fraction.is_empty() { "" } else { "." };
            let text = format!("{sign}{whole}{point}{fraction}");
            prop_assert_eq!(through(&text), Some(text));
        }

        #[test]
        fn nothing_makes_it_panic(text in "\\PC{0,20}", like in "[-+0-9.eE]{0,20}", bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = (through(&text), through(&like), decoded(&bytes));
        }
    }
}
