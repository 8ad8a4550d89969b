//! Files between neighbours: asked for by whoever lacks them, after all text, on a stream of their own.
//!
//! Each side may open one stream to ask on; the other side answers what it may. [`fetch`] asks and [`serve`] answers.
//! A file is asked for only of a neighbour who may see a matter that names it, and given only to such a one: whoever
//! asks for anything else hears what he hears of a file that does not exist. Every answer is as long as the ask makes
//! it, each piece is checked before it is kept, and it is durable before the next ones are asked for. So a line that
//! breaks costs four pieces at most, and a neighbour who lies, trickles or says nothing holds those four pieces' memory for
//! as long as the slowest line would take.
//!
//! Only while the link is [calm](Calm) is anything asked: text that waits goes first.

use super::{budget::time_for, driver::Context};
use crate::store::{FileRow, FileState, LinkId, StoreError, WantedFile, World};
use quinn::{Connection, ReadExactError, RecvStream, SendStream, VarInt};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use thiserror::Error;
use tokio::{
    sync::{Notify, broadcast::error::RecvError, watch},
    time::{Instant, sleep_until, timeout},
};
use tracing::{debug, warn};
use yishi_protocol::{
    attachment::{
        PieceError, PieceList, pieces_of,
        talk::{self, ASK_BYTES, Ask, HERE, LIST_HEAD_BYTES, NOT_HERE},
    },
    ids::{DocId, Hash, PlaceId},
    wire::CloseCode,
};

/// Below what a link says: QUIC sends from this stream when nothing else waits.
const PRIORITY: i32 = -1;
/// Wanted files looked at together.
const PAGE: u32 = 64;
/// The first pause after a file was not there, and the longest.
const ASK_AGAIN_MIN: Duration = Duration::from_secs(2);
const ASK_AGAIN_MAX: Duration = Duration::from_secs(300);
/// How long nothing is asked of a neighbour who said what is not so.
const DISTRUST: Duration = Duration::from_secs(600);
/// How long after a store that failed.
const STORE_PAUSE: Duration = Duration::from_secs(30);
/// From when on a file is asked for wherever it may be, not only where it came from.
const ANYWHERE_AFTER_MS: u64 = 10 * 60 * 1_000;
/// What several changes at once are taken together in.
const GATHER: Duration = Duration::from_millis(50);

/// Why a conversation about files ended.
#[derive(Debug, Error)]
enum BulkError {
    /// The line, or the stream.
    #[error("the stream ended: {0}")]
    Gone(String),
    /// Nothing came in time.
    #[error("no answer came in time")]
    Slow,
    /// What came is not what was asked for.
    #[error("the other side sent what is not so: {0}")]
    Wrong(String),
    /// This side's disk.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<quinn::WriteError> for BulkError {
    fn from(error: quinn::WriteError) -> Self {
        Self::Gone(error.to_string())
    }
}

impl From<ReadExactError> for BulkError {
    fn from(error: ReadExactError) -> Self {
        Self::Gone(error.to_string())
    }
}

impl From<PieceError> for BulkError {
    fn from(error: PieceError) -> Self {
        Self::Wrong(error.to_string())
    }
}

/// Whether a link has nothing to say in text: both sides had everything, and no block has been under way since.
#[derive(Debug, Clone)]
pub(super) struct Calm(watch::Sender<bool>);

impl Default for Calm {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Calm {
    pub(super) fn set(&self, calm: bool) {
        self.0.send_if_modified(|now| std::mem::replace(now, calm) != calm);
    }

    async fn wait(&self) {
        // The sender is here: it cannot be gone.
        let _ = self.0.subscribe().wait_for(|calm| *calm).await;
    }
}

/// Files that are being fetched over some link: none is fetched over two.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<BTreeSet<Hash>>>);

struct Claim(UnderWay, Hash);

impl UnderWay {
    fn claim(&self, file: Hash) -> Option<Claim> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(file);
        fresh.then(|| Claim(self.clone(), file))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Self(UnderWay(files), file) = self;
        files.lock().unwrap_or_else(PoisonError::into_inner).remove(file);
    }
}

/// One connection, as far as files go.
#[derive(Debug, Clone)]
pub(super) struct Bulk {
    pub(super) context: Context,
    pub(super) link: LinkId,
    pub(super) connection: Connection,
    pub(super) calm: Calm,
    /// The other side took the last piece of a file.
    given: Arc<Notify>,
}

impl Bulk {
    pub(super) fn new(context: &Context, link: LinkId, connection: &Connection, calm: &Calm) -> Self {
        let (context, connection, calm) = (context.clone(), connection.clone(), calm.clone());
        Self { context, link, connection, calm, given: Arc::default() }
    }

    /// Asks and answers, until the connection ends.
    pub(super) async fn run(self) {
        self.calm.wait().await;
        let serving = serve(&self);
        let asking = fetch(&self);
        tokio::join!(serving, asking);
    }

    fn peer(&self, world: &World) -> Option<(PlaceId, bool)> {
        world.link(self.link).map(|l| (l.peer, l.up))
    }
}

// --- answering

async fn serve(bulk: &Bulk) {
    while let Ok((mut send, mut recv)) = bulk.connection.accept_bi().await {
        let _ = send.set_priority(PRIORITY);
        let ended = answer_all(bulk, &mut send, &mut recv).await;
        if let Err(BulkError::Wrong(why)) = &ended {
            warn!(link = %bulk.link, why, "asked for files in a way that is none");
        }
        let code = VarInt::from_u32(CloseCode::Protocol.number() as u32);
        let _ = (send.reset(code), recv.stop(code));
        if let Err(BulkError::Store(error)) = ended {
            warn!(%error, "files are not given for a while");
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }
}

async fn answer_all(bulk: &Bulk, send: &mut SendStream, recv: &mut RecvStream) -> Result<(), BulkError> {
    loop {
        let mut ask = [0; ASK_BYTES];
        recv.read_exact(&mut ask).await?;
        let ask = Ask::read(&ask).map_err(|e| BulkError::Wrong(e.to_string()))?;
        let Some(file) = may_have(bulk, &ask.file()).await? else {
            say(bulk, send, &[NOT_HERE]).await?;
            continue;
        };
        match ask {
            Ask::Stored(_) => say(bulk, send, &[HERE]).await?,
            Ask::List(_) => {
                let list = bulk.context.store.file_list(&file).await?;
                let Some(list) = list else {
                    say(bulk, send, &[NOT_HERE]).await?;
                    continue;
                };
                let mut answer = vec![HERE];
                answer.extend(file.size.to_be_bytes());
                answer.extend(list);
                say(bulk, send, &answer).await?;
            }
            Ask::Pieces { first, count, .. } => {
                talk::lens(file.size, first, count).map_err(|e| BulkError::Wrong(e.to_string()))?;
                say(bulk, send, &[HERE]).await?;
                for number in first..first + u32::from(count) {
                    let _room = bulk.context.budget.bulk_out().piece().await;
                    let piece = bulk.context.store.file_piece(&file, number).await?;
                    // Let go between two pieces: the stream breaks, and the other side asks again.
                    let piece = piece.ok_or_else(|| BulkError::Gone("the file was let go".into()))?;
                    say(bulk, send, &piece).await?;
                }
                if first + u32::from(count) == file.pieces {
                    bulk.given.notify_one();
                }
            }
        }
    }
}

/// A file the other side may have, and that is here whole.
async fn may_have(bulk: &Bulk, file: &Hash) -> Result<Option<FileRow>, BulkError> {
    let store = &bulk.context.store;
    let Some(row) = store.file(file).await? else { return Ok(None) };
    if row.state == FileState::Wanted {
        return Ok(None);
    }
    let world = store.world();
    let Some((peer, up)) = bulk.peer(&world) else { return Ok(None) };
    // A name alone opens nothing: whoever names a file in a matter of its own must have brought it.
    let brought = row.came_from == Some(bulk.link);
    let named = store.naming(file).await?.into_iter();
    let named = named.filter(|(_, place)| brought || !is_beyond(&world, (peer, up), place));
    let docs: Vec<DocId> = named.map(|(doc, _)| doc).collect();
    if !any_seen_by(bulk, &world, &peer, &docs).await? {
        return Ok(None);
    }
    if row.state == FileState::LetGo {
        // Somebody below wants it back: it is fetched, and given when it is asked for again. The place above has it.
        if !up {
            store.want_again(*file, bulk.context.board.now_ms()).await?;
        }
        return Ok(None);
    }
    Ok(Some(row))
}

async fn any_seen_by(bulk: &Bulk, world: &World, peer: &PlaceId, docs: &[DocId]) -> Result<bool, StoreError> {
    let audiences = bulk.context.store.audiences(docs).await?;
    Ok(audiences.values().any(|a| a.includes(&world.directory, peer)))
}

async fn say(bulk: &Bulk, send: &mut SendStream, bytes: &[u8]) -> Result<(), BulkError> {
    timeout(time_for(bytes.len()), send.write_all(bytes)).await.map_err(|_| BulkError::Slow)??;
    bulk.context.board.sent(bulk.link, bytes.len());
    Ok(())
}

// --- asking

/// When to ask again for what was not there.
#[derive(Debug, Default)]
struct Later(BTreeMap<Hash, (Instant, Duration)>);

impl Later {
    fn is_due(&self, file: &Hash, now: Instant) -> bool {
        self.0.get(file).is_none_or(|(at, _)| *at <= now)
    }

    fn not_there(&mut self, file: Hash, now: Instant) {
        let pause = self.0.get(&file).map_or(ASK_AGAIN_MIN, |(_, pause)| (*pause * 2).min(ASK_AGAIN_MAX));
        self.0.insert(file, (now + pause, pause));
    }

    /// Forgets those that nobody wants any more; gives when the first of the others is due.
    fn keep(&mut self, wanted: &BTreeSet<Hash>) -> Option<Instant> {
        self.0.retain(|file, _| wanted.contains(file));
        self.0.values().map(|(at, _)| *at).min()
    }
}

async fn fetch(bulk: &Bulk) {
    let mut news = bulk.context.store.news();
    let (mut files, mut told) = (Later::default(), Later::default());
    let mut stream = None;
    loop {
        bulk.calm.wait().await;
        let round = async {
            let first = fetch_wanted(bulk, &mut stream, &mut files).await?;
            let second = ask_stored(bulk, &mut stream, &mut told).await?;
            Ok::<_, BulkError>([first, second].into_iter().flatten().min())
        };
        let wait = match round.await {
            Ok(due) => due.unwrap_or_else(|| Instant::now() + ASK_AGAIN_MAX),
            Err(error) => {
                if bulk.connection.close_reason().is_some() {
                    return;
                }
                stream = None;
                Instant::now()
                    + match error {
                        BulkError::Store(error) if error.ends_the_node() => return,
                        BulkError::Store(error) => {
                            warn!(%error, "files are not fetched for a while");
                            STORE_PAUSE
                        }
                        BulkError::Wrong(why) => {
                            warn!(link = %bulk.link, why, "nothing is asked of this neighbour for a while");
                            sleep_until(Instant::now() + DISTRUST).await;
                            Duration::ZERO
                        }
                        BulkError::Slow | BulkError::Gone(_) => {
                            debug!(link = %bulk.link, %error, "asking for files broke off");
                            ASK_AGAIN_MIN
                        }
                    }
            }
        };
        loop {
            tokio::select! {
                () = sleep_until(wait) => break,
                () = bulk.given.notified() => {
                    // The other side has the last piece in a moment.
                    told.0.clear();
                    tokio::time::sleep(GATHER * 4).await;
                    break;
                }
                heard = news.recv() => match heard {
                    Ok(written) if !written.files => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => {
                        tokio::time::sleep(GATHER).await;
                        break;
                    }
                    Err(RecvError::Closed) => return,
                },
                _ = bulk.connection.closed() => return,
            }
        }
    }
}

/// A stream that asks.
#[derive(Debug)]
struct Asking {
    send: SendStream,
    recv: RecvStream,
}

/// Goes through what is wanted; gives when to look again for what was not there.
async fn fetch_wanted(
    bulk: &Bulk,
    stream: &mut Option<Asking>,
    later: &mut Later,
) -> Result<Option<Instant>, BulkError> {
    let (mut after, mut waiting) = (0, BTreeSet::new());
    loop {
        let page = bulk.context.store.wanted_files(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(later.keep(&waiting)) };
        after = last.row;
        let world = bulk.context.store.world();
        let Some((peer, up)) = bulk.peer(&world) else { return Ok(None) };
        let docs: Vec<DocId> = page.iter().flat_map(|w| &w.named).map(|(doc, _)| *doc).collect();
        let audiences = bulk.context.store.audiences(&docs).await?;
        let seen = |doc: &DocId| audiences.get(doc).is_some_and(|a| a.includes(&world.directory, &peer));
        let now_ms = bulk.context.board.now_ms();
        for wanted in page {
            let this_way = wanted.named.iter().any(|(doc, place)| {
                seen(doc) && leads_to(&world, (peer, up), place, now_ms.saturating_sub(wanted.since_ms))
            });
            if !this_way {
                continue;
            }
            let file = wanted.file;
            waiting.insert(file);
            if !later.is_due(&file, Instant::now()) {
                continue;
            }
            let Some(_claim) = bulk.context.under_way.claim(file) else { continue };
            if fetch_one(bulk, stream, wanted).await? {
                waiting.remove(&file);
            } else {
                later.not_there(file, Instant::now());
            }
        }
    }
}

/// Whether a file that a place put to a matter is to be asked for over a link: where that place is, or, for one of
/// this place that is not here any more, above. What has been wanted for long may be anywhere.
fn leads_to(world: &World, (peer, up): (PlaceId, bool), place: &PlaceId, wanted_ms: u64) -> bool {
    let own = up && *place == world.me.place;
    own || is_beyond(world, (peer, up), place) || wanted_ms >= ANYWHERE_AFTER_MS
}

/// Whether a place is at the other end of a link, or behind it.
fn is_beyond(world: &World, (peer, up): (PlaceId, bool), place: &PlaceId) -> bool {
    let within = |top: &PlaceId| place == top || world.directory.place_ancestors(place).contains(top);
    if up { !within(&world.me.place) } else { within(&peer) }
}

/// Fetches what is missing of one file; `false` if the other side has it not.
async fn fetch_one(bulk: &Bulk, stream: &mut Option<Asking>, wanted: WantedFile) -> Result<bool, BulkError> {
    let store = &bulk.context.store;
    let (size, list) = match &wanted.list {
        Some((size, list)) => (*size, PieceList::read(&wanted.file, *size, list)?),
        None => {
            let Some((size, list)) = ask_list(bulk, stream, &wanted).await? else { return Ok(false) };
            store.keep_list(wanted.row, size, list.bytes()).await?;
            (size, list)
        }
    };
    let mut have = wanted.have;
    while let Some(ask) = talk::next(wanted.file, size, true, have) {
        let Ask::Pieces { first, count, .. } = ask else { break };
        // Text first, each time anew.
        bulk.calm.wait().await;
        let _room = bulk.context.budget.bulk_in().pieces(count).await;
        let asking = asked(bulk, stream, ask).await?;
        if !is_here(bulk, asking).await? {
            return Ok(false);
        }
        let lens = talk::lens(size, first, count).map_err(|e| BulkError::Wrong(e.to_string()))?;
        let mut pieces = Vec::with_capacity(lens.len());
        for (number, len) in (first..).zip(lens) {
            let piece = read(bulk, asking, len).await?;
            if let Err(wrong) = list.check(number, &piece) {
                // The size within the last piece is said by an act alone: if that lied, the list is wrong as well.
                if number + 1 == list.pieces() {
                    store.begin_file_again(wanted.row).await?;
                }
                return Err(wrong.into());
            }
            pieces.push(piece);
        }
        have += u32::from(count);
        let from = (bulk.link, bulk.context.board.now_ms());
        let whole = store.keep_pieces(wanted.row, first, pieces, from).await?;
        debug!(link = %bulk.link, file = %wanted.file, have, of = list.pieces(), whole, "pieces are here");
    }
    Ok(true)
}

async fn ask_list(
    bulk: &Bulk,
    stream: &mut Option<Asking>,
    wanted: &WantedFile,
) -> Result<Option<(u64, PieceList)>, BulkError> {
    let asking = asked(bulk, stream, Ask::List(wanted.file)).await?;
    if !is_here(bulk, asking).await? {
        return Ok(None);
    }
    let size = read(bulk, asking, LIST_HEAD_BYTES - 1).await?;
    let size = size.first_chunk::<8>().map_or(0, |b| u64::from_be_bytes(*b));
    if !wanted.sizes.contains(&size) {
        return Err(BulkError::Wrong(format!("a size of {size} bytes that no act names")));
    }
    let list = read(bulk, asking, 32 * pieces_of(size)? as usize).await?;
    Ok(Some((size, PieceList::read(&wanted.file, size, &list)?)))
}

/// Asks the place above which files it has; gives when to ask again.
async fn ask_stored(
    bulk: &Bulk,
    stream: &mut Option<Asking>,
    later: &mut Later,
) -> Result<Option<Instant>, BulkError> {
    let world = bulk.context.store.world();
    let Some((peer, true)) = bulk.peer(&world) else { return Ok(None) };
    let (mut after, mut waiting) = (0, BTreeSet::new());
    loop {
        let page = bulk.context.store.untold_files(after, PAGE).await?;
        let Some((row, _)) = page.last() else { return Ok(later.keep(&waiting)) };
        after = row.row();
        for (row, docs) in page {
            if !later.is_due(&row.file, Instant::now()) {
                waiting.insert(row.file);
                continue;
            }
            if !any_seen_by(bulk, &world, &peer, &docs).await? {
                continue;
            }
            bulk.calm.wait().await;
            let asking = asked(bulk, stream, Ask::Stored(row.file)).await?;
            if is_here(bulk, asking).await? {
                bulk.context.store.file_stored_above(row.file).await?;
            } else {
                waiting.insert(row.file);
                later.not_there(row.file, Instant::now());
            }
        }
    }
}

/// Asks, on a stream that is opened when there is something to ask.
async fn asked<'s>(
    bulk: &Bulk,
    stream: &'s mut Option<Asking>,
    ask: Ask,
) -> Result<&'s mut Asking, BulkError> {
    if stream.is_none() {
        let opened = bulk.connection.open_bi().await.map_err(|e| BulkError::Gone(e.to_string()))?;
        let (send, recv) = opened;
        let _ = send.set_priority(PRIORITY);
        *stream = Some(Asking { send, recv });
    }
    let Some(asking) = stream.as_mut() else { return Err(BulkError::Slow) };
    say(bulk, &mut asking.send, &ask.bytes()).await?;
    Ok(asking)
}

async fn is_here(bulk: &Bulk, asking: &mut Asking) -> Result<bool, BulkError> {
    match read(bulk, asking, 1).await?.as_slice() {
        [NOT_HERE] => Ok(false),
        [HERE] => Ok(true),
        other => Err(BulkError::Wrong(format!("{other:?} answers nothing"))),
    }
}

async fn read(bulk: &Bulk, asking: &mut Asking, len: usize) -> Result<Vec<u8>, BulkError> {
    let mut bytes = vec![0; len];
    timeout(time_for(len), asking.recv.read_exact(&mut bytes)).await.map_err(|_| BulkError::Slow)??;
    bulk.context.board.received(bulk.link, len);
    Ok(bytes)
}
