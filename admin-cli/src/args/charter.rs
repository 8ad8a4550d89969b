//! What `yishi charter` takes.

use clap::Subcommand;
use std::path::PathBuf;

/// `yishi charter …`
#[derive(Debug, Subcommand)]
pub enum CharterVerb {
    /// 看章程：今天谁值班，哪些任期快到，人员、单位、议事主体、分类、权限 · who is on duty, whose term ends, people and powers
    Show {
        /// 地点；不写就是本级 · a place; this one if left out
        place: Option<String>,
    },
    /// 打印章程文件，可存下来改；还没有时给出范本 · print the file, to be changed; one to begin with if there is none
    File {
        /// 地点；不写就是本级 · a place; this one if left out
        place: Option<String>,
    },
    /// 试发布：列出问题和变动，什么都不改 · try a file: its problems and what it changes; nothing is changed
    Stage {
        /// 章程文件，「-」从标准输入读 · the file, `-` reads standard input
        file: PathBuf,
    },
    /// 发布：先列出变动，确认后生效，对本级和下级有约束力 · issue a file: shows what changes, asks, then it binds here and below
    Issue {
        /// 章程文件，「-」从标准输入读 · the file, `-` reads standard input
        file: PathBuf,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 发布一年的放假调休通知，未办结事项的期限随之重算 · issue a year's holiday notice; open deadlines are counted anew
    Holidays {
        /// 年份 · the year
        year: i32,
        /// 表 date,kind,festival；kind 为 holiday 或 makeup_workday · the table
        file: PathBuf,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 移交清单：任期届满时交什么、还有哪些事没办完 · the hand-over list at the end of a term
    Handover,
}
