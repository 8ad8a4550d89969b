//! Notices by their pages: written, shown whom they reach, given, changed, taken back; and what is refused keeps what
//! was typed.

use crate::{house::House, paper::Paper};
use serde_json::json;

#[tokio::test]
async fn a_notice_is_shown_first_then_given_changed_and_taken_back() {
    let mut house = House::district().await;
    house.place_below(2, "510113106000", "姚渡镇").await;
    house.person("sun", "correct horse", &["administrator"]).await;
    let sun = house.signed_in("sun", "correct horse").await;
    let empty = sun.get("/notices").await;
    assert_eq!(empty.status, 200);
    assert!(empty.text().contains("现在没有通知"), "{}", empty.text());
    let blank = sun.get("/notices/new").await.text();
    let form = Paper::of(&blank, "<main")
        .fill("sort", "resource")
        .fill("title", "水利补助")
        .fill("category", "水利");
    // Refused: what was typed is still there.
    let refused = form.clone().fill("text", "每处<b>两万</b>元").fill("until", "2020-01-01").send(&sun).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(
        refused.text().contains("水利补助") && refused.text().contains("截止日期已经过去"),
        "{}",
        refused.text()
    );
    let staged = form.fill("text", "每处<b>两万</b>元").fill("until", "2026-12-31").send(&sun).await;
    assert_eq!(staged.status, 200);
    assert!(
        staged.text().contains("青白江区及以下全部单位（已知 1 个）") && staged.text().contains("还没有发出"),
        "{}",
        staged.text()
    );
    assert!(!staged.text().contains("<b>两万</b>"), "markup is shown as text");
    assert_eq!(
        house.admin().get("/api/v1/notices").await.json()["items"],
        json!([]),
        "showing gives nothing"
    );
    let press = Paper::of(&staged.text(), "class=\"staged\"");
    let given = press.send(&sun).await;
    assert_eq!(given.status, 303, "{}", given.text());
    house.settle().await;
    // The second press of the same button gives nothing more.
    assert_eq!(press.send(&sun).await.status, 303);
    house.settle().await;
    let list = house.admin().get("/api/v1/notices").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let id = list["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(sun.get("/").await.text().contains("水利补助"), "it is on Today");
    assert!(!sun.get("/board").await.text().contains("水利补助"), "a resource is not for the board");
    // A new version; the old one stays readable.
    let change = sun.get(&format!("/notices/new?replaces={id}")).await.text();
    let change = Paper::of(&change, "<main")
        .fill("sort", "announcement")
        .fill("title", "水利补助办法")
        .fill("text", "先报先得");
    let staged = change.send(&sun).await.text();
    assert_eq!(Paper::of(&staged, "class=\"staged\"").send(&sun).await.status, 303);
    house.settle().await;
    let page = sun.get(&format!("/notices/{id}")).await.text();
    assert!(page.contains("水利补助办法") && page.contains("以前的版本"), "{page}");
    let board = sun.get("/board").await;
    assert!(board.text().contains("水利补助办法"), "{}", board.text());
    // Without a reason nothing is taken back.
    let recall = Paper::of(&page, "id=\"recall\"");
    assert_eq!(recall.clone().fill("reason", " ").send(&sun).await.status, 422);
    assert_eq!(recall.fill("reason", "资金用完").send(&sun).await.status, 303);
    house.settle().await;
    assert!(sun.get(&format!("/notices/{id}?lang=en")).await.text().contains("taken back"));
    assert!(!sun.get("/board").await.text().contains("水利补助办法"));
    // Whoever may not decide sees it and has no form.
    house.person("wang", "correct horse", &["group_leader"]).await;
    let wang = house.signed_in("wang", "correct horse").await;
    assert_eq!(wang.get("/notices/new").await.status, 403);
    assert_eq!(wang.get(&format!("/notices/{id}")).await.status, 200);
    assert_eq!(wang.get("/notices/00ff00ff00ff").await.status, 404);
    assert_eq!(house.browser().get("/notices").await.status, 303, "without sign-in there is the board");
}
