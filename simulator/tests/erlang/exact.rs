//! The exact formulas of M/M/n (Erlang C) and M/M/n+M (Erlang A).

use simulator::stats::incomplete_beta;

/// A queue and how long it must be simulated.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub lambda_per_s: f64,
    pub aht_s: f64,
    /// `None`: nobody hangs up.
    pub patience_s: Option<f64>,
    pub servers: u32,
    pub threshold_s: f64,
    /// Millions of calls, over all seeds, that bring every interval of the long run below 2 %.
    pub long_millions: f64,
}

/// What the formulas say; names are keys of the report.
#[derive(Debug, Clone, Copy)]
pub struct Exact {
    pub wait_probability: f64,
    pub abandoned_share: Option<f64>,
    pub wait_mean_s: f64,
    pub service_level: f64,
    pub occupancy: f64,
}

impl Exact {
    /// Every figure by its key.
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        let mut figures = vec![
            ("wait_probability", self.wait_probability),
            ("wait_mean_s", self.wait_mean_s),
            ("service_level", self.service_level),
            ("occupancy", self.occupancy),
        ];
        if let Some(share) = self.abandoned_share {
            figures.push(("abandoned_share", share));
        }
        figures
    }
}

pub fn exact(row: &Row) -> Exact {
    match row.patience_s {
        None => erlang_c(row),
        Some(patience_s) => erlang_a(row, patience_s),
    }
}

fn erlang_c(row: &Row) -> Exact {
    let servers = f64::from(row.servers);
    let offered = row.lambda_per_s * row.aht_s;
    // Erlang B by its recursion, then C from B.
    let blocked =
        (1..=row.servers).fold(1.0, |blocked, n| offered * blocked / (f64::from(n) + offered * blocked));
    let occupancy = offered / servers;
    let waits = blocked / (1.0 - occupancy * (1.0 - blocked));
    let spare = servers - offered;
    Exact {
        wait_probability: waits,
        abandoned_share: None,
        wait_mean_s: waits * row.aht_s / spare,
        service_level: 1.0 - waits * (-spare * row.threshold_s / row.aht_s).exp(),
        occupancy,
    }
}

/// The chain of the number in the system. A caller who finds `k` waiting ahead is reached after
/// stages of rates nμ, nμ+θ … nμ+kθ, unless patience ends first; with e^(−θt) taken into the
/// rates, the time is −ln(Beta(nμ/θ + 1, k + 1)) / θ.
fn erlang_a(row: &Row, patience_s: f64) -> Exact {
    let servers = f64::from(row.servers);
    let (service, leave) = (1.0 / row.aht_s, 1.0 / patience_s);
    let mut weight = 1.0;
    let mut all = 1.0;
    let mut busy = 0.0;
    for n in 1..row.servers {
        weight *= row.lambda_per_s / (f64::from(n) * service);
        all += weight;
        busy += weight * f64::from(n);
    }
    let (mut delayed, mut queue, mut late_served) = (0.0, 0.0, 0.0);
    let mut reached = 1.0;
    for k in 0..100_000_u32 {
        let waiting = f64::from(k);
        weight *= row.lambda_per_s / (servers * service + waiting * leave);
        all += weight;
        busy += weight * servers;
        delayed += weight;
        queue += weight * waiting;
        let rate = servers * service + waiting * leave;
        reached *= rate / (rate + leave);
        let in_time = 1.0
            - incomplete_beta(
                (-leave * row.threshold_s).exp(),
                servers * service / leave + 1.0,
                waiting + 1.0,
            );
        late_served += weight * reached * in_time;
        if weight < all * 1e-18 && k > 10 {
            break;
        }
    }
    let mean_queue = queue / all;
    Exact {
        wait_probability: delayed / all,
        abandoned_share: Some(leave * mean_queue / row.lambda_per_s),
        wait_mean_s: mean_queue / row.lambda_per_s,
        service_level: 1.0 - delayed / all + late_served / all,
        occupancy: busy / all / servers,
    }
}
