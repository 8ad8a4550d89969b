//! How fast the projector is. Run with `--release -- --ignored`.

use crate::federation::Federation;
use serde_json::json;
use std::time::Instant;
use yishi_node::actions::{ActRequest, ImportRequest};

/// Documents of the measurement: a busy village of five years.
const DOCUMENTS: usize = 10_000;

#[tokio::test]
#[ignore = "a measurement: run in release"]
async fn ten_thousand_documents_of_nine_changes() {
    let node = Federation::start().await.lugao;
    let began = Instant::now();
    for call in 0..DOCUMENTS / 500 {
        let rows: Vec<_> = (0..500)
            .map(|n| json!({"row": n, "number": format!("{call}-{n}"), "body": "村口涵洞积水，一下雨就过不去人。".repeat(4), "raised_on": "2026-11-02"}))
            .collect();
        let request: ImportRequest =
            serde_json::from_value(json!({"system": "hotline", "rows": rows})).unwrap();
        assert_eq!(node.actions.import_rows(None, request).await.unwrap().created, 500);
    }
    println!("raised {DOCUMENTS} in {:?}", began.elapsed());
    let docs = node.store.docs_of_kind(yishi_protocol::kind::Kind::Proposal, None).await.unwrap();
    let began = Instant::now();
    let steps = [
        json!({"act": "accept"}),
        json!({"act": "handle", "note": "已联系水务站到现场查看"}),
        json!({"act": "comment", "text": "昨天又积水了"}),
        json!({"act": "support", "count": 3}),
        json!({"act": "answer", "text": "已疏通涵洞，并加装了格栅。"}),
        json!({"act": "tell", "how": "visit"}),
        json!({"act": "close"}),
    ];
    for some in docs.chunks(250) {
        let tasks: Vec<_> = some
            .iter()
            .map(|doc| {
                let (actions, doc, steps) = (node.actions.clone(), doc.to_string(), steps.clone());
                tokio::spawn(async move {
                    for step in steps {
                        let request: ActRequest = serde_json::from_value(step).unwrap();
                        actions.act(None, &doc, request).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    }
    println!("{} acts in {:?}", DOCUMENTS * steps.len(), began.elapsed());
    let began = Instant::now();
    let folded = node.project().await;
    let took = began.elapsed();
    println!("projected {folded} documents of 9 changes in {took:?}");
    assert_eq!(folded, DOCUMENTS);
    assert!(took.as_secs_f64() < 3.0, "{took:?}");
}
