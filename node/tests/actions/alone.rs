//! One village by itself: every link is down.

use crate::federation::{DAY_MS, Federation, MONDAY_MS, Node};
use serde_json::json;
use yishi_node::actions::{ActRequest, Class, ListQuery, Petitioner, RaiseRequest};

fn raise(body: &str) -> RaiseRequest {
    RaiseRequest { body: body.into(), ..RaiseRequest::default() }
}

fn act(value: serde_json::Value) -> ActRequest {
    serde_json::from_value(value).unwrap()
}

async fn village() -> Node {
    Federation::start().await.lugao
}

#[tokio::test]
async fn a_matter_is_raised_with_number_and_check_code() {
    let node = village().await;
    let first = node.actions.raise(Some("u1"), raise("村口涵洞积水。一下雨就过不去。")).await.unwrap();
    let second = node.actions.raise(Some("u1"), raise("路灯坏了")).await.unwrap();
    let m = &first.matter.summary;
    assert_eq!(
        (m.number.as_str(), second.matter.summary.number.as_str()),
        ("芦稿-2026-0001", "芦稿-2026-0002")
    );
    assert!(m.check_code.len() == 6 && m.check_code.bytes().all(|b| b.is_ascii_digit()));
    assert_ne!(m.check_code, second.matter.summary.check_code);
    assert_eq!(
        (m.title.as_str(), m.stage.as_str(), m.stage_zh.as_str()),
        ("村口涵洞积水", "registered", "已登记")
    );
    assert_eq!((m.raised_on.as_str(), m.holder.as_ref().unwrap().name.as_str()), ("2026-11-16", "芦稿村"));
    let due = m.deadline.as_ref().unwrap();
    assert_eq!((due.date.as_str(), due.what.as_str(), due.overdue), ("2026-11-25", "accept", false));
    assert_eq!(m.stored.up.len(), 1);
    assert_eq!((m.stored.up[0].level.as_str(), m.stored.up[0].state), ("township", "waiting"));
    assert!(first.warnings.is_empty() && m.petitioner.is_none());
    assert!(first.matter.next.iter().any(|n| n.act == "accept"));

    // The number is found at once after the projector, as said, and by the beginning of the id.
    node.project().await;
    for reference in ["芦稿-2026-0001", "芦稿 2026 1", "2026-1", &m.id.to_string(), &m.id.to_string()[..10]]
    {
        assert_eq!(node.matter(reference).await.summary.id, m.id, "{reference}");
    }
    let unknown = node.actions.matter("芦稿-2026-0009").await.unwrap_err();
    assert_eq!((unknown.code(), unknown.class()), ("unknown_matter", Class::NotFound));

    // A week later it is overdue.
    node.clock.set_ms(MONDAY_MS + 10 * DAY_MS);
    let list =
        node.actions.matters(ListQuery { due: Some("overdue".into()), ..Default::default() }).await.unwrap();
    assert_eq!(list.items.len(), 2);
    assert!(list.items[0].deadline.as_ref().unwrap().overdue);
}

#[tokio::test]
async fn the_json_is_that_of_the_contract() {
    let node = village().await;
    let raised = node.actions.raise(Some("u1"), raise("路灯坏了")).await.unwrap();
    let value = serde_json::to_value(&raised).unwrap();
    for key in [
        "id",
        "number",
        "check_code",
        "title",
        "body",
        "category",
        "source",
        "channel",
        "raised_on",
        "home",
        "holder",
        "stage",
        "stage_zh",
        "deadline",
        "merged_into",
        "sources",
        "outcomes",
        "answers",
        "ratings",
        "supports",
        "external",
        "petitioner",
        "stored",
        "violations",
        "late",
        "updated_at",
        "timeline",
        "next",
    ] {
        assert!(value.get(key).is_some(), "{key} is missing");
    }
    assert_eq!(value["deadline"]["working_days_left"], json!(7));
    assert_eq!(value["stored"]["here"], json!(true));
    assert_eq!(value["timeline"][0]["kind_zh"], json!("登记"));
    assert_eq!(value["home"]["code"], json!("510113106204"));
    assert_eq!(value["updated_at"], json!("2026-11-16T02:00:00.000Z"));
    let node_view = serde_json::to_value(node.actions.node()).unwrap();
    assert_eq!(node_view["place"]["path"], json!("青白江区 › 姚渡镇 › 芦稿村"));
    assert_eq!(node_view["parent"]["name"], json!("姚渡镇"));
}

#[tokio::test]
async fn settled_on_the_spot_is_one_save() {
    let node = village().await;
    let request = RaiseRequest { settle: Some("已当场换好灯泡。".into()), ..raise("路灯坏了") };
    let before = node.store.news();
    let raised = node.actions.raise(Some("u1"), request).await.unwrap();
    assert_eq!(before.len(), 1, "everything is written in one piece");
    let m = raised.matter;
    assert_eq!((m.summary.stage.as_str(), m.summary.holder), ("closed", None));
    assert_eq!(m.answers[0].text, "已当场换好灯泡。");
    let kinds: Vec<&str> = m.timeline.iter().map(|t| t.kind.as_str()).collect();
    assert_eq!(kinds, ["register", "answer", "tell", "close"], "they were there and heard it");
    assert!(m.summary.told);
    assert!(m.timeline.iter().all(|t| t.verdict == "counted" && t.by.as_deref() == Some("u1")));
}

#[tokio::test]
async fn an_act_that_is_not_allowed_is_refused_and_nothing_is_kept() {
    let node = village().await;
    let id = node.actions.raise(None, raise("路灯坏了")).await.unwrap().matter.summary.id.to_string();
    let before = node.changes().await;
    for (request, rule) in [
        (json!({"act": "close"}), "wrong_stage"),
        (json!({"act": "handle", "note": "去看了"}), "wrong_stage"),
        (json!({"act": "rate", "score": 5, "source": "resident"}), "nothing_to_rate"),
        (json!({"act": "tell", "how": "phone"}), "nothing_to_tell"),
        (json!({"act": "return", "reason": "不归我管"}), "not_below"),
        (json!({"act": "take_over", "reason": "太慢"}), "not_above"),
        (json!({"act": "unmerge"}), "wrong_stage"),
    ] {
        let error = node.actions.act(None, &id, act(request.clone())).await.unwrap_err();
        assert_eq!(
            (error.code(), error.rule(), error.class()),
            ("not_legal", Some(rule), Class::Conflict),
            "{request}"
        );
        assert!(error.zh().contains("尚未保存") && error.en().contains("Nothing was saved"));
    }
    let empty = node.actions.act(None, &id, act(json!({"act": "refuse", "reason": " "}))).await.unwrap_err();
    assert_eq!((empty.code(), empty.field(), empty.class()), ("invalid", Some("reason"), Class::Invalid));
    assert_eq!(node.changes().await, before);
    assert!(
        serde_json::from_value::<ActRequest>(json!({"act": "accept", "colour": 1})).is_err(),
        "no unknown fields"
    );
}

#[tokio::test]
async fn the_whole_loop_in_one_village() {
    let node = village().await;
    let id = node.actions.raise(None, raise("路灯坏了")).await.unwrap().matter.summary.id.to_string();
    for (request, stage) in [
        (json!({"act": "accept"}), "accepted"),
        (json!({"act": "handle", "note": "已联系电工"}), "handling"),
        (json!({"act": "comment", "text": "夜里很黑"}), "handling"),
        (json!({"act": "support", "count": 12}), "handling"),
        (
            json!({"act": "ballot", "question": "换新灯", "body": "议事会", "eligible": 33, "present": 26, "for": 20,
                "against": 4, "abstain": 2}),
            "handling",
        ),
        (
            json!({"act": "decide", "title": "换灯", "text": "换成太阳能路灯", "budget_yuan": 3000, "due_on": "2026-12-01"}),
            "decided",
        ),
        (json!({"act": "answer", "text": "灯已换好"}), "answered"),
        (json!({"act": "correct", "text": "灯已全部换好"}), "answered"),
        (json!({"act": "tell", "how": "visit"}), "answered"),
        (json!({"act": "rate", "score": 5, "source": "resident"}), "answered"),
        (json!({"act": "close"}), "closed"),
        (json!({"act": "reopen", "reason": "又坏了"}), "reopened"),
        (json!({"act": "withdraw"}), "withdrawn"),
    ] {
        let done = node.actions.act(Some("u2"), &id, act(request.clone())).await.unwrap();
        assert_eq!(done.matter.summary.stage, stage, "{request}");
        let entry = done.matter.timeline.iter().find(|t| t.act == done.act);
        // A decision is two documents; its act here is the `decide` step.
        assert!(matches!(entry.unwrap().verdict, "counted" | "corrected"), "{request}");
    }
    let m = node.matter(&id).await;
    assert_eq!((m.answers[0].text.as_str(), m.answers[0].told), ("灯已全部换好", true));
    assert_eq!((m.summary.supports, m.summary.outcomes.len(), m.summary.ratings[0].score), (12, 1, 5));
    assert!(!m.summary.ratings[0].counted, "whoever handled it does not rate itself");
    let outcome = node.actions.outcome(&m.summary.outcomes[0].to_string()).await.unwrap();
    assert_eq!((outcome.budget_yuan, outcome.due_on.as_deref()), (Some(3000), Some("2026-12-01")));
    assert!(m.summary.violations.is_empty());
}

#[tokio::test]
async fn identity_numbers_move_into_the_dossier() {
    let fed = Federation::start().await;
    let request = RaiseRequest {
        petitioner: Some(Petitioner {
            name: Some("王秀英".into()),
            phone: Some("0513-12345".into()),
            ..Default::default()
        }),
        ..raise("请回电13812345678，身份证11010519491231002X，低保没有到账。")
    };
    let raised = fed.lugao.actions.raise(None, request).await.unwrap();
    assert_eq!(raised.warnings.len(), 1);
    let id = raised.matter.summary.id.to_string();
    assert_eq!(raised.matter.body, "请回电〔已转入密封信息〕，身份证〔已转入密封信息〕，低保没有到账。");
    assert_eq!(raised.matter.summary.petitioner.as_ref().unwrap().kind, "named");
    let opened = fed.lugao.actions.petitioner(&id).await.unwrap();
    assert_eq!((opened.name.as_deref(), opened.phone.as_deref()), (Some("王秀英"), Some("0513-12345")));
    assert_eq!(opened.moved, ["11010519491231002X", "13812345678"]);

    // No byte of it is readable in the database of anybody.
    for commit in fed
        .lugao
        .store
        .doc_commits(&raised.matter.summary.petitioner.unwrap().dossier.unwrap())
        .await
        .unwrap()
    {
        let bytes = String::from_utf8_lossy(&commit.commit.bytes).into_owned();
        assert!(!bytes.contains("王秀英") && !bytes.contains("13812345678"));
    }
    // The town opens it with its own key; the district, which gets the matter by escalation, does not.
    fed.settle().await;
    assert_eq!(fed.town.actions.petitioner(&id).await.unwrap().name.as_deref(), Some("王秀英"));
    fed.lugao.actions.act(None, &id, act(json!({"act": "escalate"}))).await.unwrap();
    fed.settle().await;
    fed.town.actions.act(None, &id, act(json!({"act": "accept"}))).await.unwrap();
    fed.town.actions.act(None, &id, act(json!({"act": "escalate", "reason": "须区里协调"}))).await.unwrap();
    fed.settle().await;
    assert_eq!(fed.district.matter(&id).await.summary.holder.unwrap().name, "青白江区");
    let sealed = fed.district.actions.petitioner(&id).await.unwrap_err();
    assert_eq!((sealed.code(), sealed.class()), ("sealed", Class::Forbidden));
    let nobody = fed.lugao.actions.raise(None, raise("路灯坏了")).await.unwrap();
    let none = fed.lugao.actions.petitioner(&nobody.matter.summary.id.to_string()).await.unwrap_err();
    assert_eq!(none.code(), "sealed");
}

#[tokio::test]
async fn many_at_once_never_share_a_sequence_number() {
    let fed = Federation::start().await;
    let id = fed.lugao.actions.raise(None, raise("路灯坏了")).await.unwrap().matter.summary.id.to_string();
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let (actions, id) = (fed.lugao.actions.clone(), id.clone());
            tokio::spawn(async move {
                let text = format!("第 {n} 条");
                actions.act(None, &id, act(json!({"act": "comment", "text": text}))).await.unwrap();
                actions.raise(None, raise("新事")).await.unwrap().matter.summary.number
            })
        })
        .collect();
    let mut numbers = std::collections::BTreeSet::new();
    for task in tasks {
        assert!(numbers.insert(task.await.unwrap()), "a number was given out twice");
    }
    let m = fed.lugao.matter(&id).await;
    assert_eq!(m.timeline.iter().filter(|t| t.kind == "comment" && t.verdict == "counted").count(), 40);
    fed.lugao.deliver(&fed.town).await;
    assert_eq!(fed.town.matter(&id).await.timeline.len(), 41, "the gate lets all of them pass");
}

#[tokio::test]
async fn a_matter_saves_as_an_automerge_document() {
    let node = village().await;
    let id = node.actions.raise(None, raise("路灯坏了")).await.unwrap().matter.summary.id.to_string();
    node.actions.act(None, &id, act(json!({"act": "accept"}))).await.unwrap();
    let bytes = node.actions.document(&id).await.unwrap();
    assert!(bytes.starts_with(&[0x85, 0x6f, 0x4a, 0x83]), "Automerge's magic bytes");
    let changes = node.actions.changes(&id).await.unwrap();
    assert_eq!((changes.len(), changes[0].seq, changes[2].seq), (3, 1, 3));
    assert!(changes.iter().all(|c| c.signed_by_cert.is_some()));
}
