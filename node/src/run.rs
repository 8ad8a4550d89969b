//! Wires one node together and runs it until it is told to stop or a part of it is lost.
//!
//! The only file that knows all parts. Stopping drains from the outside in: pages first, then links,
//! then the projector, the store last. A part that ends by itself stops the whole node with its reason,
//! because half a node that looks alive is worse than one that is restarted.

use crate::{
    actions::{Actions, LinkNow, LinkStatus},
    arrivals::Arrivals,
    clock::{Clock, SystemClock},
    config::{Config, Lang},
    home::{Home, HomeError},
    http::{BindError, HttpConfig, Server},
    life,
    link::{Connected, EndpointError, Lines, LinkBoard, Links, LinksConfig},
    projector::Projector,
    store::{LinkId, Store, StoreError},
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Why a node did not start or did not go on.
#[derive(Debug, Error)]
pub enum RunError {
    /// The folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The links' socket.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The pages' sockets.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The actions.
    #[error(transparent)]
    Actions(#[from] crate::actions::ActionError),
    /// A part ended by itself.
    #[error(
        "the node stopped because a part of it was lost: {0}. What was acknowledged is on disk; start it again"
    )]
    Lost(String),
}

/// A started node: where it is reached, and what it is asked within this process.
#[derive(Debug, Clone)]
pub struct Started {
    /// UDP address of the links.
    pub link: SocketAddr,
    /// Address of the pages on this machine.
    pub pages: Option<SocketAddr>,
    /// HTTPS address.
    pub tls: Option<SocketAddr>,
    /// What people do there.
    pub actions: Actions,
    /// What goes on on its links.
    pub board: Arc<LinkBoard>,
    /// Its connections, to be cut.
    pub lines: Lines,
}

/// The links' state, as the actions want it told.
#[derive(Debug)]
struct Watch(Arc<LinkBoard>);

impl LinkStatus for Watch {
    fn now(&self, link: LinkId) -> Option<LinkNow> {
        let present = self.0.get(link);
        let state = match present.connected {
            Connected::Down => "down",
            Connected::Connecting => "connecting",
            Connected::Up => "up",
            Connected::Refused => "refused",
            Connected::Broken => "broken",
        };
        Some(LinkNow {
            state,
            why: present.why,
            bytes_sent: present.frame_bytes_sent,
            bytes_received: present.frame_bytes_received,
            catch_up_ms: present.last_catch_up_us.map(|us| us as f64 / 1_000.0),
        })
    }
}

/// Runs the node in `config.data_dir` until `stop`. `started` is told where it is reached.
///
/// # Errors
/// [`RunError`] if it cannot start, or a part of it was lost.
pub async fn run(
    config: Config,
    stop: CancellationToken,
    started: impl FnOnce(Started),
) -> Result<(), RunError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let home = Home::at(&config.data_dir);
    if !home.is_occupied() {
        return Err(home.no_node().into());
    }
    let store = Store::open(home.path()).await?;
    if !store.life_matches() {
        info!("the database was restored or copied: its life is renewed");
        life::renew(&store).await?;
    }
    if !store.world().is_active() {
        warn!(
            "本单位已由上级准许的另一台机器接管：这台只供查看，不写入、不接待下级。没送到上级的，yishi-node doctor 会列出 · \
             another machine has taken this place over: this one can be read, and neither writes nor serves; \
             `yishi-node doctor` lists what had not reached the place above"
        );
    }
    let board = LinkBoard::new(clock.clone());
    let listen = config.link.listen.unwrap_or((Ipv4Addr::UNSPECIFIED, 0).into());
    let links_config =
        LinksConfig { listen, parent: config.link.parent.clone(), timing: config.link.timing() };
    let arrivals = Arrivals::default();
    let mut links = Links::start(links_config, store.clone(), board.clone(), arrivals.clone(), home.path())?;
    let actions = Actions::new(store.clone(), clock.clone())?;
    actions.watch_links(Arc::new(Watch(board.clone())));
    actions.dials_with(links.dial_now());
    actions.listens_at(reached_at(links.address()));
    let projecting = CancellationToken::new();
    let mut projector = tokio::spawn(Projector::new(actions.clone()).after(arrivals).run(projecting.clone()));
    let supervising = tokio::spawn(supervise(actions.clone(), projecting.clone()));
    let mut http = HttpConfig::local(home.path().to_owned());
    http.plain = config.http.listen;
    http.tls = config.http.tls_listen;
    http.names = config.http.names.clone();
    http.found = towards_others();
    http.open_board = config.http.open_board;
    http.lang = match config.http.lang {
        Lang::Zh => crate::http::Lang::Zh,
        Lang::En => crate::http::Lang::En,
    };
    let mut server = Server::bind(http, actions.clone()).await?;
    started(Started {
        link: links.address(),
        pages: server.plain_address(),
        tls: server.tls_address(),
        actions,
        board,
        lines: links.lines(),
    });
    let lost = tokio::select! {
        biased;
        () = stop.cancelled() => None,
        // First among the reasons: the other parts only notice that the store does not answer.
        error = store.lost() => Some(error.to_string()),
        why = links.lost() => Some(why),
        ended = &mut projector => Some(match ended {
            Ok(Ok(())) => "the projector ended".into(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => format!("the projector failed: {error}"),
        }),
        ended = server.join() => Some(match ended {
            Ok(()) => "the pages ended".into(),
            Err(error) => error.to_string(),
        }),
    };
    info!("stopping");
    if let Err(error) = server.shutdown().await {
        error!(%error, "the pages did not stop in order");
    }
    links.shutdown().await;
    projecting.cancel();
    // It ends between two matters.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), supervising).await;
    if !projector.is_finished() {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(10), projector).await;
    }
    store.close().await?;
    match lost {
        None => Ok(()),
        Some(why) => Err(RunError::Lost(why)),
    }
}

/// How often the places below are looked after. A day's word need not come to the minute.
const SUPERVISED_EVERY: std::time::Duration = std::time::Duration::from_secs(900);

/// And for the first time after a start, when lines had time to come up.
const SUPERVISED_FIRST: std::time::Duration = std::time::Duration::from_secs(30);

/// Says of late matters below what the rule asks for, until it is told to stop.
async fn supervise(actions: Actions, stop: CancellationToken) {
    let mut wait = SUPERVISED_FIRST;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = SUPERVISED_EVERY;
        match actions.sweep_files().await {
            Ok(0) => {}
            Ok(files) => info!(files, "photos that nobody put to a matter were thrown away"),
            Err(error) => error!(%error, "photos that nobody put to a matter are still there"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            done = actions.supervise() => match done {
                Ok(0) => {}
                Ok(urged) => info!(urged, "late matters below were urged"),
                Err(error) => error!(%error, "supervision stopped short; it goes on at the next round"),
            },
        }
    }
}

/// What an invitation names: the listening address, or for one that listens everywhere this machine's
/// address towards others.
fn reached_at(listen: SocketAddr) -> String {
    if !listen.ip().is_unspecified() {
        return listen.to_string();
    }
    let ip = towards_others().unwrap_or(Ipv4Addr::LOCALHOST.into());
    SocketAddr::new(ip, listen.port()).to_string()
}

/// This machine's address towards others, if it has one.
fn towards_others() -> Option<IpAddr> {
    // Nothing is sent: connecting a UDP socket only asks the routing table.
    let towards = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|s| s.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).and_then(|()| s.local_addr()));
    towards.ok().map(|a| a.ip()).filter(|ip| !ip.is_unspecified())
}
