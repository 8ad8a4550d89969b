//! Bugs planted on purpose: each breaks one rule of the design, for the simulator's checkers to catch. A story
//! (`tests/src/sim/story`) makes the situation certain; a test plants them all and fails if one goes unnoticed. A
//! checker that has never caught anything proves nothing.
//!
//! Only builds with debug assertions know them. In a release build [`Bug::planted`] is a constant `false`, and the
//! compiler leaves nothing of them. Nothing but a test can plant one: no setting, no variable, no flag.

macro_rules! bugs {
    ($($(#[$doc:meta])* $bug:ident,)*) => {
        /// One way to break the rules.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Bug { $($(#[$doc])* $bug),* }

        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$bug),*];
        }
    };
}

bugs! {
    /// Promise 2: an acknowledgement before the bytes are durable.
    AckBeforeSync,
    /// Promise 2: a block that could not be stored is acknowledged all the same.
    AckUnstored,
    /// R12: a reader's number passes a row that was not yet visible.
    SkipRow,
    /// R13: the cursor passes a change that was refused because another is missing.
    PassOverRefused,
    /// R13: the cursor passes rows that never came.
    GapAccepted,
    /// R12: a widening brings only what is written later.
    WidenNewOnly,
    /// R11: every link sees every document.
    WrongAudience,
    /// R14: a restored database keeps its epoch and its actor.
    SameLife,
    /// R14: a restored database is taken for the one it was.
    NoDigestCheck,
    /// R2: a sequence number is used again.
    SameSeq,
    /// R6: the lowest hash wins although another step is sealed.
    UnsealedFirst,
    /// R6: whoever sees a matter may move it.
    AnyHolder,
    /// R4: a matter is bound to an older version than before.
    PinGoingBack,
    /// R3: a vote counts after its ballot was closed.
    LateVote,
    /// R9: a signature vouches for other authors' changes too.
    AnyCover,
    /// Revocation takes away only what arrives after it.
    RevokedByTime,
    /// R12: what came over a link goes back over it.
    Echo,
    /// R15: the parent's receipt counts as the district's.
    LevelUp,
    /// Promise 6: what was sent counts as stored.
    StoredWhenSent,
    /// A petitioner's name in the public text.
    NameInClear,
    /// Back-pressure: blocks without end under way.
    NoFlightLimit,
    /// R13: a change is stored although one it stands on is missing.
    DependencyIgnored,
    /// R11: a place shows a document to whom it likes.
    WidenByAnyone,
    /// R15: nobody looks whether a level above signed its receipt.
    ReceiptUnchecked,
    /// R7: an act counts as the day it claims, whatever came before it.
    ClaimUnclamped,
    /// The key of a sealed dossier in its history, which cannot be deleted.
    KeyInHistory,
    /// R2: any reader writes where only the home place may.
    AnyWriter,
    /// R11: who may not see a document writes into it.
    OutsiderWrites,
    /// R1: anybody certifies a key for a place it has heard of.
    AnyFounder,
    /// R9: a change counts as one author's though another's key signed it.
    AnyActor,
    /// R9: nobody looks whether a signature holds.
    SignatureUnchecked,
    /// R2: whoever makes a document says whose it is.
    AnyHome,
    /// R11: what comes is taken, whoever it is for.
    TakesNotForUs,
    /// R15: an acknowledgement counts for what it does not cover.
    AckOfNothing,
    /// The word to forget deletes no key.
    ForgetsNothing,
    /// R4: of two snapshots of a charter with one number the lower hash is in force.
    TwoSnapshots,
}

#[cfg(debug_assertions)]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(u8::MAX);

/// Plants a bug in this whole process, or digs it out.
#[cfg(debug_assertions)]
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(u8::MAX, |b| b as u8), std::sync::atomic::Ordering::SeqCst);
}

impl Bug {
    /// Whether this one is planted.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn planted(self) -> bool {
        PLANTED.load(std::sync::atomic::Ordering::Relaxed) == self as u8
    }

    /// Never.
    #[cfg(not(debug_assertions))]
    #[must_use]
    #[inline(always)]
    pub const fn planted(self) -> bool {
        false
    }
}
