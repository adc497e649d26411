//! Times without offers.

use std::time::Duration;
use tokio::time::Instant;

/// The longest time between two offers of which the later one comes within `[from, to]`, or between
/// the last offer and `to`. `None` when there was no offer before `from`.
pub fn longest(offers: &[Instant], from: Instant, to: Instant) -> Option<Duration> {
    let before = offers.partition_point(|offer| *offer < from);
    let mut last = *offers.get(before.checked_sub(1)?)?;
    let mut longest = Duration::ZERO;
    for offer in offers[before..].iter().copied().take_while(|offer| *offer <= to) {
        longest = longest.max(offer - last);
        last = offer;
    }
    Some(longest.max(to - last))
}

/// The value that a share of all does not exceed (nearest rank); `None` of nothing.
pub fn percentile(sorted: &[Duration], share: f64) -> Option<Duration> {
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_longest_gap_counts_what_came_before_and_what_did_not_come_after() {
        let start = Instant::now();
        let at = |ms: u32| start + MS * ms;
        let offers = [at(10), at(60), at(110), at(700), at(750)];
        assert_eq!(longest(&offers, at(112), at(800)), Some(MS * 590));
        assert_eq!(longest(&offers, at(112), at(2_000)), Some(MS * 1_250), "none came any more");
        assert_eq!(longest(&offers, at(20), at(110)), Some(MS * 50));
        assert_eq!(longest(&offers, at(5), at(800)), None, "it had not begun");
        assert_eq!(longest(&[], at(5), at(800)), None);
    }

    #[test]
    fn percentiles_are_values_that_were_there() {
        let hundred: Vec<Duration> = (1..=100).map(|ms| MS * ms).collect();
        assert_eq!(percentile(&hundred, 0.5), Some(MS * 50));
        assert_eq!(percentile(&hundred, 0.99), Some(MS * 99));
        assert_eq!(percentile(&hundred[..1], 0.99), Some(MS));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
