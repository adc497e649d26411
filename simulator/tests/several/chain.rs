//! Two kinds of calls and two groups of agents as a continuous-time Markov chain, solved numerically.
//!
//! Plain calls may be taken by both groups, skilled ones by the skilled group alone. A plain call goes to the plain
//! group while somebody is free there; whoever of the skilled group becomes free takes skilled calls first. Arrivals are
//! Poisson, contacts exponential with one mean. So a state is: how many of each group are busy, how many calls of each kind
//! wait; plain calls wait only while all agents are busy, skilled ones only while the skilled group is.

use std::collections::BTreeMap;

/// Calls of a kind that wait at most; far beyond what the rates here reach.
const LINE_MAX: u32 = 150;
/// Probability, in all, that one round may still move.
const CLOSE: f64 = 1e-11;
/// Rounds before it is given up.
const ROUNDS_MAX: u32 = 60_000;

/// The system.
#[derive(Debug, Clone, Copy)]
pub struct Overflow {
    pub plain_rate: f64,
    pub skilled_rate: f64,
    pub service_s: f64,
    pub plain_agents: u32,
    pub skilled_agents: u32,
}

/// What is known of a kind of calls.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub wait_mean_s: f64,
    pub wait_probability: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    plain_busy: u32,
    skilled_busy: u32,
    plain_waits: u32,
    skilled_waits: u32,
}

impl Overflow {
    /// Plain and skilled calls.
    pub fn solve(self) -> [Known; 2] {
        let share = self.stationary();
        let sum =
            |of: &dyn Fn(&State) -> f64| share.iter().map(|(state, share)| of(state) * share).sum::<f64>();
        // Poisson arrivals see time averages; Little's law gives waits.
        let all_busy = |state: &State| {
            state.plain_busy == self.plain_agents && state.skilled_busy == self.skilled_agents
        };
        let plain = Known {
            wait_mean_s: sum(&|state| f64::from(state.plain_waits)) / self.plain_rate,
            wait_probability: sum(&|state| f64::from(all_busy(state))),
        };
        let skilled = Known {
            wait_mean_s: sum(&|state| f64::from(state.skilled_waits)) / self.skilled_rate,
            wait_probability: sum(&|state| f64::from(state.skilled_busy == self.skilled_agents)),
        };
        [plain, skilled]
    }

    /// What follows a state, with rates.
    fn moves(self, at: State) -> Vec<(State, f64)> {
        let (plain_full, skilled_full) =
            (at.plain_busy == self.plain_agents, at.skilled_busy == self.skilled_agents);
        let plain_call = match (plain_full, skilled_full) {
            (false, _) => State { plain_busy: at.plain_busy + 1, ..at },
            (true, false) => State { skilled_busy: at.skilled_busy + 1, ..at },
            (true, true) => State { plain_waits: (at.plain_waits + 1).min(LINE_MAX), ..at },
        };
        let skilled_call = if skilled_full {
            State { skilled_waits: (at.skilled_waits + 1).min(LINE_MAX), ..at }
        } else {
            State { skilled_busy: at.skilled_busy + 1, ..at }
        };
        let plain_ends = match at.plain_waits {
            0 => State { plain_busy: at.plain_busy.saturating_sub(1), ..at },
            waits => State { plain_waits: waits - 1, ..at },
        };
        let skilled_ends = match (at.skilled_waits, at.plain_waits) {
            (0, 0) => State { skilled_busy: at.skilled_busy.saturating_sub(1), ..at },
            (0, waits) => State { plain_waits: waits - 1, ..at },
            (waits, _) => State { skilled_waits: waits - 1, ..at },
        };
        let each = 1.0 / self.service_s;
        let moves = vec![
            (plain_call, self.plain_rate),
            (skilled_call, self.skilled_rate),
            (plain_ends, f64::from(at.plain_busy) * each),
            (skilled_ends, f64::from(at.skilled_busy) * each),
        ];
        moves.into_iter().filter(|(to, rate)| *rate > 0.0 && *to != at).collect()
    }

    /// The stationary distribution: Gauss–Seidel on the balance of each state.
    fn stationary(self) -> BTreeMap<State, f64> {
        let empty = State { plain_busy: 0, skilled_busy: 0, plain_waits: 0, skilled_waits: 0 };
        let mut index = BTreeMap::from([(empty, 0_usize)]);
        let mut states = vec![empty];
        let mut into: Vec<Vec<(usize, f64)>> = vec![Vec::new()];
        let mut out = Vec::new();
        while let Some(at) = states.get(out.len()).copied() {
            let from = out.len();
            let moves = self.moves(at);
            out.push(moves.iter().map(|(_, rate)| rate).sum::<f64>());
            for (to, rate) in moves {
                let to = *index.entry(to).or_insert_with(|| {
                    states.push(to);
                    into.push(Vec::new());
                    states.len() - 1
                });
                into[to].push((from, rate));
            }
        }
        let mut share = vec![1.0 / states.len() as f64; states.len()];
        for _ in 0..ROUNDS_MAX {
            let mut moved = 0.0;
            for at in 0..states.len() {
                let balanced = into[at].iter().map(|(from, rate)| share[*from] * rate).sum::<f64>() / out[at];
                moved += (balanced - share[at]).abs();
                share[at] = balanced;
            }
            let whole: f64 = share.iter().sum();
            share.iter_mut().for_each(|share| *share /= whole);
            if moved < CLOSE {
                return states.into_iter().zip(share).collect();
            }
        }
        panic!("no stationary distribution after {ROUNDS_MAX} rounds");
    }
}

/// Without plain calls the skilled group is M/M/n.
#[test]
fn the_skilled_alone_are_erlang_c() {
    let alone =
        Overflow { plain_rate: 1e-12, skilled_rate: 1.0, service_s: 1.0, plain_agents: 1, skilled_agents: 2 };
    let [_, skilled] = alone.solve();
    assert!((skilled.wait_probability - 1.0 / 3.0).abs() < 1e-6, "{skilled:?}");
    assert!((skilled.wait_mean_s - 1.0 / 3.0).abs() < 1e-6, "{skilled:?}");
}

/// Without skilled calls both groups are one.
#[test]
fn the_plain_alone_have_both_groups() {
    let alone =
        Overflow { plain_rate: 1.0, skilled_rate: 1e-12, service_s: 1.0, plain_agents: 1, skilled_agents: 1 };
    let [plain, _] = alone.solve();
    assert!((plain.wait_probability - 1.0 / 3.0).abs() < 1e-6, "{plain:?}");
    assert!((plain.wait_mean_s - 1.0 / 3.0).abs() < 1e-6, "{plain:?}");
}
