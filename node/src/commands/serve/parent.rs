//! A parent process whose end ends this node: its end of our standard input closes with it, however
//! it dies.

use std::io::Read;
use std::time::Duration;
use tokio::sync::oneshot;

/// Time to stop gracefully; then the process ends all the same, for nobody looks after it.
const GRACE: Duration = Duration::from_secs(8);

/// Resolves when the parent is gone.
pub(super) type Parent = oneshot::Receiver<()>;

/// Watches standard input from a thread, since reading it cannot be given up.
pub(super) fn watch() -> Parent {
    let (tell, gone) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut ignored = [0_u8; 256];
        while matches!(input.read(&mut ignored), Ok(1..)) {}
        let _ = tell.send(());
        std::thread::sleep(GRACE);
        std::process::exit(1);
    });
    gone
}

/// Waits for the parent's end; for ever where there is none to watch, or when it was told before.
pub(super) async fn gone(parent: &mut Option<Parent>) {
    match parent {
        Some(watched) => {
            let _ = watched.await;
            *parent = None;
        }
        None => std::future::pending().await,
    }
}
