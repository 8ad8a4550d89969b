//! Why a change could not be written or was refused: one variant per reason, for operators to read.

use crate::limits::{
    CHANGE_BYTES_MAX, CHANGE_DEPS_MAX, CHANGE_OPS_MAX, KEY_BYTES_MAX, OP_COUNTER_MAX, VALUE_DEPTH_MAX,
};
use std::fmt;
use thiserror::Error;

/// The change cannot be written: it is not one that any reader would accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Sequence numbers start at 1; an act of the document's creator comes after its genesis.
    #[error("the sequence number must be at least {min}")]
    Seq {
        /// The lowest possible one here.
        min: u64,
    },
    /// A genesis is always the same: seq 1, start 1, no dependencies.
    #[error("a genesis has sequence number 1, first operation 1 and no dependencies")]
    GenesisHeader,
    /// An act comes after the genesis and must name what it comes after.
    #[error("an act must depend on at least one change")]
    NoDeps,
    /// Dependencies are sorted and named once.
    #[error("the dependencies are not in strictly ascending order")]
    DepsUnsorted,
    /// More dependencies than [`CHANGE_DEPS_MAX`].
    #[error("{count} dependencies are more than {CHANGE_DEPS_MAX}")]
    TooManyDeps {
        /// How many there are.
        count: usize,
    },
    /// No kind of document has such a container.
    #[error("no kind of document has a container number {container}")]
    Container {
        /// The position asked for.
        container: usize,
    },
    /// The first operation would come before the container it writes into.
    #[error("the first operation {start_op} comes before the container it writes into")]
    StartOp {
        /// The number of the first operation.
        start_op: u64,
    },
    /// An operation's number would reach [`OP_COUNTER_MAX`].
    #[error("operation numbers must stay below {OP_COUNTER_MAX}")]
    Counter,
    /// More operations than [`CHANGE_OPS_MAX`].
    #[error("{ops} operations are more than {CHANGE_OPS_MAX}")]
    TooManyOps {
        /// How many there are.
        ops: u64,
    },
    /// More bytes than [`CHANGE_BYTES_MAX`].
    #[error("{bytes} bytes are more than {CHANGE_BYTES_MAX}")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// Maps and lists nested deeper than [`VALUE_DEPTH_MAX`].
    #[error("maps and lists nest deeper than {VALUE_DEPTH_MAX}")]
    TooDeep,
    /// An empty key, or one longer than [`KEY_BYTES_MAX`].
    #[error("a key has {bytes} bytes, which is not between 1 and {KEY_BYTES_MAX}")]
    KeyLength {
        /// Its length.
        bytes: usize,
    },
}

/// The bytes are refused: they are not a change of ours. What each variant keeps away from Automerge
/// is said in the design's section on guarding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// More bytes than [`CHANGE_BYTES_MAX`].
    #[error("the change has {bytes} bytes, more than {CHANGE_BYTES_MAX}")]
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// The bytes end inside the header.
    #[error("the change ends inside its header")]
    Truncated,
    /// The first four bytes are not Automerge's.
    #[error("this is not an Automerge chunk")]
    Magic,
    /// Not a plain change: a document (0), a compressed change (2), a bundle (3) or unknown.
    #[error("chunk type {0} is not a plain change")]
    ChunkType(u8),
    /// The declared length is not that of the bytes given.
    #[error("the change declares {declared} bytes and has {present}")]
    Length {
        /// What the chunk's header says.
        declared: u64,
        /// What follows the header.
        present: usize,
    },
    /// The checksum does not fit the content.
    #[error("the checksum does not fit the content")]
    Checksum,
    /// A number in the header is too large or not in its shortest form.
    #[error("a number in the header is too large or not in its shortest form")]
    Number,
    /// More dependencies than [`CHANGE_DEPS_MAX`].
    #[error("{count} dependencies are more than {CHANGE_DEPS_MAX}")]
    TooManyDeps {
        /// How many are claimed.
        count: u64,
    },
    /// Automerge stores such a change and can never load the document again.
    #[error("the dependencies are not in strictly ascending order")]
    DepsUnsorted,
    /// An act that comes after nothing.
    #[error("an act must depend on at least one change")]
    NoDeps,
    /// Actor ids have 16 bytes.
    #[error("an actor id has {bytes} bytes instead of 16")]
    ActorLength {
        /// Its length.
        bytes: u64,
    },
    /// The sequence number is zero, or 1 for an act of the document's creator.
    #[error("the sequence number must be at least {min}")]
    Seq {
        /// The lowest possible one here.
        min: u64,
    },
    /// The first operation would come before the container it writes into.
    #[error("the first operation {start_op} comes before the container it writes into")]
    StartOp {
        /// The number of the first operation.
        start_op: u64,
    },
    /// An operation's number reaches [`OP_COUNTER_MAX`]; near 2³² Automerge wraps and panics.
    #[error("operation numbers must stay below {OP_COUNTER_MAX}")]
    Counter,
    /// Changes of ours carry no clock.
    #[error("the change carries a time; it must be 0")]
    Time,
    /// Changes of ours carry no message.
    #[error("the change carries a message of {bytes} bytes")]
    Message {
        /// Its length.
        bytes: u64,
    },
    /// A change refers to its own actor and at most to the document's creator.
    #[error("the change names {count} other actors; at most the document's creator is needed")]
    TooManyActors {
        /// How many are claimed.
        count: u64,
    },
    /// The author is listed again among the others.
    #[error("the author is listed again among the other actors")]
    AuthorListedTwice,
    /// An operation refers to an actor that is not listed.
    #[error("an operation refers to actor number {index}, which is not listed")]
    UnknownActor {
        /// The number in the column.
        index: u64,
    },
    /// A listed actor that no operation refers to: saved by Automerge, never loaded again.
    #[error("an actor is listed that no operation refers to")]
    UnusedActor,
    /// A column that changes of ours do not have.
    #[error("column {spec} has no place in a change of ours")]
    UnknownColumn {
        /// Automerge's number of the column.
        spec: u64,
    },
    /// A deflated column could inflate to gigabytes.
    #[error("column {spec} is compressed")]
    CompressedColumn {
        /// Automerge's number of the column.
        spec: u64,
    },
    /// Columns are listed in ascending order, each once.
    #[error("the columns are not in ascending order")]
    ColumnOrder,
    /// The columns' lengths exceed the bytes that follow.
    #[error("the columns claim more bytes than there are")]
    ColumnLength,
    /// Bytes after the columns; Automerge reads an author there, and panics if seq is above 1.
    #[error("{bytes} extra bytes follow the columns")]
    ExtraBytes {
        /// How many.
        bytes: usize,
    },
    /// A change without operations.
    #[error("the change has no operations")]
    NoOps,
    /// More operations than [`CHANGE_OPS_MAX`], counted before anything is expanded.
    #[error("the change claims {ops} operations, more than {CHANGE_OPS_MAX}")]
    TooManyOps {
        /// How many are claimed at least.
        ops: u64,
    },
    /// A run promises more rows than there are operations.
    #[error("a run in the column of {column} is longer than the change")]
    RunTooLong {
        /// Which column.
        column: Column,
    },
    /// A column ends before the operations do.
    #[error("the column of {column} ends before the operations do")]
    ColumnTooShort {
        /// Which column.
        column: Column,
    },
    /// A column cannot be read.
    #[error("the column of {column} cannot be read")]
    Malformed {
        /// Which column.
        column: Column,
    },
    /// An action that acts do not have: 3 delete, 5 increment, 6 table, 7 mark, or unknown.
    #[error("operation {counter} has action {action}; acts only set values and make maps, lists and texts")]
    Action {
        /// The operation's number.
        counter: u64,
        /// Automerge's number of the action.
        action: u64,
    },
    /// An operation replaces an earlier one; acts only add.
    #[error("an operation replaces an earlier one")]
    Predecessors,
    /// A value of a type that acts do not carry: unsigned, float, counter, timestamp or unknown.
    #[error("operation {counter} has a value of type {kind}")]
    ValueType {
        /// The operation's number.
        counter: u64,
        /// Automerge's number of the type.
        kind: u64,
    },
    /// A value's length does not fit its type, or the value bytes end early or late.
    #[error("the value of operation {counter} has a wrong length")]
    ValueLength {
        /// The operation's number.
        counter: u64,
    },
    /// Text that is not UTF-8.
    #[error("the text of operation {counter} is not UTF-8")]
    Utf8 {
        /// The operation's number.
        counter: u64,
    },
    /// An operation in a map without a key, or in a list or text with one.
    #[error("operation {counter} has a key where none belongs, or none where one does")]
    KeyShape {
        /// The operation's number.
        counter: u64,
    },
    /// An empty key, or one longer than [`KEY_BYTES_MAX`].
    #[error("the key of operation {counter} has {bytes} bytes, which is not between 1 and {KEY_BYTES_MAX}")]
    KeyLength {
        /// The operation's number.
        counter: u64,
        /// The key's length.
        bytes: usize,
    },
    /// The keys of a map are written once each, in byte order.
    #[error("the key of operation {counter} is not in ascending order")]
    KeyOrder {
        /// The operation's number.
        counter: u64,
    },
    /// Maps and lists nested deeper than [`VALUE_DEPTH_MAX`].
    #[error("operation {counter} nests deeper than {VALUE_DEPTH_MAX}")]
    TooDeep {
        /// The operation's number.
        counter: u64,
    },
    /// An operation in an object that this change did not make, or made elsewhere.
    #[error("operation {counter} writes into an object ({object:?}) that is not open at that place")]
    Object {
        /// The operation's number.
        counter: u64,
        /// The object's number; `None` is the document's root.
        object: Option<u64>,
    },
    /// Writes into the root that are not this kind's genesis.
    #[error("the change writes into the document's root and is not its genesis")]
    NotGenesis,
    /// The object is not one of this kind's containers.
    #[error("object {object} is not a container of this kind of document")]
    Container {
        /// The object's number.
        object: u64,
    },
    /// An act begins with a map under the key `seq@actor` of its own change.
    #[error("the act does not begin with a map under its own change's key")]
    ActKey,
    /// Everything is readable, and still not written the one way Automerge itself would.
    #[error("the {part} is not written the way Automerge itself writes it")]
    NotCanonical {
        /// The first part that differs.
        part: Part,
    },
}

/// A column of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// Actor of the object written into.
    ObjectActor,
    /// Counter of the object written into.
    ObjectCounter,
    /// Actor of the list element before.
    ElementActor,
    /// Counter of the list element before.
    ElementCounter,
    /// Key in a map.
    Key,
    /// Whether an element is inserted.
    Insert,
    /// What is done.
    Action,
    /// Type and length of values.
    ValueKind,
    /// The values' bytes.
    Value,
    /// How many operations are replaced.
    Predecessors,
}

impl Column {
    /// All columns, in the order of their numbers.
    pub(super) const ALL: [Self; 10] = [
        Self::ObjectActor,
        Self::ObjectCounter,
        Self::ElementActor,
        Self::ElementCounter,
        Self::Key,
        Self::Insert,
        Self::Action,
        Self::ValueKind,
        Self::Value,
        Self::Predecessors,
    ];

    /// Automerge's number: column id in the upper bits, encoding in the lower three.
    pub(super) const fn spec(self) -> u64 {
        match self {
            Self::ObjectActor => 1,
            Self::ObjectCounter => 2,
            Self::ElementActor => 17,
            Self::ElementCounter => 19,
            Self::Key => 21,
            Self::Insert => 52,
            Self::Action => 66,
            Self::ValueKind => 86,
            Self::Value => 87,
            Self::Predecessors => 112,
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ObjectActor => "object actors",
            Self::ObjectCounter => "object counters",
            Self::ElementActor => "element actors",
            Self::ElementCounter => "element counters",
            Self::Key => "keys",
            Self::Insert => "insertions",
            Self::Action => "actions",
            Self::ValueKind => "value types",
            Self::Value => "values",
            Self::Predecessors => "predecessors",
        })
    }
}

/// Where bytes differ from what Automerge itself writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Dependencies, actor, numbers, other actors and the list of columns.
    Header,
    /// One column.
    Column(Column),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("header"),
            Self::Column(column) => write!(f, "column of {column}"),
        }
    }
}
