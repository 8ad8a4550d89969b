//! Disks that fail: a sync that is not confirmed, no room left, a file system that turns read-only, and the
//! power cut off in the middle of writing.

use crate::{
    pair::{Pair, Told, Writers, by, ids, import, register},
    process::{Node, until},
    tools::{long, needs, sh},
};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

/// A file system in a file; unmounted when dropped.
struct Disk {
    image: Option<PathBuf>,
    at: PathBuf,
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.at).stderr(Stdio::null()).status();
        // The folder around it could not be removed while this was in it.
        let _ = std::fs::remove_dir(&self.at);
        let _ = self.image.as_ref().map(std::fs::remove_file);
        let _ = self.at.parent().map(std::fs::remove_dir);
    }
}

impl Disk {
    /// A small one in memory, to be filled.
    fn small(at: &Path) -> Self {
        std::fs::create_dir_all(at).unwrap();
        sh(&format!("mount -t tmpfs -o size=24m,mode=0700 tmpfs {}", at.display()));
        Self { image: None, at: at.to_owned() }
    }

    /// ext4, as on a village's card. `image` lies outside of it.
    fn ext4(at: &Path) -> Self {
        needs("mkfs.ext4", "e2fsprogs");
        std::fs::create_dir_all(at).unwrap();
        let image = at.with_extension("img");
        sh(&format!("truncate -s 96M {0} && mkfs.ext4 -q {0}", image.display()));
        let disk = Self { image: Some(image), at: at.to_owned() };
        disk.mount();
        sh(&format!("rmdir {0}/lost+found && chmod 700 {0}", at.display()));
        disk
    }

    fn mount(&self) {
        let image = self.image.as_ref().unwrap();
        sh(&format!("mount -o loop,errors=remount-ro {} {}", image.display(), self.at.display()));
    }

    /// Takes it out, has it checked, and puts it in again.
    fn again(&self) {
        let image = self.image.as_ref().unwrap();
        sh(&format!("umount {}", self.at.display()));
        // 1 is "errors were corrected".
        sh(&format!("e2fsck -fy {} >/dev/null || [ $? -eq 1 ]", image.display()));
        self.mount();
    }

    /// What the test itself put there, configuration and logs, is to outlive a power cut.
    fn settle(&self) {
        sh(&format!("sync -f {}", self.at.display()));
    }

    /// As an error of the card would: from now on nothing is taken.
    fn turn_read_only(&self) {
        sh(&format!("mount -o remount,abort {}", self.at.display()));
    }

    /// The power goes: what was not synced is gone, the journal is not written out (EXT4_IOC_SHUTDOWN,
    /// without flushing the log).
    fn cut_power(&self) {
        needs("perl", "perl-base");
        let script = "open F, \"<\", $ARGV[0] or die; my $how = pack(\"L\", 2); defined ioctl(F, 0x8004587d, $how) or die $!";
        sh(&format!("perl -e '{script}' {}", self.at.display()));
    }
}

/// Every sync fails from the so-many-th on (`+`) or that one alone; counted for each thread by itself.
fn failing_syncs(when: &str) -> std::process::Command {
    needs("strace", "strace");
    let inject = format!("inject=fsync,fdatasync:error=EIO:when={when}");
    by(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", &inject])
}

/// The node ended because of its disk: the status, and words for whoever reads the log.
fn ended_in_plain_words(node: &mut Node) {
    let status = node.ended();
    let log = node.log();
    assert_eq!(status.code(), Some(15), "{log}");
    assert!(log.contains("磁盘没有确认写入") && log.contains("did not confirm"), "{log}");
}

#[test]
fn a_sync_that_fails_is_never_acknowledged_and_ends_the_node() {
    let rounds: Vec<String> = match long() {
        true => (18..48).flat_map(|n| [n.to_string(), format!("{n}+")]).collect(),
        false => vec!["20".into(), "25+".into()],
    };
    let mut pair = Pair::start();
    let (mut told, mut unsure) = (Told::default(), 0);
    for when in &rounds {
        pair.village.kill();
        pair.village.start_by(failing_syncs(when));
        let refused = (0..200).find_map(|n| match register(&pair.village, &format!("第 {n} 件")) {
            Ok(id) => {
                told.by_village.insert(id);
                None
            }
            Err(why) => Some(why),
        });
        let why = refused.unwrap_or_else(|| panic!("no sync failed with when={when}"));
        // Whoever asked hears it in both languages, unless the node was gone first.
        // Or it is closing already.
        let said = !why.contains("HTTP/1.1") || why.contains("HTTP/1.1 503");
        assert!(said, "{why}");
        unsure += usize::from(why.contains("did not confirm"));
        ended_in_plain_words(&mut pair.village);
        pair.village.start();
        pair.back_in_step();
    }
    println!(
        "fsync EIO at the village: {} rounds, {} acts acknowledged, 0 lost; {unsure} times the one who pressed \"save\" \
         was told, else it met a list being written",
        rounds.len(),
        told.count()
    );
    pair.holds(&told);
}

#[test]
fn a_sync_that_fails_at_the_township_is_not_called_stored_there() {
    let mut pair = Pair::start();
    let mut told = Told::default();
    for when in if long() { vec!["18", "19+", "20", "21+", "23", "25+", "28", "32+"] } else { vec!["20+"] } {
        pair.town.kill();
        pair.town.start_by(failing_syncs(when));
        // The village works on; sooner or later the township's disk refuses.
        let mut ended = false;
        for n in 0..300 {
            told.by_village.insert(register(&pair.village, &format!("第 {n} 件")).unwrap());
            std::thread::sleep(Duration::from_millis(20));
            ended = pair.town.child.as_mut().unwrap().try_wait().unwrap().is_some();
            if ended {
                break;
            }
        }
        assert!(ended, "no sync of the township failed with when={when}");
        ended_in_plain_words(&mut pair.town);
        pair.town.start();
        pair.back_in_step();
    }
    println!("fsync EIO at the township: {} matters of the village, all stored there", told.count());
    pair.holds(&told);
}

#[test]
fn a_disk_that_fails_at_the_start_is_named_and_nothing_is_changed() {
    let mut pair = Pair::start();
    let id = register(&pair.village, "一件事").unwrap();
    pair.back_in_step();
    pair.village.kill();
    let mut command = failing_syncs("1+");
    let output = command.arg("run").arg("--dir").arg(&pair.village.dir).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(15), "{words}");
    assert!(words.contains("磁盘"), "{words}");
    pair.village.start();
    pair.holds(&Told { by_village: [id].into(), ..Told::default() });
}

/// Fills a disk to the last byte.
fn fill(at: &Path) -> PathBuf {
    let filler = at.join("filler");
    let _ = std::process::Command::new("dd")
        .args(["if=/dev/zero", "bs=4k", &format!("of={}", filler.display())])
        .output()
        .unwrap();
    filler
}

#[test]
fn a_full_disk_at_either_end_stops_only_what_needs_it() {
    for village_is_full in [true, false] {
        let mut disk = None;
        let mut pair = Pair::prepare(|dir| {
            disk = Some(Disk::small(&dir.join(if village_is_full { "village" } else { "town" })));
        });
        pair.back_in_step();
        let mut told = Told::default();
        told.by_village.insert(register(&pair.village, "满之前的一件").unwrap());
        let (full, other) =
            if village_is_full { (&pair.village, &pair.town) } else { (&pair.town, &pair.village) };
        let filler = fill(&full.dir);
        let mut taken = Vec::new();
        let refused = loop {
            match register(full, &"满了以后的一件。".repeat(200)) {
                Ok(id) => taken.push(id),
                Err(why) => break why,
            }
            assert!(taken.len() < 1_000);
        };
        assert!(refused.contains("507") && refused.contains("disk_full"), "{refused}");
        // Reading goes on, the other side works on, and nothing of it is called stored where there is no room.
        assert!(full.call("GET", "/matters", None).is_ok());
        if village_is_full { &mut told.by_village } else { &mut told.by_town }.extend(taken);
        if !village_is_full {
            import(other, "full", 40, 1_000);
            std::thread::sleep(Duration::from_secs(2));
            assert!(other.waiting() > Some(0), "stored where there is no room");
        } else {
            told.by_town.insert(register(other, "镇上的一件").unwrap());
        }
        std::fs::remove_file(filler).unwrap();
        let back = pair.back_in_step();
        let node = if village_is_full { &pair.village } else { &pair.town };
        let more = register(node, "腾出空间以后").unwrap();
        if village_is_full { &mut told.by_village } else { &mut told.by_town }.insert(more);
        println!(
            "disk full at the {}: back in step {:.2} s after there was room again, without a restart",
            if village_is_full { "village" } else { "township" },
            back.as_secs_f64()
        );
        pair.holds(&told);
        drop(disk);
    }
}

#[test]
fn a_disk_that_turns_read_only_is_named_and_keeps_what_was_acknowledged() {
    let mut disk = None;
    let mut pair = Pair::prepare(|dir| disk = Some(Disk::ext4(&dir.join("village"))));
    let disk = disk.unwrap();
    pair.back_in_step();
    let mut told = Told::default();
    for n in 0..20 {
        told.by_village.insert(register(&pair.village, &format!("第 {n} 件")).unwrap());
    }
    // Nothing is being written just now: a sync under way would fail, and that ends the node.
    assert_eq!(ids(&pair.village), told.by_village);
    disk.settle();
    disk.turn_read_only();
    let refused = register(&pair.village, "再来一件").unwrap_err();
    assert!(refused.contains("503") && refused.contains("read_only"), "{refused}");
    let shown = pair.village.call("GET", "/matters?limit=500", None).unwrap();
    assert_eq!(shown["items"].as_array().unwrap().len(), 20, "reading goes on");
    println!("read-only file system: {}", refused.rsplit("\r\n\r\n").next().unwrap_or_default());
    pair.village.kill();
    let (status, words) = pair.village.refuses_to_start();
    assert_eq!(status, Some(14), "{words}");
    assert!(words.contains("只读") && words.contains("read-only"), "{words}");
    disk.again();
    pair.village.start();
    pair.holds(&told);
}

#[test]
fn the_power_goes_and_what_was_acknowledged_is_on_the_disk() {
    let rounds = if long() { 50 } else { 3 };
    let mut disks = Vec::new();
    let mut pair = Pair::prepare(|dir| {
        disks.extend(["town", "village"].map(|name| Disk::ext4(&dir.join(name))));
    });
    pair.back_in_step();
    disks.iter().for_each(Disk::settle);
    let writers = Writers::start(&pair, Duration::from_millis(5));
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        std::thread::sleep(Duration::from_millis(300 + 37 * (round % 10)));
        let (disk, node) = match round % 2 {
            0 => (&disks[1], &mut pair.village),
            _ => (&disks[0], &mut pair.town),
        };
        disk.cut_power();
        node.kill();
        until("the disk is let go of", || {
            std::process::Command::new("umount").arg(&disk.at).output().unwrap().status.success()
        });
        disk.mount();
        let began = std::time::Instant::now();
        node.start();
        slowest = slowest.max(began.elapsed());
    }
    let (told, refused) = writers.stop();
    pair.holds(&told);
    println!(
        "power cut (ext4 shut down without flushing its log): {rounds} rounds, {} acts acknowledged, \
         {refused} requests not, acknowledged acts lost: 0; the slowest start took {:.2} s",
        told.count(),
        slowest.as_secs_f64()
    );
    assert!(told.count() > 3, "hardly anything was written");
    drop(pair);
}
