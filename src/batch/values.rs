//! The server's texts of numbers, booleans and timestamps as JavaScript's numbers.

use serde::de::IgnoredAny;

use super::kind::Kind;

/// A value that has no number of ours: its column crosses as text, for JavaScript to parse.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotNative;

const NULL_WORD: i32 = i32::MIN;

/// An [`Kind::Int`] or [`Kind::Bool`] cell.
pub(super) fn word(kind: Kind, cell: Option<&[u8]>) -> Result<i32, NotNative> {
    let Some(text) = cell else { return Ok(NULL_WORD) };
    match (kind, text) {
        (Kind::Bool, b"t") => Ok(1),
        (Kind::Bool, b"f") => Ok(0),
        (Kind::Int, _) => int(text).filter(|value| *value != NULL_WORD).ok_or(NotNative),
        _ => Err(NotNative),
    }
}

/// A [`Kind::Double`] or [`Kind::Timestamp`] cell.
pub(super) fn double(kind: Kind, cell: Option<&[u8]>) -> Result<f64, NotNative> {
    let Some(text) = cell else { return Ok(f64::NAN) };
    let value = match kind {
        Kind::Timestamp => timestamp(text),
        _ => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
    };
    value.filter(|value: &f64| !value.is_nan()).ok_or(NotNative)
}

/// A [`Kind::Json`] cell as it goes into an array of at most `longest` bytes. PostgreSQL checks every value but those of a cast `without
/// function`, and two texts that are no JSON can make an array of the right length together.
pub(super) fn json(cell: Option<&[u8]>, longest: usize) -> Result<&[u8], NotNative> {
    let text = cell.unwrap_or(b"null");
    let fits = text.len() + b"[]".len() <= longest && serde_json::from_slice::<IgnoredAny>(text).is_ok();
    if fits { Ok(text) } else { Err(NotNative) }
}

fn int(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !(1..=10).contains(&digits.len()) {
        return None;
    }
    let value = digits.iter().try_fold(0i64, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))?;
    i32::try_from(if negative { -value } else { value }).ok()
}

/// Milliseconds since 1970 of `YYYY-MM-DD HH:MM:SS[.ffffff]±HH[:MM]`, PostgreSQL's ISO style between the years 1 and 9999.
///
/// Rounds as node-postgres does (`postgres-date`): the fraction is multiplied in floating point and cut off.
fn timestamp(text: &[u8]) -> Option<f64> {
    let (date, rest) = text.split_first_chunk::<19>()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, separator)| date[*at] != *separator) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| int(&date[range]).map(i64::from);
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);

    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let value = int(rest.get(..digits).filter(|digits| digits.len() <= 6)?)?;
            (1000.0 * (f64::from(value) / 10f64.powi(digits as i32)), &rest[digits..])
        }
        _ => (0.0, rest),
    };
    let offset = match rest {
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let minutes = match zone {
                [_, _] => i64::from(int(zone)?) * 60,
                [h1, h2, b':', m1, m2] => i64::from(int(&[*h1, *h2])?) * 60 + i64::from(int(&[*m1, *m2])?),
                _ => return None,
            };
            if *sign == b'+' { minutes } else { -minutes }
        }
        _ => return None,
    };
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + (minute - offset) * 60 + second;
    Some((seconds * 1_000) as f64 + fraction.trunc())
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar. Algorithm: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_that_fit_are_words_and_others_are_not() {
        for value in [0, 1, -1, i32::MAX, i32::MIN + 1] {
            assert_eq!(word(Kind::Int, Some(value.to_string().as_bytes())), Ok(value));
        }
        for text in ["-2147483648", "2147483648", "", "-", "1.0", "1e3", " 1", "99999999999999999999"] {
            assert_eq!(word(Kind::Int, Some(text.as_bytes())), Err(NotNative), "{text:?}");
        }
        assert_eq!(word(Kind::Int, None), Ok(NULL_WORD));
    }

    #[test]
    fn timestamps_in_iso_style_are_milliseconds() {
        for (text, expected) in [
            ("1970-01-01 00:00:00+00", 0.0),
            ("2024-02-29 12:34:56.789+00", 1_709_210_096_789.0),
            ("2024-02-29 12:34:56.789999+05:30", 1_709_190_296_789.0),
            ("2000-01-01 00:00:00-08", 946_713_600_000.0),
            ("0001-01-01 00:00:00+00", -62_135_596_800_000.0),
            ("9999-12-31 23:59:59.999999+00", 253_402_300_799_999.0),
        ] {
            assert_eq!(double(Kind::Timestamp, Some(text.as_bytes())), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_timestamps_are_left_to_javascript() {
        for text in [
            "infinity",
            "-infinity",
            "0044-03-15 00:00:00+00 BC",
            "10000-01-01 00:00:00+00",
            "Thu Feb 29 12:34:56 2024 UTC",
            "1850-01-01 00:00:00+00:53:28",
            "2024-02-29 12:34:56",
            "",
        ] {
            assert_eq!(double(Kind::Timestamp, Some(text.as_bytes())), Err(NotNative), "{text}");
        }
    }

    #[test]
    fn floats_keep_their_infinities_and_leave_nan() {
        assert_eq!(double(Kind::Double, Some(b"Infinity")), Ok(f64::INFINITY));
        assert_eq!(double(Kind::Double, Some(b"-Infinity")), Ok(f64::NEG_INFINITY));
        assert_eq!(double(Kind::Double, Some(b"-0")).map(f64::is_sign_negative), Ok(true));
        assert_eq!(double(Kind::Double, Some(b"1.7976931348623157e+308")), Ok(f64::MAX));
        assert_eq!(double(Kind::Double, Some(b"NaN")), Err(NotNative));
        assert!(double(Kind::Double, None).is_ok_and(f64::is_nan));
    }
}
