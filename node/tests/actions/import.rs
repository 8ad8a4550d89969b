//! Tables of a hotline: in, again, and back out.

use crate::federation::Federation;
use serde_json::json;
use yishi_node::actions::{ExportQuery, ImportRequest, ListQuery};

fn rows(rows: serde_json::Value) -> ImportRequest {
    serde_json::from_value(json!({"system": "hotline", "rows": rows})).unwrap()
}

#[tokio::test]
async fn an_import_is_idempotent_and_a_bad_row_spoils_nothing() {
    let node = Federation::start().await.lugao;
    let table = || {
        rows(json!([
            {"row": 2, "number": "12345-1", "title": "噪音", "body": "工地夜里施工", "raised_on": "2026-10-08",
             "answer": "已责令停工", "answered_on": "2026-10-12"},
            {"row": 3, "number": "12345-2", "body": "路灯不亮", "raised_on": "2026-11-02"},
            {"row": 4, "number": "12345-3", "body": "", "raised_on": "2026-11-02"},
            {"row": 5, "number": "12345-4", "body": "没有日期", "raised_on": "十一月二日"},
            {"row": 6, "number": "", "body": "没有编号", "raised_on": "2026-11-02"},
            {"row": 7, "number": "12345-2", "body": "同一编号", "raised_on": "2026-11-02"},
            {"row": 8, "number": "12345-5", "body": "日期颠倒", "raised_on": "2026-11-02", "answer": "好", "answered_on": "2026-11-01"},
            {"row": 9, "number": "12345-6", "body": "将来", "raised_on": "2027-01-01"}
        ]))
    };
    let news = node.store.news();
    let first = node.actions.import_rows(Some("u1"), table()).await.unwrap();
    assert_eq!(news.len(), 1, "one save");
    assert_eq!((first.created, first.answered, first.skipped), (2, 0, 0));
    let errors: Vec<(u64, &str)> = first.errors.iter().map(|e| (e.row, e.code)).collect();
    assert_eq!(
        errors,
        [
            (4, "invalid"),
            (5, "invalid"),
            (6, "invalid"),
            (7, "external_taken"),
            (8, "invalid"),
            (9, "invalid")
        ]
    );
    assert!(first.errors.iter().all(|e| e.detail_zh.contains("保存")));

    let before = node.changes().await;
    let second = node.actions.import_rows(Some("u1"), table()).await.unwrap();
    assert_eq!((second.created, second.answered, second.skipped), (0, 0, 2));
    assert_eq!(node.changes().await, before);

    // An answer that came later is added, once.
    let answered = || {
        rows(json!([
            {"row": 2, "number": "12345-2", "body": "路灯不亮", "raised_on": "2026-11-02", "answer": "已修好", "answered_on": "2026-11-10"},
            {"row": 3, "number": "12345-2", "body": "路灯不亮", "raised_on": "2026-11-02", "answer": "已修好", "answered_on": "2026-11-10"}
        ]))
    };
    let third = node.actions.import_rows(None, answered()).await.unwrap();
    assert_eq!((third.answered, third.errors.len()), (1, 1));
    assert_eq!(node.actions.import_rows(None, answered()).await.unwrap().skipped, 1);

    node.project().await;
    let list =
        node.actions.matters(ListQuery { sort: Some("number".into()), ..Default::default() }).await.unwrap();
    let shown: Vec<_> = list
        .items
        .iter()
        .map(|m| (m.number.as_str(), m.stage.as_str(), m.raised_on.as_str(), m.violations.len()))
        .collect();
    assert_eq!(
        shown,
        [("芦稿-2026-0001", "closed", "2026-10-08", 0), ("芦稿-2026-0002", "closed", "2026-11-02", 0)]
    );
    assert_eq!(list.items[0].external.as_ref().unwrap().number, "12345-1");
    assert_eq!(list.items[0].channel.as_deref(), Some("hotline"));

    let export = |since: Option<&str>| ExportQuery {
        system: "hotline".into(),
        answered_since: since.map(|s| s.parse().unwrap()),
        ..ExportQuery::default()
    };
    let all = node.actions.export(&export(None)).await.unwrap().items;
    assert_eq!(
        (all.len(), all[0].answer.as_deref(), all[0].answered_on.as_deref()),
        (2, Some("已责令停工"), Some("2026-10-12"))
    );
    assert_eq!(node.actions.export(&export(Some("2026-11-01"))).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let node = Federation::start().await.lugao;
    let many: Vec<_> = (0..120).map(|n| json!({"row": n, "number": format!("h{n}"), "body": format!("第{n}件"), "raised_on": "2026-11-02"})).collect();
    assert_eq!(node.actions.import_rows(None, rows(many.into())).await.unwrap().created, 120);
    node.project().await;
    let (mut cursor, mut seen) = (None, std::collections::BTreeSet::new());
    loop {
        let query = ListQuery { limit: Some(50), cursor, sort: Some("number".into()), ..Default::default() };
        let page = node.actions.matters(query).await.unwrap();
        seen.extend(page.items.into_iter().map(|m| m.number));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 120);
    let wrong = node.actions.matters(ListQuery { limit: Some(501), ..Default::default() }).await.unwrap_err();
    assert_eq!(wrong.field(), Some("limit"));
    let wrong = node
        .actions
        .matters(ListQuery { stage: Some("flying".into()), ..Default::default() })
        .await
        .unwrap_err();
    assert_eq!(wrong.field(), Some("stage"));
}
