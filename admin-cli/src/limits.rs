//! Every bound of the CLI, with its unit in its name and its reason beside it.

/// How long to wait for a socket or a TLS handshake: a mobile link answers within this or not at all.
pub const CONNECT_SECONDS_MAX: u64 = 15;
/// How long to wait for an answer. A batch of an import on an SD card is the slowest thing asked.
pub const ANSWER_SECONDS_MAX: u64 = 180;
/// The longest answer accepted. A page of 500 matters is under 1 MiB; a whole document stays below this.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How often a request that is safe to repeat is sent in all when the connection breaks.
pub const ATTEMPTS_MAX: u32 = 4;
/// The pause before the second attempt, in milliseconds; it doubles.
pub const RETRY_PAUSE_MS: u64 = 400;
/// Rows in one import request: small enough to answer within seconds on a village's box.
pub const IMPORT_ROWS_PER_REQUEST_MAX: usize = 200;
/// Bytes of text in one import request: long letters make a batch shorter, never a refused request.
pub const IMPORT_BYTES_PER_REQUEST_MAX: usize = 1024 * 1024;
/// The largest file `matter import` reads; it is held in memory while it is checked.
pub const IMPORT_FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// How many of the first rows may stand above the header (a title, a note, an empty row).
pub const HEADER_SEARCH_ROWS_MAX: usize = 10;
/// The longest cell taken for a header, in bytes: longer ones are somebody's letter in the first rows.
pub const HEADER_BYTES_MAX: usize = 300;
/// Rows between two progress lines where there is no terminal.
pub const PROGRESS_EVERY_ROWS: usize = 5_000;
/// Bad rows listed on the screen; all of them are in `--errors FILE` and in `--json`.
pub const BAD_ROWS_SHOWN_MAX: usize = 20;
/// A title made from the first sentence of a text, in characters: one line of a list.
pub const MADE_TITLE_CHARS_MAX: usize = 30;
/// The earliest year a matter can be from: earlier ones are slips or empty cells turned into dates.
pub const YEAR_MIN: i16 = 1949;
/// Items asked for in one page of a list: the most the API gives.
pub const PAGE_ITEMS_MAX: usize = 500;
/// The narrowest a table is squeezed to, in columns.
pub const TABLE_WIDTH_MIN: usize = 60;
/// The narrowest the column that gives way first becomes: five Chinese characters still tell matters apart.
pub const COLUMN_WIDTH_MIN: usize = 12;
/// The widest text is laid out for reading, in columns: about 36 Chinese characters.
pub const READING_WIDTH_MAX: usize = 76;
