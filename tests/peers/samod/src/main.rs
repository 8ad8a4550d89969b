//! The same Automerge documents carried by samod, so that both are measured in one run.
//!
//! `server DIR REPOS` listens with so many repositories, each with a folder of its own; `client DIR FILE
//! PORT…` brings the documents of the file and does as it is told on standard input: `initial`, `unchanged`,
//! `changed FILE`. One line of JSON answers each. `floor FILE` says what the documents weigh compressed together,
//! `json FILE OUT` writes them as JSON for peers that know no Automerge.
//!
//! One repository does not carry ten thousand documents, so they are spread over several, each with a connection.
//! A document has arrived when the server's heads are ours. samod's storage does not call fsync.

mod counted;

use anyhow::{Context as _, Result, bail};
use automerge::{AutoSerde, Automerge, Change};
use counted::{Bytes, Counted};
use futures::future::{BoxFuture, FutureExt as _, try_join_all};
use samod::{
    AcceptorHandle, BackoffConfig, DialError, Dialer, DialerHandle, DocHandle, Repo, Transport,
    storage::TokioFilesystemStorage,
};
use serde_json::json;
use std::{
    convert::Infallible,
    fs,
    io::{BufRead, Write as _},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::{TcpListener, TcpStream};

/// How long one step may take.
const WITHIN: Duration = Duration::from_secs(600);

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["server", dir, repos] => server(Path::new(dir), repos.parse()?).await,
        ["client", dir, file, ports @ ..] => client(Path::new(dir), Path::new(file), ports).await,
        ["floor", file] => floor(Path::new(file)),
        ["json", file, out] => export(Path::new(file), Path::new(out)),
        _ => bail!("samod-peer server DIR REPOS | client DIR FILE PORT… | floor FILE | json FILE OUT"),
    }
}

/// The documents of a file: for each how many changes, and each with its length.
fn documents(file: &Path) -> Result<Vec<Vec<Change>>> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    let mut rest = bytes.as_slice();
    let mut docs = Vec::new();
    let number = |rest: &mut &[u8]| -> Result<usize> {
        let (first, others) = rest.split_first_chunk::<4>().context("a number")?;
        *rest = others;
        Ok(u32::from_le_bytes(*first) as usize)
    };
    while !rest.is_empty() {
        let mut changes = Vec::new();
        for _ in 0..number(&mut rest)? {
            let length = number(&mut rest)?;
            let (change, others) = rest.split_at_checked(length).context("a whole change")?;
            changes.push(Change::from_bytes(change.to_vec())?);
            rest = others;
        }
        docs.push(changes);
    }
    Ok(docs)
}

fn loaded(changes: Vec<Change>) -> Result<Automerge> {
    let mut doc = Automerge::new();
    doc.apply_changes(changes)?;
    Ok(doc)
}

fn floor(file: &Path) -> Result<()> {
    let (mut saves, mut actors) = (Vec::new(), 0_usize);
    for changes in documents(file)? {
        let mut authors: Vec<_> = changes.iter().map(|c| c.actor_id().clone()).collect();
        authors.sort_unstable();
        authors.dedup();
        actors += authors.len();
        saves.extend(loaded(changes)?.save_nocompress());
    }
    let together = zstd::bulk::compress(&saves, 3)?.len();
    tell(&json!({ "saves_bytes": saves.len(), "zstd_bytes": together, "signatures_bytes": actors * 64 }))
}

fn export(file: &Path, out: &Path) -> Result<()> {
    let mut lines = Vec::new();
    for changes in documents(file)? {
        let doc = loaded(changes)?;
        serde_json::to_writer(&mut lines, &AutoSerde::from(&doc))?;
        lines.push(b'\n');
    }
    Ok(fs::write(out, lines)?)
}

fn tell(line: &serde_json::Value) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

async fn repo(dir: &Path, n: usize) -> Result<Repo> {
    let dir = dir.join(format!("{n:03}"));
    fs::create_dir_all(&dir)?;
    Ok(Repo::build_tokio().with_storage(TokioFilesystemStorage::new(dir)).load().await)
}

async fn server(dir: &Path, repos: usize) -> Result<()> {
    let (mut ports, mut kept) = (Vec::new(), Vec::new());
    for n in 0..repos {
        let repo = repo(dir, n).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let acceptor = repo.make_acceptor(format!("tcp://127.0.0.1:{port}").parse()?)?;
        tokio::spawn(accept(listener, acceptor));
        ports.push(port);
        kept.push(repo);
    }
    tell(&json!({ "ports": ports }))?;
    // Until whoever started it closes our input.
    tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().count()).await?;
    Ok(())
}

async fn accept(listener: TcpListener, acceptor: AcceptorHandle) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        if acceptor.accept_tokio_io(stream).is_err() {
            return;
        }
    }
}

/// Dials a port and counts what goes over the socket.
struct Line {
    port: u16,
    bytes: Arc<Bytes>,
}

impl Dialer for Line {
    type Error = Infallible;

    fn url(&self) -> url::Url {
        url::Url::parse(&format!("tcp://127.0.0.1:{}", self.port)).expect("an address of digits")
    }

    fn connect(&self) -> BoxFuture<'static, Result<Transport, DialError<Infallible>>> {
        let (port, bytes) = (self.port, Arc::clone(&self.bytes));
        async move {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(DialError::transient)?;
            stream.set_nodelay(true).map_err(DialError::transient)?;
            Ok(Transport::from_tokio_io(Counted { stream, bytes }))
        }
        .boxed()
    }
}

/// One repository of the client with its documents.
struct Share {
    repo: Repo,
    port: u16,
    docs: Vec<DocHandle>,
    line: Option<DialerHandle<Infallible>>,
}

impl Share {
    async fn in_step(&mut self, bytes: &Arc<Bytes>) -> Result<()> {
        let line = Line { port: self.port, bytes: Arc::clone(bytes) };
        let handle = self.repo.dial(BackoffConfig::default(), Arc::new(line))?;
        handle.established().await.ok().context("the server answers")?;
        let connection = handle.connection_id().context("a connection")?;
        futures::future::join_all(self.docs.iter().map(|d| d.they_have_our_changes(connection))).await;
        self.line = Some(handle);
        Ok(())
    }
}

async fn client(dir: &Path, file: &Path, ports: &[&str]) -> Result<()> {
    let bytes = Arc::new(Bytes::default());
    let mut shares = Vec::new();
    for (n, port) in ports.iter().enumerate() {
        shares.push(Share { repo: repo(dir, n).await?, port: port.parse()?, docs: Vec::new(), line: None });
    }
    let count = shares.len();
    for (n, changes) in documents(file)?.into_iter().enumerate() {
        let share = shares.get_mut(n % count).context("a repository")?;
        share.docs.push(share.repo.create(loaded(changes)?).await?);
    }
    tell(&json!({ "ready": true }))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["initial" | "unchanged"] => {}
            ["changed", file] => {
                for (n, changes) in documents(Path::new(file))?.into_iter().enumerate() {
                    let share = shares.get(n % count).context("a repository")?;
                    let doc = share.docs.get(n / count).context("a document")?;
                    doc.with_document(|doc| doc.apply_changes(changes))?;
                }
            }
            _ => bail!("“{line}” is no step"),
        }
        bytes.taken();
        let began = Instant::now();
        let all = try_join_all(shares.iter_mut().map(|share| share.in_step(&bytes)));
        tokio::time::timeout(WITHIN, all).await.context("samod does not come into step")??;
        let seconds = began.elapsed().as_secs_f64();
        // What is said after the last document arrived belongs to it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        tell(&json!({ "seconds": seconds, "bytes": bytes.taken() }))?;
        for share in &mut shares {
            if let Some(line) = share.line.take() {
                line.close();
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}
