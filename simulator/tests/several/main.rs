//! `day` with several queues against exact results: classes of priority (Cobham), and two skills whose groups of agents
//! help each other (a Markov chain, solved here).
//!
//! Profiles say what is run; the calls go through the real core. Every figure of a case must lie in its interval, with
//! 99 % for all of them together (Bonferroni), from five fixed seeds.

mod chain;
mod cobham;

use routing::Span;
use simulator::day::{Options, run};
use simulator::report::{Batch, QueueFigures, Tally, queue_figures};
use simulator::workload::{Profile, Workload};

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
const CONFIDENCE: f64 = 0.99;
const BATCHES: usize = 40;
/// What does not count of a run that begins empty.
const WARM_UP: Span = Span::seconds(20 * 3_600);

/// What is exact of a queue.
#[derive(Debug, Clone, Copy)]
struct Exact {
    queue: &'static str,
    wait_mean_s: f64,
    wait_probability: f64,
}

fn workload(profile: &str, seed: u64) -> Workload {
    Profile::parse(profile).unwrap().day(seed)
}

/// The figures of each queue over all seeds. `confidence` is that of one interval.
fn simulate(profile: &str, confidence: f64) -> Vec<QueueFigures> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut names = Vec::new();
    for seed in SEEDS {
        let workload = workload(profile, seed);
        let mut tally = Tally::new(&workload, WARM_UP, Span::seconds(20), BATCHES);
        let mut record = |call| tally.add(&call);
        let calls = workload.calls.iter().copied();
        let options = Options { drain: true, ..Options::default() };
        let ran = run(&workload, calls, options, &mut record, &mut |_| {}).unwrap();
        assert_eq!((ran.broken, ran.seen), (0, vec![]));
        batches.extend(tally.into_batches());
        names = workload.queues.iter().map(|queue| queue.name.clone()).collect();
    }
    queue_figures(names.iter().map(String::as_str), &batches, confidence)
}

/// Figures outside their intervals, in words. All are printed.
fn disagreements(profile: &str, exact: &[Exact]) -> Vec<String> {
    let confidence = 1.0 - (1.0 - CONFIDENCE) / (2.0 * exact.len() as f64);
    let figures = simulate(profile, confidence);
    assert_eq!(figures.len(), exact.len());
    let mut wrong = Vec::new();
    for (figures, exact) in figures.iter().zip(exact) {
        assert_eq!(figures.queue, exact.queue);
        let of = [
            ("wait_mean_s", figures.wait_mean_s, exact.wait_mean_s),
            ("wait_probability", figures.wait_probability, exact.wait_probability),
        ];
        for (name, value, exact) in of {
            let interval = figures.intervals[&format!("{name}_ci")];
            let line = format!(
                "{} {name}: exact {exact:.4}, simulated {value:.4}, {:.4} to {:.4}, {} calls",
                figures.queue, interval.low, interval.high, figures.arrivals
            );
            println!("{line}");
            if !(interval.low..=interval.high).contains(&exact) {
                wrong.push(line);
            }
        }
    }
    wrong
}

/// Three classes share twelve agents; each is a queue, served in the order of priority.
fn classes() -> String {
    let rates = "[200.0, ".to_owned() + &"200.0, ".repeat(399) + "]";
    let class = |name: &str, share: f64, priority: u8| {
        format!(
            "[[types]]\nname = \"{name}\"\nshare = {share}\nservice_mean_s = 180.0\n\
             priorities = [{{ priority = {priority}, share = 1.0 }}]\n"
        )
    };
    let types = [class("gold", 0.2, 9), class("silver", 0.3, 5), class("plain", 0.5, 0)].concat();
    format!(
        "name = \"classes\"\nlength_h = 400.0\narrivals_per_h = {rates}\npatience = {{ leave_at_once = 0.0 }}\n{types}\
         [[staff]]\ncount = 12\ntypes = [\"gold\", \"silver\", \"plain\"]\nshifts = [{{ from_h = 0.0, to_h = 720.0 }}]\n"
    )
}

#[test]
fn classes_of_priority_wait_as_cobham_says() {
    let per_s = 200.0 / 3_600.0;
    let rates = [0.2, 0.3, 0.5].map(|share| share * per_s);
    let waits = cobham::mean_waits(&rates, 180.0, 12);
    let wait_probability = cobham::wait_probability(per_s * 180.0, 12);
    let exact: Vec<Exact> = ["gold", "silver", "plain"]
        .into_iter()
        .zip(waits)
        .map(|(queue, wait_mean_s)| Exact { queue, wait_mean_s, wait_probability })
        .collect();
    // Far from first come, first served, under which all would wait alike.
    assert!(exact[2].wait_mean_s > 5.0 * exact[0].wait_mean_s);
    let wrong = disagreements(&classes(), &exact);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // And the comparison can fail: with two classes confused it does.
    let confused = classes().replacen("priority = 5", "priority = 0", 1);
    assert!(!disagreements(&confused, &exact).is_empty());
}

/// Spanish callers ask for Spanish, the others for English; some agents speak both.
fn languages(pick: &str) -> String {
    let rates = "[110.0, ".to_owned() + &"110.0, ".repeat(399) + "]";
    let kind = |name: &str, share: f64, skill: &str, priority: u8| {
        format!(
            "[[types]]\nname = \"{name}\"\nshare = {share}\nservice_mean_s = 120.0\npick = \"{pick}\"\n\
             required = {{ {skill} = 1 }}\npriorities = [{{ priority = {priority}, share = 1.0 }}]\n"
        )
    };
    let staff = |count: u32, skills: &str| {
        format!(
            "[[staff]]\ncount = {count}\ntypes = [\"english\", \"spanish\"]\nskills = {{ {skills} }}\n\
             shifts = [{{ from_h = 0.0, to_h = 720.0 }}]\n"
        )
    };
    let types = [kind("english", 0.6, "en", 0), kind("spanish", 0.4, "es", 1)].concat();
    let staff = [staff(2, "en = 1"), staff(3, "en = 1, es = 1")].concat();
    format!(
        "name = \"languages\"\nlength_h = 400.0\narrivals_per_h = {rates}\npatience = {{ leave_at_once = 0.0 }}\n\
         {types}{staff}"
    )
}

#[test]
fn two_skills_with_overflow_between_groups_wait_as_the_chain_says() {
    let per_s = 110.0 / 3_600.0;
    let chain = chain::Overflow {
        plain_rate: 0.6 * per_s,
        skilled_rate: 0.4 * per_s,
        service_s: 120.0,
        plain_agents: 2,
        skilled_agents: 3,
    };
    let [plain, skilled] = chain.solve();
    let exact = [
        Exact { queue: "english", wait_mean_s: plain.wait_mean_s, wait_probability: plain.wait_probability },
        Exact {
            queue: "spanish",
            wait_mean_s: skilled.wait_mean_s,
            wait_probability: skilled.wait_probability,
        },
    ];
    let wrong = disagreements(&languages("least_flexible"), &exact);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Who speaks both is not kept free by the longest idle: Spanish callers wait longer.
    let wrong = disagreements(&languages("longest_idle"), &exact);
    assert!(wrong.iter().any(|line| line.starts_with("spanish")), "{wrong:#?}");
}
