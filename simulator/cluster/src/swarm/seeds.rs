//! Which seeds.

use std::fmt;
use std::str::FromStr;

/// Seeds from one to another, that one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seeds {
    first: u64,
    last: u64,
}

impl Seeds {
    /// One seed.
    #[must_use]
    pub fn one(seed: u64) -> Self {
        Self { first: seed, last: seed }
    }

    /// The seeds, smallest first.
    pub fn iter(self) -> impl Iterator<Item = u64> + use<> {
        self.first..=self.last
    }

    /// How many.
    #[must_use]
    pub fn count(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..={}", self.first, self.last)
    }
}

impl FromStr for Seeds {
    type Err = String;

    /// `A..B` without B, `A..=B` with it, or one seed.
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<u64>().map_err(|error| format!("'{text}': {error}"));
        let (first, last) = match text.split_once("..") {
            None => (number(text)?, number(text)?),
            Some((first, last)) => match last.strip_prefix('=') {
                Some(last) => (number(first)?, number(last)?),
                None => (number(first)?, number(last)?.checked_sub(1).ok_or("there is no seed in it")?),
            },
        };
        if first > last {
            return Err("there is no seed in it".to_owned());
        }
        Ok(Self { first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_rust_writes_ranges() {
        let seeds = |text: &str| text.parse::<Seeds>().map(|seeds| seeds.iter().collect::<Vec<_>>());
        assert_eq!(seeds("3..6"), Ok(vec![3, 4, 5]));
        assert_eq!(seeds("3..=6"), Ok(vec![3, 4, 5, 6]));
        assert_eq!(seeds("7"), Ok(vec![7]));
        for nothing in ["3..3", "0..0", "6..=3", "", "a..b", "..", "1..", "-1..3"] {
            assert!(seeds(nothing).is_err(), "{nothing}");
        }
        assert_eq!("1..2001".parse::<Seeds>().unwrap().count(), 2_000);
    }
}
