//! What clients do.

use serde::Serialize;
use std::time::Duration;

/// The load of all domains together.
#[derive(Debug, Clone, Serialize)]
pub struct LoadPlan {
    /// Places of clients; each has its own domains.
    pub sites: u8,
    /// Domains, all accounts together.
    pub domains: u8,
    /// Queues of a domain.
    pub queues: u8,
    /// New conversations per second, all domains together.
    pub rate: f64,
    /// Agents by what the load needs: below 1, queues grow.
    pub staffing: f64,
    /// Agents of a domain.
    pub agents: u16,
    /// Mean time of a contact, from accept to its end.
    pub contact: Duration,
    /// How long agents are rung.
    pub ring: Duration,
    /// Mean patience of a waiting customer.
    pub patience: Duration,
    /// Probability that an agent rejects or lets an offer time out.
    pub refuse: f64,
    /// Probability that a contact ends with a transfer.
    pub transfer: f64,
    /// Probability that a request is sent again although it was answered.
    pub repeat: f64,
    /// Mean time between two of a desk's disconnections; `None`: they stay.
    pub flap: Option<Duration>,
    /// Probability that a desk falls silent one day and never comes back.
    pub vanish: f64,
    /// Actions of supervisors and administrators per second and domain.
    pub supervision: f64,
    /// Watchers of each domain, at different nodes.
    pub watchers: u8,
    /// Probability that a customer comes by the stream of a backend.
    pub submit: f64,
    /// Probability that a desk uses a unary call beside its stream.
    pub unary: f64,
    /// Whether one more domain is made to panic.
    pub poison: bool,
}
