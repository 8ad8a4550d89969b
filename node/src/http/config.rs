//! What the web server is told when it starts.

use super::{lang::Lang, limits};
use crate::clock::{Clock, SystemClock};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

/// The web server's configuration.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// The data directory: the web key lives there.
    pub dir: PathBuf,
    /// The local socket, `DIR/api.sock`; `None` opens none.
    pub socket: Option<PathBuf>,
    /// Plain HTTP for browsers on this machine.
    pub plain: Option<SocketAddr>,
    /// Allows plain HTTP on other addresses, behind a proxy that encrypts.
    pub plain_beyond_loopback: bool,
    /// HTTPS.
    pub tls: Option<SocketAddr>,
    /// Names and addresses phones and programs reach the HTTPS door at, as the operator wrote them down.
    pub names: Vec<String>,
    /// An address found on this machine, for when none is written down.
    pub found: Option<IpAddr>,
    /// Shows the public board without sign-in: notices, and of other matters number, category, stage and days.
    pub open_board: bool,
    /// The language of pages for a browser that names none we have.
    pub lang: Lang,
    /// Connections over TCP at a time.
    pub connections_max: usize,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl HttpConfig {
    /// Only the local socket in `dir`.
    #[must_use]
    pub fn local(dir: PathBuf) -> Self {
        Self {
            socket: Some(dir.join("api.sock")),
            dir,
            plain: None,
            plain_beyond_loopback: false,
            tls: None,
            names: Vec::new(),
            found: None,
            open_board: false,
            lang: Lang::Zh,
            connections_max: limits::CONNECTIONS_MAX,
            clock: Arc::new(SystemClock),
        }
    }
}
