//! A database's life: its epoch, its incarnation, and the nonce beside it.
//!
//! Renewed whenever what is on disk may be older than what others have seen of it: after a restore, a
//! copy, or when the parent knows more of this node's feed than the node itself. Two lives never share
//! an Automerge actor, so nothing written in one can be mistaken for the other (rule R14).

use crate::store::{Store, StoreError};
use rand::RngExt;
use yishi_protocol::ids::Epoch;

/// Begins a new life.
///
/// # Errors
/// [`StoreError`] when it was not stored; the old life goes on.
pub async fn renew(store: &Store) -> Result<(), StoreError> {
    let (salt, epoch, life) = {
        // Not held over an await: the generator belongs to this thread.
        let mut rng = rand::rng();
        (rng.random(), Epoch(rng.random()), rng.random())
    };
    let incarnation = store.world().me.incarnation.renewed(salt);
    store.renew_life(epoch, incarnation, life).await
}
