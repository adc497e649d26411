//! What a running node answers with.

use consensus::PeerService;
use tonic::service::Routes;

/// The way into a running node.
#[derive(Clone)]
pub(super) struct Door {
    /// For clients.
    pub(super) routes: Routes,
    /// For peers.
    pub(super) peers: PeerService,
}
