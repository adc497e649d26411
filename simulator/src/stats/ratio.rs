//! A ratio of sums over batches, with its confidence interval.

use super::student_t_quantile;
use crate::report::Interval;

/// An estimated ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The estimate: sum of numerators by sum of denominators.
    pub value: f64,
    /// Its interval; `None` with fewer than two batches.
    pub interval: Option<Interval>,
}

/// Estimates Σy / Σx from batches (y, x) that are taken to be independent, at a confidence such as
/// 0.99, with Student's t for the number of batches. A ratio estimator rather than a mean of
/// ratios, so that batches of unequal size weigh as much as they hold.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a number of batches")]
pub fn ratio(batches: &[(f64, f64)], confidence: f64) -> Ratio {
    let (sum_y, sum_x) = batches.iter().fold((0.0, 0.0), |(y, x), batch| (y + batch.0, x + batch.1));
    if sum_x == 0.0 {
        return Ratio { value: 0.0, interval: None };
    }
    let value = sum_y / sum_x;
    if batches.len() < 2 {
        return Ratio { value, interval: None };
    }
    let count = batches.len() as f64;
    let squares: f64 = batches.iter().map(|(y, x)| (y - value * x).powi(2)).sum();
    let error = (squares / (count * (count - 1.0))).sqrt() / (sum_x / count);
    let half = student_t_quantile(f64::midpoint(1.0, confidence), count - 1.0) * error;
    Ratio { value, interval: Some(Interval { low: value - half, high: value + half }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_batches_give_the_textbook_interval_of_a_mean() {
        // Mean 3, standard deviation of the mean sqrt(2.5 / 5); t(0.975, 4) = 2.776.
        let batches: Vec<(f64, f64)> = (1..=5).map(|y| (f64::from(y), 1.0)).collect();
        let estimate = ratio(&batches, 0.95);
        let interval = estimate.interval.unwrap();
        assert!((estimate.value - 3.0).abs() < 1e-12);
        assert!((interval.high - 3.0 - 2.776_445 * 0.5f64.sqrt()).abs() < 1e-4);
        assert!((interval.high + interval.low - 6.0).abs() < 1e-9);
    }

    #[test]
    fn one_batch_has_no_interval() {
        assert_eq!(ratio(&[(1.0, 2.0)], 0.95), Ratio { value: 0.5, interval: None });
        assert_eq!(ratio(&[], 0.95).value, 0.0);
    }
}
