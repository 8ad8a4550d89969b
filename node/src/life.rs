//! A database's life: its epoch, its incarnation, and the nonce beside it.
//!
//! Renewed whenever what is on disk may be older than what others have seen of it: after a restore, a
//! copy, or when the parent knows more of this node's feed than the node itself. Two lives never share
//! an Automerge actor, so nothing written in one can be mistaken for the other (rule R14).

use crate::store::{Store, StoreError};
use rand::RngExt;
use yishi_protocol::{ids::Epoch, planted::Bug};

/// Begins a new life.
///
/// # Errors
/// [`StoreError`] when it was not stored; the old life goes on.
pub async fn renew(store: &Store) -> Result<(), StoreError> {
    // Not held over an await: the generator belongs to this thread.
    let chosen = choose(&mut rand::rng());
    renew_as(store, chosen).await
}

/// What a new life is made of: salt of the incarnation, epoch, nonce.
pub type Chosen = (u16, Epoch, [u8; 16]);

/// Draws a new life.
pub fn choose(rng: &mut impl RngExt) -> Chosen {
    (rng.random(), Epoch(rng.random()), rng.random())
}

/// Begins the life that was drawn.
///
/// # Errors
/// As [`renew`].
pub async fn renew_as(store: &Store, (salt, epoch, life): Chosen) -> Result<(), StoreError> {
    if Bug::SameLife.planted() {
        return Ok(());
    }
    let incarnation = store.world().me.incarnation.renewed(salt);
    store.renew_life(epoch, incarnation, life).await
}
