//! One bidirectional gRPC stream per pair of nodes, shared by all groups and the layers above.
//!
//! The node with the lower id dials; the other accepts. One stream, not one per direction, so that
//! "connected" means the same on both sides and a lost stream is one event.

mod codec;
mod dial;
mod frame;
mod hello;
mod hub;
mod inbox;
mod leaders;
mod link;
mod liveness;
mod peers;
mod pipe;
mod raft_inbound;
mod raft_network;
mod service;
mod snapshot_parts;
mod snapshot_receive;
mod snapshot_send;

pub use dial::{Dial, SharedDial, TcpDial, Wire};
pub(crate) use hub::Hub;
pub use peers::Peers;
pub use pipe::Pipe;
pub(crate) use raft_network::Network;
pub use service::PeerService;
pub(crate) use snapshot_parts::PART_BYTES_MAX;
