//! The session's cookie.
//!
//! Its name differs by door, because browsers share cookies between the ports of a host: `__Host-yishi`, which
//! browsers accept over TLS only and for this host only, and `yishi-plain` on plain HTTP.

use super::server::Door;
use axum::http::{HeaderMap, HeaderValue, header};

const TLS_NAME: &str = "__Host-yishi";
const PLAIN_NAME: &str = "yishi-plain";
/// A secret is 64 hex digits; anything else was not made here.
const SECRET_LEN: usize = 64;

fn name(door: Door) -> &'static str {
    if door == Door::Tls { TLS_NAME } else { PLAIN_NAME }
}

/// The session secret a request carries.
pub(super) fn read(headers: &HeaderMap, door: Door) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(k, v)| (k == name(door)).then_some(v))
        .filter(|v| v.len() == SECRET_LEN && v.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The header that gives the browser its session.
pub(super) fn give(secret: &str, door: Door, seconds: u64) -> Option<HeaderValue> {
    let secure = if door == Door::Tls { "; Secure" } else { "" };
    let name = name(door);
    HeaderValue::try_from(format!(
        "{name}={secret}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    ))
    .ok()
}

/// The header that takes it back.
pub(super) fn take_back(door: Door) -> Option<HeaderValue> {
    give("", door, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_and_read() {
        let secret = crate::http::secret::fresh();
        for (door, prefix, secure) in
            [(Door::Tls, "__Host-yishi=", true), (Door::Plain { loopback: true }, "yishi-plain=", false)]
        {
            let given = give(&secret, door, 60).unwrap();
            let given = given.to_str().unwrap();
            assert!(given.starts_with(prefix) && given.contains("HttpOnly; SameSite=Strict"));
            assert_eq!(given.contains("Secure"), secure);
            let mut headers = HeaderMap::new();
            let pair = given.split(';').next().unwrap();
            headers.insert(header::COOKIE, format!("a=b; {pair}; c=d").parse().unwrap());
            assert_eq!(read(&headers, door), Some(secret.as_str()));
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "yishi-plain=' OR 1".parse().unwrap());
        assert_eq!(read(&headers, Door::Plain { loopback: true }), None);
    }
}
