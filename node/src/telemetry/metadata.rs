//! gRPC metadata as a carrier of trace contexts.

use opentelemetry::propagation::Extractor;
use tonic::metadata::{KeyRef, MetadataMap};

/// Reads trace contexts from metadata.
pub(super) struct Carrier<'a>(pub(super) &'a MetadataMap);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .keys()
            .filter_map(|key| match key {
                KeyRef::Ascii(key) => Some(key.as_str()),
                KeyRef::Binary(_) => None,
            })
            .collect()
    }
}
