//! What came out.

use crate::behind::Behind;
use crate::cli::Setting;
use crate::crossing::Crossing;
use crate::gaps::percentile;
use crate::members::Joined;
use crate::probe::Probe;
use crate::verdict::{Crossed, Lost};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// One node's disturbance.
#[derive(Debug)]
pub struct Disturbance {
    /// Which node.
    pub node: u64,
    /// Groups it led.
    pub shards_led: usize,
    /// The longest time without an offer, of each probed domain that it led.
    pub led_there: Vec<Duration>,
    /// Of each other probed domain.
    pub elsewhere: Vec<Duration>,
    /// Of every probed domain, just before: what the machine does to them without any disturbance.
    pub before: Vec<Duration>,
}

/// The figures of an experiment.
#[derive(Debug)]
pub struct Report {
    nodes: u64,
    shards: u32,
    domains: usize,
    probed: usize,
    disturbances: Vec<Disturbance>,
    offers: usize,
    acknowledged: usize,
    events: u64,
    lost: Vec<String>,
    failed: BTreeMap<String, u64>,
    skipped: u64,
    connects: u64,
    behind: Option<Behind>,
    joined: Option<Joined>,
    crossed: Option<Crossed>,
    moved: Vec<Duration>,
}

fn ms(duration: Option<Duration>) -> f64 {
    duration.map_or(f64::NAN, |duration| (duration.as_secs_f64() * 1e4).round() / 10.0)
}

impl Report {
    /// Of these disturbances; domains are added.
    pub fn new(setting: &Setting, disturbances: Vec<Disturbance>) -> Self {
        Self {
            nodes: setting.nodes,
            shards: setting.shards,
            domains: setting.domains,
            probed: setting.probed,
            disturbances,
            offers: 0,
            acknowledged: 0,
            events: 0,
            lost: Vec::new(),
            failed: BTreeMap::new(),
            skipped: 0,
            connects: 0,
            behind: None,
            joined: None,
            crossed: None,
            moved: Vec::new(),
        }
    }

    /// Notes how a node that was away caught up, if one was.
    pub fn behind(&mut self, behind: Option<Behind>) {
        self.behind = behind;
    }

    /// Notes what became of a node that joined, if one did.
    pub fn joined(&mut self, joined: Option<Joined>) {
        self.joined = joined;
    }

    /// Notes how long moves of domains took, from the word to the end, shortest first.
    pub fn moved(&mut self, mut moved: Vec<Duration>) {
        moved.sort();
        self.moved = moved;
    }

    /// Adds what went between domains.
    pub fn crossed(&mut self, crossing: &Crossing, crossed: Crossed) {
        let seen = crossing.seen();
        self.skipped += seen.skipped;
        for why in &seen.failed {
            *self.failed.entry(why.clone()).or_default() += 1;
        }
        self.crossed = Some(crossed);
    }

    /// Adds a domain.
    pub fn add(&mut self, probe: &Probe, lost: &Lost) {
        let seen = probe.seen();
        self.offers += seen.offers.len();
        self.acknowledged += seen.acknowledged.len();
        self.skipped += seen.skipped;
        self.connects += seen.connects;
        self.events += lost.events;
        self.lost.extend(lost.conversations.iter().cloned());
        for why in &seen.failed {
            *self.failed.entry(why.clone()).or_default() += 1;
        }
    }

    fn sorted(&self, of: impl Fn(&Disturbance) -> &[Duration]) -> Vec<Duration> {
        let mut all: Vec<Duration> =
            self.disturbances.iter().flat_map(|one| of(one).iter().copied()).collect();
        all.sort();
        all
    }

    /// Nothing lost, no call failed, gaps in their bounds, and something was measured at all.
    pub fn is_good(&self, setting: &Setting) -> bool {
        let led = self.sorted(|one| &one.led_there);
        let within =
            |share: f64, most: Option<f64>| most.is_none_or(|most| ms(percentile(&led, share)) <= most);
        self.lost.is_empty()
            && self.failed.is_empty()
            && (!led.is_empty() || self.behind.is_some())
            && self.offers > 0
            && self.crossed.as_ref().is_none_or(|crossed| crossed.wrong.is_empty() && crossed.moved > 0)
            && self.behind.as_ref().is_none_or(|behind| behind.by_snapshot)
            && within(0.5, setting.p50_max_ms)
            && within(0.99, setting.p99_max_ms)
    }

    /// For machines; times in milliseconds.
    pub fn json(&self) -> Value {
        let times = |sorted: &[Duration]| {
            json!({
                "count": sorted.len(),
                "p50_ms": ms(percentile(sorted, 0.5)),
                "p90_ms": ms(percentile(sorted, 0.9)),
                "p99_ms": ms(percentile(sorted, 0.99)),
                "max_ms": ms(sorted.last().copied()),
            })
        };
        json!({
            "nodes": self.nodes,
            "shards": self.shards,
            "domains": self.domains,
            "probed": self.probed,
            "disturbances": self.disturbances.iter().map(|one| {
                json!({
                    "node": one.node,
                    "groups_led": one.shards_led,
                    "longest_led_there_ms": ms(one.led_there.iter().max().copied()),
                    "longest_elsewhere_ms": ms(one.elsewhere.iter().max().copied()),
                })
            }).collect::<Vec<_>>(),
            "without_offers_led_there": times(&self.sorted(|one| &one.led_there)),
            "without_offers_elsewhere": times(&self.sorted(|one| &one.elsewhere)),
            "without_offers_before": times(&self.sorted(|one| &one.before)),
            "offers": self.offers,
            "acknowledged": self.acknowledged,
            "events": self.events,
            "lost": self.lost,
            "failed_calls": self.failed,
            "callers_skipped": self.skipped,
            "desk_connects": self.connects,
            "behind": self.behind.as_ref().map(|behind| json!({
                "shard": behind.shard,
                "entries": behind.entries,
                "caught_up_ms": ms(Some(behind.caught_up)),
                "by_snapshot": behind.by_snapshot,
            })),
            "moves": times(&self.moved),
            "crossed": self.crossed.as_ref().map(|crossed| json!({
                "travellers": crossed.travellers,
                "moved": crossed.moved,
                "left": crossed.left,
                "wrong": crossed.wrong.len(),
            })),
            "joined": self.joined.as_ref().map(|joined| json!({
                "node": joined.node,
                "took_ms": ms(Some(joined.took)),
                "votes_in": joined.votes_in,
                "leads": joined.leads,
                "instead_of": joined.instead_of.map(|(node, _)| node),
                "gone_ms": joined.instead_of.map(|(_, gone)| ms(Some(gone))),
            })),
        })
    }

    /// For people.
    pub fn print(&self) {
        println!(
            "{} nodes, {} shards, {} domains, {} of them probed: {} disturbances, {} offers seen\n",
            self.nodes,
            self.shards,
            self.domains,
            self.probed,
            self.disturbances.len(),
            self.offers
        );
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["time without offers, ms", "domains", "p50", "p90", "p99", "max"]);
        let led = self.sorted(|one| &one.led_there);
        let elsewhere = self.sorted(|one| &one.elsewhere);
        let before = self.sorted(|one| &one.before);
        let (here, there) = match self.moved.is_empty() {
            true => ("led by the node", "led elsewhere"),
            false => ("moved", "not moved"),
        };
        for (name, sorted) in [(here, &led), (there, &elsewhere), ("undisturbed, before", &before)] {
            let at = |share| format!("{:.0}", ms(percentile(sorted, share)));
            let row = [name.to_owned(), sorted.len().to_string(), at(0.5), at(0.9), at(0.99), at(1.0)];
            table.add_row(row);
        }
        println!("{table}\n");
        println!(
            "{} conversations acknowledged, {} lost; {} events in the record; {} calls failed after retries; \
             desks connected {} times; {} callers did not come",
            self.acknowledged,
            self.lost.len(),
            self.events,
            self.failed.values().sum::<u64>(),
            self.connects,
            self.skipped
        );
        if let Some(Behind { shard, entries, caught_up, by_snapshot }) = &self.behind {
            let how = if *by_snapshot {
                "by a snapshot"
            } else {
                "entry by entry: no snapshot was needed, ask for more entries"
            };
            println!(
                "the node lacked {entries} entries of shard {shard} and had everything {:.1} s after its start, {how}",
                caught_up.as_secs_f64()
            );
        }
        if let Some(Joined { node, took, votes_in, leads, instead_of }) = &self.joined {
            if let Some((dead, gone)) = instead_of {
                println!("node {dead} was gone from every group after {:.1} s", gone.as_secs_f64());
            }
            println!(
                "node {node} had its share {:.1} s after its start: it votes in {votes_in} groups and leads {leads}",
                took.as_secs_f64()
            );
        }
        if !self.moved.is_empty() {
            println!(
                "{} domains moved, each within {:.0} ms at the median and {:.0} ms at most",
                self.moved.len(),
                ms(percentile(&self.moved, 0.5)),
                ms(self.moved.last().copied())
            );
        }
        if let Some(Crossed { travellers, moved, left, wrong }) = &self.crossed {
            println!(
                "{travellers} conversations set out for another domain: {moved} are there, {} are where they were; {left} \
                 customers left; {} are in none, in two, or otherwise wrong",
                travellers.saturating_sub(*moved),
                wrong.len()
            );
            for (conversation, wrong) in wrong.iter().take(20) {
                println!("WRONG {conversation}: {wrong:?}");
            }
        }
        for (why, times) in &self.failed {
            println!("FAILED {times} × {why}");
        }
        for conversation in self.lost.iter().take(20) {
            println!("LOST {conversation}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::ledger::Wrong;
    use clap::Parser;

    /// The verdict of a run whose report is changed so, with a bound of 800 ms at the median.
    fn good(change: impl FnOnce(&mut Report)) -> bool {
        let bounded = ["centralita-chaos", "rolling", "--p50-max-ms", "800"];
        let setting = Cli::try_parse_from(bounded).expect("a command line").setting().clone();
        let led_there = [100, 700, 900].map(Duration::from_millis).to_vec();
        let one =
            Disturbance { node: 1, shards_led: 3, led_there, elsewhere: Vec::new(), before: Vec::new() };
        let mut report = Report::new(&setting, vec![one]);
        report.offers = 1;
        change(&mut report);
        report.is_good(&setting)
    }

    #[test]
    fn whatever_is_lost_failed_too_slow_or_not_measured_is_not_good() {
        assert!(good(|_| ()));
        assert!(!good(|report| report.lost.push("conv_1_1".to_owned())));
        assert!(!good(|report| *report.failed.entry("Unavailable".to_owned()).or_default() += 1));
        assert!(!good(|report| report.disturbances[0].led_there[1] = Duration::from_millis(801)));
        assert!(!good(|report| report.disturbances.clear()));
        assert!(!good(|report| report.offers = 0));
        let crossed = |moved, wrong| Some(Crossed { travellers: 9, moved, left: 3, wrong });
        assert!(good(|report| report.crossed = crossed(5, Vec::new())));
        assert!(!good(|report| report.crossed = crossed(5, vec![("conv_1_1".to_owned(), Wrong::Lost)])));
        assert!(!good(|report| report.crossed = crossed(0, Vec::new())), "none has moved: nothing was tried");
        let behind = |by_snapshot| {
            Some(Behind { shard: 1, entries: 9, caught_up: Duration::from_secs(1), by_snapshot })
        };
        assert!(good(|report| report.behind(behind(true))));
        assert!(!good(|report| report.behind(behind(false))));
    }
}
