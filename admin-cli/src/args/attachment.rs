//! `yishi attachment …`: photos of matters, for whoever looks after the machine.

use clap::Subcommand;

/// `yishi attachment …`
#[derive(Debug, Subcommand)]
pub enum AttachmentVerb {
    /// 列出照片：多大、在不在本机、上级有没有、属于哪件事项 · list photos: size, whether here and above, which matter
    List,
    /// 从本机清出上级已有的照片，腾出磁盘；有人要看时自动取回 · let photos go that the place above has; fetched again when somebody looks
    LetGo {
        /// 照片编号（见 list） · its name, as list shows it
        #[arg(required_unless_present = "all")]
        file: Option<String>,
        /// 凡上级已有的全部清出 · all that the place above has
        #[arg(long, conflicts_with = "file")]
        all: bool,
    },
}
