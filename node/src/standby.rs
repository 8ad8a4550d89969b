//! A standby: a second machine of a place that follows the active one by its backups, and takes over by the
//! parent's word.
//!
//! The invariant: a standby authors nothing. Its copy lies under a name that no other part of the program
//! opens, so there is nothing to run by mistake, and two machines never write under one key. Taking over
//! gives it a key of its own, and the parent's certificate for it has the next number of the place. Whichever
//! machine has not the newest certificate of its place is turned away by its neighbours, and when it hears of
//! that authors nothing ([`World::is_active`](crate::store::World::is_active)). What it never delivered nobody
//! else has, so it counts nowhere: it is kept and listed there ([`only_here`](crate::store::Store::only_here)), until the
//! parent lets that machine take the place back. The old key does not end: a parent does not see all its place has
//! said below, and what the first machine said in good faith goes on counting. In wrong hands it is revoked.

use crate::{
    backup::{self, BackupError},
    clock::Clock,
    home::{Home, HomeError},
    link::JoinError,
    setup::{self, SetupError},
    store::{Look, Store, StoreError},
    verify,
};
use serde::Serialize;
use std::{
    fmt,
    fs::{self, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use thiserror::Error;
use yishi_protocol::{
    ids::{FederationId, PlaceId},
    invite::Invite,
};

/// China has one time zone; what is stored is eight hours behind what people read.
const CHINA_S: u64 = 8 * 3_600;
/// Older than this, a standby is told to be fed.
const STALE_MS: u64 = 86_400_000;

/// Why a standby was not made, fed or made active. It is as it was then.
#[derive(Debug, Error)]
pub enum StandbyError {
    /// The folder.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The copy cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The parent did not agree, or was not reached.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The parent did not agree, or was not reached, and why is known.
    #[error(
        "{zh}。没有接管，什么也没有改动。\nNot taken over; a token for a standby comes from `yishi place activate CODE` above"
    )]
    Refused {
        /// In Chinese.
        zh: String,
        /// The same as it was told.
        source: SetupError,
    },
    /// There is none.
    #[error(
        "{0} 里没有备用机，什么也没有改动。先用一份备份建一个：yishi-node standby {0} --from 备份文件。\n{0} holds no standby; nothing was changed. Make one from a backup: yishi-node standby {0} --from FILE"
    )]
    None(PathBuf),
    /// The backup is not newer than what is here.
    #[error(
        "{path} 是 {theirs} 的备份，备用机已经跟到 {ours}，没有改动。请用更新的备份。\n{path} was made on {theirs}, the standby follows to {ours} already and was left as it is. Use a newer backup"
    )]
    Older {
        /// Which.
        path: PathBuf,
        /// When it was made.
        theirs: String,
        /// How far the standby is.
        ours: String,
    },
    /// It is another place's.
    #[error(
        "备用机是{ours}的，给的是{theirs}的，没有改动。每个单位的备用机用自己的目录。\nthe standby is {ours}'s, and this is {theirs}'s; nothing was changed. Each place's standby has a folder of its own"
    )]
    OtherPlace {
        /// Whose standby it is.
        ours: String,
        /// Whose the other is.
        theirs: String,
    },
    /// The folder's files could not be moved.
    #[error(
        "{path} 写不成（{source}）。请检查磁盘空间和权限；备用机还在，准许码若已用掉，请上级再开一张。\n{path} could not be written ({source}). Check space and permissions; the standby is still here. If the token was used meanwhile, ask for another one"
    )]
    Disk {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How far a standby follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Following {
    /// Always `standby`.
    pub state: &'static str,
    /// Whose it is.
    pub place: PlaceId,
    /// The place's name.
    pub name: String,
    /// When the backup it holds was made, in milliseconds since 1970.
    pub as_of_ms: u64,
    /// The same for people, in China's time.
    pub as_of: String,
    /// How long ago, by this machine's clock.
    pub behind_ms: u64,
    /// Documents in it.
    pub documents: u64,
    /// The backup is of a box that had been taken over already: what the active one wrote since is not in it.
    pub stood_down: bool,
    #[serde(skip)]
    federation: FederationId,
}

impl fmt::Display for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, as_of, documents) = (&self.name, &self.as_of, self.documents);
        let (hours, minutes) = (self.behind_ms / 3_600_000, self.behind_ms / 60_000 % 60);
        writeln!(
            f,
            "{name}的备用机，跟到 {as_of}（{hours} 小时 {minutes} 分钟以前），{documents} 份文档。不运行，不写入。"
        )?;
        writeln!(
            f,
            "Standby of {name}, as of {as_of} ({hours} h {minutes} min ago), {documents} documents. It neither runs nor writes."
        )?;
        if self.behind_ms > STALE_MS {
            writeln!(f, "太旧了：请用更新的备份跟上。\nIt is old: feed it a newer backup.")?;
        }
        if self.stood_down {
            writeln!(
                f,
                "注意：这份备份出自已被接管、停用的机器，请改用在用机器的备份。\n\
                 Mind: the backup is of a box that had been taken over and stopped. Use those of the active one."
            )?;
        }
        Ok(())
    }
}

fn moment(ms: u64) -> String {
    let seconds = ms / 1_000 + CHINA_S;
    let day = yishi_protocol::calendar::Date::from_days((seconds / 86_400).cast_signed());
    let day = day.map_or_else(String::new, |d| d.to_string());
    format!("{day} {:02}:{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

async fn look(file: &Path, now_ms: u64) -> Result<Following, StoreError> {
    let store = Look::at(file).await?.store;
    let world = store.world();
    let as_of_ms = store.restored_from_ms().await?.unwrap_or(0);
    let found = Following {
        state: "standby",
        place: world.me.place,
        name: world
            .directory
            .called(&world.me.place)
            .map_or_else(String::new, |[_, name, _]| name.to_owned()),
        as_of_ms,
        as_of: moment(as_of_ms),
        behind_ms: now_ms.saturating_sub(as_of_ms),
        documents: store.amount().await?.documents,
        stood_down: !world.is_active(),
        federation: world.directory.federation(),
    };
    store.close().await?;
    Ok(found)
}

/// How far the standby in `home` follows.
///
/// # Errors
/// [`StandbyError::None`] if there is none.
pub async fn status(home: &Home, clock: &dyn Clock) -> Result<Following, StandbyError> {
    match home.is_standby() {
        true => Ok(look(&home.standby(), clock.now_ms()).await?),
        false => Err(StandbyError::None(home.path().to_owned())),
    }
}

/// Makes the standby in `home` from a backup, or brings it up to a newer one.
///
/// # Errors
/// [`StandbyError`] says why not; a standby that was there is as it was.
pub async fn follow(home: &Home, from: &Path, progress: &Arc<verify::Progress>) -> Result<(), StandbyError> {
    if home.is_occupied() {
        return Err(HomeError::Occupied { path: home.path().to_owned() }.into());
    }
    let unread = |why: String| BackupError::NotWhole { path: from.to_owned(), why };
    if !from.is_file() {
        return Err(unread("没有这个文件, no such file".into()).into());
    }
    let theirs = look(from, 0).await.map_err(|e| unread(e.en()))?;
    if theirs.as_of_ms == 0 {
        return Err(unread("不是 yishi-node backup 写的, not written by `yishi-node backup`".into()).into());
    }
    if home.is_standby() {
        let ours = look(&home.standby(), 0).await?;
        if (ours.place, ours.federation) != (theirs.place, theirs.federation) {
            return Err(StandbyError::OtherPlace { ours: ours.name, theirs: theirs.name });
        }
        if theirs.as_of_ms <= ours.as_of_ms {
            return Err(StandbyError::Older {
                path: from.to_owned(),
                theirs: theirs.as_of,
                ours: ours.as_of,
            });
        }
    }
    backup::restore_as(from, home, &home.standby(), progress).await?;
    Ok(())
}

/// Makes the standby in `home` the active node, with the parent's invitation to take over: it begins a new
/// life under a key of its own. Until that is done the standby stays what it is. A node that another one has
/// taken its place over from takes it back so, with all that it never delivered.
///
/// # Errors
/// [`StandbyError`] says what stands in the way.
pub async fn take_over(home: &Home, invite: &Invite, clock: &dyn Clock) -> Result<(), StandbyError> {
    if home.is_occupied() {
        return over(home, invite, clock).await;
    }
    let standby = status(home, clock).await?;
    if standby.place != invite.place {
        return Err(StandbyError::OtherPlace { ours: standby.name, theirs: invite.name.clone() });
    }
    // Beside the standby, and moved when it is whole: a node with the old key must never lie where it could be
    // started.
    let work = home.path().join("takeover");
    let failed = |source| StandbyError::Disk { path: work.clone(), source };
    if finished(&Home::at(&work), &home.standby(), invite, clock).await? {
        return settle(home, &work).map_err(failed);
    }
    let swept = || match fs::remove_dir_all(&work) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(e)),
        _ => Ok(()),
    };
    swept()?;
    fs::DirBuilder::new().mode(0o700).create(&work).map_err(failed)?;
    let database = work.join("yishi.db");
    fs::copy(home.standby(), &database).and_then(|_| File::open(&database)?.sync_all()).map_err(failed)?;
    if let Err(error) = over(&Home::at(&work), invite, clock).await {
        swept()?;
        return Err(error);
    }
    settle(home, &work).map_err(failed)
}

/// Whether a process that was killed while it took over had the parent's answer already: the token is used, and what
/// it was good for lies in `work`.
async fn finished(
    work: &Home,
    standby: &Path,
    invite: &Invite,
    clock: &dyn Clock,
) -> Result<bool, StandbyError> {
    if !work.is_occupied() {
        return Ok(false);
    }
    let store = match Store::open(work.path()).await {
        Ok(store) => store,
        Err(error @ StoreError::InUse(_)) => return Err(error.into()),
        // Cut off in the copy it is no database, and is made anew.
        Err(_) => return Ok(false),
    };
    let before = Look::at(standby).await?.store;
    let has_key = store.world().me.cert != before.world().me.cert;
    before.close().await?;
    if let (true, Some(up)) = (has_key, store.world().parent()) {
        setup::linked(work, &store, up.peer, invite, clock).await?;
    }
    store.close().await?;
    Ok(has_key)
}

/// The node in `home` goes on as the place's active one.
async fn over(home: &Home, invite: &Invite, clock: &dyn Clock) -> Result<(), StandbyError> {
    let store = setup::take_over(home, invite, clock).await.map_err(refused)?;
    Ok(store.close().await?)
}

/// What the parent said, for people who know of tokens and not of invitations.
fn refused(error: SetupError) -> StandbyError {
    let SetupError::Join(why) = &error else { return error.into() };
    let zh = match why {
        JoinError::Refused { why: "it was used already", .. } => {
            "这个准许码已经用过，不能再用。请上级再开一张：yishi place activate 区划代码".into()
        }
        JoinError::Refused { why: "it has expired by the parent's clock", .. } => {
            "这个准许码按上级的时钟已经过期。请上级再开一张：yishi place activate 区划代码".into()
        }
        JoinError::Refused { .. } => {
            "上级不认这个准许码：不是那里开的，或上级后来换了钥匙。请上级再开一张：yishi place activate 区划代码".into()
        }
        JoinError::Expired { expired, now } => {
            format!("这个准许码在 {expired} 已经过期（本机今天是 {now}）。请先核对时钟，再请上级另开一张：yishi place activate 区划代码")
        }
        JoinError::Clock { now } => format!("本机的时钟是 {now}，早得不对。请校正时钟再试"),
        JoinError::Unreachable { address, .. } => {
            format!("上级 {address} 没有应答。准许码还有效：请检查网络，看上级是否在运行，再运行同一条命令")
        }
        JoinError::OtherKey { address } => {
            format!("在 {address} 应答的不是开准许码的那个上级。请核对地址，或请上级再开一张：yishi place activate 区划代码")
        }
        _ => "上级的答复不对，没有采用".into(),
    };
    StandbyError::Refused { zh, source: error }
}

/// Moves a whole node from `work` into its folder, the database last: until it has its name there is no node.
fn settle(home: &Home, work: &Path) -> io::Result<()> {
    // Of an earlier try: another database's log beside this one would be taken for its own.
    for log in ["yishi.db-wal", "yishi.db-shm"] {
        match fs::remove_file(home.path().join(log)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    for file in fs::read_dir(work)? {
        let name = file?.file_name();
        let shared = name.to_string_lossy().ends_with("-shm");
        if name != "yishi.db" && !shared {
            fs::rename(work.join(&name), home.path().join(&name))?;
        }
    }
    fs::rename(work.join("yishi.db"), home.path().join("yishi.db"))?;
    File::open(home.path())?.sync_all()?;
    fs::remove_file(home.standby())?;
    fs::remove_dir_all(work)?;
    File::open(home.path())?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parent_says_of_a_token_is_told_with_what_to_do() {
        let address = || "10.8.0.1:9443".to_owned();
        let refusal = |why| JoinError::Refused { address: address(), why };
        let day = |day: &str| day.to_owned();
        for (error, zh) in [
            (refusal("it was used already"), "已经用过"),
            (refusal("it has expired by the parent's clock"), "按上级的时钟已经过期"),
            (refusal("it is not known there"), "上级不认这个准许码"),
            (
                JoinError::Expired { expired: day("2026-11-20"), now: day("2026-11-23") },
                "在 2026-11-20 已经过期",
            ),
            (JoinError::Clock { now: day("1970-01-01") }, "请校正时钟"),
            (JoinError::Unreachable { address: address(), why: "timed out".into() }, "准许码还有效"),
            (JoinError::OtherKey { address: address() }, "不是开准许码的那个上级"),
            (JoinError::OtherPlace, "没有采用"),
        ] {
            let said = format!("{:#}", anyhow::Error::new(refused(error.into())));
            assert!(said.contains(zh) && said.contains("没有接管，什么也没有改动"), "{said}");
            assert!(said.contains("Nothing was changed") || said.contains("still good"), "{said}");
        }
    }

    #[test]
    fn a_moment_is_told_in_china_s_time() {
        assert_eq!(moment((20_773 * 86_400 + 2 * 3_600 + 61) * 1_000), "2026-11-16 10:01:01");
    }
}
