//! What the fold says about one act.

use serde::Serialize;
use std::fmt;

/// The standing of one act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "snake_case")]
pub enum Verdict {
    /// Allowed, and it counts.
    Counted,
    /// Not allowed: kept, listed, not counted.
    Violation(Violation),
    /// An act of the old holder, written before it knew of the take-over: kept as late.
    Late,
    /// Allowed when written, but another branch goes on.
    Superseded,
    /// On one of two sealed branches; a place above must say which goes on.
    Waiting,
    /// Something it rests on (an author's certificate, a pinned version, a change) is not here yet.
    Pending,
    /// Of a kind this program does not know, or resting on such an act.
    NeedsNewer,
    /// Not an act: a field is missing, mistyped or too much.
    Malformed,
    /// By a revoked key after its last valid change, or resting on such an act.
    Revoked,
}

impl Verdict {
    /// The stable name, without the reason.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Violation(_) => "violation",
            Self::Late => "late",
            Self::Superseded => "superseded",
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::NeedsNewer => "needs_newer",
            Self::Malformed => "malformed",
            Self::Revoked => "revoked",
        }
    }

    /// In Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Counted => "有效",
            Self::Violation(why) => why.zh(),
            Self::Late => "迟到：上级已提级接办，留存备查",
            Self::Superseded => "同时有另一办理在先，本条留存不计",
            Self::Waiting => "两边同时办理，等上级裁定",
            Self::Pending => "等待有关资料到达",
            Self::NeedsNewer => "需要升级程序才能读懂",
            Self::Malformed => "内容不完整，留存不计",
            Self::Revoked => "签署用的证书已停用，留存不计",
        }
    }

    /// In English.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::Counted => "counts",
            Self::Violation(why) => why.en(),
            Self::Late => "late: a place above had taken over; kept",
            Self::Superseded => "another act made at the same time goes on; kept, not counted",
            Self::Waiting => "two places acted at the same time; a place above must decide",
            Self::Pending => "waits for something that has not arrived yet",
            Self::NeedsNewer => "needs a newer program",
            Self::Malformed => "incomplete; kept, not counted",
            Self::Revoked => "signed with a certificate that was withdrawn; kept, not counted",
        }
    }
}

macro_rules! violations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $zh:literal, $en:literal;)*) => {
        /// Why an act was not allowed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Violation { $($(#[$doc])* $variant),* }

        impl Violation {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
            /// In Chinese.
            #[must_use]
            pub fn zh(self) -> &'static str {
                match self { $(Self::$variant => $zh),* }
            }
            /// In English.
            #[must_use]
            pub fn en(self) -> &'static str {
                match self { $(Self::$variant => $en),* }
            }
        }
    };
}

violations! {
    /// A step before any registration.
    NotRegistered = "not_registered", "事项尚未登记", "the matter has not been registered";
    /// A second registration of one matter.
    AlreadyRegistered = "already_registered", "事项已经登记过", "the matter is already registered";
    /// Only the home place may do this.
    NotHome = "not_home", "只有登记地可以这样办", "only the place that registered the matter may do this";
    /// The signer's place is not the holder.
    NotHolder = "not_holder", "不是现在的承办单位", "this place does not hold the matter";
    /// Neither the holder nor the home place.
    NotHolderNorHome = "not_holder_nor_home", "只有承办单位或登记地可以这样办",
        "only the holder or the place that registered the matter may do this";
    /// It does not follow the newest step its author knew.
    NotNewest = "not_newest", "没有接在最新一步之后", "it does not follow the newest step";
    /// The stage does not allow it.
    WrongStage = "wrong_stage", "现在的环节不能这样办", "the present stage does not allow this";
    /// The chain waits for a settlement.
    WaitsForSettlement = "waits_for_settlement", "两边同时办理，须先由上级裁定",
        "two places acted at the same time; a place above must decide first";
    /// Escalation to a place that is not the parent.
    NotParent = "not_parent", "只能上报给直接上级", "a matter is escalated to the direct parent only";
    /// Return to a place that is not below or never held it.
    NotBelow = "not_below", "只能退回给经办过的下级", "a matter is returned only to a place below that has held it";
    /// Take-over by a place that is not above the holder.
    NotAbove = "not_above", "只有承办单位的上级可以提级接办", "only a place above the holder may take over";
    /// Merge into itself.
    IntoItself = "into_itself", "不能并入自己", "a matter cannot be merged into itself";
    /// The lead of this reply is not the lead of the merge, or there is none.
    WrongLead = "wrong_lead", "答复引用的主案与并案不符", "the reply does not come from the matter this one was merged into";
    /// The source is already absorbed.
    AlreadyAbsorbed = "already_absorbed", "该事项已经并入", "that matter is already merged into this one";
    /// The source is not absorbed.
    NotAbsorbed = "not_absorbed", "该事项没有并入本案", "that matter is not merged into this one";
    /// A correction of somebody else's step.
    NotOwnStep = "not_own_step", "只能更正本单位自己办的一步", "only the author's own step can be corrected";
    /// A correction after a later step.
    CorrectedTooLate = "corrected_too_late", "后面已有新的一步，不能再更正", "a later step exists; it can no longer be corrected";
    /// A correction that fits nothing in the step.
    NothingToCorrect = "nothing_to_correct", "这一步没有所要更正的内容", "the step has nothing of that kind to correct";
    /// A settlement where nothing waits.
    NothingToSettle = "nothing_to_settle", "没有需要裁定的分歧", "there is nothing to settle";
    /// A settlement by another place.
    NotSettlingPlace = "not_settling_place", "应由双方共同的上级裁定", "the common place above must settle this";
    /// The branch named is not one of those that wait.
    NotABranch = "not_a_branch", "裁定所指的一步不在待裁定之列", "the branch named is not one of those that wait";
    /// Closing by the home place before people were told.
    NotToldYet = "not_told_yet", "尚未告知群众，登记地不能办结", "the people have not been told yet";
    /// A take-over that sets aside what stands, or what is not the first step it could set aside.
    NothingToSetAside = "nothing_to_set_aside", "没有可以搁置的一步", "there is no step that could be set aside";
    /// No reason or text was given.
    NoText = "no_text", "没有写明内容", "the text that is compulsory is missing";
    /// A day far beyond what all other places have claimed.
    DayAhead = "day_ahead", "日期超前，不合情理，请核对本机时钟", "its day is far ahead of what all others have claimed; check that clock";
    /// A vote after the matter was decided, answered or ended.
    BallotClosed = "ballot_closed", "事项已有结果，表决不再计入", "the matter has a result; the vote no longer counts";
    /// The numbers contradict each other.
    BallotCounts = "ballot_counts", "表决人数前后不符", "the numbers of the vote contradict each other";
    /// The named votes contradict the numbers.
    BallotVotes = "ballot_votes", "记名表决与票数不符", "the named votes do not add up to the count";
    /// Told of a reply that does not exist.
    NothingToTell = "nothing_to_tell", "没有可告知的答复", "there is no such reply to tell";
    /// A way of telling this program does not offer.
    UnknownWay = "unknown_way", "告知方式不在规定之内", "people are told by phone, visit, on paper or online";
    /// A rating before any reply.
    NothingToRate = "nothing_to_rate", "尚无答复，不能评价", "there is no reply to rate yet";
    /// A rating outside 1 to 5.
    ScoreOutOfRange = "score_out_of_range", "评分须在一至五之间", "a rating is from 1 to 5";
    /// An unknown source of a rating.
    UnknownRatingSource = "unknown_rating_source", "评价来源不在规定之内", "a rating comes from resident, revisit, third_party or proxy";
    /// Fewer than one supporter.
    SupportCount = "support_count", "附议人数至少为一", "support is from at least one person";
    /// The pinned version is older than the one before.
    PinWentBack = "pin_went_back", "所依据的程序版本倒退了", "it is bound to an older version of the procedure than before";
    /// The same place bound the matter to another procedure before.
    OtherProcedure = "other_procedure", "本单位已按另一程序受理，不能再换程序", "this place has already taken it up under another procedure and may not change to this one";
    /// A word for the grade or the urgency that is none.
    UnknownGrade = "unknown_grade", "事项等级须为小事、一般或重大，紧急程度须为一般、紧急或特急", "the grade must be minor, ordinary or major, the urgency normal, urgent or immediate";
    /// The matter is in no stage of a procedure.
    NoProcedure = "no_procedure", "事项现在不在议事程序的环节中", "the matter is in no stage of a procedure now";
    /// The stage does not lead there.
    NotAWay = "not_a_way", "程序规定从这个环节不能转到那个环节", "the procedure has no way from this stage to that one";
    /// The procedure does not allow a reply from this stage.
    StageForbids = "stage_forbids", "程序规定的环节尚未走完，还不能决定或答复", "stages of the procedure are still ahead; it cannot be decided or answered yet";
    /// A form must be recorded first.
    LacksRecord = "lacks_record", "还缺程序规定的表单记录", "a form that the procedure asks for has not been recorded";
    /// A body must meet first.
    LacksMeeting = "lacks_meeting", "程序规定的会议尚未召开", "a meeting that the procedure asks for has not been held";
    /// Too few were there.
    NoQuorum = "no_quorum", "到会人数不足法定人数", "too few were there for a quorum";
    /// Those there do not stand for the people.
    NotRepresentative = "not_representative", "到会人员代表性不足，规定的人群到会太少", "too few of those there belong to the people who must be represented";
    /// A body must vote first.
    LacksBallot = "lacks_ballot", "程序规定的表决尚未进行", "a vote that the procedure asks for has not been held";
    /// The vote did not pass.
    BallotNotPassed = "ballot_not_passed", "表决未达到规定的多数", "the vote did not reach the majority required";
    /// It has not been posted for long enough.
    NotPosted = "not_posted", "公示未满规定天数", "it has not been posted for as many days as required";
    /// Objections wait for a reply.
    ObjectionsOpen = "objections_open", "公示期间的异议尚未全部回复", "not every objection to the notice has been answered";
    /// Summonses wait for a reply.
    SummonsOpen = "summons_open", "该约请的单位尚未全部约请或回复", "not every unit that must be summoned has been, or has answered";
    /// More was spent than there is budget.
    OverBudget = "over_budget", "支出超过预算", "more was spent than the budget has";
    /// The procedure has no such form.
    UnknownForm = "unknown_form", "程序中没有这张表单", "the procedure has no such form";
    /// The form has no such field.
    UnknownField = "unknown_field", "表单中没有这一项", "the form has no such field";
    /// The form is not filled in as it asks.
    FormIncomplete = "form_incomplete", "表单没有填完整，或填的内容不合要求", "the form is not filled in completely, or not as it asks";
    /// Whoever handled it rates or revisits it.
    HandledItself = "handled_itself", "经办过的单位不能自己来填", "a place that handled the matter may not fill this in";
    /// The meeting came too soon after the call.
    NoticeTooShort = "notice_too_short", "开会前的通知天数不足", "the meeting was not called early enough";
    /// The numbers of a meeting contradict each other.
    MeetingCounts = "meeting_counts", "到会人数前后不符", "the numbers of the meeting contradict each other";
    /// Somebody voted who was not at the meeting.
    NotAMember = "not_a_member", "投票人不在到会名单上", "somebody voted who was not at the meeting";
    /// The call, meeting, posting or question named is not there.
    NothingThere = "nothing_there", "所引用的通知、会议或公示不存在", "the call, meeting, posting or question it names is not there";
    /// A degree or ground of supervision there is not.
    UnknownDegree = "unknown_degree", "没有这种督办", "there is no such degree or ground of urging";
    /// A file of a kind or size that is not taken.
    UnknownFile = "unknown_file", "附件的类型、大小或说明不合要求", "a file is a JPEG, PNG or WebP picture of at most 8 MiB, with a short caption";
    /// More files of one place than a matter has room for.
    TooManyFiles = "too_many_files", "一个单位给一件事项最多放二十张照片", "one place may put twenty files to a matter";
    /// An objection after the time of the posting.
    ObjectedTooLate = "objected_too_late", "公示期已过", "the time of the posting is over";
    /// Time is not asked for within what is allowed.
    TooMuchTime = "too_much_time", "天数超出允许的范围", "more days than are allowed";
    /// The matter is paused.
    Paused = "paused", "事项已中止，先恢复办理", "the matter is paused; resume it first";
    /// The matter is not paused.
    NotPaused = "not_paused", "事项没有中止", "the matter is not paused";
    /// A percentage outside 0 to 100.
    PercentOutOfRange = "percent_out_of_range", "进度须在零至一百之间", "progress is from 0 to 100 percent";
    /// A decision in an outcome that has one.
    AlreadyDecided = "already_decided", "该成果已经作出决定", "the outcome already holds its decision";
    /// A reply or progress before the decision.
    NotDecided = "not_decided", "尚未作出决定", "the outcome holds no decision yet";
    /// A snapshot that does not continue the numbered chain.
    BrokenSnapshotChain = "broken_snapshot_chain", "版本编号或前一版本不连续", "the snapshot does not continue the numbered chain";
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.en())
    }
}

impl std::error::Error for Violation {}
