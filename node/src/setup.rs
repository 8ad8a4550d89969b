//! Making a node: a federation's root, or a place below one that was invited. Both end with the
//! place's first charter snapshot, its own word about who it is.

use crate::{
    clock::Clock,
    home::{Home, HomeError},
    link::{self, JoinError, NewNode},
    root::{self, RootError},
    store::{Batch, Genesis, NewKey, NewLink, Store, StoreError},
};
use rand::RngExt;
use std::path::PathBuf;
use thiserror::Error;
use yishi_protocol::{
    act::{Act, Charter, container_of},
    audience::Reach,
    calendar::Calendar,
    cert::Certificate,
    change::{self, Change, EncodeError},
    commit::{ActorRecord, Commit, Cover},
    fold::frame,
    header::Header,
    ids::{CertHash, DocId, Epoch, Hash, Incarnation, PlaceId},
    invite::Invite,
    key::SecretKeys,
    kind::Kind,
    limits::LIVES_PER_KEY,
    place::{Divisions, PlaceCode},
    root_key::RootKey,
};

/// Why a node could not be made. Nothing is left behind then.
#[derive(Debug, Error)]
pub enum SetupError {
    /// The folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root's key apart.
    #[error(transparent)]
    Root(#[from] RootError),
    /// Joining.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The invitation is for another place than the node's.
    #[error(
        "the invitation is for {0}, not for this node's place. The node keeps its key. Ask for one with `yishi place invite CODE --replace`"
    )]
    OtherPlace(String),
    /// The code is not one.
    #[error("{0}. A place code has 12 digits, for example 510113000000 for 青白江区")]
    Code(#[from] yishi_protocol::place::PlaceCodeError),
    /// The code is not in the shipped list and no name was given.
    #[error(
        "the place {0} is not in the shipped list of divisions: give its name with --name and its level with --level"
    )]
    Unnamed(PlaceCode),
    /// The shipped divisions cannot be read, which is a fault of this program.
    #[error("the shipped list of divisions cannot be read: {0}")]
    Divisions(#[from] yishi_protocol::place::ShippedError),
    /// The shipped calendar cannot be read, which is a fault of this program.
    #[error("the shipped calendar cannot be read: {0}")]
    Calendar(#[from] yishi_protocol::calendar::CalendarError),
    /// The charter cannot be written.
    #[error("the charter cannot be written: {0}")]
    Charter(#[from] EncodeError),
}

/// A new federation's root.
#[derive(Debug, Clone)]
pub struct InitRequest {
    /// 12-digit code.
    pub code: String,
    /// Name, if it is not the shipped one.
    pub name: Option<String>,
    /// Level, if it is not the shipped one.
    pub level: Option<String>,
    /// Where the root's key is kept apart from the node, and under which passphrase.
    pub offline_root: Option<OfflineRoot>,
}

/// The root's key in a file of its own: the node works under one that it certifies.
#[derive(Clone)]
pub struct OfflineRoot {
    /// The file; it must not exist yet.
    pub file: PathBuf,
    /// What it is sealed under.
    pub passphrase: Option<String>,
}

impl std::fmt::Debug for OfflineRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OfflineRoot({}, redacted)", self.file.display())
    }
}

pub(crate) fn genesis(keys: SecretKeys, certs: Vec<Certificate>, cert: CertHash) -> Genesis {
    let mut rng = rand::rng();
    Genesis {
        keys,
        certs,
        cert,
        epoch: Epoch(rng.random()),
        incarnation: Incarnation::first(rng.random()),
        life: rng.random(),
    }
}

/// Makes the root of a federation.
///
/// # Errors
/// [`SetupError`] says what stands in the way.
pub async fn init(home: &Home, request: InitRequest, clock: &dyn Clock) -> Result<Store, SetupError> {
    let code: PlaceCode = request.code.parse()?;
    let divisions = Divisions::shipped()?;
    let known = divisions.find(code);
    let name = request.name.or_else(|| known.map(|d| d.name.clone())).ok_or(SetupError::Unnamed(code))?;
    let level = request.level.or_else(|| known.map(|d| d.level.name().to_owned()));
    let level = level.ok_or(SetupError::Unnamed(code))?;
    home.prepare()?;
    let mut rng = rand::rng();
    let keys = SecretKeys::generate(&mut rng);
    let place = PlaceId(rng.random());
    let root = Certificate::root(&keys, place, &code.to_string(), &name, &level);
    let mut certs = vec![root.clone()];
    let mut own = keys.clone();
    if let Some(OfflineRoot { file, passphrase }) = &request.offline_root {
        own = SecretKeys::generate(&mut rng);
        certs.push(Certificate::working(&root, &keys, &own, 2));
        let key = RootKey { keys, place, code: code.to_string(), name, level };
        // Durable before anything stands on it.
        root::keep(file, &key, passphrase.as_deref())?;
    }
    let cert = certs.last().map_or(root.hash(), Certificate::hash);
    let made = Store::create(home.path(), genesis(own, certs, cert)).await;
    if let (Err(_), Some(OfflineRoot { file, .. })) = (&made, &request.offline_root) {
        let _ = std::fs::remove_file(file);
    }
    let store = made?;
    write_charter(&store, clock).await?;
    Ok(store)
}

/// Uses an invitation.
///
/// # Errors
/// [`SetupError`] says what stands in the way.
pub async fn join(home: &Home, invite: &Invite, clock: &dyn Clock) -> Result<Store, SetupError> {
    home.prepare()?;
    let new = link::join(invite, clock.now_ms() / 1_000).await?;
    let parent = new.parent;
    let genesis = genesis(new.keys, new.certs, new.cert);
    let store = Store::create_placed(home.path(), genesis, &new.placements).await?;
    let up = NewLink { peer: parent, up: true, address: Some(invite.address.clone()) };
    store.write(Batch { at_ms: clock.now_ms(), links: vec![up], ..Batch::default() }).await?;
    write_charter(&store, clock).await?;
    Ok(store)
}

/// Gives the stopped node in `home` a new key, with an invitation of its parent for the same place. What
/// it wrote before stays valid under the old certificate; links, documents and serials go on.
///
/// # Errors
/// [`SetupError`] says what stands in the way; the node keeps its old key then.
pub async fn rotate(home: &Home, invite: &Invite, clock: &dyn Clock) -> Result<Store, SetupError> {
    go_on(home, invite, clock, false).await
}

/// The same for a box that takes its place over from another one: both wrote, so it begins a life of its own and
/// is compared with all its neighbours.
pub(crate) async fn take_over(home: &Home, invite: &Invite, clock: &dyn Clock) -> Result<Store, SetupError> {
    go_on(home, invite, clock, true).await
}

async fn go_on(
    home: &Home,
    invite: &Invite,
    clock: &dyn Clock,
    takes_over: bool,
) -> Result<Store, SetupError> {
    if !home.is_occupied() {
        return Err(home.no_node().into());
    }
    let store = Store::open(home.path()).await?;
    let world = store.world();
    if invite.place != world.me.place {
        return Err(SetupError::OtherPlace(invite.name.clone()));
    }
    let takes_over = takes_over || !world.is_active();
    let new = link::join(invite, clock.now_ms() / 1_000).await?;
    let parent = new.parent;
    under_new_key(&store, new, takes_over, clock.now_ms()).await?;
    linked(home, &store, parent, invite, clock).await?;
    Ok(store)
}

/// What follows once a node has its new key: its links know.
pub(crate) async fn linked(
    home: &Home,
    store: &Store,
    parent: PlaceId,
    invite: &Invite,
    clock: &dyn Clock,
) -> Result<(), SetupError> {
    // Places below ask who this is when another key answers; a session of the old one must not answer first.
    home.forget_sessions()?;
    // The parent opens the link anew, also one that was closed when the old key was revoked.
    let up = NewLink { peer: parent, up: true, address: Some(invite.address.clone()) };
    store.write(Batch { at_ms: clock.now_ms(), links: vec![up], ..Batch::default() }).await?;
    Ok(())
}

/// A database goes on under what its parent answered.
///
/// # Errors
/// [`StoreError`] when it was not stored; the old key stays then.
pub async fn under_new_key(
    store: &Store,
    new: NewNode,
    takes_over: bool,
    at_ms: u64,
) -> Result<(), StoreError> {
    if takes_over || !store.life_matches() {
        crate::life::renew(store).await?;
    }
    if takes_over {
        // A box that had stood down folded without writing what its place owes by rule: all is looked at again.
        store.clear_read_models().await?;
    }
    // A new key makes a new actor in any life, so the life stays: back in the first one, a restored box would
    // give out again the numbers that were given out after the backup.
    let mut incarnation = store.world().me.incarnation;
    if takes_over {
        // The parent counts how often the place changed its key, so every takeover begins a stretch of lives
        // apart from those of the boxes before, whichever copy it began with: no two of them give out one number.
        let counted = new.certs.iter().find(|c| c.hash() == new.cert).map_or(1, |c| c.number);
        incarnation = incarnation.at_least(counted.saturating_sub(1).saturating_mul(LIVES_PER_KEY));
    }
    store
        .rotate(NewKey {
            keys: new.keys,
            certs: new.certs,
            placements: new.placements,
            cert: new.cert,
            incarnation,
            at_ms,
        })
        .await
}

/// What a place's charter begins with.
pub(crate) fn first_snapshot(cert: &Certificate, calendar: Hash) -> Charter {
    Charter::Snapshot {
        number: 1,
        previous: None,
        code: cert.code.clone(),
        name: cert.name.clone(),
        level: cert.level.clone(),
        parent: cert.parent,
        procedure: frame::BUILT_IN,
        calendar,
        articles: None,
    }
}

/// Writes the place's first charter snapshot: seen by everybody below and every place above.
async fn write_charter(store: &Store, clock: &dyn Clock) -> Result<DocId, SetupError> {
    let world = store.world();
    let me = &world.me;
    let Some(cert) = world.directory.get(&me.cert) else {
        return Err(StoreError::Closed.into());
    };
    let mut reach = vec![Reach::Subtree(me.place)];
    reach.extend(world.directory.ancestors(&me.cert).into_iter().map(Reach::Place));
    reach.sort_unstable();
    let header = Header {
        federation: world.directory.federation(),
        kind: Kind::Charter,
        home: me.place,
        creator: me.keys.public(),
        incarnation: me.incarnation,
        nonce: rand::rng().random(),
        reach,
    };
    let doc = header.doc_id();
    let snapshot = Act {
        prev: None,
        on: clock.today(),
        by: None,
        what: first_snapshot(cert, Calendar::shipped()?.version()),
    };
    let first = Change::genesis(me.actor, Kind::Charter);
    let first_encoded = change::encode(&first)?;
    let container = container_of(Kind::Charter, "snapshots").unwrap_or_default();
    let second = Change::act(
        me.actor,
        2,
        first_encoded.op_count + 1,
        vec![first_encoded.hash],
        me.actor,
        container,
        snapshot.to_map(),
    );
    let second_encoded = change::encode(&second)?;
    let federation = world.directory.federation();
    let mut commits = Vec::new();
    for (change, encoded) in [(first, first_encoded), (second, second_encoded)] {
        let signature = me.keys.sign_commit(&federation, &doc, &encoded.hash, &me.cert);
        commits.push(
            Commit {
                doc,
                hash: encoded.hash,
                actor: change.actor,
                seq: change.seq,
                max_op: change.start_op + encoded.op_count - 1,
                deps: change.deps,
                bytes: encoded.bytes,
                cover: Some(Cover { cert: me.cert, signature }),
            }
            .into(),
        );
    }
    store
        .write(Batch {
            at_ms: clock.now_ms(),
            actors: vec![ActorRecord { actor: me.actor, cert: me.cert, incarnation: me.incarnation }],
            docs: vec![header],
            commits,
            ..Batch::default()
        })
        .await?;
    Ok(doc)
}
