//! Making a node: a federation's root, or a place below one that was invited. Both end with the
//! place's first charter snapshot, its own word about who it is.

use crate::{
    clock::Clock,
    home::{Home, HomeError},
    link::{self, JoinError},
    store::{Batch, Genesis, NewKey, NewLink, Store, StoreError},
};
use rand::RngExt;
use thiserror::Error;
use yishi_protocol::{
    act::{Act, Charter, container_of},
    audience::Reach,
    calendar::Calendar,
    cert::Certificate,
    change::{self, Change, EncodeError},
    commit::{ActorRecord, Commit, Cover},
    fold::procedure,
    header::Header,
    ids::{CertHash, DocId, Epoch, Hash, Incarnation, PlaceId},
    invite::Invite,
    key::SecretKeys,
    kind::Kind,
    place::{Divisions, PlaceCode},
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
    /// Joining.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The invitation is for another place than the node's.
    #[error(
        "the invitation is for {0}, not for this node's place. The node keeps its key. Ask for one with `yishi place invite CODE --replace`"
    )]
    OtherPlace(String),
    /// Places below would not find this one under another key.
    #[error(
        "there are places below this node, which know it by its key; it keeps its key. A new key is for places without places below"
    )]
    PlacesBelow,
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
}

fn genesis(keys: SecretKeys, certs: Vec<Certificate>, cert: CertHash) -> Genesis {
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
    let cert = root.hash();
    let store = Store::create(home.path(), genesis(keys, vec![root], cert)).await?;
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
    let store = Store::create(home.path(), genesis(new.keys, new.certs, new.cert)).await?;
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
    if !home.is_occupied() {
        return Err(HomeError::Empty { path: home.path().to_owned() }.into());
    }
    let store = Store::open(home.path()).await?;
    let world = store.world();
    // Those below know this place by its key and would not find it again.
    if world.links.iter().any(|l| !l.up) {
        return Err(SetupError::PlacesBelow);
    }
    if invite.place != world.me.place {
        return Err(SetupError::OtherPlace(invite.name.clone()));
    }
    if !store.life_matches() {
        crate::life::renew(&store).await?;
    }
    let new = link::join(invite, clock.now_ms() / 1_000).await?;
    let incarnation = Incarnation::first(rand::rng().random());
    store
        .rotate(NewKey {
            keys: new.keys,
            certs: new.certs,
            cert: new.cert,
            incarnation,
            at_ms: clock.now_ms(),
        })
        .await?;
    // The parent opens the link anew, also one that was closed when the old key was revoked.
    let up = NewLink { peer: new.parent, up: true, address: Some(invite.address.clone()) };
    store.write(Batch { at_ms: clock.now_ms(), links: vec![up], ..Batch::default() }).await?;
    Ok(store)
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
        categories: Vec::new(),
        procedure: procedure::BUILT_IN,
        calendar,
        members: Vec::new(),
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
