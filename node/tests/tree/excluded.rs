//! A matter homed above with its village excluded: not one byte, id or count of it reaches the village, while
//! blocks flow and while histories are compared (rule R11, promise 5).

use crate::nodes::{Nodes, OLD, TOWN, VILLAGE};
use serde_json::json;
use yishi_node::life;
use yishi_protocol::reconcile::print;

const WORDS: &str = "反映芦稿村负责人的问题";

/// What the village hears in a life with or without a matter about it at the township: the length of every
/// frame.
async fn heard(with_clue: bool) -> Vec<usize> {
    let mut nodes = Nodes::begin().await;
    let own = nodes.raise(VILLAGE, "村口涵洞积水。").await;
    nodes.settle().await;
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    let mut clue = None;
    if with_clue {
        let doc = nodes.raise(TOWN, WORDS).await;
        nodes.act(TOWN, &doc, json!({"act": "escalate"})).await;
        clue = Some(doc);
    }
    nodes.settle().await;
    if let Some(clue) = &clue {
        nodes.act(OLD, clue, json!({"act": "accept"})).await;
        nodes.act(OLD, clue, json!({"act": "comment", "text": WORDS})).await;
        nodes.act(OLD, clue, json!({"act": "answer", "text": WORDS})).await;
    }
    nodes.settle().await;
    if let Some(clue) = clue {
        assert!(nodes.changes(OLD, &clue).await >= 6, "the district has it");
        assert_eq!(nodes.changes(VILLAGE, &clue).await, 0);
        assert!(nodes.node(VILLAGE).actions.matter(&clue.to_string()).await.is_err());
        let index = nodes.node(TOWN).store.doc_indexes(&[clue]).await.unwrap().remove(&clue).unwrap().index;
        secrets.push(clue.0[..8].to_vec());
        secrets.push(WORDS.as_bytes().to_vec());
        secrets.push(print(&clue, index.heads()).to_vec());
        secrets.extend(index.iter().map(|(hash, _)| hash.0[..8].to_vec()));
    }
    nodes.act(TOWN, &own, json!({"act": "comment", "text": "镇上已知"})).await;
    nodes.settle().await;
    // The village's database begins a new life: both sides compare all that the village may see.
    life::renew(&nodes.node(VILLAGE).store).await.unwrap();
    nodes.settle().await;
    nodes.act(VILLAGE, &own, json!({"act": "comment", "text": "还在积水"})).await;
    nodes.settle().await;
    let heard = nodes.heard.take();
    for (n, frame) in heard.iter().enumerate() {
        for secret in &secrets {
            let found = frame.windows(secret.len()).any(|w| w == secret.as_slice());
            assert!(!found, "frame {n} of {} tells of it", heard.len());
        }
    }
    heard.iter().map(Vec::len).collect()
}

#[tokio::test]
async fn an_excluded_village_hears_exactly_what_it_would_hear_without_the_matter() {
    let (with, without) = (heard(true).await, heard(false).await);
    assert!(without.len() > 10, "{without:?}");
    assert_eq!(with, without);
}
