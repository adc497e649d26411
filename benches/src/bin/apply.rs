//! Cost of one applied command, by size of the domain.

use benches::report::{Figures, Size, ratios, table};
use benches::traffic::Traffic;
use benches::world::{Plan, World};
use clap::Parser;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

/// Prints the cost of one applied command of a lifecycle: time, entries visited, memory.
#[derive(Debug, Parser)]
#[command(name = "apply")]
struct Arguments {
    /// Agents, several sizes separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    agents: Vec<usize>,
    /// Queues; each agent belongs to 5.
    #[arg(long, default_value_t = 1_000)]
    queues: usize,
    /// Conversations that wait.
    #[arg(long, default_value_t = 100_000)]
    waiting: usize,
    /// Commands measured per size.
    #[arg(long, default_value_t = 200_000)]
    commands: usize,
    /// Only this population: ordinary, hostile or skilled.
    #[arg(long)]
    only: Option<String>,
    /// On the hostile population: conversations per queue, from the head, that a fifth of its
    /// agents declined.
    #[arg(long, default_value_t = 20)]
    excluded_depth: usize,
    /// The feature level of the shard: below the last one, what that brings is not paid for.
    #[arg(long, default_value_t = routing::level::LATEST, value_parser = clap::value_parser!(u32).range(i64::from(routing::level::SKILLS)..=i64::from(routing::level::LATEST)))]
    level: u32,
    /// Prints JSON instead of tables.
    #[arg(long)]
    json: bool,
}

fn main() {
    let arguments = Arguments::parse();
    let mut sizes = Vec::new();
    for population in benches::report::POPULATIONS {
        if arguments.only.as_deref().is_some_and(|only| only != population) {
            continue;
        }
        for agents in &arguments.agents {
            eprintln!("{population}, {agents} agents ...");
            sizes.push(measure(&arguments, population, *agents));
        }
    }
    let ratios = ratios(&sizes);
    if arguments.json {
        let applied = benches::traffic::applied();
        let all = serde_json::json!({ "sizes": sizes, "ratios": ratios, "applied": applied });
        println!("{all:#}");
        return;
    }
    println!("{}", table(&sizes));
    for size in &sizes {
        println!(
            "{}, {} agents: {} bytes per agent, {} per waiting conversation",
            size.population, size.agents, size.bytes_per_agent, size.bytes_per_waiting
        );
    }
    for ratio in ratios {
        println!(
            "{}: largest by smallest, time {:.2}, visits {:.2}",
            ratio.population, ratio.time, ratio.visits
        );
    }
}

fn measure(arguments: &Arguments, population: &'static str, agents: usize) -> Size {
    let plan = Plan {
        agents,
        queues: arguments.queues,
        waiting: arguments.waiting,
        hostile: population == "hostile",
        excluded_depth: arguments.excluded_depth,
        skilled: population == "skilled",
        level: arguments.level,
    };
    let mut world = World::new(plan);
    let empty = live_bytes();
    world.add_agents();
    let with_agents = live_bytes();
    world.fill_unevenly();
    let before_waiting = live_bytes();
    world.add_waiting();
    let with_waiting = live_bytes();
    world.open();
    world.top_up();
    let began_with = world.waiting();
    // What the first commands pay alone (pages, caches, grown tables) is not the cost of one more.
    Traffic::new(&mut world).run(arguments.commands / 10);
    let samples = Traffic::new(&mut world).run(arguments.commands);
    let mut size = Size {
        population,
        agents,
        queues: arguments.queues,
        waiting: began_with,
        bytes_per_agent: with_agents.saturating_sub(empty) / agents as u64,
        bytes_per_waiting: with_waiting.saturating_sub(before_waiting) / arguments.waiting as u64,
        all: Figures::of(&samples.all()).expect("commands were measured"),
        kinds: Vec::new(),
    };
    size.add_kinds(&samples);
    size.add_kinds(&picky_only(&mut world));
    size
}

fn picky_only(world: &mut World) -> benches::traffic::Samples {
    let mut samples = Traffic::new(world).free_the_picky(1_000);
    samples.kinds.retain(|(kind, _)| kind.contains("excluded heads"));
    samples
}

/// Counts live bytes of the whole process.
struct Counting;

static LIVE: AtomicU64 = AtomicU64::new(0);

fn live_bytes() -> u64 {
    LIVE.load(Ordering::Relaxed)
}

#[expect(unsafe_code, reason = "an allocator cannot be written without; it only counts and passes on")]
// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size as u64, Ordering::Relaxed);
        LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
