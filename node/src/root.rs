//! The federation's root key in a drawer: made with the district's node and kept in a file apart, it certifies
//! the key the node works under, and ends it when the box is stolen.
//!
//! Whoever has the file speaks for the whole federation, and without it nobody does: the node never needs it
//! to work. What is done with it is done on the district's own box while the node is stopped, and travels to
//! all places with what the node sends anyway; those below ask the box who it is now (`link/introduce.rs`).

use crate::{
    actions::{
        ActionError,
        revoke::{EVER_MS, ends, live, moment, revocations},
    },
    clock::Clock,
    home::{Home, HomeError},
    setup,
    store::{Batch, NewKey, Store, StoreError},
};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngExt;
use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use thiserror::Error;
use yishi_protocol::{
    cert::Certificate,
    ids::{CertHash, FederationId, Incarnation, NodeKey},
    key::SecretKeys,
    limits::SHORT_BYTES_MAX,
    root_key::{self, Kept, RootKey, RootKeyError, Stretch},
};

/// Memory a passphrase costs, in KiB: done once in years, on the district's own box.
const PASSPHRASE_MEMORY_KIB: u32 = 65_536;
/// Passes over that memory.
const PASSPHRASE_PASSES: u32 = 3;
/// What a file may ask for: somebody else's must not take all of the machine.
const PASSPHRASE_MEMORY_KIB_MAX: u32 = 1 << 20;
/// Likewise its passes.
const PASSPHRASE_PASSES_MAX: u32 = 100;
/// A root key has some dozen lines.
const FILE_BYTES_MAX: u64 = 65_536;

/// Why something with the root key was not done. Nothing was changed then, unless it says so.
#[derive(Debug, Error)]
pub enum RootError {
    /// The node's folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Its database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file is not there.
    #[error(
        "没有根钥匙文件 {0}，什么也没有改动。没有它，谁也不能给区里的新机器发证：请找出封存的那份（文件或打印件；打印件照样敲进一个文本文件即可）。\nthere is no root key file {0}; nothing was changed. Without it nobody can certify a new key for the district: find the copy that was put away (a file, or a printed sheet typed into a text file)"
    )]
    NoFile(PathBuf),
    /// The file cannot be read.
    #[error(
        "根钥匙文件 {path} 读不出：{source}。什么也没有改动。\nthe root key file {path} cannot be read: {source}. Nothing was changed"
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error(
        "根钥匙文件 {path} 写不成：{source}。什么也没有改动；已有的文件不会覆盖，请换一个文件名。\nthe root key file {path} cannot be written: {source}. Nothing was changed; a file that exists is never replaced, name another"
    )]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no root key, or was mistyped.
    #[error(
        "{path} 不是完整的根钥匙：{why}。什么也没有改动；请对照打印件改正那一行。\n{path} is not a whole root key: {why}. Nothing was changed; correct that line from the printed sheet"
    )]
    Mistyped {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: RootKeyError,
    },
    /// It is under a passphrase and none was given.
    #[error(
        "这份根钥匙有口令：请加 --passphrase-file。什么也没有改动。\nthis root key is under a passphrase: add --passphrase-file. Nothing was changed"
    )]
    NeedsPassphrase,
    /// Argon2 refused the numbers.
    #[error(
        "口令的参数不能用：{0}。什么也没有改动。\nthe numbers for the passphrase cannot be used: {0}. Nothing was changed"
    )]
    Stretch(String),
    /// The node is of another federation.
    #[error(
        "这份根钥匙是另一个联盟的（{name}，{key}），本机属于 {node}。什么也没有改动。\nthis is the root key of another federation ({name}, {key}); the node belongs to {node}. Nothing was changed"
    )]
    OtherFederation {
        /// Whose key it is.
        name: String,
        /// Its federation.
        key: FederationId,
        /// The node's.
        node: FederationId,
    },
    /// The node is not the district's.
    #[error(
        "本机不是联盟的根单位 {0}；根钥匙只在根单位的机器上用。什么也没有改动。\nthis node is not the federation's root place {0}; the root key is used on that place's box only. Nothing was changed"
    )]
    NotRoot(String),
    /// No other key to end.
    #[error(
        "没有别的工作钥匙可以撤销。什么也没有改动。\nthere is no other working key to end. Nothing was changed"
    )]
    NothingToEnd,
    /// A moment or reason that is none.
    #[error(transparent)]
    Said(#[from] ActionError),
}

fn stretched(stretch: &Stretch, passphrase: &str) -> Result<[u8; 32], RootError> {
    let bad = |e: &dyn std::fmt::Display| RootError::Stretch(e.to_string());
    if stretch.memory_kib > PASSPHRASE_MEMORY_KIB_MAX || stretch.passes > PASSPHRASE_PASSES_MAX {
        return Err(RootError::Stretch(format!("{} KiB × {}", stretch.memory_kib, stretch.passes)));
    }
    let params = Params::new(stretch.memory_kib, stretch.passes, 1, Some(32)).map_err(|e| bad(&e))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut key = [0; 32];
    argon.hash_password_into(passphrase.as_bytes(), &stretch.salt, &mut key).map_err(|e| bad(&e))?;
    Ok(key)
}

/// Makes a root key and puts it into a file that must not exist yet, for its owner's eyes; durable when this
/// returns.
///
/// # Errors
/// [`RootError::Write`] if it could not be written whole.
pub fn keep(file: &Path, key: &RootKey, passphrase: Option<&str>) -> Result<(), RootError> {
    let mut rng = rand::rng();
    let lines = match passphrase {
        None => key.bare(),
        Some(passphrase) => {
            let (memory_kib, passes) = (PASSPHRASE_MEMORY_KIB, PASSPHRASE_PASSES);
            let stretch = Stretch { salt: rng.random(), memory_kib, passes };
            let under = stretched(&stretch, passphrase)?;
            key.locked(&stretch, &under, &mut rng)
                .map_err(|why| RootError::Mistyped { path: file.to_owned(), why })?
        }
    };
    let under = match passphrase {
        Some(_) => "有口令，口令另存一处 · under a passphrase, kept elsewhere",
        None => "没有口令：拿到这张纸就能冒充全联盟 · no passphrase: whoever holds this speaks for all",
    };
    let text = format!(
        "# 议事联盟的根钥匙 · root key of a Yishi federation\n# {} {} · {}\n# {under}\n\
         # 打印两份，分两处锁好；要用时照样敲进文本文件，yishi-node root check 会指出敲错的行。\n\
         # Print it twice and lock it away in two places; typed back, `yishi-node root check` names a wrong line.\n{lines}",
        key.name,
        key.code,
        key.certificate().federation_id(),
    );
    let failed = |source| RootError::Write { path: file.to_owned(), source };
    let mut out =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    let written = out.write_all(text.as_bytes()).and_then(|()| out.sync_all());
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Err(e) = written.and_then(|()| fs::File::open(folder)?.sync_all()) {
        let _ = fs::remove_file(file);
        return Err(failed(e));
    }
    Ok(())
}

/// Reads the root key in a file.
///
/// # Errors
/// [`RootError`] says what is wrong with it, and in which line.
pub fn take(file: &Path, passphrase: Option<&str>) -> Result<RootKey, RootError> {
    let text = match fs::metadata(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(RootError::NoFile(file.to_owned())),
        Ok(found) if found.len() > FILE_BYTES_MAX => Err(io::Error::other("too large")),
        _ => fs::read_to_string(file),
    };
    let text = text.map_err(|source| RootError::Read { path: file.to_owned(), source })?;
    let mistyped = |why| RootError::Mistyped { path: file.to_owned(), why };
    match root_key::read(&text).map_err(mistyped)? {
        Kept::Bare(key) => Ok(*key),
        Kept::Locked(locked) => {
            let under = stretched(&locked.stretch, passphrase.ok_or(RootError::NeedsPassphrase)?)?;
            locked.open(&under).map_err(mistyped)
        }
    }
}

/// What is said about ending keys.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Why.
    pub reason: String,
    /// What was stored here from this moment on does not count; all that is here does if it is not said.
    pub since: Option<String>,
}

impl Ending {
    fn checked(&self) -> Result<(u64, String), RootError> {
        let before = self.since.as_deref().map(|text| moment("since", text)).transpose()?;
        let reason: String = self.reason.chars().take(SHORT_BYTES_MAX / 4).collect();
        Ok((before.unwrap_or(EVER_MS), reason))
    }
}

/// What became of the district's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The place.
    pub name: String,
    /// The key it works under now.
    pub key: NodeKey,
    /// Keys that were ended.
    pub ended: usize,
    /// Places below whose certificates come to nothing.
    pub disowned: Vec<String>,
    /// There was no database: everything comes from the places below.
    pub from_nothing: bool,
}

/// Gives the district's stopped node, restored from a backup, a new working key and ends the others; in a
/// folder without a node it makes one that knows nothing yet. `dead`: nobody has the old box, its key stays good.
///
/// # Errors
/// [`RootError`] says what stands in the way.
pub async fn replace(
    home: &Home,
    root: &RootKey,
    dead: bool,
    ending: &Ending,
    clock: &dyn Clock,
) -> Result<Replaced, RootError> {
    let (before, reason) = ending.checked()?;
    let keys = SecretKeys::generate(&mut rand::rng());
    let own = root.certificate();
    // Above all numbers there were, also those this database never heard of.
    let seconds = u32::try_from(clock.now_ms() / 1_000).unwrap_or(0);
    if !home.is_occupied() {
        home.prepare()?;
        let cert = Certificate::working(&own, &root.keys, &keys, seconds.max(2));
        let (hash, key) = (cert.hash(), keys.public());
        let store = Store::create(home.path(), setup::genesis(keys, vec![own, cert], hash)).await?;
        store.close().await?;
        let name = root.name.clone();
        return Ok(Replaced { name, key, ended: 0, disowned: Vec::new(), from_nothing: true });
    }
    let store = open(home, root).await?;
    let world = store.world();
    if !store.life_matches() {
        crate::life::renew(&store).await?;
    }
    let known = world.directory.iter().filter(|(_, c)| c.place == root.place).map(|(_, c)| c.number);
    let number = known.max().unwrap_or(0).saturating_add(1).max(seconds);
    let cert = Certificate::working(&own, &root.keys, &keys, number);
    let (hash, key) = (cert.hash(), keys.public());
    home.forget_sessions()?;
    store
        .rotate(NewKey {
            keys,
            certs: vec![own, cert],
            placements: Vec::new(),
            cert: hash,
            incarnation: Incarnation::first(rand::rng().random()),
            at_ms: clock.now_ms(),
        })
        .await?;
    let (ended, disowned) = match dead {
        true => (0, Vec::new()),
        false => end_others(&store, root, before, &reason, clock).await?,
    };
    store.close().await?;
    Ok(Replaced { name: root.name.clone(), key, ended, disowned, from_nothing: false })
}

/// Ends every working key but the one the stopped node has.
///
/// # Errors
/// [`RootError::NothingToEnd`] if there is no other; [`RootError`] for what else stands in the way.
pub async fn revoke(
    home: &Home,
    root: &RootKey,
    ending: &Ending,
    clock: &dyn Clock,
) -> Result<Replaced, RootError> {
    let (before, reason) = ending.checked()?;
    let store = open(home, root).await?;
    let key = store.world().me.keys.public();
    let (ended, disowned) = end_others(&store, root, before, &reason, clock).await?;
    store.close().await?;
    if ended == 0 {
        return Err(RootError::NothingToEnd);
    }
    Ok(Replaced { name: root.name.clone(), key, ended, disowned, from_nothing: false })
}

/// Lets count what ended working keys wrote and this database had stored before a moment. How many documents
/// it concerned.
///
/// # Errors
/// [`RootError`] says what stands in the way.
pub async fn admit(
    home: &Home,
    root: &RootKey,
    until: &str,
    reason: &str,
    clock: &dyn Clock,
) -> Result<usize, RootError> {
    let before = moment("until", until)?;
    let store = open(home, root).await?;
    let world = store.world();
    let mut keys: BTreeMap<NodeKey, Vec<CertHash>> = BTreeMap::new();
    for (hash, cert) in world.directory.iter() {
        if cert.place == root.place && world.directory.is_revoked(hash) {
            keys.entry(cert.key).or_default().push(*hash);
        }
    }
    let own = root.certificate().hash();
    let (mut records, mut documents) = (Vec::new(), 0);
    for certs in keys.values() {
        let Some(cert) = certs.first() else { continue };
        let mut named = store.last_authored(certs, before).await?;
        named.retain(|(doc, change)| world.directory.cut(cert, doc).is_some_and(|cut| !cut.contains(change)));
        documents += named.len();
        if !named.is_empty() {
            records.extend(revocations(&world, (own, &root.keys), *cert, reason, named, Vec::new()));
        }
    }
    let batch = Batch { at_ms: clock.now_ms(), revocations: records, ..Batch::default() };
    store.write(batch).await?;
    store.close().await?;
    Ok(documents)
}

async fn open(home: &Home, root: &RootKey) -> Result<Store, RootError> {
    if !home.is_occupied() {
        return Err(home.no_node().into());
    }
    let store = Store::open(home.path()).await?;
    let world = store.world();
    let (node, key) = (world.directory.federation(), root.certificate().federation_id());
    let refused = match (node == key, world.me.place == root.place) {
        (false, _) => Some(RootError::OtherFederation { name: root.name.clone(), key, node }),
        (true, false) => Some(RootError::NotRoot(root.name.clone())),
        (true, true) => None,
    };
    match refused {
        Some(refused) => {
            store.close().await?;
            Err(refused)
        }
        None => Ok(store),
    }
}

async fn end_others(
    store: &Store,
    root: &RootKey,
    before_ms: u64,
    reason: &str,
    clock: &dyn Clock,
) -> Result<(usize, Vec<String>), RootError> {
    let world = store.world();
    let own = root.certificate().hash();
    let mut keys = live(&world, &root.place);
    keys.remove(&world.me.keys.public());
    // Nobody ends the root's own key, also where it once was the node's.
    keys.remove(&root.keys.public());
    let (revocations, disowned) = ends(store, keys.values(), before_ms, reason, (own, &root.keys)).await?;
    store.write(Batch { at_ms: clock.now_ms(), revocations, ..Batch::default() }).await?;
    let name = |p| world.directory.called(p).map(|[_, name, _]| name.to_owned());
    Ok((keys.len(), disowned.iter().filter_map(name).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use yishi_protocol::ids::PlaceId;

    #[test]
    fn a_root_key_is_kept_for_its_owner_and_opens_with_its_passphrase() {
        let dir = tempfile::tempdir().unwrap();
        let key = RootKey {
            keys: SecretKeys::from_bytes(&[4; 64]),
            place: PlaceId([1; 16]),
            code: "510113000000".into(),
            name: "青白江区".into(),
            level: "district".into(),
        };
        let file = dir.path().join("root.key");
        assert!(matches!(take(&file, None), Err(RootError::NoFile(_))));
        keep(&file, &key, Some("一句很长的口令")).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(keep(&file, &key, None), Err(RootError::Write { .. })), "never replaced");
        assert!(matches!(take(&file, None), Err(RootError::NeedsPassphrase)));
        let wrong = take(&file, Some("另一句")).unwrap_err();
        assert!(matches!(wrong, RootError::Mistyped { why: RootKeyError::Closed, .. }), "{wrong}");
        assert_eq!(take(&file, Some("一句很长的口令")).unwrap().certificate(), key.certificate());
        let bare = dir.path().join("bare.key");
        keep(&bare, &key, None).unwrap();
        assert_eq!(take(&bare, None).unwrap().certificate(), key.certificate());
        let slip = fs::read_to_string(&bare).unwrap().replacen("02/", "03/", 1);
        fs::write(&bare, slip).unwrap();
        let slip = take(&bare, None).unwrap_err().to_string();
        assert!(slip.contains("line 3"), "{slip}");
    }
}
