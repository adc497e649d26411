//! The wire: the public API `centralita.v1` and the codec of everything stored or sent between
//! nodes.

pub mod codec;
pub mod log_file;

/// The public API, generated from `proto/centralita/v1`.
#[allow(missing_docs, clippy::all, reason = "generated code; the documentation is in the .proto files")]
pub mod v1 {
    tonic::include_proto!("centralita.v1");
}

/// What every message of the API can do, for whoever needs its size or bytes.
pub use prost::Message;

/// The compiled descriptors, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/centralita.bin"));
