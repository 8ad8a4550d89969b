//! Every kind of act there is, by the container it lives in.
//!
//! Names of kinds and fields are stable strings: they stand in signed documents.

use super::field::{Blob, Filled, Text, kinds, record};
use crate::{
    ids::{ActRef, DocId, Hash, PlaceId},
    kind::Kind,
};
use std::collections::BTreeMap;

record! {
    /// The number a matter has in the system it was imported from.
    pub struct External {
        /// Which system: `hotline`, …
        system: String,
        /// Its number there.
        number: String,
    }
}

record! {
    /// A proposal an outcome answers, merged sources included.
    pub struct Cited {
        /// The proposal.
        doc: DocId,
        /// The place that registered it and owes the reply to its people.
        home: PlaceId,
        /// Its human number.
        number: String,
    }
}

record! {
    /// What a place above sees of a matter before it is escalated: no text, no names.
    pub struct Stub {
        /// The proposal.
        doc: DocId,
        /// The place that registered it.
        home: PlaceId,
        /// Its human number.
        number: String,
        /// Its category.
        category: Option<String>,
        /// The day it was raised, in days since 1970-01-01.
        raised: i64,
        /// The stable name of its stage.
        stage: String,
        /// The day of the newest step.
        moved: i64,
        /// The day of its reply, if the newest one is an answer.
        answered: Option<i64>,
        /// The day of its reply, if the newest one says that it is not taken up or not ours.
        refused: Option<i64>,
        /// Who must act next.
        holder: Option<PlaceId>,
        /// The day by which, in days since 1970-01-01.
        due: Option<i64>,
        /// How many violations it lists.
        violations: i64,
    }
}

kinds! {
    /// Steps of a proposal: they move it on, one after another (container `steps`).
    pub enum Step {
        /// 登记: a matter is raised. Its home place holds it.
        Register = "register" {
            /// Human number.
            number: String,
            /// Six-digit check code.
            check: String,
            /// A line that names it.
            title: String,
            /// What was said.
            body: Text,
            /// Category, from the charter's scheme.
            category: Option<String>,
            /// 来源, stable name.
            source: Option<String>,
            /// 渠道, stable name.
            channel: Option<String>,
            /// `named`, `anonymous` or `proxy`.
            petitioner: Option<String>,
            /// Where the petitioner's identity is sealed.
            dossier: Option<DocId>,
            /// Its number elsewhere.
            external: Option<External>,
        },
        /// 受理: the holder takes it up; the procedure is bound now.
        Accept = "accept" {
            /// The pinned procedure version.
            procedure: Hash,
            /// The pinned calendar version.
            calendar: Hash,
            /// How much is at stake: `minor`, `ordinary` (if not said) or `major`.
            grade: Option<String>,
            /// How fast: `normal` (if not said), `urgent` or `immediate`.
            urgency: Option<String>,
        },
        /// 推进: the procedure's next stage, or back to an earlier one with a reason.
        Advance = "advance" {
            /// The stage's name in the pinned procedure.
            to: String,
            /// Why, when it goes back.
            reason: Option<Text>,
        },
        /// 交办: a unit of the holder, and a person in it, do the work.
        Assign = "assign" {
            /// The unit, as the charter names it.
            unit: String,
            /// 经办人: member id.
            person: Option<String>,
            /// Remark.
            note: Option<Text>,
        },
        /// 延期: more time, within what the procedure allows.
        Extend = "extend" {
            /// Working days more.
            working_days: i64,
            /// Why.
            reason: Text,
        },
        /// 中止: it waits for something outside; no time runs.
        Pause = "pause" {
            /// Why.
            reason: Text,
        },
        /// 恢复办理: time runs again.
        Resume = "resume" {
            /// Remark.
            note: Option<Text>,
        },
        /// 转出: not ours; where people are told to go.
        Refer = "refer" {
            /// Who is responsible.
            to: String,
            /// Why.
            reason: Text,
        },
        /// 不予受理, with the reason, which is owed to the petitioner.
        Refuse = "refuse" {
            /// Why.
            reason: Text,
        },
        /// 办理: work on it is recorded.
        Handle = "handle" {
            /// What was done.
            note: Text,
        },
        /// 上报: the place above becomes the holder.
        Escalate = "escalate" {
            /// The parent of the holder.
            to: PlaceId,
            /// Why.
            reason: Option<Text>,
        },
        /// 退回: back to the place it came from.
        Return = "return" {
            /// A place below that had it.
            to: PlaceId,
            /// Why.
            reason: Text,
        },
        /// 并案, in the source: it follows the lead until `unmerge`.
        Merge = "merge" {
            /// The lead.
            into: DocId,
        },
        /// 撤销并案, in the source: it goes on by itself.
        Unmerge = "unmerge" {},
        /// 并案, in the lead: it also answers for the source.
        Absorb = "absorb" {
            /// The source.
            source: Cited,
        },
        /// 撤销并案, in the lead.
        Release = "release" {
            /// The source.
            source: DocId,
        },
        /// 决定: an outcome decided it.
        Decide = "decide" {
            /// The outcome.
            outcome: DocId,
            /// The decision in it.
            act: ActRef,
        },
        /// 答复: the reply owed to the people behind the matter.
        Answer = "answer" {
            /// What is replied.
            text: Text,
            /// The outcome it stands on.
            outcome: Option<DocId>,
            /// For a merged source: the lead whose reply this carries.
            lead: Option<DocId>,
            /// The reply in the lead.
            lead_act: Option<ActRef>,
        },
        /// 办结.
        Close = "close" {
            /// Closing remark.
            note: Option<Text>,
        },
        /// 重新办理: the people are not satisfied.
        Reopen = "reopen" {
            /// Why.
            reason: Text,
        },
        /// 撤回: the petitioner or the registering place takes it back.
        Withdraw = "withdraw" {
            /// Why.
            reason: Option<Text>,
        },
        /// 更正: a slip of the pen in the author's own last step; the original stays visible.
        Correct = "correct" {
            /// The step corrected, which must be the tip.
            target: ActRef,
            /// New title.
            title: Option<String>,
            /// New body.
            body: Option<Text>,
            /// New category.
            category: Option<String>,
            /// New text of a reply, reason or note.
            text: Option<Text>,
        },
        /// 提级接办: a place above takes over from a silent holder.
        TakeOver = "take_over" {
            /// The ground.
            reason: Text,
            /// The first of the newest steps, if it sets them aside: a kind beyond this version, or pinned to
            /// what the place that takes over cannot follow.
            sets_aside: Option<ActRef>,
        },
        /// The lowest common ancestor of two sealed branches says which goes on (rule R6).
        Settle = "settle" {
            /// The first step of the branch that goes on.
            branch: ActRef,
        },
    }
}

kinds! {
    /// What anyone in the audience may add to a proposal (container `voices`).
    pub enum Voice {
        /// 意见: a comment or evidence.
        Comment = "comment" {
            /// The words.
            text: Text,
        },
        /// 附议.
        Support = "support" {
            /// How many people, 1 if not said.
            count: Option<i64>,
            /// Remark.
            note: Option<String>,
        },
        /// 表决: one whole count of a body.
        Ballot = "ballot" {
            /// What was asked.
            question: String,
            /// Which body voted.
            body: String,
            /// Entitled to vote.
            eligible: i64,
            /// Present.
            present: i64,
            /// For.
            in_favour: i64,
            /// Against.
            against: i64,
            /// Abstaining.
            abstain: i64,
            /// By name: member id to `for`, `against` or `abstain`; empty when only counted.
            votes: BTreeMap<String, String>,
            /// The meeting it was held in.
            meeting: Option<ActRef>,
            /// 唱票, 计票, 监票: who called (`caller`), counted (`teller`) and watched (`watcher`), by name as written down.
            counters: Option<BTreeMap<String, String>>,
        },
        /// 通知: a body is called together.
        Call = "call" {
            /// Which body.
            body: String,
            /// For which day, in days since 1970-01-01.
            day: i64,
            /// What for.
            agenda: Text,
            /// Where.
            venue: Option<String>,
        },
        /// 议: a body met.
        Meet = "meet" {
            /// The call to it.
            call: Option<ActRef>,
            /// Which body.
            body: String,
            /// On which day, in days since 1970-01-01.
            day: i64,
            /// Entitled to be there.
            eligible: i64,
            /// There, in the room.
            present: i64,
            /// There by telephone or video.
            remote: i64,
            /// By name: member id to `present`, `remote` or `absent`; empty when only counted.
            roll: BTreeMap<String, String>,
            /// How many of those there carry a tag of the charter: women, new residents, …
            tags: BTreeMap<String, i64>,
            /// What was said and settled.
            minutes: Text,
        },
        /// 记录: a form of the procedure, filled in.
        Record = "record" {
            /// Which form.
            form: String,
            /// What was filled in, by the fields' names.
            fields: Filled,
        },
        /// 附件: a photo put to the matter; its bytes travel after all text.
        Attach = "attach" {
            /// The file's BLAKE3 hash.
            file: Hash,
            /// Its bytes.
            size: i64,
            /// `jpeg`, `png` or `webp`.
            format: String,
            /// What it shows: `photo` (if not said), `sign_in`, `count` or `receipt`.
            about: Option<String>,
            /// What is written under it.
            caption: Option<String>,
        },
        /// 公示: posted on the public board.
        Post = "post" {
            /// For so many days.
            days: i64,
            /// What is posted.
            text: Text,
        },
        /// 异议: somebody objects to what is posted.
        Object = "object" {
            /// The posting.
            post: ActRef,
            /// The objection.
            text: Text,
        },
        /// 约请: a unit or place must say something to it.
        Summon = "summon" {
            /// Who.
            unit: String,
            /// What is asked.
            question: Text,
            /// Within so many working days.
            working_days: i64,
        },
        /// 回复: to an objection or a summons.
        Respond = "respond" {
            /// Which.
            to: ActRef,
            /// The words.
            text: Text,
            /// Whether it was said on paper or by telephone and is passed on here.
            relayed: bool,
        },
        /// 督办: a place above says on record that the holder is late, or that the matter goes in circles.
        Urge = "urge" {
            /// `urged` or `raised`.
            degree: String,
            /// `overdue`, `returned` or `forwarded`.
            ground: String,
            /// The step whose time is over; without one it is about the matter as a whole.
            since: Option<ActRef>,
            /// The day it was due by the author's calendar, in days since 1970-01-01.
            due: Option<i64>,
            /// Remark.
            note: Option<Text>,
        },
        /// 告知: an original submitter has been told a reply.
        Tell = "tell" {
            /// Which reply.
            answer: ActRef,
            /// `phone`, `visit`, `paper` or `online`.
            how: String,
            /// Remark.
            note: Option<String>,
        },
        /// 评价.
        Rate = "rate" {
            /// 1 (poor) to 5 (good).
            score: i64,
            /// `resident`, `revisit`, `third_party` or `proxy`.
            source: String,
            /// Remark.
            note: Option<Text>,
        },
    }
}

kinds! {
    /// What the deciding place writes into an outcome (container `decisions`).
    pub enum Decision {
        /// The decision.
        Decide = "decide" {
            /// A line that names it.
            title: String,
            /// What was decided.
            text: Text,
            /// What it decides about, merged sources included.
            proposals: Vec<Cited>,
            /// Responsible unit.
            unit: Option<String>,
            /// Budget in yuan.
            budget_yuan: Option<i64>,
            /// Due, in days since 1970-01-01.
            due: Option<i64>,
        },
        /// The reply to every submitter.
        Answer = "answer" {
            /// What is replied.
            text: Text,
        },
    }
}

kinds! {
    /// What those who carry an outcome out write (container `progress`).
    pub enum Progress {
        /// How far it is.
        Progress = "progress" {
            /// In words.
            text: Text,
            /// 0 to 100.
            percent: Option<i64>,
        },
    }
}

kinds! {
    /// Numbered snapshots of a place, the procedures and holiday notices it issues (container `snapshots`, rule R4).
    pub enum Charter {
        /// One snapshot.
        Snapshot = "snapshot" {
            /// From 1.
            number: i64,
            /// Hash of the snapshot before.
            previous: Option<Hash>,
            /// 12-digit code.
            code: String,
            /// Name.
            name: String,
            /// Label of the level.
            level: String,
            /// The parent place.
            parent: Option<PlaceId>,
            /// The procedure in force.
            procedure: Hash,
            /// The calendar in force.
            calendar: Hash,
            /// Its people and powers: the file of its articles, byte for byte.
            articles: Option<String>,
        },
        /// A procedure is issued: its file, byte for byte.
        Procedure = "procedure" {
            /// The file.
            file: String,
        },
        /// A year's holiday notice is issued; it replaces the one that came with the program.
        Holidays = "holidays" {
            /// Which year.
            year: i64,
            /// The table `date,kind,festival`, byte for byte.
            notice: String,
        },
    }
}

kinds! {
    /// A petitioner's identity and contact (container `sealed`).
    pub enum Sealed {
        /// Ciphertext; the key travels in deletable wraps outside the document.
        Seal = "seal" {
            /// Nonce and ciphertext, see the module `seal`.
            ciphertext: Blob,
        },
    }
}

record! {
    /// When a place directly below was last heard from: what its silence means for figures about it.
    pub struct Heard {
        /// The place below.
        place: PlaceId,
        /// The last day on which its line was up or something came from it; absent if there was none yet.
        day: Option<i64>,
    }
}

kinds! {
    /// Stubs of a place's matters (container `stubs`).
    pub enum Stubs {
        /// The state of some matters; a later one of the same document replaces an earlier one.
        Stubs = "stubs" {
            /// The rows.
            rows: Vec<Stub>,
        },
        /// Who was heard from when; of two words about a place the later day stands.
        Heard = "heard" {
            /// The places directly below of which something new is to be said.
            rows: Vec<Heard>,
        },
    }
}

kinds! {
    /// What a place makes known to those in the document's audience (container `words`).
    pub enum Word {
        /// 通知: a later one of the same document replaces it.
        Announce = "announce" {
            /// `announcement`, `directive`, `topic` or `resource`.
            sort: String,
            /// A line that names it.
            title: String,
            /// The words.
            text: Text,
            /// What it is about, from the charter's scheme; a resource is offered to open matters of it.
            category: Option<String>,
            /// The last day it holds, in days since 1970-01-01.
            until: Option<i64>,
        },
        /// 收回: it holds no longer; what was said stays readable.
        Recall = "recall" {
            /// Why.
            reason: Text,
        },
        /// 调阅: a matter known only by its stub is opened by a place above (rule R11).
        Open = "open" {
            /// The matter.
            matter: DocId,
            /// Its number, as the stub gives it.
            number: String,
            /// Why.
            reason: Text,
        },
    }
}

/// The position of a container in [`Kind::containers`].
#[must_use]
pub fn container_of(kind: Kind, name: &str) -> Option<usize> {
    kind.containers().iter().position(|c| c.name == name)
}
