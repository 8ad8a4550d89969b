//! Browsers that are none: connections that say nothing, a byte now and then, or half a form.

use crate::{
    flood::{pages, under},
    pair::{Pair, Told, ids},
    tools::long,
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

/// Opens connections and opens them again when they are closed; each says `first`, then a byte every so often.
fn sit(at: SocketAddr, count: usize, first: &[u8], every: Duration, over: &AtomicBool) -> String {
    let opened = AtomicUsize::new(0);
    let mut held: Vec<TcpStream> = Vec::new();
    let mut most = 0;
    while !over.load(Ordering::SeqCst) {
        while held.len() < count && !over.load(Ordering::SeqCst) {
            let Ok(mut stream) = TcpStream::connect_timeout(&at, Duration::from_millis(200)) else { break };
            opened.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(first);
            stream.set_nonblocking(true).unwrap();
            held.push(stream);
        }
        most = most.max(held.len());
        std::thread::sleep(every);
        held.retain_mut(|stream| !is_closed(stream) && (first.is_empty() || stream.write_all(b"x").is_ok()));
    }
    format!("{} connections opened, {most} at a time", opened.load(Ordering::SeqCst))
}

/// Whether the other side hung up, answered or not.
fn is_closed(stream: &mut TcpStream) -> bool {
    !matches!(stream.read(&mut [0; 512]), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock)
}

fn beset(name: &'static str, first: &'static [u8], every: Duration) {
    let mut pair = Pair::start();
    let at = pages(&pair.town);
    let lasting = Duration::from_secs(if long() { 30 } else { 8 });
    under(name, &pair, lasting, move |over| sit(at, 400, first, every, &over));
    let told = Told { by_village: ids(&pair.village), ..Told::default() };
    pair.holds(&told);
}

#[test]
fn browsers_that_send_a_byte_of_a_header_now_and_then() {
    beset("HTTP slow-loris, heads", b"GET / HTTP/1.1\r\nhost: a\r\nx-long: ", Duration::from_millis(500));
}

#[test]
fn browsers_that_send_a_byte_of_a_form_now_and_then() {
    let head = b"POST /login HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 8000\r\n\r\n";
    beset("HTTP slow-loris, forms", head, Duration::from_millis(500));
}

#[test]
fn browsers_that_say_nothing() {
    beset("HTTP connections that say nothing", b"", Duration::from_millis(500));
}
