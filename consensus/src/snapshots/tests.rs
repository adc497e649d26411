//! Tests of snapshot files.
