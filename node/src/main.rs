//! The `centralita` binary.

use clap::Parser;
use node::cli::Cli;
use node::failure::{Failure, Kind};
use std::process::ExitCode;

fn main() -> ExitCode {
    node::pipe::end_quietly_without_a_reader();
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(cli.run()),
        Err(error) => Err(Failure::new(Kind::Other, format!("the runtime does not start: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
