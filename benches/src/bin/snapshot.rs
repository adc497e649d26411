//! What a snapshot costs the shard that goes on meanwhile.

use benches::report::Figures;
use benches::traffic::Traffic;
use benches::world::{Plan, World};
use clap::Parser;
use comfy_table::Table;
use std::time::{Duration, Instant};

/// Prints how long a shard is held up by a snapshot, how long the encoding takes beside it, and what commands cost
/// without and with a copy that is being encoded, in one run.
#[derive(Debug, Parser)]
#[command(name = "snapshot")]
struct Arguments {
    /// Agents.
    #[arg(long, default_value_t = 100_000)]
    agents: usize,
    /// Queues; each agent belongs to 5.
    #[arg(long, default_value_t = 1_000)]
    queues: usize,
    /// Conversations that wait.
    #[arg(long, default_value_t = 200_000)]
    waiting: usize,
    /// Commands before the first snapshot and between two; their answers are remembered.
    #[arg(long, default_value_t = 100_000)]
    commands: usize,
    /// Snapshots.
    #[arg(long, default_value_t = 5)]
    snapshots: usize,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
}

struct Snapshot {
    held: Duration,
    encoding: Duration,
    bytes: usize,
    alone: Figures,
    beside: Figures,
}

fn main() {
    let arguments = Arguments::parse();
    let Arguments { agents, queues, waiting, .. } = arguments;
    eprintln!("{agents} agents, {waiting} conversations ...");
    let mut world = World::new(Plan::ordinary(agents, queues, waiting));
    world.add_agents();
    world.fill_unevenly();
    world.add_waiting();
    world.open();
    world.top_up();
    let taken: Vec<Snapshot> =
        (0..arguments.snapshots).map(|_| take(&mut world, arguments.commands)).collect();
    if arguments.json {
        let all: Vec<_> = taken.iter().map(json).collect();
        println!("{:#}", serde_json::json!({ "agents": agents, "waiting": waiting, "snapshots": all }));
        return;
    }
    let mut table = Table::new();
    table.set_header(["held ms", "encoding ms", "MB", "alone: median ns", "p99", "beside: median ns", "p99"]);
    for one in &taken {
        table.add_row([
            format!("{:.2}", one.held.as_secs_f64() * 1e3),
            format!("{:.0}", one.encoding.as_secs_f64() * 1e3),
            format!("{:.1}", one.bytes as f64 / 1e6),
            one.alone.median_ns.to_string(),
            one.alone.p99_ns.to_string(),
            one.beside.median_ns.to_string(),
            one.beside.p99_ns.to_string(),
        ]);
    }
    println!("{table}");
}

fn take(world: &mut World, commands: usize) -> Snapshot {
    let run = |world: &mut World| {
        let samples = Traffic::new(world).run(commands);
        Figures::of(&samples.all()).expect("commands were measured")
    };
    let alone = run(world);
    let start = Instant::now();
    let frozen = world.shard.freeze();
    let held = start.elapsed();
    // As if the encoding had not got far yet: all that changes is copied.
    let beside = run(world);
    let start = Instant::now();
    let mut encoder = proto::codec::Encoder::default();
    frozen.pieces().for_each(|piece| encoder.push(&piece));
    Snapshot { held, encoding: start.elapsed(), bytes: encoder.finish().len(), alone, beside }
}

fn json(one: &Snapshot) -> serde_json::Value {
    serde_json::json!({
        "held_ms": one.held.as_secs_f64() * 1e3,
        "encoding_ms": one.encoding.as_secs_f64() * 1e3,
        "bytes": one.bytes,
        "alone": one.alone,
        "beside": one.beside,
    })
}
