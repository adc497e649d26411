//! `centralita-sim`: simulate a day, or load a cluster.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match simulator::commands::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
