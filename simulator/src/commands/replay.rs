//! `centralita-sim replay`: an exported log applied again, offline.

use crate::replay::{Checker, Player, ReplayError, Seen, Shown, Subject};
use crate::report::facts;
use anyhow::{Context, anyhow, ensure};
use routing::{Shard, ShardId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// Shown by `--help`.
pub const EXAMPLES: &str = "\
Exit code 1 when the state comes out otherwise than the node's, with the index, or a promise is broken.

Examples:
  centralita ctl export-log --domain dom_1 incident.log     (on a node, once)
  centralita-sim replay incident.log
  centralita-sim replay incident.log --show conversation conv_1_9
  centralita-sim replay incident.log --at 1200 --show agent agent_1_3 --last 50
  centralita-sim replay incident.log --check
  centralita-sim replay incident.log --hash-at 1000 --hash-at 2000 --json";

/// Which file, and what of it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A file of `centralita ctl export-log`.
    log: PathBuf,
    /// Stops after this index of the log.
    #[arg(long, value_name = "INDEX")]
    at: Option<u64>,
    /// Shows this at the end (or at --at), with its events up to there; may be repeated.
    #[arg(long, num_args = 2, value_names = ["KIND", "ID"], action = clap::ArgAction::Append)]
    show: Vec<String>,
    /// Events shown of each, the last ones.
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    /// Prints the state's hash after this index; may be repeated.
    #[arg(long, value_name = "INDEX")]
    hash_at: Vec<u64>,
    /// Checks every promise of the contract at every entry; slow, and only for a log that is there
    /// from its beginning.
    #[arg(long)]
    check: bool,
    /// Prints JSON instead of tables.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// An unreadable file, a state that differs, an index that is not there, or broken promises.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let named = || args.log.display().to_string();
    let subjects = args.show.chunks(2).map(|pair| Subject::parse(&pair[0], &pair[1]));
    let subjects: Vec<Subject> =
        subjects.collect::<Result<_, _>>().map_err(|text| anyhow!("--show: {text}"))?;
    let file = File::open(&args.log).with_context(named)?;
    let mut run = Run {
        player: Player::open(BufReader::new(file)).with_context(named)?,
        shown: subjects.into_iter().map(|subject| Shown::new(subject, args.last)).collect(),
        wanted: args.hash_at.iter().copied().collect(),
        hashes: Vec::new(),
        checker: None,
    };
    if args.check {
        run.check().with_context(named)?;
    }
    run.to(args.at).with_context(named)?;
    if args.json {
        println!("{:#}", run.json());
    } else {
        print!("{}", run.text());
    }
    let broken = run.checker.as_ref().map_or(0, Checker::count);
    ensure!(broken == 0, "{broken} broken promises");
    Ok(())
}

struct Run {
    player: Player<BufReader<File>>,
    shown: Vec<Shown>,
    wanted: BTreeSet<u64>,
    hashes: Vec<(u64, u64)>,
    checker: Option<Checker>,
}

impl Run {
    fn check(&mut self) -> anyhow::Result<()> {
        if let Some(index) = self.player.begins() {
            anyhow::bail!(
                "--check: the file begins with a snapshot at index {index}, and promises about what was before \
                 cannot be judged; export the log while it goes back to its beginning"
            );
        }
        let header = self.player.header();
        self.checker = Some(Checker::new(header.node, ShardId(header.shard)));
        Ok(())
    }

    fn to(&mut self, end: Option<u64>) -> anyhow::Result<()> {
        let first = self.player.index();
        self.note_hash();
        while end.is_none() || end != self.player.index() || self.player.hash_follows()? {
            let (shown, checker) = (&mut self.shown, &mut self.checker);
            let before = self.player.index();
            let mut seen = |seen: &Seen<'_>| {
                if let Seen::Applied { events, .. } = seen {
                    shown.iter_mut().for_each(|one| one.take(events));
                }
                if let Some(checker) = checker {
                    checker.take(seen);
                }
            };
            if !self.player.step(&mut seen)? {
                break;
            }
            if self.player.index() != before {
                self.note_hash();
            }
        }
        let last = self.player.index();
        let missing = self.wanted.first().copied().or(end.filter(|end| Some(*end) != last));
        match missing {
            Some(wanted) => {
                let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
                Err(ReplayError::NotThere { wanted, first, last }.into())
            }
            None => Ok(()),
        }
    }

    /// Notes the hash of the state now, if it is wanted.
    fn note_hash(&mut self) {
        if let Some(index) = self.player.index().filter(|index| self.wanted.remove(index)) {
            self.hashes.push((index, self.player.shard().state_hash()));
        }
    }

    fn json(&self) -> Value {
        let (player, summary) = (&self.player, self.player.summary());
        let (header, shard) = (player.header(), player.shard());
        let counts = Counts::of(shard);
        let hash = |hash: u64| format!("{hash:016x}");
        json!({
            "cluster": header.cluster,
            "node": header.node,
            "shard": header.shard,
            "level": shard.level(),
            "build": header.version,
            "exported_ms": header.exported_ms,
            "snapshot_index": player.begins(),
            "index": player.index(),
            "complete": player.over(),
            "entries": summary.indexes,
            "commands": summary.commands,
            "domains": counts.domains,
            "agents": counts.agents,
            "conversations": counts.conversations,
            "conversations_live": counts.live,
            "first_time_us": summary.first_time.map(|time| time.0),
            "time_us": shard.now().0,
            "first_wall_ms": summary.wall_ms.map(|(first, _)| first),
            "wall_ms": summary.wall_ms.map(|(_, last)| last),
            "state_hash": hash(shard.state_hash()),
            "hashes_verified": summary.hashes,
            "hashes": self.hashes.iter().map(|(index, one)| json!({ "index": index, "state_hash": hash(*one) }))
                .collect::<Vec<_>>(),
            "broken_promises": self.checker.as_ref().map(Checker::count),
            "broken": self.checker.iter().flat_map(Checker::broken).map(ToString::to_string).collect::<Vec<_>>(),
            "shown": self.shown.iter().map(|one| one.json(shard)).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let (player, summary) = (&self.player, self.player.summary());
        let (header, shard) = (player.header(), player.shard());
        let counts = Counts::of(shard);
        let begins = match player.begins() {
            Some(index) => format!("the snapshot at index {index}"),
            None => "the beginning of the log".to_owned(),
        };
        let seconds = |us: u64| format!("{:.6} s", us as f64 / 1e6);
        let verified = match (player.over(), summary.hashes) {
            (true, hashes) => format!("the same as the node's, at the end and {} times before", hashes - 1),
            (false, 0) => "nothing to compare with up to here".to_owned(),
            (false, hashes) => format!("the same as the node's {hashes} times on the way"),
        };
        let index = player.index().map_or("none".to_owned(), |index| index.to_string());
        let mut text = facts(&[
            ("log of", format!("shard {} of {}, node {}", header.shard, header.cluster, header.node)),
            ("exported by", format!("build {}, apply level {}", header.version, header.level)),
            ("begins with", begins),
            ("applied up to index", index),
            ("entries, commands", format!("{}, {}", summary.indexes, summary.commands)),
            ("first log time", summary.first_time.map_or("none".to_owned(), |time| seconds(time.0))),
            ("last log time", seconds(shard.now().0)),
            ("domains, agents", format!("{}, {}", counts.domains, counts.agents)),
            ("conversations", format!("{}, of which {} live", counts.conversations, counts.live)),
            ("state", format!("{:016x}, {verified}", shard.state_hash())),
        ]);
        if let Some(checker) = &self.checker {
            text += &format!("{} broken promises\n", checker.count());
            for broken in checker.broken() {
                text += &format!("{broken}\n");
            }
        }
        for (index, hash) in &self.hashes {
            text += &format!("state after index {index}: {hash:016x}\n");
        }
        for one in &self.shown {
            text += &format!("\n{}", one.text(shard));
        }
        text
    }
}

/// What is in a state.
struct Counts {
    domains: usize,
    agents: usize,
    conversations: usize,
    live: usize,
}

impl Counts {
    fn of(shard: &Shard) -> Self {
        let mut counts = Self { domains: 0, agents: 0, conversations: 0, live: 0 };
        for domain in shard.domains() {
            let conversations = shard.conversations(domain.id, None, usize::MAX);
            counts.domains += 1;
            counts.agents += shard.agents(domain.id, None, usize::MAX).len();
            counts.conversations += conversations.len();
            counts.live += conversations.iter().filter(|view| !view.stage.is_terminal()).count();
        }
        counts
    }
}
