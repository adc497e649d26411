//! Who is at the other end: sent with the call that opens a stream, before any frame.

use crate::api::NodeId;
use serde::{Deserialize, Serialize};
use tonic::Status;
use tonic::metadata::{MetadataMap, MetadataValue};

/// Version of the frames and of what is in them. Nodes of different versions do not talk.
pub const PROTOCOL: u32 = 2;
const KEY: &str = "centralita-hello-bin";

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
