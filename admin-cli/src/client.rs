//! HTTP/1.1 to one node: requests in JSON, answers in JSON, refusals as [`Trouble`].
//!
//! A request that is safe to repeat (reading, creating under an idempotency key, importing) is sent again
//! when the connection breaks; an act is not, because it might have arrived: then the user is told to look.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use crate::limits::{
    ANSWER_BYTES_MAX, ANSWER_SECONDS_MAX, ATTEMPTS_MAX, CONNECT_SECONDS_MAX, PAGE_ITEMS_MAX, RETRY_PAUSE_MS,
};
use crate::target::{Target, Token};
use crate::trouble::Trouble;
use crate::words::Both;
use crate::{both, pin};

/// What may stand unescaped in one segment of a path or one value of a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One segment or value, percent-encoded.
pub fn escaped(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A path with a query made of the parameters that are there.
pub fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut out = path.to_owned();
    let mut separator = if path.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        if let Some(value) = value {
            out.push(separator);
            out.push_str(name);
            out.push('=');
            out.push_str(&escaped(value));
            separator = '&';
        }
    }
    out
}

/// Whether a request may be sent again when nobody knows if it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Safe,
    Never,
}

/// Why a try failed without an answer.
enum Lost {
    /// Nothing was sent.
    Before(Trouble),
    /// It was sent, and the connection broke before the answer.
    After(String),
}

/// A connection to one node, made when first needed.
#[derive(Debug)]
pub struct Client {
    target: Target,
    token: Option<Token>,
    connection: Option<SendRequest<Full<Bytes>>>,
    reached: bool,
}

impl Client {
    /// A client; nothing is dialled yet.
    pub fn new(target: Target, token: Option<Token>) -> Self {
        Self { target, token, connection: None, reached: false }
    }

    /// Reads.
    pub async fn get(&mut self, path: &str) -> Result<Value, Trouble> {
        self.request(Method::GET, path, None, Repeat::Safe).await
    }

    /// Reads what is no JSON: a file as the node wrote it.
    pub async fn file(&mut self, path: &str) -> Result<Bytes, Trouble> {
        self.fetch(Method::GET, path, None, Repeat::Safe).await
    }

    /// Creates something, or does what is idempotent by itself: safe to repeat.
    pub async fn create(&mut self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.request(Method::POST, path, Some(body), Repeat::Safe).await
    }

    /// Does something that must not happen twice.
    pub async fn act(&mut self, path: &str, body: &Value) -> Result<Value, Trouble> {
        self.request(Method::POST, path, Some(body), Repeat::Never).await
    }

    /// Deletes; doing it twice is the same.
    pub async fn delete(&mut self, path: &str) -> Result<Value, Trouble> {
        self.request(Method::DELETE, path, None, Repeat::Never).await
    }

    /// Reads a list over its pages until `items_max` items are there: `{"items": […], "next_cursor": …}`.
    pub async fn list(&mut self, path: &str, items_max: usize) -> Result<Value, Trouble> {
        let mut items: Vec<Value> = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let wanted = items_max.saturating_sub(items.len()).min(PAGE_ITEMS_MAX);
            let page = with_query(path, &[("limit", Some(wanted.to_string())), ("cursor", cursor.take())]);
            let mut page = self.get(&page).await?;
            let got =
                page.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
            let empty = got.is_empty();
            items.extend(got);
            cursor = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() || empty || items.len() >= items_max {
                return Ok(json!({"items": items, "next_cursor": cursor}));
            }
        }
    }

    async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        repeat: Repeat,
    ) -> Result<Value, Trouble> {
        let answer = self.fetch(method, path, body, repeat).await?;
        match serde_json::from_slice(&answer) {
            Ok(document) => Ok(document),
            Err(_) if answer.is_empty() => Ok(Value::Null),
            // An answer that is no JSON is not from one of ours.
            Err(_) => Err(self.foreign()),
        }
    }

    async fn fetch(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        repeat: Repeat,
    ) -> Result<Bytes, Trouble> {
        let key = if method == Method::POST { Some(idempotency_key()?) } else { None };
        let mut pause = Duration::from_millis(RETRY_PAUSE_MS);
        let mut attempt = 1;
        loop {
            let lost = match self.attempt(&method, path, body, key.as_deref()).await {
                Ok((status, answer)) if status < 400 => return Ok(answer),
                // A refusal speaks by its status as well.
                Ok((status, answer)) => {
                    let document = serde_json::from_slice(&answer).unwrap_or(Value::Null);
                    return Err(Trouble::from_answer(status, document));
                }
                Err(lost) => lost,
            };
            self.connection = None;
            let trouble = match lost {
                // A wrong pin or a closed door does not open by knocking again.
                Lost::Before(trouble @ Trouble::Unreachable(_)) => trouble,
                Lost::Before(trouble) => return Err(trouble),
                Lost::After(why) if repeat == Repeat::Never => return Err(unconfirmed(&why)),
                Lost::After(why) => self.unreachable(&why),
            };
            // One who was never reached in this run is not waited for; a link that broke is.
            if attempt == ATTEMPTS_MAX || !self.reached {
                return Err(trouble);
            }
            sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    }

    async fn attempt(
        &mut self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<(u16, Bytes), Lost> {
        let reused = self.connection.as_ref().is_some_and(|open| !open.is_closed());
        if !reused {
            self.connection = Some(self.connect().await.map_err(Lost::Before)?);
            self.reached = true;
        }
        let request = self.build(method, path, body, key).map_err(Lost::Before)?;
        let Some(connection) = self.connection.as_mut() else {
            return Err(Lost::Before(self.unreachable("")));
        };
        let exchange = async {
            connection.ready().await.map_err(|why| (why.to_string(), true))?;
            let answer =
                connection.send_request(request).await.map_err(|why| (why.to_string(), why.is_canceled()))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|why| (why.to_string(), false))?.to_bytes();
            Ok::<_, (String, bool)>((status, body))
        };
        match timeout(Duration::from_secs(ANSWER_SECONDS_MAX), exchange).await {
            Ok(Ok(answered)) => Ok(answered),
            // Not yet written: as good as never sent.
            Ok(Err((why, true))) => Err(Lost::Before(self.unreachable(&why))),
            Ok(Err((why, false))) => Err(Lost::After(why)),
            Err(_) => Err(Lost::After(format!("no answer in {ANSWER_SECONDS_MAX} s"))),
        }
    }

    fn build(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, Trouble> {
        let host = match &self.target {
            Target::Socket(_) => "localhost".to_owned(),
            target => target.to_string().trim_start_matches("https://").to_owned(),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(HOST, host)
            .header(ACCEPT, "application/json, application/problem+json");
        if let (Target::Https { .. }, Some(token)) = (&self.target, &self.token) {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.secret())).map_err(|_| {
                Trouble::Usage(both!(
                    "令牌里有不能用的字符，请核对",
                    "the token has characters it cannot have"
                ))
            })?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let bytes = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        request.body(Full::new(bytes)).map_err(|why| {
            Trouble::Usage(both!(
                "请求写不出来（{why}），什么都没有改动",
                "the request cannot be made ({why}); nothing was changed"
            ))
        })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Trouble> {
        let dial = async {
            match &self.target {
                Target::Socket(path) => {
                    let stream = UnixStream::connect(path).await.map_err(|why| no_socket(path, &why))?;
                    self.handshake(stream).await
                }
                Target::Https { host, port, pin } => {
                    let config = pin::config(*pin).map_err(|why| self.unreachable(&why.to_string()))?;
                    let name = ServerName::try_from(host.clone()).map_err(|why| {
                        Trouble::Usage(both!(
                            "主机名「{host}」不对（{why}）",
                            "“{host}” is not a host name ({why})"
                        ))
                    })?;
                    let stream = TcpStream::connect((host.as_str(), *port)).await;
                    let stream = stream.map_err(|why| self.unreachable(&why.to_string()))?;
                    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
                    let stream = connector.connect(name, stream).await.map_err(|why| self.no_tls(&why))?;
                    self.handshake(stream).await
                }
            }
        };
        match timeout(Duration::from_secs(CONNECT_SECONDS_MAX), dial).await {
            Ok(result) => result,
            Err(_) => Err(self.unreachable(&format!("{CONNECT_SECONDS_MAX} s"))),
        }
    }

    async fn handshake<S>(&self, stream: S) -> Result<SendRequest<Full<Bytes>>, Trouble>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|why| self.unreachable(&why.to_string()))?;
        // Its errors come back through the request that suffers from them.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn unreachable(&self, why: &str) -> Trouble {
        let target = &self.target;
        match target {
            Target::Socket(_) => Trouble::Unreachable(both!(
                "连不上 {target}（{why}），这次没有改动。请确认 yishi-node 正在运行（systemctl status yishi-node），然后再试。",
                "{target} does not answer ({why}); this changed nothing. Check that yishi-node is running (systemctl status yishi-node) and try again."
            )),
            Target::Https { .. } => Trouble::Unreachable(both!(
                "连不上 {target}（{why}），这次没有改动。请检查网络、地址和端口，然后再试；对方上网恢复前，可在那台机器上直接用 yishi。",
                "{target} cannot be reached ({why}); this changed nothing. Check network, address and port and try again, or use yishi on that machine."
            )),
        }
    }

    fn foreign(&self) -> Trouble {
        let target = &self.target;
        Trouble::Unreachable(both!(
            "{target} 有应答，但不是议事服务的应答。请核对 --node 的地址和端口。",
            "{target} answers, but not as Yishi does. Check address and port of --node."
        ))
    }

    /// A TLS handshake that failed: for the wrong key, or for the network's reasons.
    fn no_tls(&self, why: &io::Error) -> Trouble {
        let inner = why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(_)) => {
                let target = &self.target;
                Trouble::not_allowed(both!(
                    "{target} 出示的身份与 --pin 不符，没有把令牌发给它，什么都没有改动。可能地址错了、那台机器重装过，或有人冒充。请到那台机器上运行 yishi-node doctor 核对 web_pin。",
                    "{target} showed another key than --pin; the token was not sent and nothing was changed. The address may be wrong, the machine reinstalled, or somebody is in between. Run yishi-node doctor there and compare web_pin."
                ))
            }
            _ => self.unreachable(&why.to_string()),
        }
    }
}

fn unconfirmed(why: &str) -> Trouble {
    Trouble::Unreachable(both!(
        "已经发出，但没有等到回音（{why}），不能确定是否办成。请先用 yishi matter show 看一看，再决定要不要重做。",
        "It was sent, but no answer came ({why}), so it may or may not be done. Look with yishi matter show before doing it again."
    ))
}

fn no_socket(path: &Path, why: &io::Error) -> Trouble {
    let path = path.display();
    match why.kind() {
        io::ErrorKind::PermissionDenied => Trouble::not_allowed(both!(
            "没有打开 {path} 的权限，什么都没有改动。请用运行服务的账户执行，例如 sudo -u yishi yishi …",
            "You may not open {path}; nothing was changed. Run as the service's user, as in sudo -u yishi yishi …"
        )),
        io::ErrorKind::NotFound => Trouble::Unreachable(both!(
            "没有找到 {path}，什么都没有改动。请确认 yishi-node 正在运行；数据目录在别处的，用 --node 目录/api.sock 指明。",
            "There is no {path}; nothing was changed. Check that yishi-node is running; if its data is elsewhere, name it with --node DIR/api.sock."
        )),
        _ => Trouble::Unreachable(both!(
            "{path} 没有应答（{why}），什么都没有改动。请确认 yishi-node 正在运行（systemctl status yishi-node）。",
            "{path} does not answer ({why}); nothing was changed. Check that yishi-node is running (systemctl status yishi-node)."
        )),
    }
}

/// A fresh key under which a repeated request counts once.
fn idempotency_key() -> Result<String, Trouble> {
    let mut bytes = [0u8; 16];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).map_err(|_| {
        Trouble::Usage(Both::new(
            "系统取不到随机数，什么都没有改动。请重启机器后再试。",
            "The system gives no random numbers; nothing was changed. Restart the machine and try again.",
        ))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_carry_chinese_numbers() {
        assert_eq!(escaped("芦稿-2026-0187"), "%E8%8A%A6%E7%A8%BF-2026-0187");
        assert_eq!(escaped("a/b?c#d"), "a%2Fb%3Fc%23d");
        let query = [("stage", Some("closed".to_owned())), ("q", None), ("home", Some("芦".to_owned()))];
        assert_eq!(with_query("/matters", &query), "/matters?stage=closed&home=%E8%8A%A6");
        assert_eq!(with_query("/matters?a=1", &query[..1]), "/matters?a=1&stage=closed");
    }
}
