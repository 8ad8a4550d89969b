//! Every bound of the web server, with its unit in its name and its reason beside it.

use std::time::Duration;

/// A JSON body. An import of 500 rows of long letters stays below it; the whole process has 64 MiB.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A body up to this size is read without a permit: every connection at once stays below 8 MiB.
pub const SMALL_BODY_BYTES_MAX: usize = 64 * 1024;
/// Bodies above the small size that are held in memory at the same time.
pub const LARGE_BODIES_MAX: usize = 3;
/// Photos held in memory at the same time, each as it came and as it is kept.
pub const PICTURES_MAX: usize = 2;
/// The longest the bytes of one photo may take: eight megabytes at 500 kbit/s.
pub const PICTURE_SECONDS_MAX: u64 = 140;
/// A form with photos, all of it: twenty as telephones make them, and one or two that are too large.
pub const PHOTO_FORM_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The same of somebody whose session has ended, or who never had one: read past for what was typed, and not kept.
pub const STRANGER_FORM_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The longest such a form may take.
pub const PHOTO_FORM_SECONDS_MAX: u64 = 1_200;
/// What stands before one field of a form: its name and that of a file.
pub const PART_HEAD_BYTES_MAX: usize = 4 * 1024;
/// A form or a sign-in: names and passwords, nothing else. Read before anybody is known.
pub const FORM_BYTES_MAX: usize = 8 * 1024;
/// How long to wait for a permit to read a large body before answering "busy".
pub const LARGE_BODY_WAIT_SECONDS_MAX: u64 = 20;
/// The longest silence inside a body: a mobile link pauses, a slow-loris client never sends.
pub const BODY_STALL_SECONDS_MAX: u64 = 15;
/// The longest a whole body may take: 2 MiB at 100 kbit/s are 170 s.
pub const BODY_SECONDS_MAX: u64 = 200;
/// From opening (or the last answer) to a complete request head; also bounds an idle connection.
pub const HEAD_SECONDS_MAX: u64 = 15;
/// A TLS handshake, two round trips on the worst mobile link.
pub const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// The longest a client may refuse to take the next byte of an answer.
pub const WRITE_STALL_SECONDS_MAX: u64 = 30;
/// Request line and headers together: a cookie, a token and a Chinese path are under 2 kB.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Headers in one request; browsers send about twenty.
pub const HEADERS_MAX: usize = 64;
/// What one connection buffers: 128 connections of it are 4 MiB.
pub const CONNECTION_BUFFER_BYTES: usize = 32 * 1024;
/// Connections over TCP at a time unless configured; the next wait in the kernel's queue.
pub const CONNECTIONS_MAX: usize = 128;
/// Connections on the local socket: their own number, so that a flood of browsers never locks the operator out.
pub const SOCKET_CONNECTIONS_MAX: usize = 16;
/// When every place is taken and somebody waits: how long a client may have been silent, or slow with its
/// request, before it gives up its place. Three round trips on a bad mobile link.
pub const GIVE_WAY_ASKING_MS: u64 = 1_000;
/// The same for a client that is taking its answer, or has it and keeps the connection.
pub const GIVE_WAY_ANSWERED_MS: u64 = 5_000;
/// How often somebody who waits looks whether one more has to give way.
pub const GIVE_WAY_LOOK_MS: u64 = 20;
/// One address over HTTPS may have one place in so many: an office behind one gateway opens the pages of
/// ten people at once, and still cannot take everything.
pub const ONE_ADDRESS_SHARE: usize = 2;
/// How long requests under way may go on after the order to stop.
pub const DRAIN_SECONDS_MAX: u64 = 10;
/// The pause after the system refused another connection (no file handles left), in milliseconds.
pub const ACCEPT_PAUSE_MS: u64 = 200;

/// Items in one page of a list: the most that may be asked for.
pub const PAGE_ITEMS_MAX: u32 = 500;
/// Items in one page of a list when nothing is asked.
pub const PAGE_ITEMS_DEFAULT: u32 = 50;
/// Matters on one HTML page: with the layout it stays below 60 kB.
pub const HTML_ITEMS: u32 = 40;
/// A search text, in characters; longer ones find nothing anyway.
pub const QUERY_CHARS_MAX: usize = 100;
/// Rows of one import request, as the contract says.
pub const IMPORT_ROWS_MAX: usize = 500;
/// A proposal list of one outcome or one merge; a campaign's hundreds of letters fit.
pub const REFS_MAX: usize = 1_000;

/// Matters one press acts on: a morning's ninety, twice over. Each is an act of its own, some ten milliseconds.
pub const BULK_MATTERS_MAX: usize = 200;
/// How long such a press is answered by its result; what takes longer is answered by how far it is.
pub const BULK_WAIT_MS: u64 = 2_500;
/// Results of such presses kept to be looked at again, the oldest let go first.
pub const BULK_RESULTS_MAX: usize = 64;
/// An address to come back to, in bytes.
pub const BACK_BYTES_MAX: usize = 2_000;

/// Argon2id memory in KiB. Chosen for a 64 MiB box: 19 MiB with two passes is the least OWASP recommends,
/// and only one computation runs at a time.
pub const PASSWORD_MEMORY_KIB: u32 = 19 * 1024;
/// Argon2id passes over that memory.
pub const PASSWORD_PASSES: u32 = 2;
/// A password in bytes: hashing a megabyte for a stranger is not a service we offer.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// The shortest password a person may choose, in characters.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Sign-ins waiting for the one computation; more are told to come back.
pub const SIGN_INS_WAITING_MAX: usize = 16;
/// Failures before a name is locked out.
pub const SIGN_IN_FAILURES_MAX: u32 = 5;
/// How long a lock-out lasts.
pub const LOCK_OUT_MS: u64 = 15 * 60 * 1000;
/// Names that exist nowhere and are remembered as failing, so that they lock out like real ones.
pub const STRANGERS_MAX: usize = 1_000;
/// Wrong check codes from one address, or for one number, before looking up is closed to it. A code has six
/// digits: at this rate guessing one takes years.
pub const LOOK_UP_FAILURES_MAX: u32 = 5;
/// The same for callers that come by one proxy and cannot be told apart.
pub const LOOK_UP_SHARED_FAILURES_MAX: u32 = 30;
/// How long looking up is closed then.
pub const LOOK_UP_CLOSED_MS: u64 = 15 * 60 * 1000;
/// Addresses and numbers remembered as failing.
pub const WALKERS_MAX: usize = 2_000;
/// A look-up that finds nothing is answered so much later, whatever the reason.
pub const LOOK_UP_WRONG_MS: u64 = 1_500;
/// Open pages that are told of changes: each holds a connection; the rest load a page to see what is new.
pub const LIVE_STREAMS_MAX: usize = 32;
/// How long a stream lives: whoever listens on asks anew, with the session of that moment.
pub const LIVE_SECONDS_MAX: u64 = 15 * 60;
/// A line that says nothing after so long a silence; mobile networks forget a quiet connection after a minute.
pub const LIVE_KEEP_ALIVE_SECONDS: u64 = 25;
/// Changes within this time are one piece of news.
pub const LIVE_PAUSE_MS: u64 = 400;
/// Changed matters remembered for streams: 40 bytes each.
pub const LIVE_MATTERS_MAX: usize = 256;
/// Matters named in one piece of news; of more, only that there are some.
pub const LIVE_NAMED_MAX: usize = 50;
/// When a browser whose stream ended asks again.
pub const LIVE_RETRY_MS: u64 = 5_000;
/// A session in the browser: one working day and the evening.
pub const SESSION_MS: u64 = 14 * 60 * 60 * 1000;
/// A name somebody signs in with, in characters.
pub const USER_NAME_CHARS_MAX: usize = 64;
/// A token's longest life in days when one is asked for.
pub const TOKEN_DAYS_MAX: u32 = 3_650;
/// An `Idempotency-Key`, in bytes; a UUID has 36.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;

/// [`HANDSHAKE_SECONDS_MAX`] as a duration.
pub const HANDSHAKE: Duration = Duration::from_secs(HANDSHAKE_SECONDS_MAX);
/// [`HEAD_SECONDS_MAX`] as a duration.
pub const HEAD: Duration = Duration::from_secs(HEAD_SECONDS_MAX);
/// [`DRAIN_SECONDS_MAX`] as a duration.
pub const DRAIN: Duration = Duration::from_secs(DRAIN_SECONDS_MAX);
/// [`GIVE_WAY_ASKING_MS`] as a duration.
pub const GIVE_WAY_ASKING: Duration = Duration::from_millis(GIVE_WAY_ASKING_MS);
/// [`GIVE_WAY_ANSWERED_MS`] as a duration.
pub const GIVE_WAY_ANSWERED: Duration = Duration::from_millis(GIVE_WAY_ANSWERED_MS);
/// [`GIVE_WAY_LOOK_MS`] as a duration.
pub const GIVE_WAY_LOOK: Duration = Duration::from_millis(GIVE_WAY_LOOK_MS);
