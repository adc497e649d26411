//! `centralita-sim`: simulate a day, or load a cluster.

fn main() {}
