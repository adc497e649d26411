//! `centralita-sim`: simulate a day, load a cluster, or apply its log again.

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
