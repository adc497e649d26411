//! What is logged of the library beneath.

/// A filter of log lines with openraft kept quiet, whose news is for its own developers; what
/// operators must know, this crate says. A filter that names openraft is left as it is.
#[must_use]
pub fn quiet_filter(filter: &str) -> String {
    if filter.contains("openraft") {
        return filter.to_owned();
    }
    // A change of members that is refused now is tried again, and said by those who try.
    format!("{filter},openraft=error,openraft::raft::api::management=off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openraft_is_quiet_unless_it_is_asked_for() {
        assert!(quiet_filter("info").starts_with("info,openraft=error"));
        assert_eq!(quiet_filter("info,openraft=debug"), "info,openraft=debug");
    }
}
