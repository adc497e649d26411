//! The known name that was probably meant.

/// How alike two names must be before one is suggested for the other, 0 to 1.
const LIKENESS_MIN: f64 = 0.72;

/// The known name most like the given one, if any is alike at all.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(given, name), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_nonsense_is_not() {
        let known = ["listen", "data", "shards", "speed"];
        assert_eq!(nearest("lisen", known), Some("listen"));
        assert_eq!(nearest("shard", known), Some("shards"));
        assert_eq!(nearest("xyzzy", known), None);
    }
}
