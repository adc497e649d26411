//! `cargo sim`: see `cargo sim --help`.

use clap::Parser;
use cluster_simulator::commands::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    Arguments::parse().run()
}
