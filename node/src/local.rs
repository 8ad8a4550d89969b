//! A small client of a running node's own API over its Unix socket: for the doctor and the demonstration,
//! which must see what an operator would see.

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, body::Bytes};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::{path::PathBuf, time::Duration};
use thiserror::Error;
use tokio::net::UnixStream;

/// An answer may take this long on a loaded machine.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A call that did not succeed.
#[derive(Debug, Error)]
pub enum CallError {
    /// No answer, or one that is an error.
    #[error("{path}: {what}")]
    Failed {
        /// Which call.
        path: String,
        /// What came back.
        what: String,
    },
    /// The answer lacks a field.
    #[error("an answer lacks “{0}”")]
    Lacks(String),
}

/// One node's door.
#[derive(Debug, Clone)]
pub struct Client(PathBuf);

impl Client {
    /// The node with this socket.
    #[must_use]
    pub fn new(socket: PathBuf) -> Self {
        Self(socket)
    }

    /// Reads.
    ///
    /// # Errors
    /// [`CallError`] if there is no answer, or one that is an error.
    pub async fn get(&self, path: &str) -> Result<Value, CallError> {
        self.call(Method::GET, path, None).await
    }

    /// Acts.
    ///
    /// # Errors
    /// [`CallError`] if there is no answer, or one that is an error.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, CallError> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, CallError> {
        let failed = |what: String| CallError::Failed { path: path.to_owned(), what };
        let talk = async {
            let stream = UnixStream::connect(&self.0).await.map_err(|e| failed(e.to_string()))?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|e| failed(e.to_string()))?;
            let driver = tokio::spawn(connection);
            let bytes = body.map_or_else(Bytes::new, |b| Bytes::from(b.to_string()));
            let request = Request::builder()
                .method(method)
                .uri(format!("/api/v1{path}"))
                .header("host", "localhost")
                .header("content-type", "application/json")
                .body(Full::new(bytes))
                .map_err(|e| failed(e.to_string()))?;
            let answer = sender.send_request(request).await.map_err(|e| failed(e.to_string()))?;
            let status = answer.status();
            let bytes = answer.into_body().collect().await.map_err(|e| failed(e.to_string()))?.to_bytes();
            driver.abort();
            let value: Value = if bytes.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&bytes).map_err(|e| failed(e.to_string()))?
            };
            if status.is_success() {
                return Ok(value);
            }
            let detail = value.get("detail").and_then(Value::as_str).unwrap_or_default();
            Err(failed(format!("{status}: {detail}")))
        };
        tokio::time::timeout(ANSWER_WITHIN, talk).await.map_err(|_| failed("no answer".into()))?
    }
}

/// A text field of an answer.
///
/// # Errors
/// [`CallError::Lacks`] without it.
pub fn text(value: &Value, field: &str) -> Result<String, CallError> {
    let found = value.get(field).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| CallError::Lacks(field.to_owned()))
}
