//! The naive log: a map per group, cloned after every operation.

use super::super::Wal;
use crate::api::GroupId;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NaiveGroup {
    pub entries: BTreeMap<u64, Vec<u8>>,
    pub vote: Option<Vec<u8>>,
    pub purged: Option<u64>,
    pub standing: Option<Vec<u8>>,
}

impl NaiveGroup {
    pub(super) fn next(&self) -> u64 {
        let after_purged = self.purged.map_or(0, |index| index + 1);
        self.entries.last_key_value().map_or(after_purged, |(index, _)| index + 1)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Naive {
    pub groups: BTreeMap<u32, NaiveGroup>,
}

impl Naive {
    pub(super) fn group(&mut self, group: u32) -> &mut NaiveGroup {
        self.groups.entry(group).or_default()
    }

    /// What a log holds, as this model sees it.
    pub(super) async fn of(wal: &Wal, groups: u32) -> std::io::Result<Naive> {
        let mut naive = Naive::default();
        for group in 0..groups {
            let id = GroupId(group);
            let entries = wal.read(id, 0..u64::MAX, usize::MAX).await?;
            let purged = wal.purged(id).map(|body| {
                u64::from_le_bytes(body.as_ref().try_into().expect("the tests purge with eight bytes"))
            });
            let found = NaiveGroup {
                entries: entries.into_iter().map(|(index, body)| (index, body.to_vec())).collect(),
                vote: wal.vote(id).map(|vote| vote.to_vec()),
                purged,
                standing: wal.standing(id).map(|standing| standing.to_vec()),
            };
            if found != NaiveGroup::default() {
                naive.groups.insert(group, found);
            }
        }
        Ok(naive)
    }

    /// Without groups that hold nothing.
    pub(super) fn trimmed(mut self) -> Naive {
        self.groups.retain(|_, group| *group != NaiveGroup::default());
        self
    }
}
