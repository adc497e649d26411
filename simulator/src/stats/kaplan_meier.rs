//! Patience from a log in which served callers only show that they would have waited longer.

use rand::{Rng, RngExt};

/// The product-limit estimate of survival: how likely patience exceeds a time.
///
/// Beyond the last observed hang-up, where the estimate is silent, patience goes on with the
/// constant hazard of the whole log: hang-ups per second waited. That tail is exponential, so it
/// is always finite; without a single hang-up after some wait, patience has no end at all.
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    /// (time, survival just after it), times ascending, survival descending.
    steps: Vec<(f64, f64)>,
    tail_per_s: f64,
}

impl KaplanMeier {
    /// Fits observations (seconds waited, whether the caller hung up then). Who was served at the
    /// very time of a hang-up counts as at risk there.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn fit(observations: impl IntoIterator<Item = (f64, bool)>) -> Self {
        let mut observed: Vec<(f64, bool)> = observations.into_iter().collect();
        observed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let exposure: f64 = observed.iter().map(|(time, _)| time).sum();
        let after_a_wait = observed.iter().filter(|(time, hung)| *hung && *time > 0.0).count();

        let mut steps = Vec::new();
        let mut survival = 1.0;
        let mut at_risk = observed.len();
        for group in observed.chunk_by(|a, b| a.0 == b.0) {
            let hung = group.iter().filter(|(_, hung)| *hung).count();
            if hung > 0 {
                survival *= 1.0 - hung as f64 / at_risk as f64;
                steps.push((group[0].0, survival));
            }
            at_risk -= group.len();
        }
        let tail_per_s = if after_a_wait > 0 { after_a_wait as f64 / exposure } else { 0.0 };
        Self { steps, tail_per_s }
    }

    /// Probability that patience exceeds `time` seconds.
    #[must_use]
    pub fn survival(&self, time: f64) -> f64 {
        let index = self.steps.partition_point(|(step, _)| *step <= time);
        let Some(&(_, survival)) = index.checked_sub(1).and_then(|index| self.steps.get(index)) else {
            return 1.0;
        };
        match self.steps.last() {
            Some(&(last, _)) if time > last => survival * (-(time - last) * self.tail_per_s).exp(),
            _ => survival,
        }
    }

    /// Draws patience in seconds, given that it exceeds `waited`; `None` never ends.
    pub fn draw_beyond(&self, waited: f64, rng: &mut impl Rng) -> Option<f64> {
        // 1 − u lies in (0, 1], so the level is reached strictly below the survival at `waited`.
        let level = self.survival(waited) * (1.0 - rng.random::<f64>());
        let first = self.steps.partition_point(|(step, _)| *step <= waited);
        let reached = self.steps[first..].partition_point(|(_, survival)| *survival >= level);
        if let Some(&(step, _)) = self.steps[first..].get(reached) {
            return Some(step);
        }
        if self.tail_per_s == 0.0 {
            return None;
        }
        let (last, at_last) = self.steps.last().copied().unwrap_or((0.0, 1.0));
        let (from, at_from) = if waited > last { (waited, self.survival(waited)) } else { (last, at_last) };
        Some(from + (at_from / level).ln() / self.tail_per_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Seven callers: hung up at 2, 4, 4 and 9; served after 4, 5 and 12. By hand:
    /// S(2) = 6/7; S(4) = 6/7 · 4/6 = 4/7 (the one served at 4 is at risk); S(9) = 4/7 · 1/2 = 2/7.
    fn by_hand() -> KaplanMeier {
        let observed =
            [(4.0, true), (2.0, true), (4.0, false), (5.0, false), (9.0, true), (12.0, false), (4.0, true)];
        KaplanMeier::fit(observed)
    }

    #[test]
    fn survival_agrees_with_the_hand_example() {
        let fit = by_hand();
        for (time, survival) in [
            (0.0, 1.0),
            (1.9, 1.0),
            (2.0, 6.0 / 7.0),
            (3.9, 6.0 / 7.0),
            (4.0, 4.0 / 7.0),
            (8.0, 4.0 / 7.0),
            (9.0, 2.0 / 7.0),
        ] {
            assert!((fit.survival(time) - survival).abs() < 1e-12, "S({time}) = {}", fit.survival(time));
        }
        // The tail: 4 hang-ups in 40 s waited is a tenth per second.
        assert!((fit.survival(19.0) - 2.0 / 7.0 * (-1.0f64).exp()).abs() < 1e-12);
    }

    #[test]
    fn draws_exceed_what_was_waited_and_follow_the_fit() {
        let fit = by_hand();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for waited in [0.0, 2.0, 4.0, 8.9, 9.0, 30.0] {
            let draws: Vec<f64> = (0..20_000).filter_map(|_| fit.draw_beyond(waited, &mut rng)).collect();
            assert_eq!(draws.len(), 20_000);
            assert!(draws.iter().all(|draw| *draw > waited));
            for time in [3.0, 4.0, 9.0, 15.0, 40.0] {
                if time > waited {
                    let share = draws.iter().filter(|draw| **draw > time).count() as f64 / 20_000.0;
                    let exact = fit.survival(time) / fit.survival(waited);
                    assert!(
                        (share - exact).abs() < 0.015,
                        "beyond {waited}: {share} at {time}, fit says {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn nobody_hangs_up_without_an_example() {
        let fit = KaplanMeier::fit([(3.0, false), (0.0, true)]);
        assert_eq!(fit.draw_beyond(0.0, &mut ChaCha8Rng::seed_from_u64(1)), None);
    }
}
