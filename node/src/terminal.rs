//! A line of progress on a terminal; nothing where nobody looks.

use std::{
    future::Future,
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(200);

/// Waits for `work` and shows `line` meanwhile, on standard error if that is a terminal.
pub async fn with_progress<T>(line: impl Fn() -> String, work: impl Future<Output = T>) -> T {
    if !std::io::stderr().is_terminal() {
        return work.await;
    }
    tokio::pin!(work);
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            done = &mut work => {
                eprint!("\r\x1b[K");
                return done;
            }
            _ = tick.tick() => {
                eprint!("\r\x1b[K{}", line());
                // A terminal that is gone is no reason to stop the work.
                let _ = std::io::stderr().flush();
            }
        }
    }
}
