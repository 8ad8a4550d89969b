//! Writing a change: the exact bytes Automerge's own transaction would give.

use super::{
    Body, Change,
    chunk::{Columns, Header, put_column_list, seal},
    container_counter,
    error::EncodeError,
    ops::{ActKey, OpsWriter},
};
use crate::{
    ids::ChangeHash,
    kind::Kind,
    limits::{CHANGE_BYTES_MAX, CHANGE_DEPS_MAX, CHANGE_OPS_MAX, OP_COUNTER_MAX},
};

/// A change as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The uncompressed chunk.
    pub bytes: Vec<u8>,
    /// Automerge's hash of it.
    pub hash: ChangeHash,
    /// How many operations it has.
    pub op_count: u64,
}

/// A change's parts, not yet joined.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) head: Vec<u8>,
    pub(super) columns: Columns<Vec<u8>>,
    pub(super) ops: u64,
}

/// Writes a change.
///
/// # Errors
/// [`EncodeError`] when no reader would accept it.
pub fn encode(change: &Change) -> Result<Encoded, EncodeError> {
    check(change)?;
    let parts = parts(change)?;
    if parts.ops > CHANGE_OPS_MAX {
        return Err(EncodeError::TooManyOps { ops: parts.ops });
    }
    if change.start_op.saturating_add(parts.ops) > OP_COUNTER_MAX {
        return Err(EncodeError::Counter);
    }
    let (bytes, hash) = seal(&parts.head, &parts.columns);
    if bytes.len() > CHANGE_BYTES_MAX {
        return Err(EncodeError::TooLarge { bytes: bytes.len() });
    }
    Ok(Encoded { bytes, hash, op_count: parts.ops })
}

fn check(change: &Change) -> Result<(), EncodeError> {
    let Body::Act { creator, container, .. } = &change.body else {
        let genesis = change.seq == 1 && change.start_op == 1 && change.deps.is_empty();
        return if genesis { Ok(()) } else { Err(EncodeError::GenesisHeader) };
    };
    let min = 1 + u64::from(*creator == change.actor);
    if change.seq < min {
        return Err(EncodeError::Seq { min });
    }
    if change.deps.is_empty() {
        return Err(EncodeError::NoDeps);
    }
    if change.deps.len() > CHANGE_DEPS_MAX {
        return Err(EncodeError::TooManyDeps { count: change.deps.len() });
    }
    if !change.deps.is_sorted_by(|a, b| a < b) {
        return Err(EncodeError::DepsUnsorted);
    }
    if !Kind::ALL.iter().any(|kind| *container < kind.containers().len()) {
        return Err(EncodeError::Container { container: *container });
    }
    if change.start_op <= container_counter(*container) {
        return Err(EncodeError::StartOp { start_op: change.start_op });
    }
    if change.start_op >= OP_COUNTER_MAX {
        return Err(EncodeError::Counter);
    }
    Ok(())
}

/// Writes header and columns of a change that passed [`check`] or was read.
pub(super) fn parts(change: &Change) -> Result<Parts, EncodeError> {
    let other = match &change.body {
        Body::Act { creator, .. } if *creator != change.actor => Some(*creator),
        _ => None,
    };
    let key = ActKey::new(change.act_ref());
    let mut ops = OpsWriter::new(change.start_op);
    match &change.body {
        Body::Genesis { kind } => ops.genesis(*kind),
        Body::Act { container, value, .. } => ops.act(key.as_str(), *container, value)?,
    }
    let (columns, ops) = ops.finish(other.is_some());
    let mut head = Vec::with_capacity(128 + change.deps.len() * ChangeHash::LEN);
    Header::put(&mut head, change, other);
    put_column_list(&mut head, &columns);
    Ok(Parts { head, columns, ops })
}
