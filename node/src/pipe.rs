//! Output into a pipe whose reader has gone, as with `| head`.

/// Exit code of a command whose reader has gone: as of one that SIGPIPE ended (128 + 13).
pub const READER_GONE: i32 = 141;

/// From now on a print into a pipe that nobody reads any more ends the process quietly. Rust's `println!`
/// panics there, since programs of Rust ignore SIGPIPE; for a node, which prints nothing, that is right.
pub fn end_quietly_without_a_reader() {
    let otherwise = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // The text is the standard library's; another one would be reported as any panic is.
        let gone = panic.payload_as_str().is_some_and(|text| {
            text.starts_with("failed printing to stdout") && text.contains("Broken pipe")
        });
        if gone {
            std::process::exit(READER_GONE);
        }
        otherwise(panic);
    }));
}
