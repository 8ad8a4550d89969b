//! A node as the CLI sees one: HTTP over a Unix socket, answers made by a closure, requests kept to be looked at.

use std::convert::Infallible;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) key: Option<String>,
    pub(crate) token: Option<String>,
}

/// What to answer.
pub(crate) enum Answer {
    Json(u16, Value),
    Text(&'static str),
    /// Break the connection after the request was read.
    HangUp,
}

pub(crate) type Answering = Arc<dyn Fn(&Asked, usize) -> Answer + Send + Sync>;
pub(crate) type Kept = Arc<Mutex<Vec<Asked>>>;

/// Serves one connection.
pub(crate) async fn serve<S>(stream: S, answering: Answering, kept: Kept)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (answering, kept) = (answering.clone(), kept.clone());
        async move {
            let header =
                |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let (key, token) = (header("idempotency-key"), header("authorization"));
            let (method, path) = (request.method().to_string(), request.uri().to_string());
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let asked = Asked {
                method,
                path,
                body: serde_json::from_slice(&body).unwrap_or(Value::Null),
                key,
                token,
            };
            let count = {
                let mut kept = kept.lock().unwrap();
                kept.push(asked.clone());
                kept.len()
            };
            match answering(&asked, count) {
                Answer::Json(status, Value::Null) => {
                    Ok(Response::builder().status(status).body(Full::new(Bytes::new())).unwrap())
                }
                Answer::Json(status, document) => Ok(Response::builder()
                    .status(status)
                    .body(Full::new(Bytes::from(document.to_string())))
                    .unwrap()),
                Answer::Text(text) => Ok(Response::new(Full::new(Bytes::from(text)))),
                Answer::HangUp => Err(std::io::Error::other("hang up")),
            }
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A node on a socket in a folder of its own.
pub(crate) struct Node {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) kept: Kept,
}

impl Node {
    pub(crate) fn new(answering: impl Fn(&Asked, usize) -> Answer + Send + Sync + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept::default();
        let listener = std::os::unix::net::UnixListener::bind(dir.path().join("api.sock")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (answering, keeping): (Answering, Kept) = (Arc::new(answering), kept.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::UnixListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, answering.clone(), keeping.clone()));
                }
                #[expect(unreachable_code, reason = "the thread ends with the test")]
                Ok::<(), Infallible>(())
            })
        });
        Self { dir, kept }
    }

    /// One answer to everything.
    pub(crate) fn saying(document: Value) -> Self {
        Self::new(move |_, _| Answer::Json(200, document.clone()))
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.kept.lock().unwrap().clone()
    }

    /// `METHOD path body` of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|asked| format!("{} {} {}", asked.method, asked.path, asked.body)).collect()
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs `yishi` against this node.
    pub(crate) fn yishi(&self, args: &[&str]) -> Ran {
        let node = self.dir.path().join("api.sock");
        yishi(&[&["--node", node.to_str().unwrap()], args].concat(), "")
    }

    /// The same with something on standard input.
    pub(crate) fn yishi_reading(&self, args: &[&str], input: &str) -> Ran {
        let node = self.dir.path().join("api.sock");
        yishi(&[&["--node", node.to_str().unwrap()], args].concat(), input)
    }
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Standard output as the one JSON document it must be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("not one document ({why}): {}", self.out))
    }

    /// Checks the exit status and shows everything if it is another.
    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "out: {}\nerr: {}", self.out, self.err);
        self
    }
}

/// Runs `yishi` with a clean environment, in Chinese.
pub(crate) fn yishi(args: &[&str], input: &str) -> Ran {
    yishi_with(args, input, &[])
}

pub(crate) fn yishi_with(args: &[&str], input: &str, env: &[(&str, &str)]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_yishi"))
        .args(args)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    Ran {
        status: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}
