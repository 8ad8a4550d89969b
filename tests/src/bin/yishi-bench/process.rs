//! A node as a process of its own, started, asked and stopped as an operator would.

use anyhow::{Context as _, Result, bail, ensure};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    process::{Child, Command},
};
use yishi_node::{home::Home, local::Client};

/// How long anything here may take before the measurement is given up.
const WITHIN: Duration = Duration::from_secs(180);

/// A node with its folder and ports.
#[derive(Debug)]
pub(crate) struct Node {
    dir: PathBuf,
    pub(crate) link: SocketAddr,
    pub(crate) pages: SocketAddr,
    pub(crate) client: Client,
    process: Option<Child>,
}

impl Node {
    /// Writes the configuration of the node whose database is in `dir`. `parent` is where it dials.
    pub(crate) fn configured(dir: &Path, parent: Option<SocketAddr>) -> Result<Self> {
        let link = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let pages = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let parent = parent.map(|a| format!("parent = \"{a}\"\n")).unwrap_or_default();
        let config = format!(
            "data_dir = {dir:?}\n[link]\nlisten = \"{link}\"\n{parent}[http]\nlisten = \"{pages}\"\nopen_board = true\n"
        );
        fs::write(dir.join("node.toml"), config)?;
        let client = Client::new(Home::at(dir).socket());
        Ok(Self { dir: dir.to_owned(), link, pages, client, process: None })
    }

    /// Starts the process without waiting for anything.
    pub(crate) fn spawn(&mut self) -> Result<()> {
        let own = std::env::current_exe()?;
        let program = own.with_file_name("yishi-node");
        ensure!(
            program.exists(),
            "{} is not there: build it first, with the same profile, by `cargo build --release -p yishi-node -p yishi-tests`",
            program.display()
        );
        let log = fs::File::create(self.dir.join("node.log"))?;
        let child = Command::new(program)
            .arg("run")
            .arg("--dir")
            .arg(&self.dir)
            .env("YISHI_LOG", std::env::var("YISHI_LOG").unwrap_or_else(|_| "warn".into()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        self.process = Some(child);
        Ok(())
    }

    /// Starts the process and waits until it answers.
    pub(crate) async fn start(&mut self) -> Result<()> {
        self.spawn()?;
        self.until("answers", Duration::from_millis(20), async |node| {
            Ok(node.client.get("/node").await.is_ok())
        })
        .await
    }

    /// Waits until a condition of this node holds.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        every: Duration,
        mut holds: impl AsyncFnMut(&Self) -> Result<bool>,
    ) -> Result<()> {
        let since = Instant::now();
        while !holds(self).await? {
            if let Some(child) = &mut self.process
                && let Some(status) = child.try_wait()?
            {
                bail!("the node ended with {status}: {}", self.log());
            }
            ensure!(since.elapsed() < WITHIN, "waited in vain until the node {what}: {}", self.log());
            tokio::time::sleep(every).await;
        }
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("node.log")).unwrap_or_default()
    }

    /// Stops the process in order.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.process.take() else { return Ok(()) };
        let pid = child.id().context("the node has ended already")?;
        let told = Command::new("kill").arg(pid.to_string()).status().await?;
        ensure!(told.success(), "the node could not be told to stop");
        let status = tokio::time::timeout(WITHIN, child.wait()).await.context("the node does not stop")??;
        ensure!(status.success(), "the node stopped with {status}: {}", self.log());
        Ok(())
    }

    /// A line of /proc/PID/status in bytes, such as `VmHWM` or `VmRSS`.
    pub(crate) fn memory(&self, which: &str) -> Result<u64> {
        memory(self.pid()?, which)
    }

    /// Processor time since it was started.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.pid()?)
    }

    fn pid(&self) -> Result<u32> {
        self.process.as_ref().and_then(Child::id).context("the node runs")
    }

    /// Reads a page as whoever sits at the machine sees it, over the node's socket: status and body.
    pub(crate) async fn page(&self, path: &str) -> Result<(u16, String)> {
        let mut stream = UnixStream::connect(Home::at(&self.dir).socket()).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.pages);
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).context("an HTTP answer")?;
        Ok((status, text))
    }

    /// A number of `/metrics`.
    pub(crate) async fn metric(&self, name: &str) -> Result<f64> {
        let (_, text) = self.page("/metrics").await?;
        let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.with_context(|| format!("{name} in /metrics"))?.trim().parse()?)
    }
}

/// A line of /proc/PID/status in bytes.
pub(crate) fn memory(pid: u32, which: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix(which)?.strip_prefix(':'));
    let kib: u64 = line.context("the kernel tells")?.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1024)
}

/// What /proc/PID/stat tells of the processor time of a process, its own and the kernel's for it.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    // Hundredths of a second on every Linux.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold anything, blanks too; user and kernel time are the 14th and 15th field.
    let (_, rest) = stat.rsplit_once(')').context("a name in brackets")?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}
