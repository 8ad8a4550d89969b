//! The demonstration's nodes: each a real process with its own folder, ports and line to its parent.

use super::{DemoError, relay::Relay};
use crate::{
    clock::SystemClock,
    home::Home,
    local::{self, Client},
    setup,
};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::{Child, Command};
use yishi_protocol::{invite::Invite, place::Division};

/// How long a node may take until it answers; a loaded machine is slow.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// One running node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    pub(super) client: Client,
    pub(super) pages: SocketAddr,
    pub(super) link: SocketAddr,
    /// The line to the parent.
    pub(super) line: Option<Relay>,
    process: Option<Child>,
}

fn free_udp() -> Result<SocketAddr, DemoError> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(DemoError::System)?;
    socket.local_addr().map_err(DemoError::System)
}

fn free_tcp() -> Result<SocketAddr, DemoError> {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(DemoError::System)?;
    socket.local_addr().map_err(DemoError::System)
}

impl Node {
    /// The federation's root.
    pub(super) async fn root(dir: &Path, place: &Division) -> Result<Self, DemoError> {
        let home = Home::at(dir.join(folder(place)));
        let request = setup::InitRequest {
            code: place.code.to_string(),
            name: Some(place.name.clone()),
            level: Some(place.level.name().to_owned()),
            offline_root: None,
        };
        let store = setup::init(&home, request, &SystemClock).await?;
        store.close().await.map_err(setup::SetupError::from)?;
        Self::configured(home, place, None).await
    }

    /// A place below `parent`, invited and joined over a line of its own.
    pub(super) async fn below(dir: &Path, parent: &Self, place: &Division) -> Result<Self, DemoError> {
        let line = Relay::start(parent.link).await.map_err(DemoError::System)?;
        let body = serde_json::json!({
            "code": place.code.to_string(), "name": place.name, "level": place.level.name(),
            "address": line.address().to_string(),
        });
        let answer = parent.client.post("/places/invites", body).await?;
        let token = local::text(&answer, "token")?;
        let invite: Invite = token.parse().map_err(|_| DemoError::Answer("token".into()))?;
        let home = Home::at(dir.join(folder(place)));
        let store = setup::join(&home, &invite, &SystemClock).await?;
        store.close().await.map_err(setup::SetupError::from)?;
        Self::configured(home, place, Some(line)).await
    }

    async fn configured(home: Home, place: &Division, line: Option<Relay>) -> Result<Self, DemoError> {
        let (link, pages) = (free_udp()?, free_tcp()?);
        // Short times, so that a cut line is noticed while one watches.
        let config = format!(
            "data_dir = {dir:?}\n[link]\nlisten = \"{link}\"\nidle_ms = 2500\nkeep_alive_ms = 600\n\
             retry_max_ms = 1000\n[http]\nlisten = \"{pages}\"\nopen_board = true\n",
            dir = home.path()
        );
        fs::write(home.path().join("node.toml"), config).map_err(DemoError::System)?;
        let client = Client::new(home.socket());
        let dir = home.path().to_owned();
        let mut node = Self { name: place.name.clone(), dir, client, pages, link, line, process: None };
        node.start().await?;
        Ok(node)
    }

    /// Starts the process and waits until it answers.
    pub(super) async fn start(&mut self) -> Result<(), DemoError> {
        let program = std::env::current_exe().map_err(DemoError::System)?;
        let log = fs::File::create(self.dir.join("node.log")).map_err(DemoError::System)?;
        let child = Command::new(program)
            .arg("run")
            .arg("--dir")
            .arg(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(DemoError::System)?;
        self.process = Some(child);
        let ready = async {
            while self.client.get("/node").await.is_err() {
                if let Some(child) = &mut self.process
                    && let Ok(Some(status)) = child.try_wait()
                {
                    let log = fs::read_to_string(self.dir.join("node.log")).unwrap_or_default();
                    return Err(DemoError::Died { name: self.name.clone(), status: status.to_string(), log });
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(())
        };
        let late = DemoError::Late(format!("{} does not answer", self.name));
        tokio::time::timeout(READY_WITHIN, ready).await.map_err(|_| late)?
    }

    /// `kill -9`.
    pub(super) async fn kill(&mut self) -> Result<(), DemoError> {
        if let Some(mut child) = self.process.take() {
            child.kill().await.map_err(DemoError::System)?;
        }
        Ok(())
    }

    /// Cuts or mends the line to the parent.
    pub(super) fn cut(&self, cut: bool) {
        if let Some(line) = &self.line {
            line.cut(cut);
        }
    }
}

fn folder(place: &Division) -> String {
    format!("{}-{}", place.code, place.name)
}
