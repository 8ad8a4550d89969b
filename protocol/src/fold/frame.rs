//! The frame every matter passes, as data: which step may follow from where, by whom, what it does, how long
//! each stage may take. Alone it is the built-in procedure; one with stages ([`crate::procedure`]) adds to it.
//!
//! The table is canonical bytes, and their hash ([`BUILT_IN`]) is what an `accept` step pins. Changing a
//! row is a new procedure with a new pin: old matters keep the one they were bound to. A step of a
//! procedure that is not known here is *pending*, never a violation (rule R4).
//!
//! What the rows settle where practice leaves room:
//! * The place that answers stays the holder until the matter is closed. The home place may always `tell`,
//!   and may close once the newest reply has been told.
//! * A merged matter goes on only by a reply carried from its lead, or `unmerge`. Once such a reply is
//!   there the stage is `answered`; an `unmerge` after it keeps it. A `reopen` ends the merge: the matter
//!   goes on by itself, and the lead releases it.
//! * A new holder by take-over keeps the stage; the stage's time limit begins again.
//! * Reopening gives the matter back to the place that answered or refused it, which is still its holder.

use crate::{
    act::Step,
    codec::Writer,
    ids::{Hash, hash},
    named::named,
};
use serde::Serialize;

/// The pin of the built-in procedure: the hash of [`canonical_bytes`].
pub const BUILT_IN: Hash = Hash([
    0x3c, 0x99, 0xd3, 0xa2, 0xcb, 0x2d, 0x83, 0xd2, 0xa3, 0x45, 0xd0, 0xcf, 0x60, 0xd9, 0xa2, 0x96, 0x58,
    0xaa, 0x75, 0x35, 0xa9, 0x8e, 0x17, 0xe5, 0xfc, 0xce, 0xbd, 0xbc, 0xf1, 0xf2, 0xb8, 0xa9,
]);

named! {
    /// 环节: where a matter stands.
    pub enum Stage {
        /// Raised at its home place.
        Registered = "registered", "已登记", "Registered";
        /// Taken up; the procedure is bound.
        Accepted = "accepted", "已受理", "Accepted";
        /// Not taken up, with a reason owed to the people.
        Refused = "refused", "不予受理", "Refused";
        /// Being worked on.
        Handling = "handling", "办理中", "In hand";
        /// Passed to the place above, which has not yet taken it up.
        Escalated = "escalated", "已上报", "Escalated";
        /// Given back to a place below.
        Returned = "returned", "已退回", "Returned";
        /// Follows its lead.
        Merged = "merged", "已并案", "Merged";
        /// An outcome decided it.
        Decided = "decided", "已决定", "Decided";
        /// Replied to.
        Answered = "answered", "已答复", "Answered";
        /// Done.
        Closed = "closed", "已办结", "Closed";
        /// Not ours: the people are told where to go.
        Referred = "referred", "已转出", "Referred";
        /// Taken back.
        Withdrawn = "withdrawn", "已撤回", "Withdrawn";
        /// Taken up again because people are not satisfied.
        Reopened = "reopened", "重新办理", "Reopened";
    }
}

impl Stage {
    /// Whether nothing is left to do for a holder.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn)
    }
}

named! {
    /// The kinds of steps, without their content.
    pub enum StepKind {
        /// See [`Step::Register`].
        Register = "register", "登记", "Register";
        /// See [`Step::Accept`].
        Accept = "accept", "受理", "Accept";
        /// See [`Step::Refuse`].
        Refuse = "refuse", "不予受理", "Refuse";
        /// See [`Step::Refer`].
        Refer = "refer", "转出", "Refer elsewhere";
        /// See [`Step::Advance`].
        Advance = "advance", "推进", "Move on";
        /// See [`Step::Assign`].
        Assign = "assign", "交办", "Assign";
        /// See [`Step::Extend`].
        Extend = "extend", "延期", "Extend";
        /// See [`Step::Pause`].
        Pause = "pause", "中止", "Pause";
        /// See [`Step::Resume`].
        Resume = "resume", "恢复办理", "Resume";
        /// See [`Step::Handle`].
        Handle = "handle", "办理", "Record work";
        /// See [`Step::Escalate`].
        Escalate = "escalate", "上报", "Escalate";
        /// See [`Step::Return`].
        Return = "return", "退回", "Return";
        /// See [`Step::Merge`].
        Merge = "merge", "并案", "Merge into another";
        /// See [`Step::Unmerge`].
        Unmerge = "unmerge", "撤销并案", "Undo the merge";
        /// See [`Step::Absorb`].
        Absorb = "absorb", "并入他案", "Take in another";
        /// See [`Step::Release`].
        Release = "release", "移出并案", "Release a merged one";
        /// See [`Step::Decide`].
        Decide = "decide", "决定", "Decide";
        /// See [`Step::Answer`].
        Answer = "answer", "答复", "Answer";
        /// See [`Step::Close`].
        Close = "close", "办结", "Close";
        /// See [`Step::Reopen`].
        Reopen = "reopen", "重新办理", "Reopen";
        /// See [`Step::Withdraw`].
        Withdraw = "withdraw", "撤回", "Withdraw";
        /// See [`Step::Correct`].
        Correct = "correct", "更正", "Correct";
        /// See [`Step::TakeOver`].
        TakeOver = "take_over", "提级接办", "Take over";
        /// See [`Step::Settle`].
        Settle = "settle", "裁定", "Settle";
    }
}

impl StepKind {
    /// Whether votes that its author did not know come late, and later ones are closed.
    #[must_use]
    pub fn closes_votes(self) -> bool {
        matches!(
            self,
            Self::Decide | Self::Answer | Self::Refuse | Self::Refer | Self::Close | Self::Withdraw
        )
    }
}

impl StepKind {
    /// Whether a place that takes such a step has handled the matter.
    #[must_use]
    pub fn handles(self) -> bool {
        use StepKind::{Accept, Advance, Answer, Decide, Handle, Refer, Refuse};
        matches!(self, Accept | Advance | Refuse | Refer | Handle | Answer | Decide)
    }
}

impl From<&Step> for StepKind {
    fn from(step: &Step) -> Self {
        match step {
            Step::Register { .. } => Self::Register,
            Step::Accept { .. } => Self::Accept,
            Step::Refuse { .. } => Self::Refuse,
            Step::Refer { .. } => Self::Refer,
            Step::Advance { .. } => Self::Advance,
            Step::Assign { .. } => Self::Assign,
            Step::Extend { .. } => Self::Extend,
            Step::Pause { .. } => Self::Pause,
            Step::Resume { .. } => Self::Resume,
            Step::Handle { .. } => Self::Handle,
            Step::Escalate { .. } => Self::Escalate,
            Step::Return { .. } => Self::Return,
            Step::Merge { .. } => Self::Merge,
            Step::Unmerge {} => Self::Unmerge,
            Step::Absorb { .. } => Self::Absorb,
            Step::Release { .. } => Self::Release,
            Step::Decide { .. } => Self::Decide,
            Step::Answer { .. } => Self::Answer,
            Step::Close { .. } => Self::Close,
            Step::Reopen { .. } => Self::Reopen,
            Step::Withdraw { .. } => Self::Withdraw,
            Step::Correct { .. } => Self::Correct,
            Step::TakeOver { .. } => Self::TakeOver,
            Step::Settle { .. } => Self::Settle,
        }
    }
}

/// Whose places may take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The home place.
    Home,
    /// The holder.
    Holder,
    /// The holder; the home place too, once the newest reply has been told.
    HolderOrHomeOnceTold,
    /// The holder or the home place.
    HolderOrHome,
    /// A place above the holder.
    AboveHolder,
    /// The place that took the newest step.
    AuthorOfTip,
    /// The lowest common ancestor of the places that sealed the branches.
    Settler,
}

/// Whether the row is for a matter that follows a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Only if it follows one.
    Lead,
    /// Only if it does not.
    NoLead,
    /// Either way.
    Any,
}

/// The stage after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// As before.
    Stay,
    /// This one.
    Go(Stage),
    /// The one before the merge.
    BeforeMerge,
}

/// The holder after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// As before.
    Stay,
    /// The home place.
    Home,
    /// The place the step names.
    Named,
    /// The place that signed the step.
    Signer,
}

/// One row: this step is allowed from these stages, by these places, and does this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The step.
    pub step: StepKind,
    /// From these stages; empty for the very first step.
    pub from: &'static [Stage],
    /// With or without a lead.
    pub follows: Follows,
    /// By these places.
    pub by: By,
    /// The stage after it.
    pub then: Then,
    /// The holder after it.
    pub holder: Holder,
}

/// One time limit: on entering the stage, this is due within so many working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The stage. A stage without a row keeps the limit it came with; see [`NO_LIMIT`].
    pub stage: Stage,
    /// What is due: the stable name of an act.
    pub what: &'static str,
    /// Within so many working days after the day of the step.
    pub working_days: u16,
    /// Whether entering the stage starts the count again although the same act was due before.
    pub restarts: bool,
}

use Stage::{Accepted, Answered, Closed, Decided, Escalated, Handling, Merged, Refused, Registered};
use Stage::{Referred, Reopened, Returned, Withdrawn};

const fn row(
    step: StepKind,
    from: &'static [Stage],
    follows: Follows,
    by: By,
    then: Then,
    holder: Holder,
) -> Rule {
    Rule { step, from, follows, by, then, holder }
}

/// The built-in procedure's steps.
pub const RULES: &[Rule] = {
    use By::{AboveHolder, AuthorOfTip, HolderOrHome, HolderOrHomeOnceTold, Settler};
    use Follows::{Any, Lead, NoLead};
    use StepKind as K;
    use Then::{BeforeMerge, Go, Stay};
    const ARRIVED: &[Stage] = &[Registered, Escalated, Returned, Reopened];
    const UNDER_WAY: &[Stage] = &[Accepted, Handling, Returned, Reopened];
    const WORKED_ON: &[Stage] = &[Accepted, Handling, Returned, Reopened, Decided];
    const OPEN: &[Stage] = &[Registered, Accepted, Handling, Escalated, Returned, Reopened, Decided];
    &[
        row(K::Register, &[], Any, By::Home, Go(Registered), Holder::Home),
        row(K::Accept, ARRIVED, NoLead, By::Holder, Go(Accepted), Holder::Stay),
        row(K::Refuse, ARRIVED, NoLead, By::Holder, Go(Refused), Holder::Stay),
        row(K::Refer, ARRIVED, NoLead, By::Holder, Go(Referred), Holder::Stay),
        // Where to, and whether its gates are open, the pinned procedure says.
        row(K::Advance, &[Accepted, Handling], NoLead, By::Holder, Go(Handling), Holder::Stay),
        row(K::Assign, WORKED_ON, NoLead, By::Holder, Stay, Holder::Stay),
        row(K::Extend, WORKED_ON, NoLead, By::Holder, Stay, Holder::Stay),
        row(K::Pause, WORKED_ON, NoLead, By::Holder, Stay, Holder::Stay),
        row(K::Resume, WORKED_ON, NoLead, By::Holder, Stay, Holder::Stay),
        row(K::Handle, UNDER_WAY, NoLead, By::Holder, Go(Handling), Holder::Stay),
        // Carrying a decision out does not undo that it was decided.
        row(K::Handle, &[Decided], NoLead, By::Holder, Stay, Holder::Stay),
        row(
            K::Escalate,
            &[Registered, Accepted, Handling, Returned, Reopened],
            NoLead,
            By::Holder,
            Go(Escalated),
            Holder::Named,
        ),
        row(
            K::Return,
            &[Escalated, Accepted, Handling, Returned, Reopened],
            NoLead,
            By::Holder,
            Go(Returned),
            Holder::Named,
        ),
        row(K::Merge, OPEN, NoLead, By::Holder, Go(Merged), Holder::Stay),
        row(K::Unmerge, &[Merged], Lead, By::Holder, BeforeMerge, Holder::Stay),
        row(K::Unmerge, &[Answered], Lead, By::Holder, Stay, Holder::Stay),
        row(
            K::Absorb,
            &[Registered, Accepted, Handling, Escalated, Returned, Reopened, Decided, Answered],
            NoLead,
            By::Holder,
            Stay,
            Holder::Stay,
        ),
        // However the lead ended, a source must be able to go on by itself.
        row(K::Release, Stage::ALL, Any, By::Holder, Stay, Holder::Stay),
        row(
            K::Decide,
            &[Accepted, Handling, Returned, Reopened, Decided],
            NoLead,
            By::Holder,
            Go(Decided),
            Holder::Stay,
        ),
        row(
            K::Answer,
            &[Registered, Accepted, Handling, Decided, Returned, Reopened, Answered],
            NoLead,
            By::Holder,
            Go(Answered),
            Holder::Stay,
        ),
        row(K::Answer, &[Merged, Answered], Lead, By::Holder, Go(Answered), Holder::Stay),
        row(K::Close, &[Answered, Refused, Referred], Any, HolderOrHomeOnceTold, Go(Closed), Holder::Stay),
        row(K::Reopen, &[Answered, Closed, Refused, Referred], Any, HolderOrHome, Go(Reopened), Holder::Stay),
        row(
            K::Withdraw,
            &[Registered, Accepted, Handling, Escalated, Returned, Reopened],
            NoLead,
            By::Home,
            Go(Withdrawn),
            Holder::Stay,
        ),
        row(K::Correct, Stage::ALL, Any, AuthorOfTip, Stay, Holder::Stay),
        row(
            K::TakeOver,
            &[Registered, Accepted, Handling, Escalated, Returned, Reopened, Decided, Merged],
            Any,
            AboveHolder,
            Stay,
            Holder::Signer,
        ),
        row(K::Settle, Stage::ALL, Any, Settler, Stay, Holder::Stay),
    ]
};

/// The built-in procedure's time limits.
pub const LIMITS: &[Limit] = &[
    Limit { stage: Registered, what: "accept", working_days: 7, restarts: true },
    Limit { stage: Escalated, what: "accept", working_days: 5, restarts: true },
    Limit { stage: Returned, what: "accept", working_days: 5, restarts: true },
    Limit { stage: Accepted, what: "answer", working_days: 30, restarts: false },
    Limit { stage: Handling, what: "answer", working_days: 30, restarts: false },
    Limit { stage: Reopened, what: "answer", working_days: 15, restarts: true },
    Limit { stage: Answered, what: "tell", working_days: 5, restarts: true },
    Limit { stage: Refused, what: "tell", working_days: 5, restarts: true },
    Limit { stage: Referred, what: "tell", working_days: 5, restarts: true },
];

/// Stages in which nothing is due here: the lead's limit counts, or the matter has ended.
pub const NO_LIMIT: &[Stage] = &[Merged, Closed, Withdrawn];

/// The rows of a step.
pub fn rules_of(step: StepKind) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |r| r.step == step)
}

/// The canonical bytes of the built-in procedure.
#[must_use]
pub fn canonical_bytes() -> Vec<u8> {
    let mut w = Writer::new();
    w.str("yishi/procedure").uint(1).str("built_in").uint(RULES.len() as u64);
    for rule in RULES {
        w.str(rule.step.name()).uint(rule.from.len() as u64);
        for stage in rule.from {
            w.str(stage.name());
        }
        w.str(match rule.follows {
            Follows::Lead => "lead",
            Follows::NoLead => "no_lead",
            Follows::Any => "any",
        });
        w.str(match rule.by {
            By::Home => "home",
            By::Holder => "holder",
            By::HolderOrHomeOnceTold => "holder_or_home_once_told",
            By::HolderOrHome => "holder_or_home",
            By::AboveHolder => "above_holder",
            By::AuthorOfTip => "author_of_tip",
            By::Settler => "settler",
        });
        w.str(match rule.then {
            Then::Stay => "stay",
            Then::Go(stage) => stage.name(),
            Then::BeforeMerge => "before_merge",
        });
        w.str(match rule.holder {
            Holder::Stay => "stay",
            Holder::Home => "home",
            Holder::Named => "named",
            Holder::Signer => "signer",
        });
    }
    w.uint(LIMITS.len() as u64);
    for limit in LIMITS {
        w.str(limit.stage.name()).str(limit.what).uint(u64::from(limit.working_days));
        w.uint(u64::from(limit.restarts));
    }
    w.uint(NO_LIMIT.len() as u64);
    for stage in NO_LIMIT {
        w.str(stage.name());
    }
    w.finish()
}

/// The hash a step pins for a procedure's bytes.
#[must_use]
pub fn pin(bytes: &[u8]) -> Hash {
    Hash(hash("yishi/procedure/1", &[bytes]))
}
