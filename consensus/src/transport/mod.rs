//! One bidirectional gRPC stream per pair of nodes, shared by all groups and the layers above.
//!
//! The node with the lower id dials; the other accepts. One stream, not one per direction, so that
//! "connected" means the same on both sides and a lost stream is one event.

mod dial;
mod frame;
mod link;
mod peers;

pub use dial::{Dial, SharedDial, TcpDial, Wire};
pub use peers::Peers;
