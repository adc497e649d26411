//! Real time, as people write it.

use std::time::Duration;

/// Parses `90s`, `3m`, `1.5h`, or seconds without a unit.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("", 1.0)];
    let (number, unit_s) =
        units.iter().find_map(|(unit, s)| Some((text.strip_suffix(unit)?, s))).unwrap_or((text, &1.0));
    let number: f64 = number.parse().map_err(|_| format!("'{text}' is no duration: 90s, 3m, 1.5h"))?;
    Duration::try_from_secs_f64(number * unit_s).map_err(|error| format!("'{text}': {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        let parse = |text: &str| parse_duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(parse("90"), Ok(90.0));
        assert_eq!(parse("90s"), Ok(90.0));
        assert_eq!(parse("3m"), Ok(180.0));
        assert_eq!(parse("1.5h"), Ok(5_400.0));
        assert_eq!(parse("250ms"), Ok(0.25));
        for wrong in ["", "s", "-3s", "3 days", "NaN"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
