//! Broken disks, second processes, copied machines: each has an error of its own, and loses nothing.

use crate::federation::*;
use std::path::Path;
use tempfile::TempDir;
use yishi_node::store::*;
use yishi_protocol::ids::Epoch;

#[tokio::test]
async fn a_cut_off_database_is_named_as_such() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, ..) = fed.store(dir.path()).await;
    let header = fed.matter(&fed.town.clone());
    let history = fed.chain(header.doc_id(), &fed.town, None, 200);
    store.write(Batch { docs: vec![header], commits: commits(&history), ..Batch::default() }).await.unwrap();
    store.close().await.unwrap();
    let path = dir.path().join("yishi.db");
    let whole = std::fs::read(&path).unwrap();
    assert!(!dir.path().join("yishi.db-wal").exists());
    for kept in [whole.len() / 2, 4096, 50] {
        std::fs::write(&path, &whole[..kept]).unwrap();
        let opened = Store::open(dir.path()).await;
        assert!(matches!(opened, Err(StoreError::Damaged(_))), "{kept}: {opened:?}");
    }
    std::fs::write(&path, &whole).unwrap();
    Store::open(dir.path()).await.unwrap();
}

#[tokio::test]
async fn one_process_one_database_one_directory() {
    let (fed, dir) = (Fed::new(), TempDir::new().unwrap());
    assert!(matches!(Store::open(dir.path()).await, Err(StoreError::Missing(_))));
    let (store, ..) = fed.store(dir.path()).await;
    assert!(matches!(Store::create(dir.path(), fed.genesis()).await, Err(StoreError::Exists(_))));
    assert!(matches!(Store::open(dir.path()).await, Err(StoreError::InUse(_))));
    store.close().await.unwrap();
    // Opening it again any number of times is no new life.
    for _ in 0..3 {
        let store = Store::open(dir.path()).await.unwrap();
        assert!(store.life_matches());
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_put_back_is_noticed_and_begins_a_new_life() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let (store, ..) = fed.store(dir.path()).await;
    let town = fed.town.clone();
    let header = fed.matter(&town);
    let history = fed.chain(header.doc_id(), &town, None, 2);
    let batch = Batch { docs: vec![header], commits: commits(&history[..1]), ..Batch::default() };
    store.write(batch).await.unwrap();
    let copy = dir.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    assert!(store.backup(&copy).await.is_err());
    store.write(Batch { commits: commits(&history[1..]), ..Batch::default() }).await.unwrap();
    store.close().await.unwrap();
    let path = dir.path().join("yishi.db");
    let cold = std::fs::read(&path).unwrap();

    // Put back from a backup.
    std::fs::rename(&copy, &path).unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    assert!(!store.life_matches());
    assert_eq!(store.doc_commits(&history[0].doc).await.unwrap().len(), 1);
    let next = LIFE.renewed(1);
    store.renew_life(Epoch([10; 16]), next, [11; 16]).await.unwrap();
    let actor = fed.town.cert.actor(next);
    assert_eq!((store.world().me.actor, store.epoch()), (actor, Epoch([10; 16])));
    assert_eq!(store.actor_records(&[actor]).await.unwrap().len(), 1);
    store.close().await.unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    assert!(store.life_matches());
    assert_eq!((store.world().me.actor, store.epoch()), (actor, Epoch([10; 16])));
    store.close().await.unwrap();

    // Put back from a copy of the bare file, made before a later start.
    std::fs::write(&path, cold).unwrap();
    assert!(!Store::open(dir.path()).await.unwrap().life_matches());
}

/// A file system of its own, where the test may make one.
struct Mount(std::path::PathBuf);

impl Mount {
    /// A small disk of its own. Needs root, if only in a user namespace: never skipped.
    fn tmpfs(at: &Path, options: &str) -> Self {
        let mut mount = std::process::Command::new("mount");
        let done = mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).output().unwrap();
        let words = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "no disk to fill ({words}); as root, or by `unshare -Urm ./tests/run`"
        );
        Self(at.to_owned())
    }

    fn remount(&self, options: &str) {
        let done = std::process::Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(&self.0)
            .status()
            .unwrap();
        assert!(done.success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").args(["-l"]).arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_read_only_directory_is_named_as_such() {
    let (fed, dir) = (Fed::new(), TempDir::new().unwrap());
    // Permissions do not bind root, a file system does.
    let mount = Mount::tmpfs(dir.path(), "size=8m");
    let (store, ..) = fed.store(dir.path()).await;
    store.close().await.unwrap();
    drop(store);
    mount.remount("ro");
    let opened = Store::open(dir.path()).await;
    assert!(matches!(opened, Err(StoreError::ReadOnly)), "{opened:?}");
    mount.remount("rw");
    let store = Store::open(dir.path()).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_keeps_what_was_there_and_goes_on_afterwards() {
    let (mut fed, dir) = (Fed::new(), TempDir::new().unwrap());
    let mount = Mount::tmpfs(dir.path(), "size=3m");
    let (store, ..) = fed.store(dir.path()).await;
    let town = fed.town.clone();
    let mut stored = Vec::new();
    let error = loop {
        let header = fed.matter(&town);
        let history = fed.chain(header.doc_id(), &town, None, 300);
        let batch = Batch { docs: vec![header.clone()], commits: commits(&history), ..Batch::default() };
        match store.write(batch).await {
            Ok(_) => stored.push(header.doc_id()),
            Err(error) => break error,
        }
        assert!(stored.len() < 100);
    };
    assert!(matches!(error, StoreError::DiskFull), "{error:?}");
    assert!(error.zh().contains("磁盘") && error.to_string().contains("full"));
    for doc in &stored {
        assert_eq!(store.doc_commits(doc).await.unwrap().len(), 300);
    }
    // Room again: the same process goes on, and so does the next one.
    mount.remount("size=16m");
    let header = fed.matter(&town);
    let history = fed.chain(header.doc_id(), &town, None, 300);
    store
        .write(Batch { docs: vec![header.clone()], commits: commits(&history), ..Batch::default() })
        .await
        .unwrap();
    drop(store);
    let store = Store::open(dir.path()).await.unwrap();
    stored.push(header.doc_id());
    for doc in &stored {
        assert_eq!(store.doc_commits(doc).await.unwrap().len(), 300);
    }
    store.close().await.unwrap();
}
