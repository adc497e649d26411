//! Bounds of requests that are not the core's.

/// Longest span a request may name, in milliseconds: 30 days.
pub const SPAN_MS_MAX: u64 = 30 * 24 * 3_600 * 1_000;
/// Entries of a page when the request does not say.
pub const PAGE_DEFAULT: u32 = 100;
/// Entries of a page at most.
pub const PAGE_MAX: u32 = 1_000;

const _: () = assert!(SPAN_MS_MAX < u64::MAX / 1_000);
const _: () = assert!(PAGE_DEFAULT <= PAGE_MAX);
