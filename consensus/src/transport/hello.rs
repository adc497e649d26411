//! Who is at the other end: sent with the call that opens a stream, before any frame.

use crate::api::NodeId;
use crate::config::{About, LEVEL_FIRST, is_zone};
use serde::{Deserialize, Serialize};
use tonic::Status;
use tonic::metadata::{MetadataMap, MetadataValue};

/// Version of the frames and of what is in them. Nodes of different versions do not talk.
pub const PROTOCOL: u32 = 2;
const KEY: &str = "centralita-hello-bin";
/// Beside the introduction, for builds that do not know it to pass over.
const LEVEL_KEY: &str = "centralita-level";
const ZONE_KEY: &str = "centralita-zone";

/// A node's introduction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`] of the sender.
    pub protocol: u32,
    /// Its cluster.
    pub cluster: String,
    /// The sender.
    pub node: NodeId,
    /// Whom it means to talk to.
    pub to: NodeId,
    /// Shards of the cluster: every node must have the same.
    pub shards: u32,
    /// Log time per real time: every node must have the same.
    pub speed: u32,
}

impl Hello {
    /// Puts it into a call's metadata.
    pub fn write(&self, metadata: &mut MetadataMap) {
        metadata.insert_bin(KEY, MetadataValue::from_bytes(&proto::codec::encode(self)));
    }

    /// Takes it out of a call's metadata.
    pub fn read(metadata: &MetadataMap) -> Result<Hello, Status> {
        let value = metadata.get_bin(KEY).and_then(|value| value.to_bytes().ok()).ok_or_else(|| {
            Status::unauthenticated("no introduction: only nodes of the cluster may call this")
        })?;
        proto::codec::decode(&value)
            .map_err(|error| Status::failed_precondition(format!("introduction: {error}")))
    }

    /// Whether `other`, who says so to us, may have a link with us.
    ///
    /// # Errors
    /// What to change, for the person who reads the other node's log.
    pub fn check(&self, other: &Hello) -> Result<(), String> {
        if other.protocol != self.protocol {
            return Err(format!(
                "{} speaks version {} of the protocol between nodes, {} speaks version {}: run the same release",
                other.node, other.protocol, self.node, self.protocol
            ));
        }
        if other.cluster != self.cluster {
            return Err(format!(
                "{} is of cluster '{}', {} of cluster '{}': check the addresses of the members",
                other.node, other.cluster, self.node, self.cluster
            ));
        }
        if other.to != self.node {
            return Err(format!(
                "{} looks for {} and reached {}: check the addresses of the members",
                other.node, other.to, self.node
            ));
        }
        if other.node == self.node {
            return Err(format!("two nodes call themselves {}: give each its own id", self.node));
        }
        if (other.shards, other.speed) != (self.shards, self.speed) {
            return Err(format!(
                "{} has {} shards at speed {}, {} has {} at speed {}: configure all nodes alike",
                other.node, other.shards, other.speed, self.node, self.shards, self.speed
            ));
        }
        Ok(())
    }
}

/// Puts what a node says of itself into a call's metadata.
pub fn write_about(about: &About, metadata: &mut MetadataMap) {
    metadata.insert(LEVEL_KEY, MetadataValue::from(about.level));
    if let Ok(zone) = about.zone.parse() {
        metadata.insert(ZONE_KEY, zone);
    }
}

/// What the other end says of itself: the first level and no zone where it says nothing.
pub fn read_about(metadata: &MetadataMap) -> About {
    let said = |key| metadata.get(key).and_then(|value| value.to_str().ok());
    let level = said(LEVEL_KEY).and_then(|level| level.parse().ok()).unwrap_or(LEVEL_FIRST);
    let zone = said(ZONE_KEY).filter(|zone| is_zone(zone)).unwrap_or_default().to_owned();
    About { level, zone }
}

/// Whether a node that knows levels up to `knows` may be in a cluster that runs at `level`.
///
/// # Errors
/// What to change, for the person who reads that node's log.
pub fn check_level(node: NodeId, knows: u32, level: u32) -> Result<(), String> {
    if knows >= level {
        return Ok(());
    }
    Err(format!(
        "{node} knows feature levels up to {knows}, the cluster runs at {level}: start it with the release that \
         the others run"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello(node: u64, to: u64) -> Hello {
        Hello {
            protocol: PROTOCOL,
            cluster: "a".into(),
            node: NodeId(node),
            to: NodeId(to),
            shards: 2,
            speed: 1,
        }
    }

    #[test]
    fn survives_metadata() {
        let mut metadata = MetadataMap::new();
        hello(1, 2).write(&mut metadata);
        assert_eq!(Hello::read(&metadata).unwrap(), hello(1, 2));
        assert!(Hello::read(&MetadataMap::new()).is_err());
    }

    #[test]
    fn what_a_node_says_survives_metadata_and_builds_that_say_nothing_know_the_first_level() {
        let mut metadata = MetadataMap::new();
        assert_eq!(read_about(&metadata), About::default());
        let about = About { level: 7, zone: "eu-west/a_1.2".to_owned() };
        write_about(&about, &mut metadata);
        assert_eq!(read_about(&metadata), about);
        metadata.insert(ZONE_KEY, "a b".parse().unwrap());
        assert_eq!(read_about(&metadata).zone, "", "no zone can be called so");
        assert_eq!(check_level(NodeId(3), 7, 7), Ok(()));
        let refused = check_level(NodeId(3), 7, 8).unwrap_err();
        assert!(refused.contains("up to 7") && refused.contains("runs at 8"), "{refused}");
    }

    #[test]
    fn strangers_are_told_why() {
        let me = hello(2, 1);
        assert_eq!(me.check(&hello(1, 2)), Ok(()));
        let cases = [
            (Hello { protocol: 9, ..hello(1, 2) }, "same release"),
            (Hello { cluster: "b".into(), ..hello(1, 2) }, "cluster 'b'"),
            (hello(1, 3), "looks for node_3"),
            (hello(2, 2), "own id"),
            (Hello { shards: 9, ..hello(1, 2) }, "alike"),
        ];
        for (other, part) in cases {
            let text = me.check(&other).unwrap_err();
            assert!(text.contains(part), "{text}");
        }
    }
}
