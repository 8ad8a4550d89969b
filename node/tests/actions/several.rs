//! Between places: escalation, merging, decisions, carried replies, registers, status.

use crate::federation::{Federation, Node};
use serde_json::json;
use yishi_node::actions::{ActRequest, Class, InviteRequest, OutcomeRequest, RaiseRequest, RevokeRequest};
use yishi_protocol::kind::Kind;

fn act(value: serde_json::Value) -> ActRequest {
    serde_json::from_value(value).unwrap()
}

async fn raise(node: &Node, body: &str) -> String {
    let request = RaiseRequest { body: body.into(), ..RaiseRequest::default() };
    node.actions.raise(Some("u1"), request).await.unwrap().matter.summary.id.to_string()
}

async fn done(node: &Node, id: &str, request: serde_json::Value) {
    node.actions.act(Some("u1"), id, act(request.clone())).await.unwrap_or_else(|e| panic!("{request}: {e}"));
}

/// Two villages' matters, escalated to the town and merged there under the first.
async fn merged(fed: &Federation) -> (String, String) {
    let lead = raise(&fed.lugao, "村口涵洞积水").await;
    let source = raise(&fed.xinghua, "涵洞过不去人").await;
    done(&fed.lugao, &lead, json!({"act": "escalate", "reason": "跨村"})).await;
    done(&fed.xinghua, &source, json!({"act": "escalate"})).await;
    fed.settle().await;
    done(&fed.town, &lead, json!({"act": "merge", "sources": [source]})).await;
    (lead, source)
}

#[tokio::test]
async fn status_is_honest_at_every_level() {
    let fed = Federation::start().await;
    let id = raise(&fed.lugao, "村口涵洞积水").await;
    let states = |m: yishi_node::actions::views::MatterView| -> Vec<(String, &'static str)> {
        m.summary.stored.up.into_iter().map(|l| (l.level, l.state)).collect()
    };
    assert_eq!(states(fed.lugao.matter(&id).await), [("township".into(), "waiting")]);
    fed.lugao.deliver(&fed.town).await;
    assert_eq!(states(fed.lugao.matter(&id).await), [("township".into(), "stored")]);
    done(&fed.lugao, &id, json!({"act": "comment", "text": "更糟了"})).await;
    assert_eq!(
        states(fed.lugao.matter(&id).await),
        [("township".into(), "waiting")],
        "one change is not there"
    );
    // The district is not in the audience: nothing is said of it, and nothing reached it.
    fed.settle().await;
    assert_eq!(states(fed.town.matter(&id).await), []);
    assert_eq!(fed.district.actions.matter(&id).await.unwrap_err().code(), "unknown_matter");
    // After escalation by the town it is.
    done(&fed.lugao, &id, json!({"act": "escalate"})).await;
    fed.settle().await;
    done(&fed.town, &id, json!({"act": "accept"})).await;
    done(&fed.town, &id, json!({"act": "escalate"})).await;
    fed.settle().await;
    assert_eq!(states(fed.town.matter(&id).await), [("district".into(), "stored")]);
    assert_eq!(fed.district.matter(&id).await.summary.stage, "escalated");
    let back = json!({"act": "return", "reason": "镇里可以办"});
    done(&fed.district, &id, back).await;
    fed.settle().await;
    assert_eq!(fed.town.matter(&id).await.summary.stage, "returned");
}

#[tokio::test]
async fn a_lead_answers_for_its_sources_and_a_merge_can_be_undone() {
    let fed = Federation::start().await;
    let (lead, source) = merged(&fed).await;
    let m = fed.town.matter(&source).await.summary;
    assert_eq!((m.stage.as_str(), m.merged_into.map(|d| d.to_string())), ("merged", Some(lead.clone())));
    assert_eq!(fed.town.matter(&lead).await.summary.sources.len(), 1);
    // The wrong place, and twice, are refused.
    let again = fed.town.actions.act(None, &lead, act(json!({"act": "merge", "sources": [source]}))).await;
    assert_eq!(again.unwrap_err().code(), "not_legal");
    let alone = fed.town.actions.act(None, &lead, act(json!({"act": "merge", "sources": [lead]}))).await;
    assert_eq!(alone.unwrap_err().rule(), Some("into_itself"));

    done(&fed.town, &source, json!({"act": "unmerge"})).await;
    assert_eq!(fed.town.matter(&source).await.summary.stage, "escalated");
    assert!(fed.town.matter(&lead).await.summary.sources.is_empty());
    done(&fed.town, &lead, json!({"act": "merge", "sources": [source]})).await;

    done(&fed.town, &lead, json!({"act": "accept"})).await;
    done(&fed.town, &lead, json!({"act": "answer", "text": "涵洞已疏通"})).await;
    assert!(fed.town.matter(&source).await.answers.is_empty(), "carried by the projector, not before");
    fed.settle().await;
    let carried = fed.xinghua.matter(&source).await;
    assert_eq!((carried.summary.stage.as_str(), carried.answers.len()), ("answered", 1));
    assert_eq!(carried.answers[0].text, "涵洞已疏通");
    let entry = carried.timeline.iter().find(|t| t.kind == "answer").unwrap();
    assert_eq!((entry.by.as_deref(), entry.verdict), (None, "counted"), "signed by the node, by no person");
    // However often it is tried, it is written once.
    fed.town.store.clear_read_models().await.unwrap();
    fed.settle().await;
    assert_eq!(fed.xinghua.matter(&source).await.answers.len(), 1);
    // The village tells its own people.
    done(&fed.xinghua, &source, json!({"act": "tell", "how": "visit"})).await;
    assert!(fed.xinghua.matter(&source).await.summary.told);
}

#[tokio::test]
async fn a_decision_reaches_every_submitter() {
    let fed = Federation::start().await;
    let (lead, source) = merged(&fed).await;
    done(&fed.town, &lead, json!({"act": "accept"})).await;
    let request = OutcomeRequest {
        numbers: Default::default(),
        proposals: vec![lead.clone()],
        title: "疏通涵洞".into(),
        text: "由镇水务站在月底前疏通。".into(),
        unit: Some("水务站".into()),
        answer: Some("月底前疏通".into()),
        ..OutcomeRequest::default()
    };
    let outcome = fed.town.actions.decide_outcome(Some("u1"), request.clone()).await.unwrap();
    assert_eq!(outcome.proposals.len(), 2, "the merged source is cited too");
    fed.settle().await;
    for (node, id) in [(&fed.lugao, &lead), (&fed.xinghua, &source)] {
        let m = node.matter(id).await;
        assert_eq!((m.summary.stage.as_str(), m.answers[0].text.as_str()), ("answered", "月底前疏通"));
        assert_eq!(m.answers[0].outcome, Some(outcome.id));
        assert_eq!(node.actions.outcome(&outcome.id.to_string()).await.unwrap().title, "疏通涵洞");
    }
    assert_eq!(fed.lugao.matter(&lead).await.summary.outcomes, [outcome.id]);
    assert_eq!(fed.lugao.actions.outcomes(&Default::default()).await.unwrap().items.len(), 1);
    assert!(
        fed.district.actions.outcome(&outcome.id.to_string()).await.is_err(),
        "not escalated: not the district's"
    );
    // Only the holder decides.
    let refused = fed.lugao.actions.decide_outcome(None, request).await.unwrap_err();
    assert_eq!((refused.code(), refused.rule()), ("not_legal", Some("not_holder")));
}

#[tokio::test]
async fn the_district_sees_stubs_and_no_words() {
    let fed = Federation::start().await;
    let id = raise(&fed.lugao, "村口涵洞积水的秘密").await;
    fed.settle().await;
    let stubs = fed.district.store.stubs(None).await.unwrap();
    assert_eq!(stubs.len(), 1);
    assert_eq!((stubs[0].number.as_deref(), stubs[0].stage.as_str()), (Some("芦稿-2026-0001"), "registered"));
    assert_eq!((stubs[0].due_day.as_deref(), stubs[0].matter.to_string()), (Some("2026-11-25"), id.clone()));
    let registers = fed.district.store.docs_of_kind(Kind::Register, None).await.unwrap();
    for doc in &registers {
        for commit in fed.district.store.doc_commits(doc).await.unwrap() {
            assert!(!String::from_utf8_lossy(&commit.commit.bytes).contains("涵洞"));
        }
    }
    // Nothing changed, nothing is written; a new stage is.
    let before = fed.town.changes().await;
    done(&fed.lugao, &id, json!({"act": "comment", "text": "还在积水"})).await;
    fed.settle().await;
    assert_eq!(fed.town.changes().await, before + 1, "the comment alone");
    done(&fed.lugao, &id, json!({"act": "accept"})).await;
    fed.settle().await;
    let stubs = fed.district.store.stubs(None).await.unwrap();
    assert_eq!((stubs.len(), stubs[0].stage.as_str()), (1, "accepted"));
    // Leaves and the top keep none.
    assert!(fed.lugao.store.docs_of_kind(Kind::Register, Some(fed.lugao.place)).await.unwrap().is_empty());
    assert_eq!(registers.len(), 1);
    let open = fed.district.actions.places().await.unwrap();
    assert_eq!(open.iter().map(|p| p.open_matters).collect::<Vec<_>>(), [0, 1, 0, 0]);
}

#[tokio::test]
async fn places_are_invited_and_revoked_from_above_only() {
    let fed = Federation::start().await;
    let request = InviteRequest {
        code: "510113106206".into(),
        name: Some("光明村".into()),
        level: Some("village".into()),
        ..Default::default()
    };
    let invited = fed.town.actions.invite(request).await.unwrap();
    assert!(invited.token.parse::<yishi_protocol::invite::Invite>().is_ok());
    assert_eq!(
        (invited.place.name.as_str(), invited.expires_at.as_str()),
        ("光明村", "2026-11-19T02:00:00.000Z")
    );
    let exists =
        fed.town.actions.invite(InviteRequest { code: "510113106204".into(), ..Default::default() }).await;
    assert_eq!(exists.unwrap_err().code(), "place_exists");
    let request = InviteRequest { code: "510113106204".into(), replace: true, ..Default::default() };
    assert_eq!(fed.town.actions.invite(request).await.unwrap().place.id, fed.lugao.place);

    let id = raise(&fed.lugao, "路灯坏了").await;
    fed.settle().await;
    let why = || RevokeRequest { reason: "机器被盗".into(), ..Default::default() };
    let not_below = fed.lugao.actions.revoke("姚渡镇", why()).await.unwrap_err();
    assert_eq!((not_below.code(), not_below.class()), ("not_below", Class::Forbidden));
    let revoked = fed.town.actions.revoke("芦稿村", why()).await.unwrap();
    assert_eq!((revoked.revoked_certificates, revoked.link_closed), (1, true));
    assert!(fed.town.actions.places().await.unwrap().iter().any(|p| p.revoked && p.place.name == "芦稿村"));
    fed.town.project().await;
    let matter = fed.town.matter(&id).await;
    assert_eq!(matter.summary.title, "路灯坏了", "what it wrote before still counts");
}
