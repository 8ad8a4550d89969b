//! A petitioner's identity: a document of its own, sealed for the registering place and its parent.

use super::{ActionError, Actions, author::Draft, request::Petitioner, views::DossierView};
use crate::store::{Batch, World};
use std::sync::Arc;
use yishi_protocol::{
    act::{Act, Blob, Sealed},
    beside::{Beside, What},
    change::Body,
    ids::DocId,
    kind::Kind,
    seal::{self, DossierKey},
};

impl DossierView {
    /// What is sealed of a petitioner, with numbers found elsewhere; `None` if there is nothing.
    pub(super) fn of(petitioner: Option<&Petitioner>, moved: Vec<String>) -> Option<Self> {
        let said =
            |text: Option<&String>| text.map(|t| t.trim()).filter(|t| !t.is_empty()).map(str::to_owned);
        let view = Self {
            name: said(petitioner.and_then(|p| p.name.as_ref())),
            phone: said(petitioner.and_then(|p| p.phone.as_ref())),
            address: said(petitioner.and_then(|p| p.address.as_ref())),
            moved,
            more: Default::default(),
        };
        (view != Self::default()).then_some(view)
    }
}

impl Actions {
    /// Writes a new dossier into a batch.
    pub(super) fn seal_dossier(
        &self,
        world: &Arc<World>,
        view: &DossierView,
        by: Option<&str>,
        on: i64,
        batch: &mut Batch,
    ) -> Result<DocId, ActionError> {
        let parent = world.directory.parent(&world.me.place);
        let mut draft = Draft::create(world, Kind::Dossier, parent, self.nonce())?;
        let text =
            serde_json::to_vec(view).map_err(|_| ActionError::Broken("a dossier could not be written"))?;
        let mut rng = self.rng();
        let key = DossierKey::generate(&mut *rng);
        let ciphertext = Blob(seal::seal(&text, &draft.doc, &key, &mut *rng)?);
        let known = parent.and_then(|p| world.directory.place(&p)).filter(|p| !p.revoked).map(|p| p.cert);
        for reader in [Some(world.me.cert), known].into_iter().flatten() {
            if let Some(cert) = world.directory.get(&reader) {
                let wrap = seal::wrap(&key, &draft.doc, &reader, &cert.sealing, &mut *rng)?;
                let what = What::Wrap { reader, bytes: wrap };
                let federation = world.directory.federation();
                let record = Beside::new(&world.me.keys, world.me.cert, &federation, &draft.doc, what);
                batch.wraps.push((draft.doc, record));
            }
        }
        drop(rng);
        let by = by.map(str::to_owned);
        draft.act("sealed", Act { prev: None, on, by, what: Sealed::Seal { ciphertext } })?;
        let doc = draft.doc;
        draft.into_batch(batch);
        Ok(doc)
    }

    /// The petitioner of a matter, opened with this node's key.
    ///
    /// # Errors
    /// [`ActionError::Sealed`] if there is none or this node holds no key for it.
    pub async fn petitioner(&self, reference: &str) -> Result<DossierView, ActionError> {
        let doc = self.find_matter(reference).await?;
        let matter = self.draft(&doc).await?.matter()?;
        let dossier = matter.dossier.ok_or(ActionError::Sealed)?;
        Ok(self.open_dossier(&dossier).await?.1)
    }

    /// A dossier opened with this node's key, and the key it is sealed with.
    pub(super) async fn open_dossier(
        &self,
        dossier: &DocId,
    ) -> Result<(DossierKey, DossierView), ActionError> {
        let Some(whole) = self.store().document(dossier).await? else { return Err(ActionError::Sealed) };
        let world = self.world();
        // What was sealed before this node got another key still opens with the one it was sealed for.
        let mut keys = vec![world.me.keys.clone()];
        keys.extend(self.store().keys_before().await?);
        let ours = whole.wraps.iter().filter_map(|record| match &record.what {
            What::Wrap { reader, bytes } => Some((reader, bytes)),
            What::Forget { .. } | What::Forgotten => None,
        });
        let key = ours
            .filter_map(|(reader, wrap)| {
                let sealing = world.directory.get(reader)?.sealing;
                let own = keys.iter().find(|k| k.sealing_public() == sealing)?;
                seal::unwrap(wrap, dossier, reader, own).ok()
            })
            .next()
            .ok_or(ActionError::Sealed)?;
        let sealed = Draft::load(self.store(), dossier).await?.ok_or(ActionError::Sealed)?;
        // The last one that opens: a dossier may have been completed.
        let text = sealed.changes.iter().rev().find_map(|c| {
            let Body::Act { value, .. } = &c.change.body else { return None };
            let Sealed::Seal { ciphertext } = Act::<Sealed>::from_map(value.clone()).ok()?.what;
            seal::open(&ciphertext.0, dossier, &key).ok()
        });
        let view = serde_json::from_slice(&text.ok_or(ActionError::Sealed)?)
            .map_err(|_| ActionError::Broken("a dossier is not readable"))?;
        Ok((key, view))
    }
}
