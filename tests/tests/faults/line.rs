//! Lines that lose a fifth of their packets, carry next to nothing, or go by a satellite with jitter.

use crate::{
    netns::Cable,
    pair::{Pair, Told, configure, import, register},
    process::until,
    relay::{Lateness, Relay},
    tools::long,
};
use std::time::{Duration, Instant};

fn rows() -> usize {
    if long() { 400 } else { 150 }
}

/// Both write, and the link carries it within the bound.
fn carries(pair: &mut Pair, what: &str, rows: usize, within: Duration) -> Told {
    let mut told = Told::default();
    let began = Instant::now();
    let sent = pair.village.up("bytes_sent").unwrap();
    let created = import(&pair.village, "line", rows, 600);
    told.by_town.insert(register(&pair.town, "镇上要修的一段渠。").unwrap());
    let first = register(&pair.village, "还有一件。").unwrap();
    told.by_village.insert(first.clone());
    while !pair.in_step() {
        assert!(began.elapsed() < within, "{what}: {:?}", pair.village.call("GET", "/link", None));
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = began.elapsed();
    let bytes = pair.village.up("bytes_sent").unwrap().saturating_sub(sent);
    println!(
        "{what}: {created} matters, {:.0} kB of frames, stored at the township after {:.1} s",
        bytes as f64 / 1_000.0,
        took.as_secs_f64()
    );
    told.by_village.extend(crate::pair::ids(&pair.village));
    // What the township raised itself is not the village's.
    told.by_village.retain(|id| !told.by_town.contains(id));
    told
}

#[test]
fn a_fifth_of_all_packets_lost() {
    let cable = Cable::lay();
    let mut pair = cable.pair(&[]);
    cable.lose(20);
    let told = carries(&mut pair, "20 % loss each way", rows(), Duration::from_secs(120));
    // A fresh connection, too, and not only one that stands.
    pair.village.kill();
    let began = Instant::now();
    pair.village.start_by(crate::pair::by(&["ip", "netns", "exec", &cable.village]));
    until("a handshake over a bad line", || pair.village.up("stored_there").is_some() && pair.in_step());
    println!(
        "20 % loss: restarted and in step after {:.1} s; {} packets lost",
        began.elapsed().as_secs_f64(),
        cable.lost()
    );
    assert!(cable.lost() > 10, "hardly a packet was lost");
    pair.holds(&told);
}

#[test]
fn a_line_of_a_hundred_kilobits() {
    let cable = Cable::lay();
    let mut pair = cable.pair(&[]);
    cable.strangle(100);
    let rows = if long() { 400 } else { 40 };
    let told = carries(&mut pair, "100 kbit/s", rows, Duration::from_secs(180));
    cable.unstrangle();
    pair.holds(&told);
}

#[test]
fn a_satellite_with_jitter_that_turns_packets_round() {
    let mut pair = Pair::start();
    let late = Lateness { least: Duration::from_millis(250), jitter: Duration::from_millis(100) };
    let relay = Relay::start(pair.town.link, late);
    pair.village.kill();
    configure(&pair.village.dir, pair.village.link, Some(relay.address), "");
    pair.village.start();
    until("the link is up over the satellite", || {
        pair.village.up("stored_there").is_some() && pair.in_step()
    });
    let told = carries(&mut pair, "300 ms ± 50 ms each way, reordered", rows(), Duration::from_secs(120));
    println!("satellite: {} datagrams were overtaken", relay.overtaken());
    assert!(relay.overtaken() > 10);
    pair.holds(&told);
}
