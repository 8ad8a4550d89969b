//! The verbs of a matter: its way from being raised to being told and rated, and tables in and out.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{day, deliberation::DeliberationVerb};
use crate::export::Template;
use crate::import::columns::Mapping;

/// `yishi matter …`
#[derive(Debug, Subcommand)]
pub enum MatterVerb {
    /// 登记一件事项 · raise a matter
    Raise(Raise),
    /// 列出事项 · list
    List(List),
    /// 看一件事项的全部记录 · show one with its whole record
    Show(One),
    /// 现在可以做什么、不能做什么、为什么 · what can be done next, what cannot, and why
    Next(One),
    /// 督办：谁超期了，谁没有联系上，什么迟到了 · what is late, who is not heard from, what arrived late
    Supervision,
    /// 可能是同一件事的其他事项，连同理由；由人决定是否并案
    /// · other matters that may be the same, with the reason; people decide
    #[command(verbatim_doc_comment)]
    Similar(One),
    #[command(flatten)]
    Deliberation(DeliberationVerb),
    /// 不予受理 · refuse, with the reason
    Refuse {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 理由，会告知提出人 · the reason, which whoever raised it is told
        #[arg(long)]
        reason: String,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 忘记来访人：各级删除能打开其身份的钥匙，无法恢复；不给 --confirm 就只看各级是否已忘记
    /// · forget the petitioner: every level deletes the keys, for good; without --confirm only tell who has
    #[command(verbatim_doc_comment)]
    Forget {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 照抄编号以确认 · the number written out, to confirm
        #[arg(long, value_name = "NUMBER")]
        confirm: Option<String>,
        /// 缘由，不写姓名 · why, without names
        #[arg(long)]
        reason: Option<String>,
    },
    /// 记录办理情况 · record what was done
    Handle(WithText),
    /// 上报上级 · escalate to the parent
    Escalate {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 理由 · the reason
        #[arg(long)]
        reason: Option<String>,
    },
    /// 退回 · return
    Return {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 理由 · the reason
        #[arg(long)]
        reason: String,
        /// 退给哪里；不写就退回来的地方 · to which place; else where it came from
        #[arg(long, value_name = "PLACE")]
        to: Option<String>,
    },
    /// 把相似的事项并入一件 · merge like matters into one
    Merge {
        /// 牵头的事项 · the lead
        #[arg(value_name = "LEAD")]
        lead: String,
        /// 并入的事项 · those merged into it
        #[arg(required = true, value_name = "REF")]
        sources: Vec<String>,
    },
    /// 从并案中拆出；已给的答复保留 · take out of a merge; replies given stay
    Unmerge(One),
    /// 答复 · answer
    Answer {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 答复内容，「-」从标准输入读 · the reply, `-` reads standard input
        text: String,
        /// 答复日期 · its date
        #[arg(long, value_parser = day)]
        on: Option<String>,
    },
    /// 记录已告知提出人 · record that whoever raised it was told
    Tell {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 怎样告知 · how
        #[arg(long, value_enum)]
        how: How,
        /// 告知的是哪个答复；不写就是最近一个 · which answer; else the latest
        #[arg(long, value_name = "ACT")]
        answer: Option<String>,
        /// 备注 · a remark
        #[arg(long)]
        note: Option<String>,
    },
    /// 评价满意度（1–5 分） · rate the result, 1 to 5
    Rate {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 分数 · the score
        #[arg(long, value_parser = clap::value_parser!(u8).range(1..=5))]
        score: u8,
        /// 谁评的 · who rated
        #[arg(long, value_enum)]
        source: RatingSource,
        /// 备注 · a remark
        #[arg(long)]
        note: Option<String>,
    },
    /// 办结 · close
    Close {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 备注 · a remark
        #[arg(long)]
        note: Option<String>,
    },
    /// 重新办理 · reopen
    Reopen(WithReason),
    /// 应提出人要求撤回 · withdraw at the petitioner's wish
    Withdraw {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 理由 · the reason
        #[arg(long)]
        reason: String,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 更正自己刚写的一步，原文仍可见 · correct your own last step; the original stays visible
    Correct {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 标题 · the title
        #[arg(long)]
        title: Option<String>,
        /// 内容，「-」从标准输入读 · the text, `-` reads standard input
        #[arg(long)]
        body: Option<String>,
        /// 类别 · the category
        #[arg(long)]
        category: Option<String>,
        /// 那一步的文字 · the step's own text
        #[arg(long)]
        text: Option<String>,
    },
    /// 补充意见 · comment
    Comment(WithText),
    /// 附议 · support
    Support {
        /// 编号 · the matter
        #[arg(value_name = "REF")]
        reference: String,
        /// 几户或几人 · how many
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        count: Option<u32>,
        /// 备注 · a remark
        #[arg(long)]
        note: Option<String>,
    },
    /// 导入热线、留言板等的表格（CSV 或 Excel） · import a hotline's table, CSV or Excel
    Import(Import),
    /// 按来源的编号和模板导出答复 · export replies by the source's number, in its template
    Export(Export),
}

/// One matter.
#[derive(Debug, Args)]
pub struct One {
    /// 编号，或标识的开头（至少 6 位） · its number, or the beginning of its id (6 digits or more)
    #[arg(value_name = "REF")]
    pub reference: String,
}

/// A matter and a text.
#[derive(Debug, Args)]
pub struct WithText {
    /// 编号 · the matter
    #[arg(value_name = "REF")]
    pub reference: String,
    /// 内容，「-」从标准输入读 · the text, `-` reads standard input
    pub text: String,
}

/// A matter and a reason.
#[derive(Debug, Args)]
pub struct WithReason {
    /// 编号 · the matter
    #[arg(value_name = "REF")]
    pub reference: String,
    /// 理由 · the reason
    #[arg(long)]
    pub reason: String,
}

/// How somebody was told.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum How {
    /// 电话 · by telephone
    Phone,
    /// 上门 · a visit
    Visit,
    /// 书面 · on paper
    Paper,
    /// 网络 · online
    Online,
}

/// Who rated.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum RatingSource {
    /// 本人 · the resident
    Resident,
    /// 回访 · a revisit
    Revisit,
    /// 第三方 · a third party
    ThirdParty,
    /// 代填 · by proxy
    Proxy,
}

/// `yishi matter raise`
#[derive(Debug, Args)]
pub struct Raise {
    /// 内容，「-」从标准输入读 · the text, `-` reads standard input
    pub body: String,
    /// 标题 · a title
    #[arg(long)]
    pub title: Option<String>,
    /// 类别 · a category
    #[arg(long)]
    pub category: Option<String>,
    /// 来源，如 residents 群众出题 · the source
    #[arg(long)]
    pub source: Option<String>,
    /// 渠道，如 home_visit 家访、hotline 专线 · the channel
    #[arg(long)]
    pub channel: Option<String>,
    /// 提出日期 · the day it was raised
    #[arg(long, value_parser = day)]
    pub raised_on: Option<String>,
    /// 提出人：文件或「-」，三行：姓名、电话、住址；不写在命令行上，以免旁人看到
    /// · who raised it: a file or `-`, three lines: name, telephone, address; never on the command line
    #[arg(long, value_name = "FILE", verbatim_doc_comment)]
    pub petitioner: Option<PathBuf>,
    /// 当场办结：答复内容 · settled on the spot, with this reply
    #[arg(long, value_name = "TEXT")]
    pub settle: Option<String>,
    /// 来源系统的编号，写成 系统:编号 · the source's number as SYSTEM:NUMBER
    #[arg(long, value_name = "SYSTEM:NUMBER")]
    pub external: Option<String>,
}

/// `yishi matter list`
#[derive(Debug, Args)]
pub struct List {
    /// 环节，如 registered、handling · the stage
    #[arg(long)]
    pub stage: Option<String>,
    /// 承办单位：self 或代码 · the holder: self or a code
    #[arg(long)]
    pub holder: Option<String>,
    /// 提出的地点 · the place it was raised in
    #[arg(long)]
    pub home: Option<String>,
    /// 类别 · the category
    #[arg(long)]
    pub category: Option<String>,
    /// 搜索文字 · words to search for
    #[arg(long, short)]
    pub query: Option<String>,
    /// 超期的或快到期的 · overdue, or due soon
    #[arg(long, value_enum)]
    pub due: Option<Due>,
    /// 已答复、还没告知提出人的 · answered, but whoever raised it is not told yet
    #[arg(long)]
    pub untold: bool,
    /// 还没办完的 · not finished
    #[arg(long)]
    pub open: bool,
    /// 排序 · the order
    #[arg(long, value_enum)]
    pub sort: Option<Sort>,
    /// 最多几件 · at most so many
    #[arg(long, default_value_t = 50, conflicts_with = "all")]
    pub limit: usize,
    /// 全部 · all of them
    #[arg(long)]
    pub all: bool,
}

/// Which deadlines.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Due {
    /// 超期 · past its day
    Overdue,
    /// 快到期 · soon
    Soon,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Sort {
    /// 最近有变化的在前 · latest change first
    Updated,
    /// 先到期的在前 · nearest deadline first
    Deadline,
    /// 按编号 · by number
    Number,
}

/// `yishi matter import`
#[derive(Debug, Args)]
pub struct Import {
    /// CSV 或 Excel 文件 · a CSV or Excel file
    pub file: PathBuf,
    /// 字段=表头，可写多次；字段有 number title body raised_at answer answered_at category。
    /// 一个都不写就按常见表头自动认 · FIELD=HEADER, may be repeated; without any, common headers are recognised
    #[arg(long = "map", value_name = "FIELD=HEADER")]
    pub maps: Vec<Mapping>,
    /// 来源系统的名字；重复导入靠它和编号认出 · the source's name; with the number it makes a repeated import harmless
    #[arg(long, default_value = "hotline")]
    pub system: String,
    /// 工作表名 · the worksheet
    #[arg(long)]
    pub sheet: Option<String>,
    /// 文件编码；一般不用写 · the file's encoding, if it is not recognised
    #[arg(long)]
    pub encoding: Option<String>,
    /// 只检查，不导入 · check only
    #[arg(long)]
    pub dry_run: bool,
    /// 最多几行 · at most so many rows
    #[arg(long)]
    pub limit: Option<usize>,
    /// 从表格的第几行开始 · start at this row of the table
    #[arg(long, value_name = "ROW", default_value_t = 0, hide_default_value = true)]
    pub from_row: usize,
    /// 把不合格的行连同原因写入这个 CSV · write the bad rows with their reasons to this CSV
    #[arg(long, value_name = "FILE.csv")]
    pub errors: Option<PathBuf>,
}

/// `yishi matter export`
#[derive(Debug, Args)]
pub struct Export {
    /// 来源系统的名字 · the source's name
    #[arg(long, default_value = "hotline")]
    pub system: String,
    /// 列模板：表头=字段,… 字段有 number matter title answer answered_on stage stage_zh
    /// · the columns: HEADER=FIELD,…
    #[arg(
        long,
        default_value = "留言编号=number,留言主题=title,答复意见=answer,答复时间=answered_on",
        value_name = "HEADER=FIELD,…",
        verbatim_doc_comment
    )]
    pub template: Template,
    /// 格式；不写就看文件名，否则 CSV · the format; else by the file's name, else CSV
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// 写入文件；不写就输出到屏幕 · the file; else standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// 只要这天以后答复的 · only what was answered since this day
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub since: Option<String>,
}

/// A table's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// 逗号分隔，Excel 可直接打开 · comma-separated, opens in Excel
    Csv,
    /// Excel 工作簿 · an Excel workbook
    Xlsx,
}
