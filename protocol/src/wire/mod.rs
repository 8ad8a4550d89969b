//! What travels on a link: frames, and the blocks of documents inside them.
//!
//! A block carries what the receiver cannot derive. A change's sequence number, first operation,
//! chunk header, checksum, hash and the key of its act follow from its place in the history, so they
//! stay at home; the receiver rebuilds the exact bytes and the signature proves that it did. Numbers,
//! strings and incompressible bytes are written to three separate streams, because like compresses
//! best beside like. Compression itself is the driver's work: this crate stays free of C.

mod block;
mod decode;
mod encode;
mod frame;
mod words;

pub use block::{Block, BlockActor, DepRef, DocRef, Elided, Section, Shape, SignedAt};
pub use decode::BlockError;
pub use encode::{BlockWriter, OutChange, OutSection};
pub(crate) use frame::join_proof;
pub use frame::{Ack, CloseCode, Frame, Hello, Join, Joined, Reconcile};
