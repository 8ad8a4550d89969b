//! `yishi sheet …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Format;

/// `yishi sheet …`
#[derive(Debug, Subcommand)]
pub enum SheetVerb {
    /// 有哪些表，各要填什么 · the sheets there are, and what each asks
    List,
    /// 在屏幕上看一张表 · one sheet on the screen
    Show(OneSheet),
    /// 自己的 Excel 表，由季报指标填好 · Excel forms of one's own, filled from the quarterly return
    #[command(subcommand)]
    Form(FormVerb),
    /// 存成 Excel 或 CSV；要打印的，在网页“表格”里打 · as Excel or CSV; to print one, use the page
    Export {
        /// Which, and what is asked of it.
        #[command(flatten)]
        sheet: OneSheet,
        /// 写入文件；不写则输出到标准输出 · into a file instead of standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// 格式；默认看文件名，否则 CSV · format, by default from the file's name, else CSV
        #[arg(long, value_enum, ignore_case = true)]
        format: Option<Format>,
    },
}

/// `yishi sheet form …`
#[derive(Debug, Subcommand)]
pub enum FormVerb {
    /// 上传一张自己的 Excel 表：先显示认出哪些单元格，确认后保存 · keep an Excel form: shown first, kept once confirmed
    Add {
        /// .xlsx 文件 · the file
        file: PathBuf,
        /// 表名，默认用文件名 · its name, by default the file's
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// 不询问 · without asking
        #[arg(long)]
        yes: bool,
    },
    /// 有哪些表 · the forms there are
    List,
    /// 一张表填哪些单元格 · which cells of one are filled
    Show {
        /// 表名 · its name
        name: String,
    },
    /// 取一张填好的表 · one, filled
    Export {
        /// 表名 · its name
        name: String,
        /// 写入文件 · into this file
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// 季度，如 2026-Q4；默认本季度 · a quarter, this one by default
        #[arg(long, value_name = "QUARTER")]
        quarter: Option<String>,
        /// 登记单位：self、代码或名称 · the place that registered: self, a code or a name
        #[arg(long, value_name = "PLACE")]
        home: Option<String>,
        /// 数据不全也照填 · also where the figures are not whole
        #[arg(long)]
        partial: bool,
    },
    /// 删除一张表；已取走的不受影响 · take one away; files already made stay
    Remove {
        /// 表名 · its name
        name: String,
        /// 不询问 · without asking
        #[arg(long)]
        yes: bool,
    },
}

/// A sheet and what is asked of it.
#[derive(Debug, Args)]
pub struct OneSheet {
    /// 表的代号，见 yishi sheet list · its name, see yishi sheet list
    pub name: String,
    /// 事项编号 · a matter
    #[arg(long, value_name = "REF")]
    pub matter: Option<String>,
    /// 登记单位：self、代码或名称 · the place that registered: self, a code or a name
    #[arg(long, value_name = "PLACE")]
    pub home: Option<String>,
    /// 从哪天 · from this day
    #[arg(long, value_name = "DAY")]
    pub since: Option<String>,
    /// 到哪天 · until this day
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,
    /// 季度，如 2026-Q4 · a quarter
    #[arg(long, value_name = "QUARTER")]
    pub quarter: Option<String>,
    /// 月份，如 2026-11 · a month
    #[arg(long, value_name = "MONTH")]
    pub month: Option<String>,
    /// 年份，如 2026 · a year
    #[arg(long, value_name = "YEAR")]
    pub year: Option<String>,
    /// 每次会补多少元 · yuan for one meeting
    #[arg(long, value_name = "YUAN")]
    pub rate: Option<u32>,
    /// 哪个会，写程序里的代号 · a body, by its name in the procedure
    #[arg(long, value_name = "BODY")]
    pub body: Option<String>,
    /// 带反映人姓名电话，查看会留记录 · with petitioners' names; opening them is logged
    #[arg(long)]
    pub names: bool,
}
