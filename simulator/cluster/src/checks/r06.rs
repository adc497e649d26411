//! in reads: what was seen ended stays so, and no read shows an older version than
//! one that had returned before it was asked.

use super::case::{Case, Who};
use super::read::{Read, Stage};
use routing::ConversationId;
use std::collections::BTreeMap;

pub(super) fn check(case: &mut Case) {
    let mut known: BTreeMap<ConversationId, Vec<&Read>> = BTreeMap::new();
    for read in &case.tale.reads {
        let id = read.seen.id;
        let before = known.entry(id).or_default();
        // In the order of their return: the last that had returned when this was asked.
        let former = before.iter().rev().filter(|former| former.returned_us < read.sent_us);
        let newest = former.max_by_key(|former| former.seen.version);
        if let Some(former) = newest {
            let over = |stage: Stage| matches!(stage, Stage::Ended { .. });
            let told = |promise: &str, case: &mut Case| {
                let seen = format!(
                    "{id} was read as {:?}, version {}, and later as {:?}, version {}",
                    former.seen.stage, former.seen.version, read.seen.stage, read.seen.version
                );
                case.broken(promise, read.returned_us / 1_000, 0, seen, &[Who::Conversation(id)]);
            };
            if over(former.seen.stage) && !over(read.seen.stage) {
                told("R-6", case);
            } else if read.seen.version < former.seen.version {
                told("R-15", case);
            }
        }
        before.push(read);
    }
}
