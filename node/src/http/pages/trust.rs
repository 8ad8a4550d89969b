//! `/trust`: how a phone comes to trust this node's certificate, on the screen and on paper; `/trust/yishi.crt` and
//! `.pem` are the certificate. For everybody: whoever reads it has not signed in yet, and cannot.

use super::{
    Page, Visitor,
    desk::shown_at,
    html,
    qr::{self, Square},
    w,
    words::collect as wc,
};
use crate::http::{
    House,
    lang::Lang,
    problem::{Answer, Problem},
    secret,
    server::{Door, Trust},
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{net::IpAddr, sync::Arc};

#[derive(Template)]
#[template(path = "trust.html")]
struct TrustPage {
    page: Page,
    ways: Vec<Way>,
    /// The same in the language the page is not in.
    other_ways: Vec<Way>,
    other_why: &'static str,
    other_compare: &'static str,
    known: Option<Known>,
    /// Where a phone opens this page.
    open_at: String,
    square: Option<Square>,
    /// Whether the address it was reached at is not in the certificate.
    other_name: bool,
}

/// What to do on one kind of phone; or what cannot be done.
struct Way {
    title: &'static str,
    steps: Vec<&'static str>,
    /// Whether the order matters.
    counted: bool,
}

fn ways(lang: Lang) -> Vec<Way> {
    let way = |title: w::Word, steps: &[w::Word], counted| Way {
        title: title.of(lang),
        steps: steps.iter().map(|s| s.of(lang)).collect(),
        counted,
    };
    vec![
        way(wc::T_ANDROID, &[wc::T_ANDROID_1, wc::T_ANDROID_2, wc::T_ANDROID_3, wc::T_ANDROID_4], true),
        way(wc::T_IPHONE, &[wc::T_IPHONE_1, wc::T_IPHONE_2, wc::T_IPHONE_3, wc::T_IPHONE_4], true),
        way(wc::T_HARMONY, &[wc::T_HARMONY_1, wc::T_HARMONY_2, wc::T_HARMONY_3], true),
        way(
            wc::T_CANNOT,
            &[wc::T_LIMIT, wc::T_CANNOT_1, wc::T_CANNOT_2, wc::T_CANNOT_3, wc::T_CANNOT_4, wc::T_CANNOT_5],
            false,
        ),
    ]
}

/// The certificate as people see it.
struct Known {
    title: String,
    /// Four letters each: read aloud and compared.
    fingerprint: Vec<String>,
    names: String,
    open: Vec<String>,
}

pub(super) async fn show(State(house): State<Arc<House>>, visitor: Visitor, headers: HeaderMap) -> Response {
    let page = visitor.page(&house, "trust");
    let other = match page.lang {
        Lang::Zh => Lang::En,
        Lang::En => Lang::Zh,
    };
    let mut shown = TrustPage {
        ways: ways(page.lang),
        other_ways: ways(other),
        other_why: wc::T_WHY.of(other),
        other_compare: wc::T_COMPARE_HOW.of(other),
        known: None,
        open_at: String::new(),
        square: None,
        other_name: false,
        page,
    };
    let Some(trust) = &house.trust else { return html(&shown) };
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).and_then(host_of).unwrap_or_default();
    let reached = (visitor.door == Some(Door::Tls)).then(|| shown_at(&headers, visitor.door)).flatten();
    let outside: Vec<&str> = trust.names.iter().filter(|n| !is_here(n)).map(String::as_str).collect();
    let open: Vec<String> = outside.iter().map(|name| at(name, trust.port)).collect();
    if let Some(address) = reached.or_else(|| open.first().cloned()) {
        shown.open_at = format!("{address}/trust");
        shown.square = qr::square(&shown.open_at);
    }
    shown.other_name = !is_here(&host) && !trust.names.contains(&host);
    shown.known = Some(Known {
        title: trust.title.clone(),
        fingerprint: fingerprint(trust),
        names: if outside.is_empty() { trust.names.join("  ") } else { outside.join("  ") },
        open: open.iter().map(|a| format!("{a}/collect")).collect(),
    });
    html(&shown)
}

/// A host name without its port, as the certificate writes it.
fn host_of(host: &str) -> Option<String> {
    let uri: axum::http::uri::Authority = host.parse().ok()?;
    Some(uri.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase())
}

/// Whether a name means the machine itself.
fn is_here(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn at(name: &str, port: u16) -> String {
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => format!("https://[{ip}]:{port}"),
        _ => format!("https://{name}:{port}"),
    }
}

fn fingerprint(trust: &Trust) -> Vec<String> {
    let hex = secret::hex(&secret::hash(&trust.root)).to_ascii_uppercase();
    hex.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect()
}

/// The certificate as phones take it. Not as an attachment: Safari then offers to install it.
pub(super) async fn certificate(State(house): State<Arc<House>>) -> Answer<Response> {
    let trust = house.trust.as_ref().ok_or_else(Problem::no_such_page)?;
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/x-x509-ca-cert"))];
    Ok((kind, trust.root.clone()).into_response())
}

/// The same as a text, for computers.
pub(super) async fn pem(State(house): State<Arc<House>>) -> Answer<Response> {
    let trust = house.trust.as_ref().ok_or_else(Problem::no_such_page)?;
    let body = STANDARD.encode(&trust.root);
    let lines: Vec<&str> = body.as_bytes().chunks(64).filter_map(|l| std::str::from_utf8(l).ok()).collect();
    let text = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-pem-file")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"yishi.pem\"")),
    ];
    Ok((headers, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_a_browser_takes_them() {
        assert_eq!(at("192.168.8.1", 4743), "https://192.168.8.1:4743");
        assert_eq!(at("fd00::1", 4743), "https://[fd00::1]:4743");
        assert_eq!(host_of("[FD00::1]:4743").as_deref(), Some("fd00::1"));
        assert_eq!(host_of("Cun.lan:4743").as_deref(), Some("cun.lan"));
        assert!(is_here("127.0.0.1") && is_here("::1") && is_here("localhost") && !is_here("10.0.0.1"));
        let trust = Trust { root: vec![1, 2, 3], title: String::new(), names: Vec::new(), port: 1 };
        let groups = fingerprint(&trust);
        assert_eq!((groups.len(), groups[0].as_str()), (16, "0390"));
    }
}
