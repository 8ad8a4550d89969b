//! What callers ask: exactly the JSON of the API, read strictly.
//!
//! Unknown fields are refused, so that a misspelt one is noticed instead of lost.

use super::attach::AttachRequest;
use serde::Deserialize;
use std::collections::BTreeMap;
use yishi_protocol::{calendar::Date, ids::ActRef};

/// A place's own words on who raised a matter. What is in here is sealed.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Petitioner {
    /// `named` (default), `anonymous` or `proxy`.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Address.
    pub address: Option<String>,
}

impl std::fmt::Debug for Petitioner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Petitioner(redacted)")
    }
}

/// A number in another system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalRequest {
    /// Which system.
    pub system: String,
    /// Its number there.
    pub number: String,
}

/// A matter to raise. Only the body is compulsory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaiseRequest {
    /// What was said.
    pub body: String,
    /// A line that names it; the body's first sentence if missing.
    pub title: Option<String>,
    /// Category.
    pub category: Option<String>,
    /// 来源.
    pub source: Option<String>,
    /// 渠道.
    pub channel: Option<String>,
    /// The day; today if missing.
    pub raised_on: Option<Date>,
    /// Who raised it.
    pub petitioner: Option<Petitioner>,
    /// 当场办结: the reply given on the spot.
    pub settle: Option<String>,
    /// Whether whoever raised it was there and heard that reply; by the channel if missing.
    pub told: Option<bool>,
    /// Its number elsewhere.
    pub external: Option<ExternalRequest>,
    /// Photos, brought before.
    #[serde(default)]
    pub attachments: Vec<AttachRequest>,
}

/// Having a petitioner forgotten.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgetRequest {
    /// The matter's number, written out.
    pub confirm: String,
    /// Why, in few words; without names.
    pub reason: Option<String>,
}

/// A decision, as `decide` in one matter or as an outcome over several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRequest {
    /// The matters, by reference.
    #[serde(default)]
    pub proposals: Vec<String>,
    /// A line that names it.
    pub title: String,
    /// What is decided.
    pub text: String,
    /// Responsible unit.
    pub unit: Option<String>,
    /// Budget in yuan.
    pub budget_yuan: Option<i64>,
    /// Due day.
    pub due_on: Option<Date>,
    /// The reply to the submitters, given at once.
    pub answer: Option<String>,
    /// `keep`: what looks like a number of a person is none.
    #[serde(default)]
    pub numbers: super::Numbers,
}

/// A procedure to issue.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcedureRequest {
    /// The file.
    pub file: String,
}

/// Articles of a charter to issue.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterRequest {
    /// The file.
    pub file: String,
}

/// Which place's charter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CharterQuery {
    /// An id, code or name; this place if missing.
    pub place: Option<String>,
}

/// A year's holiday notice to issue.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeRequest {
    /// Which year.
    pub year: i32,
    /// The table `date,kind,festival`.
    pub notice: String,
}

/// One act in a matter. References to matters are numbers, ids or prefixes of ids.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum ActRequest {
    /// 受理.
    Accept {
        /// The procedure it is bound to, by its name or pin: the newest version in force. Left out, the matter
        /// keeps the one it has, or is handled without stages.
        procedure: Option<String>,
        /// `minor`, `ordinary` or `major`.
        grade: Option<String>,
        /// `normal`, `urgent` or `immediate`.
        urgency: Option<String>,
    },
    /// 推进 to another stage of the procedure.
    Advance {
        /// The stage.
        to: String,
        /// Why, when it goes back.
        reason: Option<String>,
    },
    /// 交办.
    Assign {
        /// The unit.
        unit: String,
        /// 经办人.
        person: Option<String>,
        /// Remark.
        note: Option<String>,
    },
    /// 延期.
    Extend {
        /// Working days more.
        working_days: i64,
        /// Why.
        reason: String,
    },
    /// 中止.
    Pause {
        /// Why.
        reason: String,
    },
    /// 恢复办理.
    Resume {
        /// Remark.
        note: Option<String>,
    },
    /// 转出.
    Refer {
        /// Who is responsible.
        to: String,
        /// Why.
        reason: String,
    },
    /// 通知: a meeting is called.
    Call {
        /// Which body.
        body: String,
        /// For which day.
        day: Date,
        /// What for.
        agenda: String,
        /// Where.
        venue: Option<String>,
    },
    /// 议: a meeting was held.
    Meet {
        /// The call to it; the newest of this body if there is one.
        call: Option<ActRef>,
        /// Which body.
        body: String,
        /// On which day; today if missing.
        day: Option<Date>,
        /// Entitled to be there; left out, as many as the charter names.
        #[serde(default)]
        eligible: i64,
        /// There; left out, counted from the roll.
        #[serde(default)]
        present: i64,
        /// There by telephone or video.
        #[serde(default)]
        remote: i64,
        /// Member id to `present`, `remote` or `absent`.
        #[serde(default)]
        roll: BTreeMap<String, String>,
        /// How many of those there carry a tag.
        #[serde(default)]
        tags: BTreeMap<String, i64>,
        /// What was said and settled.
        minutes: String,
    },
    /// 记录: a form of the procedure.
    Record {
        /// Which form.
        form: String,
        /// What is filled in, by the fields' names.
        #[serde(default)]
        fields: BTreeMap<String, serde_json::Value>,
    },
    /// 公示.
    Post {
        /// What is posted.
        text: String,
        /// For so many days.
        days: i64,
    },
    /// 异议.
    Object {
        /// To which posting; the newest if missing.
        post: Option<ActRef>,
        /// The objection.
        text: String,
    },
    /// 约请.
    Summon {
        /// Who must say something to it.
        unit: String,
        /// What is asked.
        question: String,
        /// Within so many working days.
        working_days: i64,
    },
    /// 回复 to an objection or a summons.
    Respond {
        /// To which; the oldest without a reply if missing.
        to: Option<ActRef>,
        /// The words.
        text: String,
        /// Whether it was said on paper or by telephone and is passed on here.
        #[serde(default)]
        relayed: bool,
    },
    /// 督办.
    Urge {
        /// `urged` (if left out) or `raised`.
        degree: Option<String>,
        /// Remark.
        note: Option<String>,
    },
    /// 不予受理.
    Refuse {
        /// Why.
        reason: String,
    },
    /// 办理.
    Handle {
        /// What was done.
        note: String,
    },
    /// 上报.
    Escalate {
        /// Why.
        reason: Option<String>,
    },
    /// 退回.
    Return {
        /// Why.
        reason: String,
        /// To whom; the place it came from if there is only one.
        to: Option<String>,
    },
    /// 并案: this matter leads, the named ones follow it.
    Merge {
        /// The sources.
        sources: Vec<String>,
    },
    /// 撤销并案: this source goes on by itself.
    Unmerge {},
    /// 移出并案: this lead no longer answers for a source.
    Release {
        /// The source.
        source: String,
    },
    /// 决定: an outcome over this matter.
    Decide {
        /// A line that names it.
        title: String,
        /// What is decided.
        text: String,
        /// Responsible unit.
        unit: Option<String>,
        /// Budget in yuan.
        budget_yuan: Option<i64>,
        /// Due day.
        due_on: Option<Date>,
        /// The reply, given at once.
        answer: Option<String>,
    },
    /// 答复.
    Answer {
        /// What is replied.
        text: String,
        /// The day; today if missing.
        on: Option<Date>,
    },
    /// 告知.
    Tell {
        /// Which reply; the newest if missing.
        answer: Option<ActRef>,
        /// `phone`, `visit`, `paper` or `online`.
        how: String,
        /// Remark.
        note: Option<String>,
    },
    /// 评价.
    Rate {
        /// 1 to 5.
        score: i64,
        /// `resident`, `revisit`, `third_party` or `proxy`.
        source: String,
        /// Remark.
        note: Option<String>,
    },
    /// 办结.
    Close {
        /// Remark.
        note: Option<String>,
    },
    /// 重新办理.
    Reopen {
        /// Why.
        reason: String,
    },
    /// 撤回.
    Withdraw {
        /// Why.
        reason: Option<String>,
    },
    /// 更正 of the author's own last step.
    Correct {
        /// New title.
        title: Option<String>,
        /// New body.
        body: Option<String>,
        /// New category.
        category: Option<String>,
        /// New text of a reply, reason or note.
        text: Option<String>,
    },
    /// 意见.
    Comment {
        /// The words.
        text: String,
    },
    /// 附议.
    Support {
        /// How many people.
        count: Option<i64>,
        /// Remark.
        note: Option<String>,
    },
    /// 表决.
    Ballot {
        /// What was asked.
        question: String,
        /// Which body.
        body: String,
        /// Entitled to vote; left out, as many as the charter names.
        #[serde(default)]
        eligible: i64,
        /// Present.
        present: i64,
        /// For.
        #[serde(rename = "for")]
        in_favour: i64,
        /// Against.
        against: i64,
        /// Abstaining.
        abstain: i64,
        /// Member id to `for`, `against` or `abstain`.
        #[serde(default)]
        votes: BTreeMap<String, String>,
        /// The meeting it was held in; the newest of this body if there is one.
        meeting: Option<ActRef>,
        /// 唱票, 计票, 监票: `caller`, `teller`, `watcher`, by name.
        counters: Option<BTreeMap<String, String>>,
    },
    /// 提级接办.
    TakeOver {
        /// The ground.
        reason: String,
    },
    /// 裁定 between two branches.
    Settle {
        /// The first step of the branch that goes on.
        branch: ActRef,
    },
}

/// What a list of matters shows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Stable name of a stage.
    pub stage: Option<String>,
    /// `self` or a place.
    pub holder: Option<String>,
    /// A place.
    pub home: Option<String>,
    /// A category.
    pub category: Option<String>,
    /// Words in number, title or external number.
    pub q: Option<String>,
    /// `overdue` or `soon`.
    pub due: Option<String>,
    /// Answered and not told.
    pub untold: Option<bool>,
    /// Not closed or withdrawn.
    pub open: Option<bool>,
    /// `updated` (default, newest first), `deadline` or `number`.
    pub sort: Option<String>,
    /// 1 to 500, 50 if missing.
    pub limit: Option<u32>,
    /// From `next_cursor`.
    pub cursor: Option<String>,
}

/// Which page of a plain list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// 1 to 500, 50 if missing.
    pub limit: Option<u32>,
    /// From `next_cursor`.
    pub cursor: Option<String>,
}

/// Which replies are exported.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// Which system's matters.
    pub system: String,
    /// Only replies of this day or later.
    pub answered_since: Option<Date>,
    /// 1 to 500, 50 if missing.
    pub limit: Option<u32>,
    /// From `next_cursor`.
    pub cursor: Option<String>,
}

/// One row of another system's table. Dates are text, so that a bad one spoils one row only.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRow {
    /// The row as the caller counts them.
    pub row: u64,
    /// The number there.
    #[serde(default)]
    pub number: String,
    /// A line that names it.
    #[serde(default)]
    pub title: Option<String>,
    /// What was said.
    #[serde(default)]
    pub body: String,
    /// Category.
    #[serde(default)]
    pub category: Option<String>,
    /// The day it was raised.
    #[serde(default)]
    pub raised_on: Option<String>,
    /// The reply.
    #[serde(default)]
    pub answer: Option<String>,
    /// Its day.
    #[serde(default)]
    pub answered_on: Option<String>,
}

/// Rows of another system's table.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// Which system.
    pub system: String,
    /// At most 500 rows.
    pub rows: Vec<ImportRow>,
}

/// A place to invite.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// Its 12-digit code.
    pub code: String,
    /// Its name; from the built-in divisions if the code is known there.
    pub name: Option<String>,
    /// Its level; likewise.
    pub level: Option<String>,
    /// For how long; 72 if missing.
    pub expires_hours: Option<u32>,
    /// Where this node is reached, if not as configured.
    pub address: Option<String>,
    /// New hardware for a place that exists.
    #[serde(default)]
    pub replace: bool,
    /// A standby takes over a place that exists: whoever uses the invitation is its active box from then on.
    #[serde(default)]
    pub takeover: bool,
    /// The place belongs here although the official list has it elsewhere.
    #[serde(default)]
    pub here: bool,
}

/// A place whose keys end.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// Why.
    pub reason: String,
    /// Only what this node had stored before this moment counts; all it has stored, if missing.
    pub since: Option<String>,
    /// Also the newest key, where one has replaced another.
    #[serde(default)]
    pub all_keys: bool,
    /// Only say what would happen.
    #[serde(default)]
    pub preview: bool,
}

/// What of a revoked key shall count after all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmitRequest {
    /// Why.
    pub reason: String,
    /// What this node had stored before this moment.
    pub until: Option<String>,
    /// Only in these matters.
    #[serde(default)]
    pub matters: Vec<String>,
    /// Only say what would happen.
    #[serde(default)]
    pub preview: bool,
}

/// A place below that is moved, merged or called otherwise. What is missing stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacingRequest {
    /// Its new parent: id, code or name.
    pub parent: Option<String>,
    /// Where the new parent is reached, `host:port`.
    pub address: Option<String>,
    /// The place that acts for it from now on.
    pub into: Option<String>,
    /// Its new code.
    pub code: Option<String>,
    /// Its new name.
    pub name: Option<String>,
    /// Its new level.
    pub level: Option<String>,
    /// Only say what would happen.
    #[serde(default)]
    pub preview: bool,
}
