//! M/M/n with classes of non-preemptive priority: A. Cobham, "Priority Assignment in Waiting Line Problems",
//! Operations Research 2 (1954), for equal service times of all classes.

/// Erlang C: the probability that an arrival finds all servers busy, for the offered load in erlangs. It is the same
/// for every class, since who is served next changes nothing of how many are busy.
pub fn wait_probability(offered: f64, servers: u32) -> f64 {
    let blocked =
        (1..=servers).fold(1.0, |blocked, n| offered * blocked / (f64::from(n) + offered * blocked));
    let occupancy = offered / f64::from(servers);
    blocked / (1.0 - occupancy * (1.0 - blocked))
}

/// Mean wait of each class, seconds, in order of priority, over all its arrivals: with σ_k the occupancy by the first
/// k classes, W_k = C ÷ (n μ (1 − σ_{k−1}) (1 − σ_k)).
pub fn mean_waits(rates: &[f64], service_s: f64, servers: u32) -> Vec<f64> {
    let offered: f64 = rates.iter().sum::<f64>() * service_s;
    let first = wait_probability(offered, servers) * service_s / f64::from(servers);
    let mut before = 0.0;
    let wait = |rate: &f64| {
        let with = before + rate * service_s / f64::from(servers);
        let wait = first / ((1.0 - before) * (1.0 - with));
        before = with;
        wait
    };
    rates.iter().map(wait).collect()
}

/// Two servers and one class: C = 1 ÷ 3 at one erlang, and the wait is C ÷ (n μ − λ).
#[test]
fn one_class_is_erlang_c() {
    assert!((wait_probability(1.0, 2) - 1.0 / 3.0).abs() < 1e-12);
    assert!((mean_waits(&[1.0], 1.0, 2)[0] - 1.0 / 3.0).abs() < 1e-12);
}

/// Work is conserved: the waits of classes of equal service, by their rates, are those of one line.
#[test]
fn priorities_move_waits_and_make_none() {
    let rates = [0.3, 0.5, 0.9];
    let waits = mean_waits(&rates, 1.0, 2);
    let mean = rates.iter().zip(&waits).map(|(rate, wait)| rate * wait).sum::<f64>() / 1.7;
    assert!((mean - mean_waits(&[1.7], 1.0, 2)[0]).abs() < 1e-12);
}
