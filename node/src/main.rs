//! `yishi-node`: one place's server.

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use yishi_node::{
    backup,
    clock::{Clock as _, SystemClock},
    config::{Config, LogFormat},
    demo::{self, DemoRequest},
    doctor,
    exit::status_of,
    home::Home,
    root, run, setup, standby,
    store::Store,
    terminal, verify,
};
use yishi_protocol::{invite::Invite, root_key::RootKey};

/// 议事：一个村、镇或区的服务器。 Yishi: the server of one village, township or district.
#[derive(Debug, Parser)]
#[command(name = "yishi-node", version, about, after_help = yishi_node::exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the root of a new federation, usually a district's node. 新建联盟的根（通常是区县）。
    Init {
        /// The place's 12-digit code, for example 510113000000.
        #[arg(long)]
        code: String,
        /// Its name; known for the shipped divisions.
        #[arg(long)]
        name: Option<String>,
        /// The label of its level; known for the shipped divisions.
        #[arg(long)]
        level: Option<String>,
        /// The node's folder.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
        /// Keep the federation's root key out of the node, in this new file. 根钥匙另存为此文件，不留在机器上。
        #[arg(long, value_name = "FILE")]
        offline_root: Option<PathBuf>,
        /// The first line of this file is the passphrase the root key is sealed under; - is standard input.
        #[arg(long, value_name = "FILE", requires = "offline_root")]
        passphrase_file: Option<PathBuf>,
    },
    /// What is done with the federation's root key, on the district's box. 动用根钥匙。
    Root {
        #[command(subcommand)]
        verb: RootVerb,
    },
    /// Join a federation with an invitation from the place above. 用上级给的邀请码加入。
    Join {
        /// The invitation: YISHI1-…
        token: String,
        /// The node's folder.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
    },
    /// Give a stopped node a new key, with an invitation for the same place (`yishi place invite CODE --replace`). 换钥匙。
    Rotate {
        /// The invitation: YISHI1-…
        token: String,
        /// The node's folder.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
    },
    /// Run the node. 运行。
    Run {
        /// The configuration file; default: node.toml in the node's folder, if it is there.
        #[arg(long)]
        config: Option<PathBuf>,
        /// The node's folder; overrides the configuration's.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Check database, clock, link, certificate and disk, and say what to do. 体检。
    Doctor {
        /// The configuration file.
        #[arg(long)]
        config: Option<PathBuf>,
        /// The node's folder.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// A whole federation on this machine, doing its day's work. 在本机演示一个完整的联盟。
    Demo(DemoRequest),
    /// Verify one node's database or a backup of one: signatures, hashes, form, folds, feeds, receipts. 核验本机数据或一份备份。
    Verify {
        /// The node's folder, stopped or running, or a backup file.
        path: PathBuf,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Write everything of a node, running or stopped, into one file. 备份。 The file holds the place's secret keys.
    Backup {
        /// The node's folder.
        dir: PathBuf,
        /// The file; it must not exist yet.
        file: PathBuf,
    },
    /// Make a node from a backup, in a folder without one. 从备份恢复。
    Restore {
        /// The backup.
        file: PathBuf,
        /// The new node's folder.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
    },
    /// A standby: a copy that follows a node's backups and neither runs nor writes. 备用机：跟着备份，随时可接管。
    Standby {
        /// The standby's folder.
        dir: PathBuf,
        /// The newest backup of the active node; without one, only says how far the standby follows.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Make the standby the active node, with the parent's word (`yishi place activate CODE`); or give the place
    /// back to a stopped node it was taken over from. 备用机接管；或交回被接管的旧机器。
    Takeover {
        /// The parent's word: YISHI1-…
        token: String,
        /// The folder of the standby, or of the stopped node that was taken over.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
    },
    /// Make all lists again from what was signed. 由签名内容重做全部列表。
    Rebuild {
        /// The folder of a stopped node.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
    },
    /// Re-verify every signature and fold of the nodes under a folder. 审计一个目录里的全部节点。
    Audit {
        /// The folder: a node's own, or one that holds several.
        dir: PathBuf,
        /// One JSON document instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// What every verb of the root key needs.
#[derive(Debug, clap::Args)]
struct RootFile {
    /// The root key's file, or a printed one typed back.
    file: PathBuf,
    /// The first line of this file is its passphrase; - is standard input.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum RootVerb {
    /// Whether a file or a typed-back sheet is whole, and whose it is. 核对根钥匙。
    Check {
        #[command(flatten)]
        root: RootFile,
    },
    /// A new working key for a stopped district's node restored from a backup; the old ones are ended. 区里的机器被盗或坏了。
    Replace {
        #[command(flatten)]
        root: RootFile,
        /// The node's folder; without a node in it, one is made that gets everything from the places below.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
        /// The old box is dead and in nobody's hands: its key stays good.
        #[arg(long, conflicts_with = "since")]
        dead: bool,
        /// What was stored here from this moment on does not count, for example “2026-11-16 09:30”.
        #[arg(long)]
        since: Option<String>,
        /// Why, for everybody to read.
        #[arg(long, default_value = "机器被盗")]
        reason: String,
    },
    /// Ends every working key but the node's own. 撤销其他工作钥匙。
    Revoke {
        #[command(flatten)]
        root: RootFile,
        /// The stopped node's folder.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
        /// What was stored here from this moment on does not count.
        #[arg(long)]
        since: Option<String>,
        /// Why, for everybody to read.
        #[arg(long, default_value = "机器被盗")]
        reason: String,
    },
    /// Lets count what an ended key had written and this node had stored before a moment. 准予计入。
    Admit {
        #[command(flatten)]
        root: RootFile,
        /// The stopped node's folder.
        #[arg(long, default_value = "yishi-data")]
        dir: PathBuf,
        /// Before which moment, for example 2026-11-16.
        #[arg(long)]
        until: String,
        /// Why, for everybody to read.
        #[arg(long, default_value = "经核实")]
        reason: String,
    },
}

/// The first line of a file, or of standard input.
fn passphrase(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(file) = file else { return Ok(None) };
    let text = match file == Path::new("-") {
        true => std::io::read_to_string(std::io::stdin())?,
        false => std::fs::read_to_string(file).with_context(|| {
            format!("口令文件 {0} 读不出 · the passphrase file {0} cannot be read", file.display())
        })?,
    };
    let line = text.lines().next().unwrap_or_default().to_owned();
    anyhow::ensure!(
        !line.is_empty(),
        "口令是空的，什么也没有改动 · the passphrase is empty; nothing was changed"
    );
    Ok(Some(line))
}

fn taken(root: &RootFile) -> anyhow::Result<RootKey> {
    Ok(root::take(&root.file, passphrase(root.passphrase_file.as_deref())?.as_deref())?)
}

async fn root_verb(verb: RootVerb) -> anyhow::Result<()> {
    let said = |reason, since| root::Ending { reason, since };
    match verb {
        RootVerb::Check { root } => {
            let key = taken(&root)?;
            let federation = key.certificate().federation_id();
            println!(
                "完整无误：{}（{}）的根钥匙，联盟 {federation}。\n\
                 Whole: the root key of {} ({}), federation {federation}.",
                key.name, key.code, key.name, key.code
            );
        }
        RootVerb::Replace { root, dir, dead, since, reason } => {
            let (key, home) = (taken(&root)?, Home::at(dir));
            let done = root::replace(&home, &key, dead, &said(reason, since), &SystemClock).await?;
            let dir = home.path().display();
            println!(
                "{} 有了新的工作钥匙 {}。下一步：yishi-node run --dir {dir}；下级联通后自己认得，不用重新加入。\n\
                 {} works under a new key, {}. Start it; places below find out by themselves and need not join again.",
                done.name, done.key, done.name, done.key
            );
            if done.from_nothing {
                println!(
                    "这里还没有任何内容：联通后从下级取回。旧机器若是被盗，等各下级都联通以后，停下节点再运行 yishi-node root revoke。\n\
                     Nothing is here yet: it comes from the places below. If the old box was stolen, stop the node \
                     once they have all called, and run `yishi-node root revoke`."
                );
            }
            ended(&done);
        }
        RootVerb::Revoke { root, dir, since, reason } => {
            let key = taken(&root)?;
            let done = root::revoke(&Home::at(dir), &key, &said(reason, since), &SystemClock).await?;
            ended(&done);
        }
        RootVerb::Admit { root, dir, until, reason } => {
            let key = taken(&root)?;
            let documents = root::admit(&Home::at(dir), &key, &until, &reason, &SystemClock).await?;
            println!(
                "已准予计入：{documents} 份文档里的内容。\nAdmitted: what stands in {documents} documents."
            );
        }
    }
    println!("根钥匙用完了，请放回原处锁好。\nLock the root key away again.");
    Ok(())
}

fn ended(done: &root::Replaced) {
    if done.ended > 0 {
        println!(
            "已撤销旧的工作钥匙 {} 把；本机没有存下的旧内容照收，不计入，核实后可用 yishi-node root admit 准予计入。\n\
             Ended {} working keys. What they wrote that was not stored here is kept and does not count until \
             `yishi-node root admit` says so.",
            done.ended, done.ended
        );
    }
    if !done.disowned.is_empty() {
        let names = done.disowned.join("、");
        println!(
            "下列单位的证书一并作废，须重新邀请：{names}\nThese places' certificates end with it, invite them again: {names}"
        );
    }
}

fn logging(format: LogFormat, default: &str) {
    let filter = EnvFilter::try_from_env("YISHI_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // A log that cannot be written, on the disk that is full, must not end the node: complaining about it
    // to the same place would.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Cancelled by SIGTERM or Ctrl-C.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let token = stop.clone();
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        token.cancel();
    });
    Ok(stop)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Two threads serve a village well; a district takes what the machine has.
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_stack_size(1024 * 1024)
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(command(cli.command)),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("yishi-node: {error:#}");
            ExitCode::from(status_of(&error))
        }
    }
}

async fn command(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Root { verb } => {
            logging(LogFormat::Text, "warn");
            root_verb(verb).await?;
        }
        Command::Init { code, name, level, dir, offline_root, passphrase_file } => {
            logging(LogFormat::Text, "warn");
            let home = Home::at(dir);
            let passphrase = passphrase(passphrase_file.as_deref())?;
            let kept = offline_root.clone();
            let offline_root = offline_root.map(|file| setup::OfflineRoot { file, passphrase });
            let request = setup::InitRequest { code, name, level, offline_root };
            let store = setup::init(&home, request, &SystemClock).await?;
            let world = store.world();
            let cert = world.directory.get(&world.me.cert);
            println!(
                "{} 的节点已建好，目录 {}。下一步：yishi-node run --dir {}",
                cert.map_or("", |c| c.name.as_str()),
                home.path().display(),
                home.path().display()
            );
            println!(
                "The federation {} has its root here. Invite places below with `yishi place invite`.",
                world.directory.federation()
            );
            if let Some(file) = kept {
                println!(
                    "根钥匙在 {0}，不在机器上：打印两份，连同文件锁在两处，然后从这台机器上删掉它。核对用 yishi-node root check {0}\n\
                     The root key is in {0} and not in the node: print it twice, lock file and sheets away in two \
                     places, then delete it here.",
                    file.display()
                );
            }
            store.close().await?;
        }
        Command::Join { token, dir } => {
            logging(LogFormat::Text, "warn");
            let invite: Invite = token.parse()?;
            let home = Home::at(dir);
            let store = setup::join(&home, &invite, &SystemClock).await?;
            println!(
                "{} 已加入。下一步：yishi-node run --dir {}\n{} has joined; start it with the command above.",
                invite.name,
                home.path().display(),
                invite.name
            );
            store.close().await?;
        }
        Command::Rotate { token, dir } => {
            logging(LogFormat::Text, "warn");
            let invite: Invite = token.parse()?;
            let home = Home::at(dir);
            let store = setup::rotate(&home, &invite, &SystemClock).await?;
            println!(
                "{} 已换了新钥匙。以前写下的照旧有效，以前封存的照旧打得开；从前的备份里还是旧钥匙，请马上另做一份。\n\
                 {} has a new key. What it wrote stays valid, what was sealed for it still opens. Earlier backups hold \
                 the old key: make a new one now.",
                invite.name, invite.name
            );
            store.close().await?;
        }
        Command::Run { config, dir } => {
            let config = Config::find(config.as_deref(), dir.as_deref())?;
            logging(config.log.format, "info");
            let stop = stop_signal()?;
            run::run(config, stop, |started| {
                let pages = started.pages.map(|a| format!("http://{a}/")).unwrap_or_default();
                tracing::info!(link = %started.link, pages, "the node is running");
            })
            .await?;
        }
        Command::Doctor { config, dir, json } => {
            logging(LogFormat::Text, "error");
            let config = Config::find(config.as_deref(), dir.as_deref())?;
            let report = doctor::examine(&config, Arc::new(SystemClock)).await;
            if json {
                println!("{}", serde_json::to_string(&report)?);
            } else {
                print!("{report}");
            }
            return Ok(ExitCode::from(report.status()));
        }
        Command::Demo(request) => {
            logging(LogFormat::Text, "error");
            let stop = stop_signal()?;
            return Ok(ExitCode::from(u8::from(!demo::run(request, stop).await?)));
        }
        Command::Verify { path, json } => {
            logging(LogFormat::Text, "error");
            let progress = Arc::new(verify::Progress::default());
            let seen = progress.clone();
            let report =
                terminal::with_progress(move || seen.line(), verify::verify(&path, &progress)).await?;
            if json {
                println!("{}", serde_json::to_string(&report)?);
            } else {
                print!("{report}");
            }
            return Ok(ExitCode::from(report.status()));
        }
        Command::Backup { dir, file } => {
            logging(LogFormat::Text, "error");
            let progress = Arc::new(backup::Progress::default());
            let seen = progress.clone();
            let home = Home::at(dir);
            let work = backup::backup(&home, &file, SystemClock.now_ms(), &progress);
            let bytes = terminal::with_progress(move || seen.line(), work).await?;
            let (file, mb) = (file.display(), bytes.div_ceil(1 << 20));
            println!(
                "已备份到 {file}（{mb} MB），已写入磁盘。里面有本单位的私钥和能打开的封存档案：请像公章一样保管。\n\
                 核对用 yishi-node verify {file}，恢复用 yishi-node restore {file} --dir 新目录。\n\
                 Backed up to {file} ({mb} MB) and on disk. It holds the place's secret keys and opens its sealed \
                 dossiers: keep it like the seal."
            );
        }
        Command::Restore { file, dir } => {
            logging(LogFormat::Text, "error");
            let progress = Arc::new(verify::Progress::default());
            let seen = progress.clone();
            let home = Home::at(dir);
            let work = backup::restore(&file, &home, &progress);
            let report = terminal::with_progress(move || seen.line(), work).await?;
            let dir = home.path().display();
            println!(
                "{} 已恢复到 {dir}：{} 份文档，{} 处改动，全部核验过。\n\
                 原来的机器若还在，请不要再启动它。下一步：yishi-node run --dir {dir}\n\
                 备份以后写下的内容，凡送达过上下级的，联通后自动取回；取回前，体检和“上下级”页会这样写明。\n\
                 {} is restored: {} documents, {} changes, all verified. Never start the old machine again. \
                 What was written after the backup and had reached a neighbour comes back once connected.",
                report.place,
                report.documents,
                report.changes,
                report.place,
                report.documents,
                report.changes
            );
        }
        Command::Standby { dir, from, json } => {
            logging(LogFormat::Text, "error");
            let home = Home::at(dir);
            if let Some(from) = &from {
                let progress = Arc::new(verify::Progress::default());
                let seen = progress.clone();
                let work = standby::follow(&home, from, &progress);
                terminal::with_progress(move || seen.line(), work).await?;
            }
            let following = standby::status(&home, &SystemClock).await?;
            if json {
                println!("{}", serde_json::to_string(&following)?);
            } else {
                print!("{following}");
            }
        }
        Command::Takeover { token, dir } => {
            logging(LogFormat::Text, "warn");
            let invite: Invite = token.parse().context(
                "准许码抄错了或不完整，没有接管，什么也没有改动。请照原样再抄一遍。\n\
                 The token is mistyped or cut off; nothing was changed. Copy it again as it was given",
            )?;
            let home = Home::at(dir);
            standby::take_over(&home, &invite, &SystemClock).await?;
            let dir = home.path().display();
            println!(
                "{} 由这台机器接管，有了自己的钥匙。下一步：yishi-node run --dir {dir}\n\
                 上级已存下的，联通后自动取回。原来的机器一联通就知道，不再写入；它没有送到上级的，只在它那里，还不算数。\n\
                 请马上另做一份备份；从前的备份里是旧钥匙。\n\
                 This machine has taken {} over, under a key of its own; start it with the command above. What the \
                 parent has comes back once connected. The old machine learns of it when it calls, and writes no more; \
                 what it had not delivered lies there only and does not count. Make a new backup now: earlier ones hold the old key.",
                invite.name, invite.name
            );
        }
        Command::Rebuild { dir } => {
            logging(LogFormat::Text, "error");
            let store = Store::open(&dir).await?;
            store.clear_read_models().await?;
            store.close().await?;
            println!(
                "列表已清空，签名的内容原样保留；下次启动时会自动重做。\n\
                 Lists were cleared, what was signed is untouched; they are made again at the next start."
            );
        }
        Command::Audit { dir, json } => {
            logging(LogFormat::Text, "error");
            let report = yishi_node::audit::audit(&dir, |line| {
                if !json {
                    eprintln!("{line}");
                }
            })
            .await?;
            if json {
                println!("{}", serde_json::to_string(&report)?);
            } else {
                print!("{report}");
            }
            return Ok(ExitCode::from(u8::from(!report.holds())));
        }
    }
    Ok(ExitCode::SUCCESS)
}
