//! What must hold, each in a file of its own. None of them asks the program whether it did right: they
//! look at what travelled, at what is on the disks, and at what people were told.
//!
//! | check | promise or rule |
//! |---|---|
//! | [`audience`] | 5, R11: nobody is sent a byte or an id that is not for them |
//! | [`authority`] | R6: no step counts that its author's place was not allowed to take |
//! | [`charters`] | R4: of two snapshots with one number neither is in force |
//! | [`dated`] | R7: no act counts as a day before what two places had said |
//! | [`forgotten`] | where the word to forget is, no key is, and it reaches everybody |
//! | [`founded`] | R1: a key speaks for a place only if the place's founder or later parent says so |
//! | [`granted`] | R11: widenings are by those who may, and signed |
//! | [`honest`] | 6, R15: "stored there" only of what is there |
//! | [`keys`] | a dossier's key lies in clear nowhere |
//! | [`lost`] | 2: nothing acknowledged to a person is lost |
//! | [`once`] | R2, R14: one actor never writes two changes under one number; nothing is echoed |
//! | [`same`] | 4: who may see a document has all of it, and it folds to the same everywhere |
//! | [`sealed`] | a petitioner's name travels and lies about sealed only |
//! | [`shown`] | lists say what the changes add up to |
//! | [`signed`] | 3, R9: every stored change is vouched for by its own author |
//! | [`whole`] | R13: nothing is stored whose dependencies are not |
//! | [`written`] | R2, R11: only readers write, and into the home's containers only the home; a document's home made it |
//!
//! Bounds on queues are counted in `line` (`bounds`), starvation in `world` (it must come to rest: `served`),
//! and errors that no fault explains fail a run by themselves (`errors`). So do histories that are compared
//! (`compared`) though no database was put back and nobody lied: a comparison mends what should not break.

pub mod audience;
pub mod authority;
pub mod census;
pub mod charters;
pub mod dated;
pub mod forgotten;
pub mod founded;
pub mod granted;
pub mod honest;
pub mod keys;
pub mod lost;
pub mod once;
pub mod same;
pub mod sealed;
pub mod shown;
pub mod signed;
pub mod whole;
pub mod written;

use super::{Node, World, run::Failure};
use census::Census;
use yishi_protocol::{ids::DocId, wire::Frame};

/// What the checkers remember of a run.
#[derive(Debug, Default)]
pub struct Watch {
    /// The first thing that went wrong.
    pub failure: Option<Failure>,
    /// Acts that people were told are done.
    pub lost: lost::Ledger,
    audience: audience::Seen,
    /// A peer altered a frame of its own so that it still is one. What it said of its documents may have
    /// been refused for good, and it has only itself to blame: nothing unsafe may come of it, but not
    /// everything need arrive.
    pub lied: bool,
    /// Histories were compared: whole documents may have gone back to where parts of them came from.
    compared: bool,
    /// Something happened for which histories may have to be compared: a database was put back, or a peer
    /// sent what its node did not write.
    pub excused: bool,
    /// Names that were sealed.
    pub sealed: sealed::Names,
}

impl Watch {
    /// Notes what went wrong; the first counts.
    pub fn fail(&mut self, check: &'static str, what: String) {
        if self.failure.is_none() {
            self.failure = Some(Failure { check, what });
        }
    }

    fn note(&mut self, check: &'static str, found: Result<(), String>) {
        if let Err(what) = found {
            self.fail(check, what);
        }
    }

    /// A frame arrives.
    pub async fn heard(&mut self, from: &Node, to: &Node, frame: &Frame) {
        self.compared |= matches!(frame, Frame::Reconcile(_));
        if self.compared && !self.excused {
            let (from, to) = (&from.name, &to.name);
            self.fail("compared", format!("{from} and {to} compare histories, and nothing calls for it"));
        }
        let found = self.audience.heard(from, to, frame).await;
        self.note("audience", found);
        let found = self.sealed.heard(to, frame);
        self.note("sealed", found);
    }

    /// A person was told that an act is done.
    pub fn acknowledged(
        &mut self,
        at: usize,
        doc: DocId,
        acts: impl IntoIterator<Item = yishi_protocol::ids::ActRef>,
    ) {
        self.lost.acknowledged(at, doc, acts);
    }

    /// Looks at everything in the midst of a run.
    pub async fn moment(&mut self, world: &World) {
        let census = Census::of(world).await;
        self.note("honest", honest::check(world, &census));
        self.note("once", once::check(world, &census));
        self.note("whole", whole::check(&census));
        self.note("signed", signed::check(&census));
    }

    /// One node came back after a death: what it had said yes to must be there.
    pub async fn came_back(&mut self, at: usize, node: &Node) {
        let found = self.lost.came_back(at, node).await;
        self.note("lost", found);
    }

    /// Looks at everything after all lines were mended and nothing moves any more; returns what it saw.
    pub async fn end(&mut self, world: &World) -> Census {
        let census = Census::of(world).await;
        self.note("once", once::check(world, &census));
        self.note("signed", signed::check(&census));
        self.note("whole", whole::check(&census));
        self.note("founded", founded::check(&census));
        self.note("written", written::check(&census));
        self.note("granted", granted::check(&census));
        self.note("honest", honest::check(world, &census));
        if !self.lied {
            self.note("lost", self.lost.end(world, &census));
            self.note("honest", honest::receipts(world, &census));
            self.note("same", same::check(world, &census));
            self.note("forgotten", forgotten::check(world, &census));
        }
        self.note("shown", shown::check(world, &census).await);
        if !self.compared && !world.placed {
            self.note("once", once::echo(world).await);
        }
        self.note("authority", authority::check(world, &census));
        self.note("charters", charters::check(world, &census));
        self.note("dated", dated::check(world, &census));
        self.note("sealed", self.sealed.end(world, &census).await);
        self.note("keys", keys::check(world, &census));
        census
    }
}
