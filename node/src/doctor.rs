//! The doctor: looks at database, clock, link, certificate and disk, and says what to do.
//!
//! It changes nothing. With the node running it asks the node itself for what only it knows; otherwise
//! it opens the database.

use crate::{
    clock::{Clock, EARLIEST_MS},
    config::Config,
    exit,
    home::Home,
    local::Client,
    store::{Store, StoreError},
};
use serde::Serialize;
use serde_json::Value;
use std::{fmt, path::Path, sync::Arc};

/// Less free space than this is a warning: a village's year of matters takes some tens of megabytes.
const FREE_BYTES_MIN: u64 = 200 * 1024 * 1024;
/// A link not heard of for longer than this is worth a word, though a village works on without it.
const SILENT_MS_MAX: u64 = 3 * 86_400_000;
/// Matters named of those that a machine which was taken over alone has: a line's worth.
const NAMED_MAX: usize = 20;

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Well,
    /// Works, and should be looked at.
    Watch,
    /// Does not work.
    Ill,
}

/// One thing looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Which.
    pub what: &'static str,
    /// Which, in Chinese.
    pub what_zh: &'static str,
    /// How it is.
    pub health: Health,
    /// The exit status that says so; 0 unless it is ill.
    pub status: u8,
    /// What was seen and what to do, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Everything looked at.
#[derive(Debug, Clone, Serialize, Default)]
pub struct Examination {
    /// One by one.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// The exit status: 0, or that of the first thing that is ill.
    #[must_use]
    pub fn status(&self) -> u8 {
        self.findings.iter().map(|f| f.status).find(|s| *s != 0).unwrap_or(0)
    }

    fn note(
        &mut self,
        (what, what_zh): (&'static str, &'static str),
        health: Health,
        zh: String,
        en: String,
    ) {
        self.findings.push(Finding { what, what_zh, health, status: 0, zh, en });
    }

    /// Something that does not work, with the exit status that says so.
    fn ill(&mut self, (what, what_zh): (&'static str, &'static str), status: u8, zh: String, en: String) {
        self.findings.push(Finding { what, what_zh, health: Health::Ill, status, zh, en });
    }

    /// The database does not open.
    fn ill_database(&mut self, error: &StoreError) {
        self.ill(DATABASE, exit::of_store(error), error.zh(), error.en());
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let mark = match finding.health {
                Health::Well => '✓',
                Health::Watch => '!',
                Health::Ill => '✗',
            };
            writeln!(f, "{mark} {}：{}\n  {}: {}", finding.what_zh, finding.zh, finding.what, finding.en)?;
        }
        Ok(())
    }
}

const DATABASE: (&str, &str) = ("database", "数据库");
const CLOCK: (&str, &str) = ("clock", "时钟");
const LINK: (&str, &str) = ("link", "连接");
const CERTIFICATE: (&str, &str) = ("certificate", "证书");
const DISK: (&str, &str) = ("disk", "磁盘");
const RESTORED: (&str, &str) = ("restored", "恢复");

/// Examines the node of a configuration.
pub async fn examine(config: &Config, clock: Arc<dyn Clock>) -> Examination {
    let mut out = Examination::default();
    let home = Home::at(&config.data_dir);
    time(&mut out, clock.as_ref());
    disk(&mut out, home.path());
    if !home.is_occupied() {
        let dir = home.path().display();
        out.ill(
            DATABASE,
            11,
            format!("{dir} 里还没有节点。区里用 yishi-node init，镇村用 yishi-node join 邀请码。"),
            format!("there is no node in {dir} yet: `yishi-node init` for a root, `yishi-node join TOKEN` below one"),
        );
        return out;
    }
    match Store::open(home.path()).await {
        Ok(store) => {
            match store.check().await {
                Ok(()) => {
                    out.note(DATABASE, Health::Well, "打得开，结构完整。".into(), "opens and is whole".into())
                }
                Err(error) => out.ill_database(&error),
            }
            certificate(&mut out, &store).await;
            if store.world().is_active() {
                links(&mut out, &store, clock.as_ref()).await;
            }
            let _ = store.close().await;
        }
        Err(StoreError::InUse(_)) => running(&mut out, &home).await,
        Err(error) => out.ill_database(&error),
    }
    out
}

/// The node is running: only it may touch the database, so it is asked.
async fn running(out: &mut Examination, home: &Home) {
    let client = Client::new(home.socket());
    let (node, link) = match (client.get("/node").await, client.get("/link").await) {
        (Ok(node), Ok(link)) => (node, link),
        (Err(error), _) | (_, Err(error)) => {
            out.ill(
                DATABASE,
                15,
                format!("有程序占用着数据库，但本机的节点没有应答（{error}）。请重新启动它。"),
                format!("a program holds the database, but the node does not answer ({error}); restart it"),
            );
            return;
        }
    };
    let text = |v: &Value, at: &str| v.pointer(at).and_then(Value::as_str).unwrap_or("—").to_owned();
    out.note(DATABASE, Health::Well, "节点正在运行并应答。".into(), "the node is running and answers".into());
    let (path, federation) = (text(&node, "/place/path"), text(&node, "/federation"));
    match node.get("active").and_then(Value::as_bool) {
        Some(false) => {
            let count = link.get("only_here_documents").and_then(Value::as_u64).unwrap_or(0);
            let first = link.get("only_here").and_then(Value::as_array).into_iter().flatten();
            let numbers = first.filter_map(|m| Some(m.get("number")?.as_str()?.to_owned())).collect();
            stood_down(out, &path, count, numbers);
        }
        _ => out.note(
            CERTIFICATE,
            Health::Well,
            format!("{path}，联盟 {federation}。"),
            format!("{path}, federation {federation}; web pin {}", text(&node, "/web_pin")),
        ),
    }
    // It is turned away by all of them, and that was said above.
    if node.get("active").and_then(Value::as_bool) == Some(false) {
        return;
    }
    let up = link.get("up").filter(|u| !u.is_null()).into_iter();
    for one in up.chain(link.get("down").and_then(Value::as_array).into_iter().flatten()) {
        let (name, state) = (text(one, "/peer/name"), text(one, "/state"));
        let waiting = one.get("waiting").and_then(Value::as_u64).unwrap_or(0);
        let (status, words) = match state.as_str() {
            "up" => (None, "通着"),
            "refused" => {
                (Some(23), "对方不认本机的证书，或不是同一个联盟；请核对上级地址，或向上级要新的邀请码")
            }
            "broken" => (
                Some(27),
                "对方发来的内容不合约定，连接已断开，这一次的没有收下，此前收下的都在；请核对对方的程序版本",
            ),
            _ => (None, "没有联通，通了会自动送到"),
        };
        if one.get("comparing").and_then(Value::as_bool) == Some(true) {
            restored(out, &name);
        }
        let last = text(one, "/last_contact");
        let zh = format!("{name}：{words}，有 {waiting} 条等着；上次联通 {last}。");
        let en = format!("{name}: {state}, {waiting} rows wait; last contact {last}; {}", text(one, "/why"));
        match status {
            Some(status) => out.ill(LINK, status, zh, en),
            None if state == "up" => out.note(LINK, Health::Well, zh, en),
            None => out.note(LINK, Health::Watch, zh, en),
        }
    }
}

/// The database was restored and a neighbour has not been compared with yet.
fn restored(out: &mut Examination, name: &str) {
    out.note(
        RESTORED,
        Health::Watch,
        format!("本机是从备份恢复的，正等着与{name}核对，取回那里有的本单位内容。请保持联通；这以前列表可能缺最近的。"),
        format!("restored from a backup; waiting for what {name} has of this place. Keep the line up; until then lists may lack the latest"),
    );
}

fn time(out: &mut Examination, clock: &dyn Clock) {
    let now = clock.now_ms();
    let date = yishi_protocol::calendar::Date::from_days(clock.today());
    let date = date.map(|d| d.to_string()).unwrap_or_default();
    if now < EARLIEST_MS {
        out.ill(
            CLOCK,
            24,
            format!("这台机器的时间是 {date}，早得不对。请接上网络自动校时，或用 date -s 校正；期限和日期都靠它。"),
            format!("this machine says it is {date}, which cannot be. Let it set its clock from the network, or use `date -s`"),
        );
    } else {
        out.note(
            CLOCK,
            Health::Well,
            format!("今天是 {date}。请看一眼对不对。"),
            format!("today is {date}; make sure it is"),
        );
    }
}

fn disk(out: &mut Examination, path: &Path) {
    let probe = path.ancestors().find(|p| p.exists()).unwrap_or(path);
    match free_bytes(probe) {
        Some(free) if free < FREE_BYTES_MIN => out.note(
            DISK,
            Health::Watch,
            format!("只剩 {} MB。请清理或换大一点的存储卡；满了会拒绝登记，但不会丢失已保存的。", free >> 20),
            format!("only {} MB are free; make room. When it is full nothing new is accepted, nothing saved is lost", free >> 20),
        ),
        Some(free) => out.note(
            DISK,
            Health::Well,
            format!("剩余 {} MB。", free >> 20),
            format!("{} MB free", free >> 20),
        ),
        None => out.note(
            DISK,
            Health::Watch,
            "看不出剩余空间。".into(),
            "free space cannot be told".into(),
        ),
    }
}

/// Free bytes for this user, as `df` tells them: the standard library does not.
fn free_bytes(path: &Path) -> Option<u64> {
    let output = std::process::Command::new("df").arg("--output=avail").arg("-B1").arg(path).output().ok()?;
    String::from_utf8(output.stdout).ok()?.lines().nth(1)?.trim().parse().ok()
}

async fn certificate(out: &mut Examination, store: &Store) {
    let world = store.world();
    let me = &world.me;
    let Some(cert) = world.directory.get(&me.cert) else {
        out.ill(
            CERTIFICATE,
            23,
            "本机的证书不在数据库里，请从备份恢复。".into(),
            "this node's certificate is not in its database; restore it from a backup".into(),
        );
        return;
    };
    if world.directory.is_revoked(&me.cert) {
        out.ill(
            CERTIFICATE,
            23,
            format!("{} 的证书已被上级吊销。请向上级要新的邀请码，用新目录 join。", cert.name),
            format!("the certificate of {} was revoked from above; ask for a new invitation and join with a new folder", cert.name),
        );
        return;
    }
    if !world.is_active() {
        return match store.only_here().await {
            Ok(alone) => {
                let numbers = alone.iter().filter_map(|m| m.number.clone()).collect();
                stood_down(out, &cert.name, alone.len() as u64, numbers);
            }
            Err(error) => out.ill_database(&error),
        };
    }
    let path: Vec<String> = world.directory.chain(&me.cert).iter().rev().map(|c| c.name.clone()).collect();
    out.note(
        CERTIFICATE,
        Health::Well,
        format!("{}，联盟 {}。", path.join(" › "), world.directory.federation()),
        format!("{}, federation {}", path.join(" › "), world.directory.federation()),
    );
}

/// Another box works for the place now; so many matters have something that only this one has.
fn stood_down(out: &mut Examination, name: &str, alone: u64, mut numbers: Vec<String>) {
    out.ill(
        CERTIFICATE,
        23,
        format!("{name} 已由另一台机器接管，这台不再写入、不再收发。请停下它；里面的内容都在，只供查看。"),
        format!("another machine has taken {name} over: this one neither writes nor serves. Stop it; all in it is kept and can be read"),
    );
    if alone == 0 {
        return out.note(
            LINK,
            Health::Well,
            "上级已签收这里的全部事项，没有只在这台机器上的。".into(),
            "the place above has signed for all matters here".into(),
        );
    }
    numbers.truncate(NAMED_MAX);
    let more = if alone > numbers.len() as u64 { "……" } else { "" };
    let named = numbers.join("、");
    out.note(
        LINK,
        Health::Watch,
        format!("{alone} 件有没送到上级的内容，只在这台机器上，都保存着，还不算数：{named}{more}。要送去：上级 yishi place activate，这台停下后 yishi-node takeover 准许码。"),
        format!("{alone} matters have something that is on this machine only, kept and not counted yet: {named}{more}. To send it: `yishi place activate` above, then stop this node and `yishi-node takeover TOKEN`"),
    );
}

async fn links(out: &mut Examination, store: &Store, clock: &dyn Clock) {
    let states = match store.link_states().await {
        Ok(states) => states,
        Err(error) => return out.ill_database(&error),
    };
    let comparing = store.comparing().await.unwrap_or_default();
    let world = store.world();
    let open: Vec<_> = states.into_iter().filter(|l| !l.closed).collect();
    if open.is_empty() {
        out.note(LINK, Health::Well, "没有上下级连接。".into(), "no links yet".into());
    }
    for link in open {
        let name = world.directory.place_cert(&link.peer).map_or_else(String::new, |c| c.name.clone());
        // Before its first start a restored database does not know yet that it is one.
        if comparing.contains(&link.id) || !store.life_matches() {
            restored(out, &name);
        }
        let waiting = link.out_seq.saturating_sub(link.out_acked);
        let silent = link.last_contact_ms.map(|at| clock.now_ms().saturating_sub(at));
        let (health, zh, en) = match silent {
            None => (
                Health::Watch,
                format!("{name}：还没联通过，有 {waiting} 条等着。请检查网络和对方地址。"),
                format!("{name}: never connected, {waiting} rows wait. Check the network and the address"),
            ),
            Some(ms) if ms > SILENT_MS_MAX => (
                Health::Watch,
                format!("{name}：{} 天没有联通，有 {waiting} 条等着，通了会自动送到。", ms / 86_400_000),
                format!(
                    "{name}: silent for {} days, {waiting} rows wait and go by themselves",
                    ms / 86_400_000
                ),
            ),
            Some(_) => (
                Health::Well,
                format!("{name}：近日联通过，有 {waiting} 条等着。"),
                format!("{name}: heard of lately, {waiting} rows wait"),
            ),
        };
        out.note(LINK, health, zh, en);
    }
}
