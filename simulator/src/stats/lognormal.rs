//! Contact times: close to lognormal in every call centre measured.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// A lognormal distribution of seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lognormal {
    /// Mean of the logarithm.
    pub mu: f64,
    /// Standard deviation of the logarithm, not negative.
    pub sigma: f64,
}

impl Lognormal {
    /// Fits positive values by maximum likelihood; `None` when there is none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn fit(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let logs: Vec<f64> = values.into_iter().filter(|value| *value > 0.0).map(f64::ln).collect();
        if logs.is_empty() {
            return None;
        }
        let count = logs.len() as f64;
        let mu = logs.iter().sum::<f64>() / count;
        let sigma = (logs.iter().map(|log| (log - mu).powi(2)).sum::<f64>() / count).sqrt();
        Some(Self { mu, sigma })
    }

    /// The distribution with this mean and median, both positive, the mean not below the median.
    #[must_use]
    pub fn from_mean_and_median(mean: f64, median: f64) -> Self {
        Self { mu: median.ln(), sigma: (2.0 * (mean / median).ln()).max(0.0).sqrt() }
    }

    /// Its mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        (self.mu + self.sigma * self.sigma / 2.0).exp()
    }

    /// Draws one value.
    pub fn draw(&self, rng: &mut impl Rng) -> f64 {
        let normal: f64 = StandardNormal.sample(rng);
        (self.mu + self.sigma * normal).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn fit_finds_what_was_drawn() {
        let truth = Lognormal::from_mean_and_median(180.0, 110.0);
        assert!((truth.mean() - 180.0).abs() < 1e-9);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let fit = Lognormal::fit((0..50_000).map(|_| truth.draw(&mut rng))).unwrap();
        assert!((fit.mu - truth.mu).abs() < 0.02 && (fit.sigma - truth.sigma).abs() < 0.02, "{fit:?}");
        assert_eq!(Lognormal::fit([0.0]), None);
    }
}
