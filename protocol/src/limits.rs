//! Every bound of the protocol, with its unit in its name and its reason beside it.

/// A change chunk. A body of 20,000 Chinese characters is 60 kB; minutes of a long meeting fit.
pub const CHANGE_BYTES_MAX: usize = 256 * 1024;
/// Operations in one change, counted before anything is expanded: 149 crafted bytes can claim 2⁴⁰.
pub const CHANGE_OPS_MAX: u64 = 65_536;
/// Direct dependencies of one change: one per place that wrote at the same time.
pub const CHANGE_DEPS_MAX: usize = 256;
/// How deep maps and lists may nest inside an act; ours use three.
pub const VALUE_DEPTH_MAX: usize = 8;
/// One key in an act.
pub const KEY_BYTES_MAX: usize = 64;
/// Changes in one document. A matter has tens; a register of a month has thousands at most.
pub const DOCUMENT_CHANGES_MAX: usize = 20_000;
/// The highest operation counter: far below u32, where Automerge wraps.
pub const OP_COUNTER_MAX: u64 = 1 << 30;
/// A document header.
pub const HEADER_BYTES_MAX: usize = 8 * 1024;
/// Places or subtrees named in one header.
pub const HEADER_GRANTS_MAX: usize = 200;
/// A certificate.
pub const CERT_BYTES_MAX: usize = 1024;
/// Certificates between a place and the root; the country has five levels, regroupings add some.
pub const CERT_CHAIN_MAX: usize = 12;
/// A place's name in bytes.
pub const NAME_BYTES_MAX: usize = 120;
/// What a session packs into one block before it closes it: large enough to compress well, small
/// enough that a village holds two of them.
pub const BLOCK_BYTES_SOFT: usize = 512 * 1024;
/// What a receiver accepts as one block after inflation. One document's uncovered run may exceed the soft size.
pub const BLOCK_BYTES_MAX: usize = 8 * 1024 * 1024;
/// What a receiver accepts as one frame on the wire.
pub const FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Blocks sent and not yet acknowledged on one link.
pub const BLOCKS_IN_FLIGHT_MAX: usize = 8;
/// Bytes sent and not yet acknowledged on one link: back-pressure towards a slow disk.
pub const BYTES_IN_FLIGHT_MAX: usize = 8 * 1024 * 1024;
/// Changes an acknowledgement may name as not stored: all of the largest block.
pub const ACK_EXCLUDED_MAX: usize = 200_000;
/// Certificates that introduce one: its chain, and those its own and higher places' placements name.
pub const INTRODUCED_CERTS_MAX: usize = 64;
/// Placements in an introduction: every move of a place and of those above it.
pub const INTRODUCED_PLACEMENTS_MAX: usize = 64;
/// An introduction.
pub const INTRODUCTION_BYTES_MAX: usize =
    INTRODUCED_CERTS_MAX * (CERT_BYTES_MAX + 4) + INTRODUCED_PLACEMENTS_MAX * (PLACEMENT_BYTES_MAX + 4) + 16;
/// The first frame of somebody unknown: a request to join, or who it is, and no more.
pub const STRANGER_FRAME_BYTES_MAX: usize = 4_096;
/// Rows of a feed in one block: as many as the longest run without a signature, twice over.
pub const BLOCK_ROWS_MAX: u64 = 2 * DOCUMENT_CHANGES_MAX as u64;
/// All changes of one document together: it must fit into one block, whole, with room to spare.
pub const DOCUMENT_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Grants or wrapped keys in one section; the header's own bound is smaller.
pub const SECTION_GRANTS_MAX: usize = 20_000;
/// Why somebody was forgotten, in bytes.
pub const FORGET_REASON_BYTES_MAX: usize = 200;
/// Sections (documents) in one block.
pub const BLOCK_SECTIONS_MAX: usize = 20_000;
/// Documents a reconciliation message may list.
pub const RECONCILE_ITEMS_MAX: usize = 65_536;
/// An invitation token's secret in bytes.
pub const INVITE_SECRET_BYTES: usize = 16;
/// Free text in one field, in Unicode scalar values.
pub const TEXT_CHARS_MAX: usize = 20_000;
/// A short string in one field, in bytes.
pub const SHORT_BYTES_MAX: usize = 600;
/// Last valid changes named in one revocation record; a longer list is spread over several.
pub const REVOCATION_CUTS_MAX: usize = 2_048;
/// Certificates named in one revocation record as still valid; a longer list is spread over several.
pub const REVOCATION_CERTS_MAX: usize = 2_048;
/// One revocation record: its cuts of 64 bytes, certificates of 32, and room for the reason.
pub const REVOCATION_BYTES_MAX: usize = REVOCATION_CUTS_MAX * 64 + REVOCATION_CERTS_MAX * 32 + 2_048;
/// One placement: a name, four short texts, ids and a signature.
pub const PLACEMENT_BYTES_MAX: usize = 3_072;
/// The last day an act may claim, in days since 1970-01-01: the end of the year 9999. Beyond it there are no
/// civil dates to show, and sums of days must not overflow.
pub const CLAIMED_DAY_MAX: i64 = 2_932_896;
/// A file that a matter names. A phone's photo is three to six megabytes before the page makes it smaller.
pub const ATTACHMENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// One piece of a file, a whole subtree of BLAKE3: what a break costs at most, and what is held in memory.
pub const ATTACHMENT_PIECE_BYTES: usize = 64 * 1024;
/// Pieces in one answer: a quarter of a megabyte, then text goes first again.
pub const ATTACHMENT_PIECES_ASKED_MAX: u8 = 4;
/// Files one place may put to one matter.
pub const ATTACHMENTS_OF_PLACE_MAX: usize = 20;
/// What is written under a file, in Unicode scalar values.
pub const ATTACHMENT_CAPTION_CHARS_MAX: usize = 200;
/// How far beyond its own claim an act is pulled up by what one other place alone has claimed.
pub const DAY_PULL_MAX: i64 = 31;
/// How far beyond all that other places have claimed an act's claim may be. A matter may lie still for years
/// and must not be shut for ever; a clock that has run away is further off.
pub const DAY_AHEAD_MAX: i64 = 3_653;
/// By how much the count of lives goes on with every key of a place that a second machine takes it over with: so
/// many restores on either machine keep its numbers apart from the other's. A number gains one letter by it.
pub const LIVES_PER_KEY: u32 = 16;
