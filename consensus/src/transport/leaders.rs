//! Who leads which group, as this node knows it, whether it has a replica of the group or not.

use crate::api::{GroupId, Leadership};
use crate::group::Lines;
use std::collections::BTreeMap;
use tokio::sync::watch;

/// Of every group: what the own replica says, where there is one, and otherwise what the peers' pings say.
pub struct Leaders {
    told: BTreeMap<GroupId, watch::Sender<Leadership>>,
    own: BTreeMap<GroupId, Leadership>,
    /// The latest term of each group in which somebody is known to have led. Terms in which somebody only stood
    /// for election are not meant: a leader of an earlier one may never hear of them.
    latest: BTreeMap<GroupId, u64>,
}

impl Leaders {
    /// Nobody is known to lead these groups.
    pub fn new(groups: impl Iterator<Item = GroupId>) -> Leaders {
        let told = groups.map(|group| (group, watch::Sender::default())).collect();
        Leaders { told, own: BTreeMap::new(), latest: BTreeMap::new() }
    }

    /// Who leads a group, as it changes.
    pub fn of(&self, group: GroupId) -> Option<watch::Receiver<Leadership>> {
        self.told.get(&group).map(watch::Sender::subscribe)
    }

    /// What the own replica says; `None`: there is none any more.
    pub fn own(&mut self, group: GroupId, says: Option<Leadership>, lines: &Lines) {
        match says {
            Some(says) => self.own.insert(group, says),
            None => self.own.remove(&group),
        };
        self.tell(group, lines);
    }

    /// The peers say something else, or others say it.
    pub fn heard(&mut self, lines: &Lines) {
        let groups: Vec<GroupId> = self.told.keys().copied().collect();
        for group in groups {
            self.tell(group, lines);
        }
    }

    fn tell(&mut self, group: GroupId, lines: &Lines) {
        let Some(told) = self.told.get(&group) else { return };
        let claimed = said(group, lines);
        let own = self.own.get(&group).copied();
        let latest = self.latest.entry(group).or_default();
        *latest =
            (*latest).max(claimed.term).max(own.filter(|own| own.leader.is_some()).map_or(0, |own| own.term));
        let now = match own {
            Some(own) => own,
            // Who led an earlier term does not lead any more, whatever it still believes: a quorum has voted since.
            // It would show what it had then as if it were now.
            None if claimed.term < *latest => Leadership { term: *latest, leader: None, leading: false },
            None => claimed,
        };
        told.send_if_modified(|present| std::mem::replace(present, now) != now);
    }
}

/// The peer that claims to lead in the latest term. A claim counts while its link is there.
fn said(group: GroupId, lines: &Lines) -> Leadership {
    let claims = lines.iter().filter(|(_, line)| line.up.is_some());
    let claims = claims.filter_map(|(peer, line)| Some((*line.leads.get(&group)?, *peer)));
    match claims.max() {
        Some((term, leader)) => Leadership { term, leader: Some(leader), leading: false },
        None => Leadership::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NodeId;
    use crate::group::Line;
    use tokio::time::Instant;

    const GROUP: GroupId = GroupId(3);

    fn line(up: bool, term: u64) -> Line {
        let now = Instant::now();
        Line { up: up.then_some(now), heard: Some(now), leads: BTreeMap::from([(GROUP, term)]) }
    }

    #[test]
    fn the_latest_claim_counts_while_its_link_is_there_and_no_own_replica_knows() {
        let mut leaders = Leaders::new([GROUP].into_iter());
        let told = leaders.of(GROUP).expect("a group of the cluster");
        assert!(leaders.of(GroupId(4)).is_none());
        let now = || (told.borrow().leader.map(|id| id.0), told.borrow().term);
        let mut lines = Lines::from([(NodeId(1), line(true, 5)), (NodeId(2), line(true, 4))]);
        leaders.heard(&lines);
        assert_eq!(now(), (Some(1), 5));
        lines.insert(NodeId(1), line(false, 5));
        leaders.heard(&lines);
        assert_eq!(
            now(),
            (None, 5),
            "who led before does not lead again because the link with the present one is lost"
        );
        lines.insert(NodeId(1), line(true, 5));
        leaders.heard(&lines);
        assert_eq!(now(), (Some(1), 5));
        let own = Leadership { term: 6, leader: None, leading: false };
        leaders.own(GROUP, Some(own), &lines);
        leaders.heard(&lines);
        assert_eq!(now(), (None, 6), "the own replica knows of a later term");
        leaders.own(GROUP, None, &lines);
        assert_eq!(now(), (Some(1), 5), "in that term nobody was known to lead");
        let own = Leadership { term: 6, leader: Some(NodeId(3)), leading: false };
        leaders.own(GROUP, Some(own), &lines);
        leaders.own(GROUP, None, &lines);
        assert_eq!(now(), (None, 6));
        lines.insert(NodeId(2), line(true, 7));
        leaders.heard(&lines);
        assert_eq!(now(), (Some(2), 7));
        leaders.heard(&Lines::new());
        assert_eq!(now(), (None, 7));
    }
}
