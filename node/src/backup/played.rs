//! A backup applied: the states it holds.

use super::manifest::{Chain, Manifest, Part};
use super::vault::{Reader, Vault};
use actors::{MetaReplay, MetaReplayError};
use routing::Shard;
use simulator::replay::{Player, ReplayError};
use std::collections::BTreeMap;
use std::io;

/// The cluster's own group.
const META: u32 = 0;

/// Up to where a backup is applied: to its end, unless something is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Until {
    /// Without the first batch after this wall time (Unix milliseconds), and what follows it.
    pub at_ms: Option<u64>,
    /// By group: the last index.
    pub index: BTreeMap<u32, u64>,
}

impl Until {
    fn includes(&self, group: u32, index: u64, wall_ms: Option<u64>) -> bool {
        let in_time = self.at_ms.zip(wall_ms).is_none_or(|(at_ms, wall_ms)| wall_ms <= at_ms);
        in_time && self.index.get(&group).is_none_or(|last| index <= *last)
    }
}

/// A shard as it was.
#[derive(Debug)]
pub struct PlayedShard {
    /// The state.
    pub shard: Shard,
    /// Index of the last entry it includes.
    pub index: u64,
    /// Term of that entry.
    pub term: u64,
    /// Wall time of the last batch, Unix milliseconds, if there was one.
    pub wall_ms: Option<u64>,
}

/// The states of a backup.
pub struct Played {
    /// The cluster's own group.
    pub meta: MetaReplay,
    /// By shard.
    pub shards: BTreeMap<u32, PlayedShard>,
}

/// Why a backup cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// There is nothing to begin with.
    #[error("group {0}: nothing in the backup goes back to then: take a later time, or an older backup")]
    TooEarly(u32),
    /// An index that is not in it.
    #[error("group {group}: the backup holds the states after {first} to {last}, not after {wanted}")]
    NotThere {
        /// Which group.
        group: u32,
        /// The first there is.
        first: u64,
        /// The last there is.
        last: u64,
        /// What was asked for.
        wanted: u64,
    },
    /// A file cannot be opened.
    #[error("{0}: {1}")]
    Disk(String, io::Error),
    /// A file of a shard cannot be applied.
    #[error("{0}: {1}")]
    Shard(String, ReplayError),
    /// A file of the cluster's own group cannot be applied.
    #[error("{0}: {1}")]
    Meta(String, MetaReplayError),
}

/// Applies a backup's files. Every hash in them is compared, so what comes out is what the nodes
/// had. `progress` is told each group that is done. It reads by blocking: in a runtime of several threads.
///
/// # Errors
/// See [`PlayError`].
pub fn play(
    vault: &Vault,
    manifest: &Manifest,
    until: &Until,
    progress: &mut dyn FnMut(u32),
) -> Result<Played, PlayError> {
    let chain = |group| manifest.chain(group, until.at_ms).ok_or(PlayError::TooEarly(group));
    let meta = meta(vault, chain(META)?, manifest.shards, until)?;
    check(META, until, chain(META)?, meta.at().map(|(index, _)| index))?;
    progress(META);
    let mut shards = BTreeMap::new();
    for group in 1..=manifest.shards {
        let chain = chain(group)?;
        let played = shard(vault, group, chain, until)?;
        check(group, until, chain, played.as_ref().map(|played| played.index))?;
        if let Some(played) = played {
            shards.insert(group, played);
        }
        progress(group);
    }
    Ok(Played { meta, shards })
}

/// Whether the index that was asked for was reached.
fn check(group: u32, until: &Until, chain: &Chain, reached: Option<u64>) -> Result<(), PlayError> {
    match until.index.get(&group) {
        Some(&wanted) if until.at_ms.is_none() && reached != Some(wanted) => {
            let first = chain.parts.first().map_or(0, |part| part.first);
            Err(PlayError::NotThere { group, first, last: chain.last().unwrap_or(0), wanted })
        }
        _ => Ok(()),
    }
}

fn open(vault: &Vault, part: &Part) -> Result<Reader, PlayError> {
    vault.open_part(part).map_err(|error| PlayError::Disk(vault.path(&part.file), error))
}

fn meta(vault: &Vault, chain: &Chain, shards: u32, until: &Until) -> Result<MetaReplay, PlayError> {
    let mut meta = MetaReplay::new(shards);
    for part in &chain.parts {
        let path = vault.path(&part.file);
        let goes_on = |index, wall_ms| until.includes(META, index, wall_ms);
        let whole = meta.apply(open(vault, part)?, goes_on).map_err(|error| PlayError::Meta(path, error))?;
        if !whole {
            break;
        }
    }
    Ok(meta)
}

/// A group's state; `None` when nothing of its log is before the time asked for.
fn shard(vault: &Vault, group: u32, chain: &Chain, until: &Until) -> Result<Option<PlayedShard>, PlayError> {
    let mut played: Option<Player<Reader>> = None;
    'parts: for part in &chain.parts {
        let path = vault.path(&part.file);
        let failed = |error| PlayError::Shard(path.clone(), error);
        let from = open(vault, part)?;
        let mut player = match played.take() {
            None => Player::open(from).map_err(failed)?,
            Some(before) => before.then(from).map_err(failed)?,
        };
        loop {
            if let Some((index, wall_ms)) = player.next_entry().map_err(failed)?
                && !until.includes(group, index, wall_ms)
            {
                played = Some(player);
                break 'parts;
            }
            if !player.step(&mut |_| {}).map_err(failed)? {
                break;
            }
        }
        played = Some(player);
    }
    let Some(player) = played else { return Ok(None) };
    let Some(index) = player.index() else { return Ok(None) };
    let (term, wall_ms) = (player.summary().term, player.summary().wall_ms.map(|(_, last)| last));
    Ok(Some(PlayedShard { index, term, wall_ms, shard: player.into_shard() }))
}
