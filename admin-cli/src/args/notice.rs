//! `yishi notice` and `yishi stub`.

use clap::Subcommand;

use super::day;

/// `yishi notice …`
#[derive(Debug, Subcommand)]
pub enum NoticeVerb {
    /// 发一份通知；先显示发到多少单位，再发出 · give notice: whom it reaches is shown first
    Give {
        /// 标题 · a line that names it
        title: String,
        /// 内容，「-」从标准输入读 · its words, `-` reads standard input
        #[arg(long)]
        text: String,
        /// 种类：announcement 通知、directive 督办要求、topic 征集议题、resource 可用资源 · its sort
        #[arg(long, default_value = "announcement", value_parser = ["announcement", "directive", "topic", "resource"])]
        sort: String,
        /// 类别；可用资源显示在同类别的事项旁 · category; a resource is shown beside matters of it
        #[arg(long)]
        category: Option<String>,
        /// 有效到哪天 · the last day it holds
        #[arg(long, value_parser = day)]
        until: Option<String>,
        /// 发给哪个下级（连同它以下），可写多次；不写发给全部下级 · for which places, each with all below; may be repeated
        #[arg(long, value_name = "PLACE")]
        to: Vec<String>,
        /// 代替以前的哪一份 · the notice this is a new version of
        #[arg(long, value_name = "ID")]
        replaces: Option<String>,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 列出通知 · list
    List {
        /// 只看一种 · only of this sort
        #[arg(long, value_parser = ["announcement", "directive", "topic", "resource"])]
        sort: Option<String>,
        /// 也列过期和收回的 · also those that are over or were taken back
        #[arg(long)]
        all: bool,
        /// 最多几份 · at most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// 看一份通知和以前的版本 · show one with its earlier versions
    Show {
        /// 标识或其开头 · its id or the beginning of it
        id: String,
    },
    /// 收回本单位发的一份 · take back one of this place
    Recall {
        /// 标识或其开头 · its id or the beginning of it
        id: String,
        /// 理由，大家看得到 · why, for everybody to read
        #[arg(long)]
        reason: String,
    },
}

/// `yishi stub …`
#[derive(Debug, Subcommand)]
pub enum StubVerb {
    /// 看登记表上怎么说；已调阅的，和原件对照 · what the register says; once it is here, compared with the matter
    Show {
        /// 编号或标识 · number or id
        #[arg(value_name = "REF")]
        reference: String,
    },
    /// 调阅：写明理由，沿途各级都看得到 · open it on record; all between see who and why
    Open {
        /// 编号或标识 · number or id
        #[arg(value_name = "REF")]
        reference: String,
        /// 理由 · why
        #[arg(long)]
        reason: String,
    },
}
