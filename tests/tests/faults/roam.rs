//! The village's address changes, or its line is pulled, in the middle of a transfer: what was acknowledged
//! before is not sent again.

use crate::{
    netns::Cable,
    pair::{Pair, Told, ids, import},
    process::until,
};
use std::time::{Duration, Instant};

const ROWS: usize = 1_000;
const CHARS: usize = 1_000;

/// Has the village send a backlog over two megabits; `disturb` happens in its middle. Bytes on the line, and how
/// long it took.
fn transfer(cable: &Cable, pair: &mut Pair, name: &str, disturb: impl FnOnce(&mut Pair)) -> (u64, Duration) {
    cable.plugged(false);
    import(&pair.village, name, ROWS, CHARS);
    cable.strangle(2_000);
    let acked = pair.village.up("stored_there").unwrap();
    let all = pair.village.up("sent").unwrap();
    let before = cable.sent();
    cable.plugged(true);
    let began = Instant::now();
    until("the first block is acknowledged", || pair.village.up("stored_there").is_some_and(|n| n > acked));
    let at = pair.village.up("stored_there").unwrap();
    assert!(at < all, "too fast to be disturbed");
    disturb(pair);
    until("everything arrived", || pair.in_step());
    let took = began.elapsed();
    cable.unstrangle();
    (cable.sent() - before, took)
}

#[test]
fn what_was_acknowledged_is_not_sent_again() {
    let cable = Cable::lay();
    let mut pair = cable.pair(&[]);
    let (plain, took) = transfer(&cable, &mut pair, "plain", |_| {});
    println!("{ROWS} matters over 2 Mbit/s: {plain} bytes on the line, {:.1} s", took.as_secs_f64());
    let connections = |pair: &Pair| {
        pair.town.log().matches("link lost").count() + pair.village.log().matches("link lost").count()
    };

    let before = connections(&pair);
    let (moved, took) = transfer(&cable, &mut pair, "moved", |_| cable.readdress(3));
    println!(
        "address changed in the middle: {moved} bytes ({:+.1} %), {:.1} s, connections lost: {}",
        100.0 * (moved as f64 / plain as f64 - 1.0),
        took.as_secs_f64(),
        connections(&pair) - before
    );
    let (pulled, took) = transfer(&cable, &mut pair, "pulled", |pair| {
        cable.plugged(false);
        // Longer than a link may be silent: both sides give the connection up.
        std::thread::sleep(Duration::from_secs(4));
        assert_ne!(pair.village.call("GET", "/link", None).unwrap()["up"]["state"], "up");
        cable.plugged(true);
    });
    println!(
        "line pulled for 4 s in the middle: {pulled} bytes ({:+.1} %), {:.1} s",
        100.0 * (pulled as f64 / plain as f64 - 1.0),
        took.as_secs_f64()
    );
    // What is under way when the line goes may be sent again, what was acknowledged not: an eighth of a
    // transfer of eight blocks is one block, and a window's worth was on its way.
    assert!(moved < plain + plain / 8, "{moved} against {plain}");
    assert!(pulled < plain + plain / 2, "{pulled} against {plain}");
    let told = Told { by_village: ids(&pair.village), ..Told::default() };
    assert_eq!(told.by_village.len(), 3 * ROWS);
    pair.holds(&told);
}
