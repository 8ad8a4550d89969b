//! What can go wrong with the database, in words for whoever must act on it.
//!
//! Every message says what happened, what was kept and what to do, in Chinese and in English.

use sqlx::migrate::MigrateError;
use std::{fmt, io, path::PathBuf, sync::Arc};
use yishi_protocol::{
    cert::CertError,
    codec::DecodeError,
    ids::{ActorId, CertHash, ChangeHash, DocId},
};

/// Why the store did not do what it was asked. Nothing of a failed request is kept.
#[derive(Debug, Clone)]
pub enum StoreError {
    /// There is no room left on the disk.
    DiskFull,
    /// The directory or the database may not be written.
    ReadOnly,
    /// The database file is damaged.
    Damaged(String),
    /// The disk reported an error.
    Disk(String),
    /// The disk did not confirm that it keeps what it was given (fsync): what it holds of the last writes
    /// is not known, and asking once more would get a yes that means nothing.
    Unsure(String),
    /// No database is there.
    Missing(PathBuf),
    /// A database is already there.
    Exists(PathBuf),
    /// Another process has it open.
    InUse(PathBuf),
    /// A newer program wrote it.
    Newer,
    /// The store was closed.
    Closed,
    /// A change of a document whose header is not here.
    UnknownDocument(DocId),
    /// A change of an actor nobody vouched for.
    UnknownActor(ActorId),
    /// An actor record that does not follow from its certificate.
    WrongActor(ActorId),
    /// Something signed under a certificate that is not here.
    UnknownCertificate(CertHash),
    /// A signature of a change that is not here.
    UnknownChange(DocId, ChangeHash),
    /// No such link.
    UnknownLink(i64),
    /// A position in a feed that was never reached.
    BeyondFeed {
        /// The position named.
        seq: u64,
        /// The feed's last position.
        head: u64,
    },
    /// A certificate or revocation that does not hold.
    Certificate(CertError),
    /// Stored bytes that this program cannot read.
    Unreadable(DecodeError),
    /// A name that must be unique is already used.
    Taken,
    /// The parent has certified another box for this place: this one authors nothing any more.
    StoodDown,
    /// Anything else the database engine said.
    Engine(Arc<sqlx::Error>),
}

impl StoreError {
    /// Whether trying the same again later can help without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::DiskFull | Self::Disk(_) | Self::ReadOnly)
    }

    /// Whether nothing can go on without somebody looking at the machine. Anything else ends only what
    /// it happened to.
    #[must_use]
    pub fn ends_the_node(&self) -> bool {
        matches!(self, Self::Closed | Self::Damaged(_) | Self::Newer | Self::Unsure(_))
    }

    /// The message in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::DiskFull => "磁盘空间不足，这一次没有保存；此前保存的内容都完好。请清理磁盘后重试。".into(),
            Self::ReadOnly => {
                "数据目录不可写入，这一次没有保存；此前保存的内容都完好。请检查目录权限或磁盘是否被设为只读，然后重新启动。"
                    .into()
            }
            Self::Damaged(what) => format!(
                "数据库文件已损坏（{what}）。程序没有改动该文件。请先另存一份，再用最近的备份恢复；已送达上级的内容会在恢复后自动取回。"
            ),
            Self::Disk(what) => format!(
                "读写磁盘时出错（{what}），这一次没有保存；此前确认保存的内容不受影响。请检查磁盘或存储卡，必要时更换后用备份恢复。"
            ),
            Self::Unsure(what) => format!(
                "磁盘没有确认写入（{what}），刚才这一次是否保存不能确定，没有当作已保存；此前确认保存的内容都完好。程序现在停止，重新启动后即可看到是否保存。请检查磁盘或存储卡，必要时更换后用备份恢复。"
            ),
            Self::Missing(path) => {
                format!("在 {} 没有找到数据库。请检查目录是否写对；新建本地数据请用 init 或 join。", path.display())
            }
            Self::Exists(path) => {
                format!("{} 已有数据库，没有改动它。请换一个空目录，或直接启动已有的数据。", path.display())
            }
            Self::InUse(path) => format!(
                "{} 正由另一个程序使用，本程序没有改动任何内容。请先停止已在运行的程序。",
                path.display()
            ),
            Self::Newer => {
                "数据库由更新版本的程序写成，本程序没有改动它。请安装新版本程序，或用升级前的备份恢复。".into()
            }
            Self::Closed => "程序正在停止，这一次没有保存；此前保存的内容都完好。请在重新启动后再试。".into(),
            Self::UnknownDocument(doc) => {
                format!("本地没有文档 {doc} 的文件头，与它有关的内容没有保存。重新连接后会自动补齐。")
            }
            Self::UnknownActor(actor) => {
                format!("没有证书说明 {actor} 是谁，它写的内容没有保存。重新连接后会自动补齐。")
            }
            Self::WrongActor(actor) => {
                format!("{actor} 与它的证书不符，它写的内容没有保存。请联系写下该内容的单位。")
            }
            Self::UnknownCertificate(cert) => {
                format!("本地没有证书 {cert}，凭它签名的内容没有保存。重新连接后会自动补齐。")
            }
            Self::UnknownChange(doc, change) => {
                format!("本地没有文档 {doc} 的改动 {change}，对它的签名没有保存。重新连接后会自动补齐。")
            }
            Self::UnknownLink(id) => format!("没有编号为 {id} 的上下级连接，没有改动任何内容。请先查看连接列表。"),
            Self::BeyondFeed { seq, head } => {
                format!("对方确认收到第 {seq} 条，而本地只发到第 {head} 条；没有改动任何内容，双方将重新核对。")
            }
            Self::Certificate(e) => {
                format!("证书或吊销不成立（{e}），没有保存，其余内容不受影响。请联系签发单位。")
            }
            Self::Unreadable(e) => {
                format!("有保存的内容本程序读不懂（{e}）；原样保留，没有改动。请安装新版本程序，或用备份恢复。")
            }
            Self::Taken => "这个名称或编号已被使用，没有保存新的内容，原有的保留。请换一个。".into(),
            Self::StoodDown => {
                "本单位已由上级准许的另一台机器接管，这台不再写入：没有保存新的内容，原有的全部保留、照常可看。请到新机器上办理。".into()
            }
            Self::Engine(e) => {
                format!("数据库拒绝了这次操作（{e}），没有保存；此前保存的内容都完好。请把这句话交给维护人员。")
            }
        }
    }

    /// The message in English.
    #[must_use]
    pub fn en(&self) -> String {
        match self {
            Self::DiskFull => {
                "The disk is full: nothing of this request was saved, everything saved before is intact. Free some space and try again.".into()
            }
            Self::ReadOnly => {
                "The data directory cannot be written: nothing of this request was saved, everything saved before is intact. Check the directory's permissions and whether the disk is mounted read-only, then start again.".into()
            }
            Self::Damaged(what) => format!(
                "The database file is damaged ({what}). It was left as it is. Copy it aside, then restore the latest backup; what had reached the parent comes back by itself."
            ),
            Self::Disk(what) => format!(
                "The disk reported an error ({what}): nothing of this request was saved, what was confirmed before is not affected. Check the disk or card; if it has to be replaced, restore a backup."
            ),
            Self::Unsure(what) => format!(
                "The disk did not confirm a write ({what}): whether this request was saved is not known, and it was not called saved; everything confirmed before is intact. The program stops now; started again, it shows whether it was saved. Check the disk or card; if it has to be replaced, restore a backup."
            ),
            Self::Missing(path) => format!(
                "There is no database in {}. Check the directory; init or join makes a new one.",
                path.display()
            ),
            Self::Exists(path) => format!(
                "There is already a database in {}; it was left as it is. Choose an empty directory or start the existing one.",
                path.display()
            ),
            Self::InUse(path) => format!(
                "{} is in use by another process; nothing was changed. Stop that process first.",
                path.display()
            ),
            Self::Newer => "The database was written by a newer program; it was left as it is. Install the newer program or restore the backup made before the upgrade.".into(),
            Self::Closed => "The program is stopping: nothing of this request was saved, everything saved before is intact. Try again after the restart.".into(),
            Self::UnknownDocument(doc) => format!(
                "The header of document {doc} is not here, so nothing about it was saved. It is completed on the next connection."
            ),
            Self::UnknownActor(actor) => format!(
                "No certificate says who {actor} is, so nothing it wrote was saved. It is completed on the next connection."
            ),
            Self::WrongActor(actor) => format!(
                "{actor} does not follow from its certificate, so nothing it wrote was saved. Ask the place that wrote it."
            ),
            Self::UnknownCertificate(cert) => format!(
                "Certificate {cert} is not here, so nothing signed under it was saved. It is completed on the next connection."
            ),
            Self::UnknownChange(doc, change) => format!(
                "Change {change} of document {doc} is not here, so the signature of it was not saved. It is completed on the next connection."
            ),
            Self::UnknownLink(id) => {
                format!("There is no link {id}; nothing was changed. Look at the list of links.")
            }
            Self::BeyondFeed { seq, head } => format!(
                "The peer confirms entry {seq} but only {head} were sent; nothing was changed, both sides will compare what they hold."
            ),
            Self::Certificate(e) => format!(
                "A certificate or revocation does not hold ({e}): it was not saved, nothing else is affected. Ask the place that issued it."
            ),
            Self::Unreadable(e) => format!(
                "Something stored cannot be read by this program ({e}); it was kept as it is. Install a newer program or restore a backup."
            ),
            Self::Taken => "This name or number is already used: nothing new was saved, the old one stays. Choose another.".into(),
            Self::StoodDown => "Another machine, certified from above, has taken this place over, and this one writes nothing any more: nothing new was saved, everything here is kept and can be read. Work on the new machine.".into(),
            Self::Engine(e) => format!(
                "The database refused ({e}): nothing of this request was saved, everything saved before is intact. Show this sentence to whoever maintains the machine."
            ),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.zh(), self.en())
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Engine(e) => Some(e.as_ref()),
            Self::Certificate(e) => Some(e),
            Self::Unreadable(e) => Some(e),
            _ => None,
        }
    }
}

// SQLite's primary result codes: https://www.sqlite.org/rescode.html
const SQLITE_BUSY: u32 = 5;
const SQLITE_READONLY: u32 = 8;
const SQLITE_IOERR: u32 = 10;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_CANTOPEN: u32 = 14;
const SQLITE_NOTADB: u32 = 26;
// Extended codes of SQLITE_IOERR: a sync that failed, of a file or of its directory.
const SQLITE_IOERR_FSYNC: u32 = SQLITE_IOERR | 4 << 8;
const SQLITE_IOERR_DIR_FSYNC: u32 = SQLITE_IOERR | 5 << 8;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(database) = &error {
            if database.is_unique_violation() {
                return Self::Taken;
            }
            let extended = database.code().and_then(|c| c.parse::<u32>().ok());
            let said = database.message().to_owned();
            if matches!(extended, Some(SQLITE_IOERR_FSYNC | SQLITE_IOERR_DIR_FSYNC)) {
                return Self::Unsure(said);
            }
            match extended.map(|extended| extended & 0xff) {
                Some(SQLITE_FULL) => return Self::DiskFull,
                Some(SQLITE_READONLY) => return Self::ReadOnly,
                Some(SQLITE_CORRUPT | SQLITE_NOTADB) => return Self::Damaged(said),
                Some(SQLITE_IOERR | SQLITE_CANTOPEN | SQLITE_BUSY) => return Self::Disk(said),
                _ => {}
            }
        }
        match error {
            sqlx::Error::Io(e) => e.into(),
            sqlx::Error::PoolClosed => Self::Closed,
            other => Self::Engine(Arc::new(other)),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Disk(error.to_string()),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => Self::Newer,
            MigrateError::Execute(e) => e.into(),
            MigrateError::ExecuteMigration(e, _) => e.into(),
            other => Self::Engine(Arc::new(sqlx::Error::Migrate(Box::new(other)))),
        }
    }
}

impl From<CertError> for StoreError {
    fn from(error: CertError) -> Self {
        Self::Certificate(error)
    }
}

impl From<DecodeError> for StoreError {
    fn from(error: DecodeError) -> Self {
        Self::Unreadable(error)
    }
}
