//! The command line: nouns, then verbs. Help is in both languages, Chinese first.

mod attachment;
mod charter;
mod deliberation;
mod matter;
mod notice;
mod procedure;
mod sheet;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use attachment::*;
pub use charter::*;
pub use deliberation::*;
pub use matter::*;
pub use notice::*;
pub use procedure::*;
pub use sheet::*;

use crate::target::{Pin, Token};
use crate::words::Lang;

const EXIT_HELP: &str = "\
退出码 · Exit statuses:
  0   办成了 · done
  1   被规则或对方拒绝，什么都没有改动 · refused by the node or a rule, nothing was changed
  2   部分办成：导入时有不合格的行 · partly done: an import with bad rows
  3   连不上 · the node cannot be reached
  4   没有权限（令牌、身份或文件权限） · not allowed (token, pin or file permission)
  14  对方磁盘已满或不可写 · the node's disk is full or read-only
  24  对方的时钟不对 · the node's clock cannot be right
  25  没有这个地点或代码 · no such place or code
  26  不属于本级 · the place belongs elsewhere
  64  命令或文件写得不对 · wrong command line or file

加 --json 时，标准输出只有一个 JSON 文档；出错时是 {\"error\": …}。
With --json standard output is exactly one JSON document; on failure {\"error\": …}.";

/// 议事 · 管理员命令行 — Yishi, the operators' command line
#[derive(Debug, Parser)]
#[command(
    name = "yishi",
    version,
    after_help = EXIT_HELP,
    max_term_width = 100,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
    /// What it is about.
    #[command(subcommand)]
    pub noun: Noun,
}

/// Options of every verb.
#[derive(Debug, Args)]
#[command(next_help_heading = "通用选项 · Common options")]
pub struct Global {
    /// 文中的身份证号、手机号不是个人的（如公开电话），照原文保存；不写则存入密封信息
    /// · numbers in the text are nobody's and stay as written; without it they are sealed
    #[arg(long, global = true, verbatim_doc_comment)]
    pub keep_numbers: bool,
    /// 连接哪里：本机的 api.sock 路径，或 https://主机:端口 · where the node is: a socket's path or https://HOST:PORT
    /// [默认 · default: ./yishi-data/api.sock, /var/lib/yishi/api.sock]
    #[arg(
        long,
        global = true,
        env = "YISHI_NODE",
        value_name = "PATH|https://HOST:PORT",
        verbatim_doc_comment
    )]
    pub node: Option<String>,
    /// https 对方公钥的 SHA-256（yishi-node doctor 可查） · SHA-256 of the node's public key, for https
    #[arg(long, global = true, env = "YISHI_PIN", value_name = "HEX")]
    pub pin: Option<Pin>,
    /// 访问令牌；会被同机的人看到，最好用 --token-file · the token; others on this machine can see it, prefer --token-file
    #[arg(long, global = true, env = "YISHI_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Option<Token>,
    /// 存放令牌的文件，优先于 --token 和 YISHI_TOKEN · the file the token is in; it goes before the other two
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// 输出一个 JSON 文档，供程序读取 · one JSON document for programs
    #[arg(long, global = true)]
    pub json: bool,
    /// 语言 · the language [默认取自 LANG · default from LANG]
    #[arg(long, global = true, value_enum, ignore_case = true)]
    pub lang: Option<Lang>,
    /// 不用颜色（也可设 NO_COLOR） · no colour (or set NO_COLOR)
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// What a command is about.
#[derive(Debug, Subcommand)]
pub enum Noun {
    /// 地点：看树、邀请下级、撤销 · places
    #[command(subcommand, arg_required_else_help = true)]
    Place(PlaceVerb),
    /// 事项：登记、办理、答复、导入导出 · matters
    #[command(subcommand, arg_required_else_help = true)]
    Matter(MatterVerb),
    /// 章程：人员、单位、议事主体、分类、权限、放假调休、移交 · charters: people, units, bodies, powers, holidays
    #[command(subcommand, arg_required_else_help = true)]
    Charter(CharterVerb),
    /// 议事程序：检查、画图、发布 · procedures: check, draw, issue
    #[command(subcommand, arg_required_else_help = true)]
    Procedure(ProcedureVerb),
    /// 表格：由记录自动生成，不用另填 · sheets, made of what is on record
    #[command(subcommand, arg_required_else_help = true)]
    Sheet(SheetVerb),
    /// 照片：列出，清出上级已有的 · photos: list them, let go of those the place above has
    #[command(subcommand, arg_required_else_help = true)]
    Attachment(AttachmentVerb),
    /// 成果：决定及其落实 · outcomes
    #[command(subcommand, arg_required_else_help = true)]
    Outcome(OutcomeVerb),
    /// 通知：发给下级、收回；上级发来的 · notices: given below, taken back, received from above
    #[command(subcommand, arg_required_else_help = true)]
    Notice(NoticeVerb),
    /// 下级事项摘要：查看、调阅 · matters below known in summary: look, open on record
    #[command(subcommand, arg_required_else_help = true)]
    Stub(StubVerb),
    /// 上下级连接 · links
    #[command(subcommand, arg_required_else_help = true)]
    Link(LinkVerb),
    /// 本地人员 · people of this place
    #[command(subcommand, arg_required_else_help = true)]
    User(UserVerb),
    /// 程序用的访问令牌 · tokens for programs
    #[command(subcommand, arg_required_else_help = true)]
    Token(TokenVerb),
}

/// `yishi place …`
#[derive(Debug, Subcommand)]
pub enum PlaceVerb {
    /// 看本级、上级和下级的树，以及连接情况 · the tree of places and their links
    Tree,
    /// 邀请一个下级加入，给出一次性的邀请码和二维码 · invite a place below: a one-time token, also as QR
    Invite {
        /// 12 位区划代码 · the 12-digit code
        code: String,
        /// 名称；内置区划里有的可不填 · its name, if the code is not in the built-in divisions
        #[arg(long)]
        name: Option<String>,
        /// 层级 village、township、district … · its level
        #[arg(long)]
        level: Option<String>,
        /// 有效小时数 · valid for so many hours
        #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=24 * 365))]
        expires_hours: u32,
        /// 下级连接用的地址 · the address the new place shall dial
        #[arg(long, value_name = "HOST:PORT")]
        address: Option<String>,
        /// 该代码已有一个在用的，换成这个 · replace the live place that has this code
        #[arg(long)]
        replace: bool,
        /// 官方区划虽列在别处，确属本单位 · the place belongs here although the official list has it elsewhere
        #[arg(long)]
        here: bool,
        /// 不显示二维码 · no QR code
        #[arg(long)]
        no_qr: bool,
    },
    /// 准许一个下级的备用机接管，给出一次性的准许码；用上的那一刻，原来的机器停用 · let a standby take a place below over: a one-time token; once it is used the old machine is turned away
    Activate {
        /// 12 位区划代码 · the 12-digit code
        code: String,
        /// 有效小时数 · valid for so many hours
        #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=24 * 90))]
        expires_hours: u32,
        /// 下级连接用的地址 · the address the place shall dial
        #[arg(long, value_name = "HOST:PORT")]
        address: Option<String>,
        /// 不显示二维码 · no QR code
        #[arg(long)]
        no_qr: bool,
    },
    /// 撤销一个下级：断开连接，此后不再收它写的内容 · revoke a place below: its link closes, what it writes from now on is not taken
    Revoke {
        /// 代码、名称或标识 · code, name or id
        place: String,
        /// 原因，会留存 · the reason, which is kept
        #[arg(long)]
        reason: String,
        /// 只有本机在此刻之前收下的才算数，如失窃的时间：2026-11-16 或 "2026-11-16 09:30"；不写则已收下的全部算数
        /// only what this node had stored before then counts; without it all that is stored
        #[arg(long, value_name = "WHEN", verbatim_doc_comment)]
        since: Option<String>,
        /// 连换上的新钥匙一起撤销 · also the newest key, where one has replaced another
        #[arg(long)]
        all_keys: bool,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 把一个下级划给另一个上级，两边都要在本级之下 · move a place below to another parent, both below here
    Move {
        /// 代码、名称或标识 · code, name or id
        place: String,
        /// 新的上级 · the new parent
        #[arg(long)]
        to: String,
        /// 新上级的连接地址 · where the new parent is reached
        #[arg(long, value_name = "HOST:PORT")]
        address: Option<String>,
        /// 同时换成这个代码 · its new code
        #[arg(long)]
        code: Option<String>,
        /// 同时改成这个名称 · its new name
        #[arg(long)]
        name: Option<String>,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 把一个下级并入另一个下级：以后由后者办理 · merge a place below into another, which acts for it from now on
    Merge {
        /// 被并入的：代码、名称或标识 · the one that is merged: code, name or id
        place: String,
        /// 并入哪里 · into which
        #[arg(long)]
        into: String,
        /// 换了上级时，新上级的连接地址 · where the parent is reached, if it changes
        #[arg(long, value_name = "HOST:PORT")]
        address: Option<String>,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 给一个下级换代码、名称或层级 · give a place below another code, name or level
    Recode {
        /// 代码、名称或标识 · code, name or id
        place: String,
        /// 新的 12 位代码 · the new 12-digit code
        #[arg(long, required_unless_present_any = ["name", "level"])]
        code: Option<String>,
        /// 新的名称 · the new name
        #[arg(long)]
        name: Option<String>,
        /// 新的层级 · the new level
        #[arg(long)]
        level: Option<String>,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 采纳已撤销的钥匙写的、本机收下而未算数的内容 · let count what a revoked key wrote and this node had stored
    Admit {
        /// 代码、名称或标识 · code, name or id
        place: String,
        /// 原因，会留存 · the reason, which is kept
        #[arg(long)]
        reason: String,
        /// 此刻之前收下的 · what was stored here before then
        #[arg(long, value_name = "WHEN", required_unless_present = "matter")]
        until: Option<String>,
        /// 只采纳这些事项里的，可写多次 · only in these matters, may be repeated
        #[arg(long, value_name = "REF")]
        matter: Vec<String>,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// `yishi outcome …`
#[derive(Debug, Subcommand)]
pub enum OutcomeVerb {
    /// 对一件或多件事项作出决定 · decide on one or many matters
    Decide {
        /// 事项的编号 · the matters
        #[arg(required = true, value_name = "REF")]
        proposals: Vec<String>,
        /// 决定的标题 · the decision's title
        #[arg(long)]
        title: String,
        /// 决定的内容，「-」从标准输入读 · its text, `-` reads standard input
        #[arg(long)]
        text: String,
        /// 责任单位 · the responsible unit
        #[arg(long)]
        unit: Option<String>,
        /// 预算（元） · budget in yuan
        #[arg(long)]
        budget_yuan: Option<u64>,
        /// 完成期限 · due date
        #[arg(long, value_parser = day)]
        due_on: Option<String>,
        /// 同时给提出人的答复 · the reply to everyone who raised it
        #[arg(long)]
        answer: Option<String>,
    },
    /// 列出成果 · list
    List {
        /// 最多几条 · at most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// 看一个成果 · show one
    Show {
        /// 标识或其开头 · its id or the beginning of it
        #[arg(value_name = "REF")]
        reference: String,
    },
}

/// `yishi link …`
#[derive(Debug, Subcommand)]
pub enum LinkVerb {
    /// 看上下级连接：何时联通过、有多少还没送到 · the links: last contact, what is still waiting
    Status,
    /// 马上重新连接上级 · dial the parent now
    Reconnect,
}

/// `yishi user …`
#[derive(Debug, Subcommand)]
pub enum UserVerb {
    /// 添加一个人；不给密码就生成一个，只显示一次 · add a person; without a password one is made and shown once
    Add {
        /// 登录名 · the name to sign in with
        name: String,
        /// 角色，可写多次：collector clerk grid_worker mediator council_member board_member group_leader
        /// stationed_official unit_handler operator supervisor administrator · roles, may be repeated
        #[arg(long = "role", required = true, value_name = "ROLE", value_delimiter = ',')]
        roles: Vec<String>,
        /// 显示的姓名 · the name shown
        #[arg(long)]
        display_name: Option<String>,
        /// 从文件读密码，「-」从标准输入读 · read the password from a file, `-` from standard input
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// 列出人员 · list
    List,
}

/// `yishi token …`
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// 发一个令牌，只显示一次 · make a token; it is shown once
    Create {
        /// 给谁用 · what it is for
        name: String,
        /// 权限，可写多次：matters:read matters:write places:write users:write admin · scopes, may be repeated
        #[arg(long = "scope", required = true, value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<String>,
        /// 有效天数 · valid for so many days
        #[arg(long)]
        expires_days: Option<u32>,
        /// 写入文件（仅本人可读），不显示 · write it to a file only you can read, and do not show it
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// 列出令牌（不含内容） · list, without their values
    List,
    /// 作废一个令牌 · revoke one
    Revoke {
        /// 标识 · its id
        id: String,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// A day on the command line, in any of the ways people write one, as `YYYY-MM-DD`.
fn day(text: &str) -> Result<String, crate::words::Both> {
    crate::import::dates::read(text).map(|when| when.day.to_string())
}
