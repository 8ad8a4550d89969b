//! What people do in one matter: who may, when, and as of which day (rules R2, R3, R6, R7, revocation).

use super::{act, look, raise, rest};
use crate::sim::{DISTRICT, LUGAO, TOWN, World};
use serde_json::json;
use yishi_node::actions::RevokeRequest;
use yishi_protocol::{calendar::Date, ids::DocId};

const DAY_MS: u64 = 86_400_000;

/// One matter, several acts by one place.
pub(super) async fn one_place_goes_on_writing(world: &mut World) -> Option<()> {
    let doc = raise(world, LUGAO, "涵洞积水。").await?;
    for text in ["去看过", "还没修"] {
        act(world, LUGAO, &doc, json!({"act": "comment", "text": text})).await?;
    }
    look(world).await?;
    rest(world).await
}

/// The town sees a matter that its village holds, and tries to accept it.
pub(super) async fn a_reader_is_not_the_holder(world: &mut World) -> Option<()> {
    let doc = raise(world, LUGAO, "涵洞积水。").await?;
    rest(world).await?;
    // Refused, if all is well.
    let _ = act(world, TOWN, &doc, json!({"act": "accept"})).await;
    rest(world).await
}

/// A matter that went up to the district.
async fn at_the_district(world: &mut World) -> Option<DocId> {
    let doc = raise(world, LUGAO, "涵洞积水。").await?;
    act(world, LUGAO, &doc, json!({"act": "escalate"})).await?;
    rest(world).await?;
    act(world, TOWN, &doc, json!({"act": "accept"})).await?;
    act(world, TOWN, &doc, json!({"act": "escalate"})).await?;
    rest(world).await?;
    Some(doc)
}

/// The village counts a vote without a line; the town answers meanwhile and does not know of it.
pub(super) async fn a_vote_comes_after_the_answer(world: &mut World) -> Option<()> {
    let doc = raise(world, LUGAO, "要不要修涵洞。").await?;
    act(world, LUGAO, &doc, json!({"act": "escalate"})).await?;
    rest(world).await?;
    act(world, TOWN, &doc, json!({"act": "accept"})).await?;
    rest(world).await?;
    world.cut(LUGAO, true);
    let vote = json!({"act": "ballot", "question": "是否修涵洞", "body": "村民代表会议", "eligible": 60,
        "present": 40, "for": 30, "against": 10, "abstain": 0});
    act(world, LUGAO, &doc, vote).await?;
    act(world, TOWN, &doc, json!({"act": "answer", "text": "月底前疏通"})).await?;
    world.cut(LUGAO, false);
    rest(world).await
}

/// The town issues two versions of a procedure; a matter bound to the second comes back to the village, which
/// tries the first.
pub(super) async fn an_older_version_is_tried_again(world: &mut World) -> Option<()> {
    let file = |version: u32| {
        format!(
            "format = 1\nid = \"street\"\nversion = {version}\ntitle = {{ zh = \"街巷\", en = \"Streets\" }}\n\
             summary = {{ zh = \"议\", en = \"Talk\" }}\n[[stages]]\nid = \"talk\"\nzh = \"议\"\nen = \"Talk\"\n\
             limit = {{ normal = \"9 days\" }}\nend = true\n"
        )
    };
    let mut pins = Vec::new();
    for version in [1, 2] {
        let issued = world.nodes[TOWN].actions.issue_procedure(Some("u1"), &file(version)).await.ok()?;
        pins.push(issued.procedure?.pin.to_string());
        rest(world).await?;
    }
    let doc = raise(world, LUGAO, "巷子里的污水。").await?;
    act(world, LUGAO, &doc, json!({"act": "accept", "procedure": pins[1]})).await?;
    act(world, LUGAO, &doc, json!({"act": "escalate"})).await?;
    rest(world).await?;
    act(world, TOWN, &doc, json!({"act": "accept"})).await?;
    act(world, TOWN, &doc, json!({"act": "return", "reason": "村里先议"})).await?;
    rest(world).await?;
    // Refused, if all is well.
    let _ = act(world, LUGAO, &doc, json!({"act": "accept", "procedure": pins[0]})).await;
    rest(world).await
}

/// Town and district both say it is five days later than the village's clock says.
pub(super) async fn two_clocks_run_ahead(world: &mut World) -> Option<()> {
    for at in [TOWN, DISTRICT] {
        world.nodes[at].clock_off_ms = 5 * DAY_MS.cast_signed();
        world.nodes[at].tick(world.now);
    }
    let doc = at_the_district(world).await?;
    act(world, DISTRICT, &doc, json!({"act": "accept"})).await?;
    rest(world).await?;
    act(world, LUGAO, &doc, json!({"act": "comment", "text": "还在积水"})).await?;
    rest(world).await
}

/// A thief withdraws a village's matter with the village's key. The town revokes the key at once, the district
/// hears of it late, and both have worked on meanwhile.
pub(super) async fn a_stolen_key_is_revoked_early_and_late(world: &mut World) -> Option<()> {
    let doc = at_the_district(world).await?;
    world.pass(600_000, &mut || 1).await;
    let since = Some(instant(world.now)?);
    world.pass(1_000, &mut || 1).await;
    world.nodes[LUGAO].act(&doc, json!({"act": "withdraw"})).await?;
    rest(world).await?;

    world.cut(TOWN, true);
    let request = RevokeRequest { reason: "机器被盗".into(), since, ..RevokeRequest::default() };
    world.nodes[TOWN].actions.revoke("芦稿村", request).await.ok()?;
    world.cut(LUGAO, true);
    world.gone.insert(LUGAO);
    for (at, text) in [(TOWN, "镇上核实中"), (DISTRICT, "区里记下")] {
        act(world, at, &doc, json!({"act": "comment", "text": text})).await?;
    }
    rest(world).await?;
    world.cut(TOWN, false);
    rest(world).await
}

fn instant(ms: u64) -> Option<String> {
    let (day, seconds) = (ms / DAY_MS, ms / 1_000 % 86_400);
    let date = Date::from_days(day.cast_signed())?;
    Some(format!("{date}T{:02}:{:02}:{:02}Z", seconds / 3_600, seconds / 60 % 60, seconds % 60))
}
