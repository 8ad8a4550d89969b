//! A place's node goes on under a new key: the same database, another name to sign with.
//!
//! What the old key signed stays as it is, under the old certificate. The old secret keys are kept beside
//! the new one, because dossiers sealed before were wrapped for them; nothing is signed with them again.

use super::{Store, columns::to_array, error::StoreError, open::put_meta};
use sqlx::Row;
use yishi_protocol::{
    cert::{Certificate, Placement},
    commit::ActorRecord,
    ids::{ActorId, CertHash, Incarnation},
    key::SecretKeys,
};

/// A new name for this node.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The keys.
    pub keys: SecretKeys,
    /// The chain from the root's certificate to its own, in that order.
    pub certs: Vec<Certificate>,
    /// The placements they stand on.
    pub placements: Vec<Placement>,
    /// Its own certificate.
    pub cert: CertHash,
    /// The first life of its actor.
    pub incarnation: Incarnation,
    /// When it was given.
    pub at_ms: u64,
}

impl Store {
    /// Goes on under a new key of the same place.
    ///
    /// # Errors
    /// [`StoreError::UnknownCertificate`] if the certificate is not of this key or not of this place;
    /// nothing is changed then.
    pub async fn rotate(&self, new: NewKey) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let NewKey { keys, certs, placements, cert, incarnation, at_ms } = new;
                tx.add_records(certs, placements, None, at_ms).await?;
                let world = tx.state.world.clone();
                let found = world.directory.get(&cert);
                if found.is_none_or(|c| c.key != keys.public() || c.place != world.me.place) {
                    return Err(StoreError::UnknownCertificate(cert));
                }
                let row = sqlx::query("SELECT value FROM meta WHERE key = 'keys_before'")
                    .fetch_optional(&mut tx.conn)
                    .await?;
                let mut before: Vec<u8> = row.map(|r| r.try_get(0)).transpose()?.unwrap_or_default();
                before.extend(world.me.keys.to_bytes());
                put_meta(&mut tx.conn, "keys_before", before).await?;
                put_meta(&mut tx.conn, "keys", keys.to_bytes().to_vec()).await?;
                put_meta(&mut tx.conn, "cert", cert.0.to_vec()).await?;
                put_meta(&mut tx.conn, "incarnation", incarnation.0.to_be_bytes().to_vec()).await?;
                let actor = ActorId::of(&keys.public(), incarnation);
                let me = &mut tx.world_mut().me;
                (me.cert, me.keys, me.incarnation, me.actor) = (cert, keys, incarnation, actor);
                tx.add_actor(ActorRecord { actor, cert, incarnation }).await
            })
        })
        .await
    }

    /// The keys this node had before: with them it opens what was sealed for it then.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn keys_before(&self) -> Result<Vec<SecretKeys>, StoreError> {
        let bytes = self.meta("keys_before").await?.unwrap_or_default();
        bytes.chunks(64).map(|one| Ok(SecretKeys::from_bytes(&to_array(one)?))).collect()
    }
}
