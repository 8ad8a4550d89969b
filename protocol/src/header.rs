//! A document's immutable header, whose hash is the document's id.

use crate::{
    audience::Reach,
    codec::{DecodeError, Reader, Writer},
    ids::{ActorId, DocId, FederationId, Incarnation, NodeKey, PlaceId, hash},
    kind::Kind,
    limits::{HEADER_BYTES_MAX, HEADER_GRANTS_MAX},
};

const FORMAT: u64 = 1;

/// What a document is from its first moment: it never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The federation.
    pub federation: FederationId,
    /// What it is about.
    pub kind: Kind,
    /// The place that registered it.
    pub home: PlaceId,
    /// The key of the node that created it.
    pub creator: NodeKey,
    /// In which life of its database: together with the key, the actor of the genesis.
    pub incarnation: Incarnation,
    /// Random, so that nobody can guess an id and ask whether it exists.
    pub nonce: [u8; 12],
    /// The places that see it from the beginning, sorted; widenings are signed grants beside it.
    pub reach: Vec<Reach>,
}

impl Header {
    /// The header's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.uint(FORMAT).raw(&self.federation.0).uint(u64::from(self.kind.number())).raw(&self.home.0);
        w.raw(&self.creator.0).uint(u64::from(self.incarnation.0)).raw(&self.nonce);
        w.uint(self.reach.len() as u64);
        for reach in &self.reach {
            reach.write(&mut w);
        }
        w.finish()
    }

    /// Reads what [`Header::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > HEADER_BYTES_MAX {
            return Err(DecodeError::TooLarge);
        }
        let mut r = Reader::new(bytes);
        match r.uint()? {
            FORMAT => {}
            other => return Err(DecodeError::Version(other)),
        }
        let federation = FederationId(r.array()?);
        let number = r.uint()?;
        let kind = Kind::from_number(number).ok_or(DecodeError::Tag(number))?;
        let (home, creator) = (PlaceId(r.array()?), NodeKey(r.array()?));
        let incarnation = Incarnation(r.u32()?);
        let nonce = r.array()?;
        let n = r.count(HEADER_GRANTS_MAX)?;
        let reach = (0..n).map(|_| Reach::read(&mut r)).collect::<Result<Vec<_>, _>>()?;
        r.end()?;
        if !reach.is_sorted_by(|a, b| a < b) {
            return Err(DecodeError::Unsorted);
        }
        Ok(Self { federation, kind, home, creator, incarnation, nonce, reach })
    }

    /// The document's id.
    #[must_use]
    pub fn doc_id(&self) -> DocId {
        DocId(hash("yishi/document/1", &[&self.encode()]))
    }

    /// The actor of the document's genesis.
    #[must_use]
    pub fn creator_actor(&self) -> ActorId {
        ActorId::of(&self.creator, self.incarnation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_one_form() {
        let mut header = Header {
            federation: FederationId([1; 32]),
            kind: Kind::Proposal,
            home: PlaceId([2; 16]),
            creator: NodeKey([3; 32]),
            incarnation: Incarnation(5),
            nonce: [4; 12],
            reach: vec![Reach::Place(PlaceId([2; 16])), Reach::Subtree(PlaceId([9; 16]))],
        };
        assert_eq!(Header::decode(&header.encode()), Ok(header.clone()));
        let id = header.doc_id();
        header.reach.reverse();
        assert_eq!(Header::decode(&header.encode()), Err(DecodeError::Unsorted));
        assert_ne!(header.doc_id(), id);
    }
}
