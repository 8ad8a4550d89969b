//! A village with its store, its projector and its web server on all three doors, and a clock that is set.

use crate::client::{Client, Reply};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use yishi_node::{
    actions::Actions,
    clock::SetClock,
    home::Home,
    http::{HttpConfig, Server},
    projector::Projector,
    setup::{self, InitRequest},
    store::{Batch, Genesis, NewLink, Store},
};
use yishi_protocol::{
    cert::Certificate,
    header::Header,
    ids::{Epoch, Incarnation, PlaceId},
    key::SecretKeys,
    kind::Kind,
};

/// Monday 2026-11-23, 10:00 in China.
pub(crate) const MORNING_MS: u64 = 1_795_399_200_000;

pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) store: Store,
    pub(crate) server: Server,
    pub(crate) projector: Projector,
    keys: SecretKeys,
    cert: Certificate,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// A village whose server's configuration was changed by `amend`.
    pub(crate) async fn with(amend: impl FnOnce(&mut HttpConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        let root_keys = SecretKeys::generate(&mut rng);
        let root = Certificate::root(&root_keys, PlaceId([1; 16]), "510113000000", "青白江区", "district");
        let (town_keys, town) = below(&mut rng, &root, &root_keys, 2, "510113106000", "姚渡镇", "township");
        let (keys, cert) = below(&mut rng, &town, &town_keys, 3, "510113106204", "芦稿村", "village");
        let genesis = Genesis {
            keys: keys.clone(),
            certs: vec![root, town.clone(), cert.clone()],
            cert: cert.hash(),
            epoch: Epoch([9; 16]),
            incarnation: Incarnation(7),
            life: [8; 16],
        };
        let store = Store::create(&dir.path().join("data"), genesis).await.unwrap();
        let up = NewLink { peer: town.place, up: true, address: Some("10.0.0.1:4433".into()) };
        store.write(Batch { links: vec![up], ..Batch::default() }).await.unwrap();
        let clock = Arc::new(SetClock::at_ms(MORNING_MS));
        Self::serve(dir, clock, store, keys, cert, amend).await
    }

    /// A district with its charter, as `init` makes it.
    pub(crate) async fn district() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::at_ms(MORNING_MS));
        let request =
            InitRequest { code: "510113000000".into(), name: None, level: None, offline_root: None };
        let store = setup::init(&Home::at(dir.path().join("data")), request, &*clock).await.unwrap();
        let world = store.world();
        let (keys, cert) = (world.me.keys.clone(), world.directory.get(&world.me.cert).unwrap().clone());
        Self::serve(dir, clock, store, keys, cert, |_| {}).await
    }

    pub(crate) async fn serve(
        dir: tempfile::TempDir,
        clock: Arc<SetClock>,
        store: Store,
        keys: SecretKeys,
        cert: Certificate,
        amend: impl FnOnce(&mut HttpConfig),
    ) -> Self {
        let actions = Actions::new(store.clone(), clock.clone()).unwrap();
        let projector = Projector::new(actions.clone());
        let anywhere: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mut config = HttpConfig {
            plain: Some(anywhere),
            tls: Some(anywhere),
            clock: clock.clone(),
            ..HttpConfig::local(dir.path().join("data"))
        };
        amend(&mut config);
        let server = Server::bind(config, actions).await.unwrap();
        Self { dir, clock, store, server, projector, keys, cert }
    }

    pub(crate) fn socket_path(&self) -> PathBuf {
        self.dir.path().join("data/api.sock")
    }

    /// The local administrator.
    pub(crate) fn admin(&self) -> Client {
        Client::socket(self.socket_path())
    }

    /// A browser on this machine.
    pub(crate) fn browser(&self) -> Client {
        Client::plain(self.server.plain_address().unwrap())
    }

    /// A program elsewhere, pinning the key.
    pub(crate) fn program(&self, token: &str) -> Client {
        let pin = self.server.web_pin().unwrap().to_owned();
        Client::tls(self.server.tls_address().unwrap(), pin).bearer(token)
    }

    /// Registers a matter and brings the lists up to date.
    pub(crate) async fn register(&mut self, body: &str) -> Value {
        let made = self.admin().post("/api/v1/matters", &json!({ "body": body })).await;
        assert_eq!(made.status, 201, "{}", made.text());
        self.settle().await;
        made.json()
    }

    /// Lets the projector do all it has to do.
    pub(crate) async fn settle(&mut self) {
        while self.projector.drain_once().await.unwrap() > 0 {}
    }

    /// Adds a person with a password.
    pub(crate) async fn person(&self, name: &str, password: &str, roles: &[&str]) -> Value {
        let body = json!({ "name": name, "password": password, "roles": roles, "display_name": "李文书" });
        let made = self.admin().post("/api/v1/users", &body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()
    }

    /// Makes a token.
    pub(crate) async fn token(&self, scopes: &[&str]) -> String {
        let made = self.admin().post("/api/v1/tokens", &json!({ "name": "test", "scopes": scopes })).await;
        assert_eq!(made.status, 201, "{}", made.text());
        made.json()["token"].as_str().unwrap().to_owned()
    }

    /// Signs in from a browser; the browser then carries its cookie.
    pub(crate) async fn signed_in(&self, name: &str, password: &str) -> Client {
        let form = format!("name={name}&password={password}&back=%2F");
        let reply: Reply = self.browser().here().form("/login", &form).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        let cookie = reply.header("set-cookie").split(';').next().unwrap().to_owned();
        self.browser().cookie(&cookie)
    }

    /// A place directly below with its line, heard from at `last_contact_ms`.
    pub(crate) async fn place_below(&self, id: u8, code: &str, name: &str) -> PlaceId {
        let mut rng = StdRng::seed_from_u64(u64::from(id) + 100);
        let (_, cert) = below(&mut rng, &self.cert, &self.keys, id, code, name, "village");
        let place = cert.place;
        let down = NewLink { peer: place, up: false, address: None };
        self.store.write(Batch { certs: vec![cert], links: vec![down], ..Batch::default() }).await.unwrap();
        place
    }

    /// Two documents of this place whose ids begin with the same six digits; gives these digits.
    pub(crate) async fn twins(&self) -> String {
        let mut seen = std::collections::BTreeMap::new();
        for i in 0_u64.. {
            let mut nonce = [0; 12];
            nonce[..8].copy_from_slice(&i.to_le_bytes());
            let header = Header {
                federation: self.cert.federation_id(),
                kind: Kind::Proposal,
                home: self.cert.place,
                creator: self.keys.public(),
                incarnation: Incarnation(7),
                nonce,
                reach: vec![yishi_protocol::audience::Reach::Place(self.cert.place)],
            };
            let prefix = header.doc_id().to_string()[..6].to_owned();
            if let Some(other) = seen.insert(prefix.clone(), header.clone()) {
                self.store.write(Batch { docs: vec![other, header], ..Batch::default() }).await.unwrap();
                return prefix;
            }
        }
        unreachable!()
    }
}

pub(crate) fn below(
    rng: &mut StdRng,
    parent: &Certificate,
    parent_keys: &SecretKeys,
    id: u8,
    code: &str,
    name: &str,
    level: &str,
) -> (SecretKeys, Certificate) {
    let keys = SecretKeys::generate(rng);
    let cert = Certificate {
        federation: Some(parent.federation_id()),
        place: PlaceId::founded(&parent.place, &[id; 16]),
        nonce: [id; 16],
        code: code.into(),
        name: name.into(),
        level: level.into(),
        key: keys.public(),
        sealing: keys.sealing_public(),
        parent: Some(parent.place),
        issuer: Some(parent.hash()),
        ..parent.clone()
    };
    let cert = cert.issued_by(parent_keys);
    (keys, cert)
}
