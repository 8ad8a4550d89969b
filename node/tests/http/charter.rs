//! Charters: tried, issued, refused; what they say about acts; the pages.

use crate::{house::House, paper::Paper};
use serde_json::{Value, json};

const FILE: &str = r#"format = 1
people = [
  { id = "wang", name = "王建国" },
  { id = "li", name = "李秀英", tags = ["women"] },
  { id = "zhao", name = "赵德华", tags = ["women"] },
]
units = [{ id = "civil", zh = "民政办", en = "Civil affairs", handlers = ["wang"] }]
stations = [{ id = "hall", zh = "便民服务站", en = "Service point", weekdays = ["monday"], hours = "9:00–11:30", people = ["li"] }]
rotas = [{ id = "hotline", zh = "热线值班", en = "Hotline", every = "day", from = 2026-11-01, order = ["wang", "li"] }]
categories = [
  { id = "水利", zh = "水利", en = "Water", unit = "civil" },
  { id = "建房", zh = "建房", en = "Building" },
]
custody = [{ what = "村委会公章", by = "wang" }]

[[bodies]]
id = "council"
zh = "村民议事会"
en = "Council"
members = ["wang", "li"]
until = 2026-12-31

[[powers]]
power = "answer"
category = "建房"
level = "township"
basis = "建房管理办法"
"#;

async fn issued(house: &mut House, file: &str) -> Value {
    let reply = house.admin().post("/api/v1/charter", &json!({ "file": file })).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    house.settle().await;
    reply.json()
}

async fn act(house: &mut House, id: &str, body: Value) -> (u16, Value) {
    let reply = house.admin().post(&format!("/api/v1/matters/{id}/acts"), &body).await;
    house.settle().await;
    (reply.status, reply.json())
}

async fn raised(house: &mut House, category: &str) -> String {
    let body = json!({ "body": "村口涵洞积水", "category": category });
    let made = house.admin().post("/api/v1/matters", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    house.settle().await;
    made.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_charter_is_tried_then_issued_and_a_broken_one_changes_nothing() {
    let mut house = House::open().await;
    let admin = house.admin();
    let empty = admin.get("/api/v1/charter").await.json();
    assert_eq!((&empty["number"], &empty["articles"]["people"]), (&json!(0), &json!([])));
    let first = admin.get("/api/v1/charter/file").await.json()["file"].as_str().unwrap().to_owned();
    let tried = admin.post("/api/v1/charter/stage", &json!({ "file": first })).await;
    assert_eq!(tried.json()["problems"], json!([]), "what one begins with can be issued: {}", tried.text());
    let staged = admin.post("/api/v1/charter/stage", &json!({ "file": FILE })).await.json();
    let changes = staged["changes"].as_array().unwrap();
    assert!(changes.iter().any(|c| c.as_str().unwrap().contains("王建国")), "{staged}");
    assert_eq!(admin.get("/api/v1/charter").await.json()["number"], 0, "trying changes nothing");

    issued(&mut house, FILE).await;
    let charter = house.admin().get("/api/v1/charter").await.json();
    // The first snapshot says who the place is; this is the second.
    assert_eq!(charter["number"], 2);
    assert_eq!(charter["articles"]["bodies"][0]["members"], json!(["wang", "li"]));
    // A Monday, the 22nd day after the rota began.
    assert_eq!(charter["today"]["duty"][0]["people"], json!(["王建国"]));
    assert_eq!(charter["today"]["stations"][0]["people"], json!(["李秀英"]));
    assert_eq!(charter["ending"][0]["until"], "2026-12-31");

    let bad = FILE.replace("handlers = [\"wang\"]", "handlers = [\"qian\"]");
    let refused = house.admin().post("/api/v1/charter", &json!({ "file": bad })).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("qian") && refused.text().contains("bad_charter"), "{}", refused.text());
    house.settle().await;
    assert_eq!(house.admin().get("/api/v1/charter").await.json()["number"], 2);
    assert_eq!(house.admin().get("/api/v1/charter/file").await.json()["file"], FILE);
    // The next one says what changes.
    let more = FILE.replace("name = \"王建国\"", "name = \"王建军\"");
    let staged = issued(&mut house, &more).await;
    assert_eq!(staged["number"], 3);
    assert!(staged["changes_en"].to_string().contains("changed person: 王建国 → 王建军"), "{staged}");
}

#[tokio::test]
async fn acts_go_by_the_charter() {
    let mut house = House::open().await;
    issued(&mut house, FILE).await;
    // The scheme of categories.
    let body = json!({ "body": "路灯不亮", "category": "照明" });
    let unknown = house.admin().post("/api/v1/matters", &body).await;
    assert_eq!(unknown.status, 422);
    assert!(unknown.text().contains("水利、建房"), "{}", unknown.text());
    let water = raised(&mut house, "Water").await;
    let kept = house.admin().get(&format!("/api/v1/matters/{water}")).await.json();
    assert_eq!(kept["category"], "水利");
    assert_eq!(act(&mut house, &water, json!({ "act": "accept" })).await.0, 200);
    // Units and who handles work in them.
    let (status, said) = act(&mut house, &water, json!({ "act": "assign", "unit": "消防队" })).await;
    assert_eq!((status, said["field"].as_str()), (422, Some("unit")), "{said}");
    assert_eq!(act(&mut house, &water, json!({ "act": "assign", "unit": "民政办" })).await.0, 200);
    let shown = house.admin().get(&format!("/api/v1/matters/{water}")).await.json();
    assert_eq!(shown["deliberation"]["assigned"]["person"], "wang", "{shown}");
    // Members: by name or id, counted; a stranger is refused.
    let meet = |roll: Value| json!({ "act": "meet", "body": "council", "roll": roll, "minutes": "议定清淤" });
    let (status, said) =
        act(&mut house, &water, meet(json!({ "王建国": "present", "赵德华": "present" }))).await;
    assert_eq!(status, 422);
    assert!(said["detail"].as_str().unwrap().contains("赵德华"), "{said}");
    let (status, said) = act(&mut house, &water, meet(json!({ "王建国": "present", "li": "remote" }))).await;
    assert_eq!(status, 200, "{said}");
    let met = &said["matter"]["deliberation"]["meetings"][0];
    assert_eq!(
        (&met["eligible"], &met["present"], &met["remote"]),
        (&json!(2), &json!(1), &json!(1)),
        "{met}"
    );
    assert_eq!((&met["roll"]["wang"], &met["tags"]["women"]), (&json!("present"), &json!(1)), "{met}");
    let ballot = json!({ "act": "ballot", "question": "清淤", "body": "council", "eligible": 3, "present": 2,
        "for": 2, "against": 0, "abstain": 0 });
    let (status, said) = act(&mut house, &water, ballot).await;
    assert_eq!((status, said["field"].as_str()), (422, Some("eligible")), "{said}");
    // Who may decide.
    let building = raised(&mut house, "建房").await;
    assert_eq!(act(&mut house, &building, json!({ "act": "accept" })).await.0, 200);
    let (status, said) = act(&mut house, &building, json!({ "act": "answer", "text": "同意" })).await;
    assert_eq!((status, said["code"].as_str()), (403, Some("not_delegated")), "{said}");
    assert!(said["detail_zh"].as_str().unwrap().contains("建房管理办法"), "{said}");
    assert_eq!(act(&mut house, &water, json!({ "act": "answer", "text": "已清淤" })).await.0, 200);
}

#[tokio::test]
async fn a_holiday_notice_counts_the_days_anew() {
    let mut house = House::open().await;
    let id = raised(&mut house, "其他").await;
    let due = |v: Value| v["deadline"]["date"].as_str().unwrap().to_owned();
    let before = due(house.admin().get(&format!("/api/v1/matters/{id}")).await.json());
    let notice = "date,kind,festival\n2026-11-24,holiday,建区纪念日\n2026-11-25,holiday,建区纪念日\n";
    let body = json!({ "year": 2026, "notice": notice });
    let staged = house.admin().post("/api/v1/charter/notices/stage", &body).await.json();
    assert!(staged["changes"].to_string().contains("[\"2026-11-24\",\"free\"]"), "{staged}");
    let wrong = json!({ "year": 2026, "notice": "date,kind,festival\n2026-11-24,party,x\n" });
    let refused = house.admin().post("/api/v1/charter/notices", &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(refused.json()["detail_zh"].as_str().unwrap().contains("第 2 行"), "{}", refused.text());
    assert_eq!(house.admin().post("/api/v1/charter/notices", &body).await.status, 201);
    house.settle().await;
    let after = due(house.admin().get(&format!("/api/v1/matters/{id}")).await.json());
    let days = |d: &str| d.parse::<yishi_protocol::calendar::Date>().unwrap().days();
    assert_eq!(days(&after) - days(&before), 2, "{before} {after}");
    let charter = house.admin().get("/api/v1/charter").await.json();
    let year = charter["calendar"].as_array().unwrap().iter().find(|y| y["year"] == 2026).unwrap().clone();
    assert_eq!(year["by"]["name"], "芦稿村");
}

#[tokio::test]
async fn the_charters_pages() {
    let mut house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    house.person("wang", "correct horse", &["administrator"]).await;
    let clerk = house.signed_in("li", "correct horse").await;
    let page = clerk.get("/charter").await.text();
    assert!(page.contains("还没有写章程") && !page.contains("/charter/issue"), "{page}");
    assert_eq!(clerk.get("/charter/issue").await.status, 403);
    let admin = house.signed_in("wang", "correct horse").await;
    let blank = admin.get("/charter/issue").await.text();
    let tried = Paper::of(&blank, "<form class=\"fill\"").fill("file", FILE).send(&admin).await;
    assert_eq!(tried.status, 200);
    assert!(tried.text().contains("新增人员：王建国") && tried.text().contains("发布"), "{}", tried.text());
    let done = Paper::of(&tried.text(), "class=\"staged\"").send(&admin).await;
    assert_eq!(done.status, 303, "{}", done.text());
    house.settle().await;
    let page = clerk.get("/charter").await.text();
    for word in [
        "热线值班",
        "便民服务站",
        "村民议事会",
        "任期将于2026年12月31日届满",
        "建房管理办法",
        "乡镇（街道）级",
    ] {
        assert!(page.contains(word), "{word} is missing");
    }
    let english = clerk.get("/charter?lang=en").await.text();
    assert!(english.contains("On duty today") && english.contains("the term ends on Thu 31 Dec 2026"));
    house.register("没办完的事").await;
    let list = clerk.get("/charter/handover").await.text();
    for word in ["村委会公章", "王建国", "没办完的事", "监交人", "任期届满"] {
        assert!(list.contains(word), "{word} is missing");
    }
    let broken = Paper::of(&admin.get("/charter/issue").await.text(), "<form class=\"fill\"")
        .fill("file", "format = 2\n")
        .send(&admin)
        .await;
    assert!(broken.text().contains("要改：第 1 行") && !broken.text().contains("value=\"apply\""));
}

#[tokio::test]
async fn forms_know_units_categories_and_members_by_name() {
    let mut house = House::open().await;
    let branch =
        "\n[[bodies]]\nid = \"branch\"\nzh = \"党总支\"\nen = \"Branch\"\nmembers = [\"wang\", \"zhao\"]\n";
    issued(&mut house, &format!("{FILE}{branch}")).await;
    house.person("li", "correct horse", &["clerk"]).await;
    let browser = house.signed_in("li", "correct horse").await;
    let new = browser.get("/new").await.text();
    assert!(new.contains("<option value=\"水利\">水利</option>"), "the scheme is chosen from: {new}");
    let id = raised(&mut house, "水利").await;
    let accept = json!({ "act": "accept", "procedure": "four_steps" });
    assert_eq!(act(&mut house, &id, accept).await.0, 200);
    let at = format!("/m/{id}");
    let page = browser.get(&at).await.text();
    assert!(page.contains("<option value=\"民政办\">民政办</option>"), "{page}");
    assert!(page.contains("name=\"roll.wang\"") && !page.contains("name=\"roll.li\""), "{page}");
    let met = Paper::act(&page, "meet")
        .fill("body", "branch")
        .fill("roll.wang", "present")
        .fill("roll.zhao", "")
        .fill("minutes", "同意提交")
        .send(&browser)
        .await;
    assert_eq!(met.status, 303, "{}", met.text());
    house.settle().await;
    let matter = house.admin().get(&format!("/api/v1/matters/{id}")).await.json();
    let met = &matter["deliberation"]["meetings"][0];
    assert_eq!((&met["eligible"], &met["present"]), (&json!(2), &json!(1)), "{met}");
    // Who was not ticked was not there.
    assert_eq!(met["roll"], json!({ "wang": "present", "zhao": "absent" }));
}
