//! `yishi procedure …`: files are read, drawn and listed here; no node is asked.

use std::path::PathBuf;

use clap::Subcommand;

/// `yishi procedure …`
#[derive(Debug, Subcommand)]
pub enum ProcedureVerb {
    /// 检查程序文件：逐条列出问题的行和列，合格则给出指纹 · check a file: every problem with line and column, or its pin
    Check {
        /// 程序文件，「-」从标准输入读 · the file, `-` reads standard input
        file: PathBuf,
    },
    /// 画出程序的环节、关口和走向 · draw the stages, gates and ways
    Graph {
        /// 程序文件，或随程序附带的程序的代号 · the file, or the id of a shipped one
        file: PathBuf,
        /// 画成 SVG 写入文件，「-」写到标准输出 · as SVG into a file, `-` for standard output
        #[arg(long, value_name = "OUT")]
        svg: Option<PathBuf>,
    },
    /// 列出现行的议事程序 · list the procedures in force
    List {
        /// 只列随程序附带的，不连接节点 · those that come with the program; no node is asked
        #[arg(long)]
        shipped: bool,
    },
    /// 发布：先列出它代替什么，确认后对本级和下级生效 · issue a file: shows what it replaces, asks, then it binds here and below
    Issue {
        /// 程序文件，「-」从标准输入读 · the file, `-` reads standard input
        file: PathBuf,
        /// 不再询问 · do not ask
        #[arg(long)]
        yes: bool,
    },
    /// 打印一个附带的程序文件，可存下来改 · print the file of a shipped one, to be changed
    Show {
        /// 代号 · its id
        id: String,
    },
}
