//! The verbs of a matter in its procedure: stages, meetings, votes, forms, notices, summonses; and what is done
//! from above.

use clap::{Args, Subcommand, ValueEnum};

use super::day;

/// `yishi matter …`, the procedure's part.
#[derive(Debug, Subcommand)]
pub enum DeliberationVerb {
    /// 受理；可绑定一种议事程序 · accept; may bind a procedure
    Accept {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 议事程序的代号或指纹；不写就不分环节办理，或沿用原来的 · the procedure, by its name or pin
        #[arg(long)]
        procedure: Option<String>,
        /// 等级 · how much is at stake
        #[arg(long, value_enum)]
        grade: Option<Grade>,
        /// 紧急程度 · how fast
        #[arg(long, value_enum)]
        urgency: Option<Urgency>,
    },
    /// 推进到程序的另一环节 · move on to another stage of the procedure
    Advance {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 去哪个环节 · the stage
        #[arg(long, value_name = "STAGE")]
        to: String,
        /// 往回走的理由 · why, when it goes back
        #[arg(long)]
        reason: Option<String>,
    },
    /// 交办给部门、站所和经办人 · assign to a unit and a person
    Assign {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 部门或站所 · the unit
        #[arg(long)]
        unit: String,
        /// 经办人 · the person
        #[arg(long)]
        person: Option<String>,
        /// 备注 · a remark
        #[arg(long)]
        note: Option<String>,
    },
    /// 延期 · extend the time limit
    Extend {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 延几个工作日 · how many working days more
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
        days: u16,
        /// 理由 · the reason
        #[arg(long)]
        reason: String,
    },
    /// 中止，期限暂停计算 · pause; no time runs
    Pause(Because),
    /// 恢复办理 · resume
    Resume {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 备注 · a remark
        #[arg(long)]
        note: Option<String>,
    },
    /// 转出：不归本级，告知去哪里 · refer elsewhere: not ours, people are told where to go
    Refer {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 由谁负责 · who is responsible
        #[arg(long)]
        to: String,
        /// 理由 · the reason
        #[arg(long)]
        reason: String,
    },
    /// 通知开会 · call a meeting
    Call {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 哪个议事主体 · which body
        #[arg(long)]
        body: String,
        /// 哪天开 · the day
        #[arg(long, value_parser = day)]
        day: String,
        /// 地点 · where
        #[arg(long)]
        venue: Option<String>,
        /// 议什么，「-」从标准输入读 · the agenda, `-` reads standard input
        agenda: String,
    },
    /// 会议记录 · record a meeting
    Meet {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 哪个议事主体 · which body
        #[arg(long)]
        body: String,
        /// 应到；不写就按章程的人数 · entitled to be there; as many as the charter names if left out
        #[arg(long)]
        eligible: Option<u32>,
        /// 实到；有 --roll 时可不写 · there; may be left out with --roll
        #[arg(long, required_unless_present = "roll")]
        present: Option<u32>,
        /// 签到：姓名=present、remote 或 absent，可写多次 · by name, as NAME=present|remote|absent, repeatable
        #[arg(long, value_name = "NAME=HOW", value_parser = pair)]
        roll: Vec<(String, String)>,
        /// 远程参加 · there by telephone or video
        #[arg(long, default_value_t = 0)]
        remote: u32,
        /// 哪天开的；不写就是今天 · the day; else today
        #[arg(long, value_parser = day)]
        day: Option<String>,
        /// 到会者中某类人几名，写成 类别=人数，可写多次 · how many carry a tag, as TAG=COUNT, repeatable
        #[arg(long = "tag", value_name = "TAG=COUNT", value_parser = pair)]
        tags: Vec<(String, String)>,
        /// 记录，「-」从标准输入读 · the minutes, `-` reads standard input
        minutes: String,
    },
    /// 表决 · record a vote
    Ballot {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 哪个议事主体 · which body
        #[arg(long)]
        body: String,
        /// 应到；不写就按章程的人数 · entitled to vote; as many as the charter names if left out
        #[arg(long)]
        eligible: Option<u32>,
        /// 实到 · present
        #[arg(long)]
        present: u32,
        /// 同意 · for
        #[arg(long = "for", value_name = "COUNT")]
        in_favour: u32,
        /// 反对 · against
        #[arg(long)]
        against: u32,
        /// 弃权 · abstaining
        #[arg(long, default_value_t = 0)]
        abstain: u32,
        /// 记名：姓名=for、against 或 abstain，可写多次 · by name, as NAME=for|against|abstain, repeatable
        #[arg(long = "vote", value_name = "NAME=HOW", value_parser = pair)]
        votes: Vec<(String, String)>,
        /// 表决什么 · what was asked
        question: String,
    },
    /// 填写程序的表单 · fill in a form of the procedure
    Record {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 表单代号 · the form
        #[arg(long)]
        form: String,
        /// 字段=内容，可写多次 · FIELD=VALUE, repeatable
        #[arg(value_name = "FIELD=VALUE", value_parser = pair)]
        fields: Vec<(String, String)>,
    },
    /// 督办一件下级承办的事项 · urge whoever holds a matter below
    Urge {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 提级督办 · raise it one level
        #[arg(long)]
        raised: bool,
        /// 说明，「-」从标准输入读 · a remark, `-` reads standard input
        #[arg(long)]
        note: Option<String>,
    },
    /// 公示 · post on the public board
    Post {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 几天 · for how many days
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        days: u16,
        /// 内容，「-」从标准输入读 · the text, `-` reads standard input
        text: String,
    },
    /// 对公示提出异议 · object to a posting
    Object {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 哪次公示；不写就是最近一次 · which posting; else the newest
        #[arg(long, value_name = "ACT")]
        post: Option<String>,
        /// 内容，「-」从标准输入读 · the text, `-` reads standard input
        text: String,
    },
    /// 约请部门或单位答复 · summon a unit to answer
    Summon {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 约请谁 · who
        #[arg(long)]
        unit: String,
        /// 几个工作日内 · within how many working days
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
        days: u16,
        /// 问什么，「-」从标准输入读 · the question, `-` reads standard input
        question: String,
    },
    /// 回复异议或约请 · respond to an objection or a summons
    Respond {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 哪一条；不写就是最早未回复的 · which; else the oldest without a reply
        #[arg(long, value_name = "ACT")]
        to: Option<String>,
        /// 对方用纸质或电话答复，这里代录 · said on paper or by telephone, passed on here
        #[arg(long)]
        relayed: bool,
        /// 内容，「-」从标准输入读 · the text, `-` reads standard input
        text: String,
    },
    /// 提级接办下级没有办的事项 · take a matter over from a place below
    TakeOver(Because),
    /// 裁定两边同时办理的以哪边为准 · say which of two branches goes on
    Settle {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 以哪一步为准 · the first step of the branch that goes on
        #[arg(long, value_name = "ACT")]
        branch: String,
    },
}

/// A matter and a reason.
#[derive(Debug, Args)]
pub struct Because {
    /// 编号 · the matter
    #[arg(value_name = "REF")]
    pub reference: String,
    /// 理由 · the reason
    #[arg(long)]
    pub reason: String,
}

/// How much is at stake.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Grade {
    /// 小事 · minor
    Minor,
    /// 一般 · ordinary
    Ordinary,
    /// 重大 · major
    Major,
}

/// How fast.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Urgency {
    /// 一般 · normal
    Normal,
    /// 紧急 · urgent
    Urgent,
    /// 特急 · immediate
    Immediate,
}

/// `字段=内容`
fn pair(stated: &str) -> Result<(String, String), crate::words::Both> {
    match stated.split_once(['=', '＝']) {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(crate::both!("要写成 字段=内容", "wants FIELD=VALUE")),
    }
}
