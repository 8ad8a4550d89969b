//! A node as a process, and its API over the socket in its folder.

use serde_json::Value;
use std::{
    fs::File,
    io::{Read, Write},
    net::SocketAddr,
    os::unix::{net::UnixStream, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The node's program, beside the test's own.
pub(crate) fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let found = own.ancestors().skip(1).map(|dir| dir.join("yishi-node")).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("no yishi-node beside {own:?}: cargo build -p yishi-node"))
}

pub(crate) fn node(args: &[&str]) -> Output {
    Command::new(program()).args(args).stdin(Stdio::null()).output().unwrap()
}

/// Runs to its end with success.
pub(crate) fn done(args: &[&str]) {
    let output = node(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One node; killed when dropped.
pub(crate) struct Node {
    pub(crate) dir: PathBuf,
    pub(crate) link: SocketAddr,
    pub(crate) child: Option<Child>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

impl Node {
    /// A node whose folder was made already.
    pub(crate) fn at(dir: PathBuf) -> Self {
        // An address of this test's own: while the node is down nobody else gets its port.
        let [.., a, b, c] = std::process::id().to_be_bytes();
        let socket = std::net::UdpSocket::bind(SocketAddr::from(([127, 64 | a, b, c], 0))).unwrap();
        let link = socket.local_addr().unwrap();
        Self::listening(dir, link)
    }

    /// A node with its configuration.
    pub(crate) fn listening(dir: PathBuf, link: SocketAddr) -> Self {
        let config = format!(
            "data_dir = {dir:?}\n[link]\nlisten = \"{link}\"\nidle_ms = 2500\nkeep_alive_ms = 600\n\
             retry_max_ms = 300\n[http]\nlisten = \"127.0.0.1:0\"\n"
        );
        std::fs::write(dir.join("node.toml"), config).unwrap();
        Self { dir, link, child: None }
    }

    pub(crate) fn root(dir: PathBuf) -> Self {
        done(&[
            "init",
            "--code",
            "510113106000",
            "--name",
            "姚渡镇",
            "--level",
            "township",
            "--dir",
            text(&dir),
        ]);
        Self::at(dir)
    }

    /// The token for a village below.
    pub(crate) fn invitation(&self) -> String {
        let body = serde_json::json!({
            "code": "510113106204", "name": "芦稿村", "level": "village", "address": self.link.to_string(),
        });
        self.post("/places/invites", &body)["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn start(&mut self) {
        self.start_by(Command::new(program()));
    }

    /// Starts the program by way of another one.
    pub(crate) fn start_by(&mut self, mut command: Command) {
        let log = File::options().create(true).append(true).open(self.dir.join("node.log")).unwrap();
        // A group of its own: a wrapper may leave the program behind when it is killed.
        let child = command
            .process_group(0)
            .args(["run", "--dir", text(&self.dir)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        until("the node answers", || {
            if let Ok(Some(status)) = self.child.as_mut().unwrap().try_wait() {
                let log = std::fs::read_to_string(self.dir.join("node.log")).unwrap_or_default();
                panic!("the node ended with {status}: {log}");
            }
            self.call("GET", "/node", None).is_ok()
        });
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let group = format!("-{}", child.id());
            let killed = Command::new("kill").args(["-9", "--", &group]).status().unwrap();
            assert!(killed.success());
            child.wait().unwrap();
        }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, Some(body)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let mut stream = UnixStream::connect(self.dir.join("api.sock")).map_err(|e| e.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(|e| e.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|e| e.to_string())?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        if !head.starts_with("HTTP/1.1 2") {
            return Err(answer);
        }
        serde_json::from_str(body).map_err(|e| format!("{e}: {answer}"))
    }

    /// How many rows of the feed upwards are not acknowledged.
    pub(crate) fn waiting(&self) -> Option<u64> {
        self.call("GET", "/link", None).ok()?.pointer("/up/waiting")?.as_u64()
    }
}
