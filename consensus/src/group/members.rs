//! Who is a member of a group, and changes of that.

use crate::api::NodeId;
use crate::type_config::types::Raft;
use crate::type_config::{Member, TypeConfig};
use openraft::raft::Precondition;
use openraft::rt::WatchReceiver;
use openraft::{ChangeMembers, ReadPolicy};
use std::collections::{BTreeMap, BTreeSet};

/// A group's members, as this node's log names them; that may be over on a node that is behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupMembers {
    /// Index of the entry that says so; 0 while the group has none.
    pub index: u64,
    /// That entry is committed, as far as this node knows.
    pub committed: bool,
    /// Half-way between two sets of voters, each of which must agree to everything.
    pub joint: bool,
    /// All of them.
    pub members: BTreeMap<NodeId, GroupMember>,
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Where its peers reach it.
    pub address: String,
    /// It votes; otherwise it learns.
    pub voter: bool,
    /// Entries that it does not have yet, as the leader knows; `None` elsewhere.
    pub behind: Option<u64>,
}

impl GroupMembers {
    /// Members that vote.
    #[must_use]
    pub fn voters(&self) -> BTreeSet<NodeId> {
        self.members.iter().filter(|(_, member)| member.voter).map(|(id, _)| *id).collect()
    }
}

/// A change of a group's members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// A node learns from now on.
    Admit {
        /// Which.
        node: NodeId,
        /// Where its peers reach it.
        address: String,
    },
    /// A member is reached elsewhere.
    Move {
        /// Which.
        node: NodeId,
        /// Where its peers reach it now.
        address: String,
    },
    /// These vote from now on, all of them members already; those that do not any more learn.
    SetVoters(BTreeSet<NodeId>),
    /// A member that does not vote is one no more.
    Dismiss(NodeId),
    /// Brings a change that was left half-way to its end.
    Settle,
}

impl MemberChange {
    fn write(self) -> ChangeMembers<u64, Member> {
        let node = |node: NodeId, address| BTreeMap::from([(node.0, Member { address })]);
        match self {
            Self::Admit { node: id, address } => ChangeMembers::AddNodes(node(id, address)),
            Self::Move { node: id, address } => ChangeMembers::SetNodes(node(id, address)),
            Self::SetVoters(voters) => {
                ChangeMembers::ReplaceAllVoters(voters.into_iter().map(|voter| voter.0).collect())
            }
            Self::Dismiss(id) => ChangeMembers::RemoveNodes(BTreeSet::from([id.0])),
            Self::Settle => ChangeMembers::AddVoterIds(BTreeSet::new()),
        }
    }
}

/// The members as openraft knows them here.
pub(super) fn members(raft: &Raft) -> GroupMembers {
    let metrics = raft.metrics();
    let metrics = metrics.borrow_watched();
    let stored = &metrics.membership_config;
    let index = stored.log_id().map_or(0, |id| id.index);
    let voters: BTreeSet<u64> = stored.membership().voter_ids().collect();
    let behind = |id: &u64| {
        if *id == metrics.id {
            return metrics.replication.as_ref().map(|_| 0);
        }
        // Of one that was never heard, it is not known what it has, if it lives at all.
        let matching = metrics.replication.as_ref()?.get(id)?.map(|id| id.index)?;
        Some(metrics.last_log_index.unwrap_or(0).saturating_sub(matching))
    };
    let member = |(id, member): (&u64, &Member)| {
        let (address, voter) = (member.address.clone(), voters.contains(id));
        (NodeId(*id), GroupMember { address, voter, behind: behind(id) })
    };
    GroupMembers {
        index,
        committed: metrics.local_committed.is_some_and(|id| id.index >= index),
        joint: stored.membership().get_joint_config().len() > 1,
        members: stored.membership().nodes().map(member).collect(),
    }
}

/// Makes a change if the members are still those of the entry `at`, and waits until it is done. The
/// caller sets a deadline; what is left half-way then is seen in [`GroupMembers::joint`].
pub(super) async fn change(raft: &Raft, at: u64, change: MemberChange) -> Result<(), String> {
    let last = {
        let metrics = raft.metrics();
        let metrics = metrics.borrow_watched();
        *metrics.membership_config.log_id()
    };
    if last.map_or(0, |id| id.index) != at {
        return Err("the members have changed meanwhile".to_owned());
    }
    // A leader that has rested needs its lease renewed: without it openraft takes no entry. Where
    // that fails, the change does.
    let _ = raft.get_read_linearizer(ReadPolicy::ReadIndex).await;
    let unchanged = Precondition::<TypeConfig>::LastMembershipLogId { last_membership_log_id: last };
    let changed = raft.change_membership_if(change.write(), true, [unchanged]).await;
    changed.map(drop).map_err(|error| error.to_string())
}
