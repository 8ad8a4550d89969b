//! The story: matters raised with the lines down, merged, escalated, decided, answered, told — and a
//! township whose key fell into wrong hands.

use super::{
    DemoError, Stage, forger,
    process::Node,
    texts::{CULVERT, DECISION, DECISION_REPLY, LAMP, LAMP_REPLY, SEPARATE_REPLY, SMALL},
};
use crate::local::text;
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// How long anything may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(90);

/// One matter as its village knows it.
#[derive(Debug, Clone)]
struct Raised {
    id: String,
    number: String,
}

/// What one village raised.
#[derive(Debug, Clone)]
struct Village {
    township: usize,
    culvert: Raised,
    lamp: Raised,
}

/// The whole federation on stage.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) district: Node,
    /// Each township with its villages.
    pub(super) townships: Vec<(Node, Vec<Node>)>,
}

impl Cast {
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::once(&self.district)
            .chain(self.townships.iter().flat_map(|(t, v)| std::iter::once(t).chain(v)))
    }

    pub(super) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        std::iter::once(&mut self.district)
            .chain(self.townships.iter_mut().flat_map(|(t, v)| std::iter::once(t).chain(v)))
    }

    fn villages(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.townships.iter().enumerate().flat_map(|(i, (_, v))| v.iter().map(move |n| (i, n)))
    }
}

/// Plays it all. Everything said on stage was read from a node first.
pub(super) async fn play(cast: &mut Cast, rng: &mut StdRng, stage: &Stage) -> Result<(), DemoError> {
    all_links(cast, "up").await?;
    stage.say("线路接通。三级都在各自的机器上，各有自己的数据库、密钥和端口。");

    stage.title("一、断线登记");
    for (_, village) in cast.villages() {
        village.cut(true);
    }
    for (_, village) in cast.villages() {
        link_is(village, "down").await?;
    }
    stage.say("村到镇的线路全部切断，村里照常办事：");
    let mut villages = Vec::new();
    for (n, (township, village)) in cast.villages().enumerate() {
        villages.push(raise(village, n, township, rng, stage).await?);
    }

    stage.title("二、线路恢复");
    for (_, village) in cast.villages() {
        village.cut(false);
    }
    all_links(cast, "up").await?;
    for (v, (_, village)) in villages.iter().zip(cast.villages()) {
        for matter in [&v.culvert, &v.lamp] {
            stored(village, matter, 1).await?;
        }
    }
    let first = cast.villages().next();
    if let (Some(v), Some((_, node))) = (villages.first(), first) {
        stage.state(&node.name, &node.client.get(&format!("/matters/{}", v.culvert.id)).await?);
    }

    stage.title("三、镇里受理、并案、上报");
    let undoing = cast.townships.iter().rposition(|(_, villages)| villages.len() > 1);
    let mut leads = BTreeMap::new();
    for (t, (township, _)) in cast.townships.iter().enumerate() {
        let own: Vec<&Village> = villages.iter().filter(|v| v.township == t).collect();
        let Some((lead, others)) = own.split_first() else { continue };
        for v in &own {
            for matter in [&v.culvert, &v.lamp] {
                act(township, &matter.id, json!({"act": "accept"})).await?;
            }
        }
        let sources: Vec<&str> = others.iter().map(|v| v.culvert.id.as_str()).collect();
        if !sources.is_empty() {
            act(township, &lead.culvert.id, json!({"act": "merge", "sources": sources})).await?;
            stage.say(&format!(
                "{}：{} 等 {} 件涵洞积水并为一案。",
                township.name,
                lead.culvert.number,
                own.len()
            ));
        }
        // One merger turns out to be another matter: it is undone, and goes on by itself.
        if undoing == Some(t)
            && let Some(undone) = others.first()
        {
            act(township, &undone.culvert.id, json!({"act": "unmerge"})).await?;
            stage.say(&format!(
                "{}：查看现场后，{} 撤销并案，单独办理。",
                township.name, undone.culvert.number
            ));
            let reply = json!({"act": "answer", "text": SEPARATE_REPLY});
            act(township, &undone.culvert.id, reply).await?;
        }
        let reason = json!({"act": "escalate", "reason": "涉及区级公路涵洞，镇里无权改造。"});
        act(township, &lead.culvert.id, reason).await?;
        stage.say(&format!("{}：{} 上报区里。", township.name, lead.culvert.number));
        for v in &own {
            act(township, &v.lamp.id, json!({"act": "answer", "text": LAMP_REPLY})).await?;
        }
        leads.insert(t, lead.culvert.clone());
    }

    stage.title("四、区里决定");
    let district = &cast.district;
    for lead in leads.values() {
        until(&format!("{} at the district", lead.number), || async {
            let stage = district.client.get(&format!("/matters/{}", lead.id)).await;
            stage.is_ok_and(|m| m.get("stage").and_then(Value::as_str) == Some("escalated"))
        })
        .await?;
        act(district, &lead.id, json!({"act": "accept"})).await?;
    }
    let proposals: Vec<&str> = leads.values().map(|l| l.id.as_str()).collect();
    let outcome = json!({
        "proposals": proposals, "title": "农村公路涵洞安全改造", "text": DECISION, "unit": "区交通局",
        "budget_yuan": 460_000, "due_on": "2027-06-30", "answer": DECISION_REPLY,
    });
    let outcome = district.client.post("/outcomes", outcome).await?;
    stage.say(&format!("{}：作出决定「农村公路涵洞安全改造」，答复 {} 件。", district.name, proposals.len()));
    let outcome = text(&outcome, "id")?;

    stage.title("五、答复回到每一个村，逐户告知、评价、办结");
    for (v, (_, village)) in villages.iter().zip(cast.villages()) {
        for matter in [&v.culvert, &v.lamp] {
            answered(village, matter).await?;
            act(village, &matter.id, json!({"act": "tell", "how": "visit"})).await?;
            let score = rng.random_range(3..=5);
            act(village, &matter.id, json!({"act": "rate", "score": score, "source": "resident"})).await?;
            act(village, &matter.id, json!({"act": "close"})).await?;
        }
        stage.say(&format!("{}：{}、{} 已告知、评价、办结。", village.name, v.culvert.number, v.lamp.number));
    }
    let sent: Vec<usize> = leads.keys().copied().collect();
    for (v, (t, village)) in villages.iter().zip(cast.villages()) {
        let undone = undoing == Some(t)
            && villages
                .iter()
                .filter(|o| o.township == t)
                .nth(1)
                .is_some_and(|o| o.culvert.id == v.culvert.id);
        if sent.contains(&t) && !undone {
            until(&format!("the decision at {}", village.name), || async {
                village.client.get(&format!("/outcomes/{outcome}")).await.is_ok()
            })
            .await?;
        }
    }

    stage.title("六、镇的密钥落入他人之手");
    quiet(cast).await?;
    let (township, children) = match cast.townships.first_mut() {
        Some(first) => first,
        None => return Err(DemoError::Late("no township".into())),
    };
    township.kill().await?;
    let victim = children.first().map(|v| v.name.clone()).unwrap_or_default();
    let tried = forger::forge(&township.dir, cast.district.link, &outcome).await?;
    for line in &tried {
        stage.say(&format!("  冒充{victim}等：{line}"));
    }
    township.start().await?;
    stage.say("区里逐一拒收并记录；镇的机器重新启动，与区里核对后继续。");

    stage.title("七、核对");
    all_links(cast, "up").await?;
    for (v, (t, village)) in villages.iter().zip(cast.villages()) {
        stored(village, &v.lamp, 1).await?;
        if leads.get(&t).is_some_and(|l| l.id == v.culvert.id) {
            stored(village, &v.culvert, 2).await?;
        }
    }
    quiet(cast).await?;
    if let (Some(v), Some((_, node))) = (villages.first(), cast.villages().next()) {
        stage.state(&node.name, &node.client.get(&format!("/matters/{}", v.culvert.id)).await?);
    }
    Ok(())
}

async fn raise(
    village: &Node,
    n: usize,
    township: usize,
    rng: &mut StdRng,
    stage: &Stage,
) -> Result<Village, DemoError> {
    let pick = |i: usize, len: usize| i % len.max(1);
    let mut made = Vec::new();
    let culvert = CULVERT.get(pick(n, CULVERT.len())).copied().unwrap_or_default();
    let lamp = LAMP.get(pick(n + rng.random_range(0..3), LAMP.len())).copied().unwrap_or_default();
    let phone = format!("1380000{:04}", rng.random_range(0..10_000));
    for (i, (title, body)) in [culvert, lamp].into_iter().enumerate() {
        let petitioner = json!({"kind": "named", "name": "王某", "phone": phone, "address": "二组"});
        let request = json!({
            "title": title, "body": body, "category": if i == 0 { "水利" } else { "道路照明" },
            "channel": "home_visit", "petitioner": petitioner,
        });
        let matter = village.client.post("/matters", request).await?;
        let raised = Raised { id: text(&matter, "id")?, number: text(&matter, "number")? };
        act(village, &raised.id, json!({"act": "support", "count": rng.random_range(2..12)})).await?;
        if i == 0 {
            act(village, &raised.id, ballot(rng)).await?;
        }
        act(village, &raised.id, json!({"act": "escalate"})).await?;
        made.push(raised);
    }
    let small = SMALL.get(pick(n, SMALL.len())).copied().unwrap_or_default();
    let settled = json!({"title": small.0, "body": small.1, "settle": small.2});
    let settled = village.client.post("/matters", settled).await?;
    let number = text(&settled, "number")?;
    let told = json!({"act": "tell", "how": "visit"});
    act(village, &text(&settled, "id")?, told).await?;
    let [culvert, lamp] = made.try_into().map_err(|_| DemoError::Answer("id".into()))?;
    stage.say(&format!(
        "{}：登记 {}、{} 并上报，{} 当场办结（镇里还没收到，通了会自动送到）。",
        village.name, culvert.number, lamp.number, number
    ));
    Ok(Village { township, culvert, lamp })
}

/// A count by name, as villages keep it.
fn ballot(rng: &mut StdRng) -> Value {
    let votes: BTreeMap<String, &str> = (1..=20)
        .map(|i| (format!("m{i:02}"), if rng.random_range(0..10) < 8 { "for" } else { "against" }))
        .collect();
    let in_favour = votes.values().filter(|v| **v == "for").count();
    json!({
        "act": "ballot", "question": "是否上报镇里统一改造", "body": "villagers_council",
        "eligible": 33, "present": 20, "for": in_favour, "against": 20 - in_favour, "abstain": 0,
        "votes": votes,
    })
}

async fn act(node: &Node, matter: &str, body: Value) -> Result<Value, DemoError> {
    Ok(node.client.post(&format!("/matters/{matter}/acts"), body).await?)
}

/// Waits until the village holds signatures of that many levels above for the matter.
async fn stored(village: &Node, matter: &Raised, levels: usize) -> Result<(), DemoError> {
    until(&format!("{} stored {levels} levels up", matter.number), || async {
        let Ok(seen) = village.client.get(&format!("/matters/{}", matter.id)).await else { return false };
        let up = seen.pointer("/stored/up").and_then(Value::as_array).cloned().unwrap_or_default();
        let held = |l: &Value| l.get("state").and_then(Value::as_str) == Some("stored");
        up.len() >= levels && up.iter().take(levels).all(held)
    })
    .await
}

async fn answered(village: &Node, matter: &Raised) -> Result<(), DemoError> {
    until(&format!("an answer to {} at {}", matter.number, village.name), || async {
        let Ok(seen) = village.client.get(&format!("/matters/{}", matter.id)).await else { return false };
        seen.get("answers").and_then(Value::as_array).is_some_and(|a| !a.is_empty())
    })
    .await
}

async fn link_is(node: &Node, state: &str) -> Result<(), DemoError> {
    until(&format!("{}'s link {state}", node.name), || async {
        let Ok(link) = node.client.get("/link").await else { return false };
        link.pointer("/up/state").and_then(Value::as_str).is_some_and(|s| (s == "up") == (state == "up"))
    })
    .await
}

async fn all_links(cast: &Cast, state: &str) -> Result<(), DemoError> {
    for (township, villages) in &cast.townships {
        link_is(township, state).await?;
        for village in villages {
            link_is(village, state).await?;
        }
    }
    Ok(())
}

/// Waits until nothing is under way anywhere for a while.
async fn quiet(cast: &Cast) -> Result<(), DemoError> {
    let mut calm = 0;
    until("quiet", async || {
        for node in cast.nodes() {
            let Ok(links) = node.client.get("/link").await else { return false };
            let up = links.get("up").into_iter();
            let down = links.get("down").and_then(Value::as_array).into_iter().flatten();
            let waits = |l: &Value| l.get("waiting").and_then(Value::as_u64).unwrap_or(0) > 0;
            if up.chain(down).any(waits) {
                calm = 0;
                return false;
            }
        }
        calm += 1;
        calm > 8
    })
    .await
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) -> Result<(), DemoError> {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let late = DemoError::Late(what.to_owned());
    tokio::time::timeout(ARRIVES_WITHIN, waiting).await.map_err(|_| late)
}
