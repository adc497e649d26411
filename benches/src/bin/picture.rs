//! What a picture of a domain costs: how long the shard is held for the copy, against how long it would
//! be held if all were read under the hold, and what reading from the copy takes.

use benches::world::{DOMAIN, Plan, World};
use clap::Parser;
use routing::Shard;
use std::time::{Duration, Instant};

/// Entries of a page.
const PAGE: usize = 256;

/// Prints what a picture of a domain costs.
#[derive(Debug, Parser)]
#[command(name = "picture")]
struct Arguments {
    /// Agents, several sizes separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    agents: Vec<usize>,
    /// Queues; each agent belongs to 5.
    #[arg(long, default_value_t = 1_000)]
    queues: usize,
    /// Conversations that wait.
    #[arg(long, default_value_t = 200_000)]
    waiting: usize,
    /// Times each is measured; the median is printed, and of copies the first.
    #[arg(long, default_value_t = 9)]
    times: usize,
}

fn main() {
    let arguments = Arguments::parse();
    println!(
        "agents, conversations: held for a copy; held for all views at once; read in pages; slowest page"
    );
    for agents in &arguments.agents {
        let (queues, waiting) = (arguments.queues, arguments.waiting);
        let plan = Plan::ordinary(*agents, queues, waiting);
        let mut world = World::new(plan);
        world.add_agents();
        world.add_waiting();
        let shard = &mut world.shard;
        let mut figures: Vec<[Duration; 4]> = (0..arguments.times).map(|_| measure(shard)).collect();
        let median = |at: usize, figures: &mut Vec<[Duration; 4]>| {
            figures.sort_unstable_by_key(|one| one[at]);
            figures[figures.len() / 2][at]
        };
        // The first: later ones find the pages shared already.
        let copy = figures[0][0];
        let [views, pages, page] = [1, 2, 3].map(|at| median(at, &mut figures));
        println!("{agents}, {waiting}: {copy:.1?}; {views:.1?}; {pages:.1?}; {page:.1?}");
    }
}

fn measure(shard: &mut Shard) -> [Duration; 4] {
    let began = Instant::now();
    let copy = shard.picture(DOMAIN).expect("the domain");
    let copied = began.elapsed();
    let began = Instant::now();
    let views = shard.view(DOMAIN);
    let viewed = began.elapsed();
    drop(views);
    let (mut read, mut slowest) = (Duration::ZERO, Duration::ZERO);
    let mut timed = |more: &mut dyn FnMut() -> bool| {
        loop {
            let began = Instant::now();
            let goes_on = more();
            let took = began.elapsed();
            read += took;
            slowest = slowest.max(took);
            if !goes_on {
                return;
            }
        }
    };
    let mut agent = None;
    timed(&mut || {
        let page = copy.agents(agent, PAGE);
        agent = page.last().map(|one| one.id);
        page.len() == PAGE
    });
    let mut conversation = None;
    timed(&mut || {
        let page = copy.conversations(conversation, PAGE);
        conversation = page.last().map(|one| one.id);
        page.len() == PAGE
    });
    [copied, viewed, read, slowest]
}
