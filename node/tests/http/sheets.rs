//! Sheets: made of what was done, never entered again, over the API, as files and as pages to print.

use crate::{
    client::Client,
    house::{House, MORNING_MS},
};
use serde_json::{Value, json};

const DAY_MS: u64 = 24 * 3_600_000;

struct Village {
    house: House,
}

impl Village {
    async fn open() -> Self {
        Self { house: House::open().await }
    }

    async fn register(&mut self, request: Value) -> String {
        let made = self.house.admin().post("/api/v1/matters", &request).await;
        assert_eq!(made.status, 201, "{}", made.text());
        self.house.settle().await;
        made.json()["id"].as_str().unwrap().to_owned()
    }

    async fn act(&mut self, id: &str, act: Value) {
        let done = self.house.admin().post(&format!("/api/v1/matters/{id}/acts"), &act).await;
        assert!(done.status < 300, "{act}: {}", done.text());
        self.house.settle().await;
    }

    async fn acts<const N: usize>(&mut self, id: &str, acts: [Value; N]) {
        for act in acts {
            self.act(id, act).await;
        }
    }

    async fn sheet(&self, path: &str) -> Value {
        let sheet = self.house.admin().get(&format!("/api/v1/sheets/{path}")).await;
        assert_eq!(sheet.status, 200, "{}", sheet.text());
        sheet.json()
    }
}

/// The value in a named column of a row.
fn at<'a>(sheet: &'a Value, row: usize, column: &str) -> &'a Value {
    let columns = sheet["columns"].as_array().unwrap();
    let n = columns.iter().position(|c| c["name"] == column).unwrap_or_else(|| panic!("no column {column}"));
    &sheet["rows"][row]["cells"][n]
}

fn rows(sheet: &Value) -> usize {
    sheet["rows"].as_array().unwrap().len()
}

/// The content of a line of a sheet that has a matter's lines.
fn line(sheet: &Value, name: &str) -> Vec<Value> {
    let rows = sheet["rows"].as_array().unwrap().iter();
    rows.filter(|r| r["cells"][0]["zh"] == name).map(|r| r["cells"][1].clone()).collect()
}

#[tokio::test]
async fn whom_to_tell_is_listed_with_names_only_for_whoever_may_open_them() {
    let mut v = Village::open().await;
    let named = v
        .register(json!({ "body": "低保没批下来", "petitioner":
            { "kind": "named", "name": "王小明", "phone": "13900000000", "address": "3组" } }))
        .await;
    let plain = v.register(json!({ "body": "路灯不亮" })).await;
    let open = v.register(json!({ "body": "还没办的事" })).await;
    for id in [&named, &plain] {
        v.acts(id, [json!({ "act": "accept" }), json!({ "act": "answer", "text": "=已办，请核实" })]).await;
    }
    v.house.clock.set_ms(MORNING_MS + 4 * DAY_MS);
    let sheet = v.sheet("to_tell").await;
    assert_eq!(rows(&sheet), 2, "{sheet}");
    assert_eq!((at(&sheet, 0, "number"), at(&sheet, 0, "waits_days")), (&json!("芦稿-2026-0001"), &json!(4)));
    assert_eq!(at(&sheet, 0, "answer"), "=已办，请核实");
    assert_eq!(sheet["rows"][0]["matters"], json!([named]));
    assert!(!sheet.to_string().contains("王小明") && !sheet.to_string().contains(&open));
    let sheet = v.sheet("to_tell?names=yes").await;
    assert_eq!(
        (at(&sheet, 0, "petitioner"), at(&sheet, 0, "phone"), at(&sheet, 0, "address")),
        (&json!("王小明"), &json!("13900000000"), &json!("3组"))
    );
    assert_eq!(at(&sheet, 1, "petitioner")["zh"], "没有登记");
    // Whoever may read, and not open dossiers, gets the list without names and no way round it.
    v.house.person("wang", "correct horse", &["group_leader"]).await;
    let wang = v.house.signed_in("wang", "correct horse").await;
    for at in [
        "/api/v1/sheets/to_tell?names=yes",
        "/sheets/to_tell?names=yes",
        "/sheets/to_tell?names=yes&format=csv",
    ] {
        let refused = wang.get(at).await;
        assert_eq!(refused.status, 403, "{at}: {}", refused.text());
        assert!(!refused.text().contains("王小明"));
    }
    let page = wang.get("/sheets/to_tell").await.text();
    assert!(page.contains("待告知清单") && page.contains("低保没批下来") && !page.contains("王小明"));
    let list = wang.get("/sheets").await.text();
    assert!(list.contains("待告知清单") && !list.contains("name=\"names\""));
    assert_eq!(v.house.browser().get("/sheets/to_tell").await.status, 303, "signing in comes first");
    // What was told leaves the list.
    v.act(&named, json!({ "act": "tell", "how": "visit" })).await;
    assert_eq!(rows(&v.sheet("to_tell?home=self").await), 1);
}

#[tokio::test]
async fn a_sheet_is_a_file_in_which_nothing_is_calculated() {
    let mut v = Village::open().await;
    let id = v.register(json!({ "body": "=HYPERLINK(\"http://x\",\"点我\")" })).await;
    v.acts(&id, [json!({ "act": "accept" }), json!({ "act": "answer", "text": "@已办" })]).await;
    let csv = v.house.admin().get("/api/v1/sheets/to_tell?format=csv").await;
    assert_eq!(csv.status, 200);
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert!(csv.header("content-disposition").contains("to_tell-2026-11-23.csv"));
    let text = csv.text();
    assert!(text.contains("登记单位,编号,事项") && text.contains("\t@已办"), "{text}");
    assert!(!text.contains(",=") && !text.contains(",\"=") && !text.contains(",@"), "{text}");
    let english = v.house.admin().get("/api/v1/sheets/to_tell?format=csv&lang=en").await.text();
    assert!(english.contains("Registered by,Number,Matter"), "{english}");
    let xlsx = v.house.admin().get("/sheets/to_tell?format=xlsx").await;
    assert_eq!((xlsx.status, &xlsx.body[..2]), (200, &b"PK"[..]));
    let page = v.house.admin().get("/api/v1/sheets/to_tell?format=html").await.text();
    assert!(page.contains("<article class=\"sheet wide\">") && page.contains("=HYPERLINK(&#34;"), "{page}");
    for (at, status) in [
        ("none", 404),
        ("to_tell?format=pdf", 422),
        ("to_tell?quarter=2026-Q4", 422),
        ("to_tell?sort=x", 400),
        ("to_tell?home=无此村", 404),
        ("lost_wages", 422),
        ("opinions?since=2026-12-01&until=2026-11-01", 422),
        ("courier_handling", 422),
    ] {
        let refused = v.house.admin().get(&format!("/api/v1/sheets/{at}")).await;
        assert_eq!(refused.status, status, "{at}: {}", refused.text());
    }
    assert!(v.house.admin().get("/").await.text().contains("href=\"/sheets\""), "Today leads to the sheets");
}

#[tokio::test]
async fn the_couriers_three_forms_fill_themselves() {
    let mut v = Village::open().await;
    let id = v
        .register(json!({ "body": "机耕道太窄", "channel": "diary", "category": "道路", "petitioner":
            { "kind": "named", "name": "王小明", "phone": "13900000000" } }))
        .await;
    v.acts(
        &id,
        [
            json!({ "act": "accept", "procedure": "opinion_courier" }),
            json!({ "act": "record", "form": "collection", "fields":
                { "courier": "李大姐", "channel": "diary", "collected_on": "2026-11-20", "opinion": "收割机进不去" } }),
            json!({ "act": "advance", "to": "discussed" }),
            json!({ "act": "call", "body": "party_meeting", "day": "2026-11-24", "agenda": "机耕道" }),
        ],
    )
    .await;
    v.house.clock.set_ms(MORNING_MS + DAY_MS);
    v.acts(
        &id,
        [
            json!({ "act": "meet", "body": "party_meeting", "eligible": 5, "present": 4, "minutes": "同意拓宽" }),
            json!({ "act": "record", "form": "handling", "fields":
                { "unit": "村委会", "measures": "拓宽一米", "result": "planned" } }),
            json!({ "act": "advance", "to": "answered" }),
        ],
    )
    .await;
    let sheet = v.sheet(&format!("courier_collection?matter={id}")).await;
    assert_eq!(sheet["title"]["zh"], "民情民意收集登记表");
    assert_eq!(sheet["about"]["number"], "芦稿-2026-0001");
    assert_eq!(line(&sheet, "民情专递员"), ["李大姐"]);
    assert_eq!(line(&sheet, "民情民意内容"), [json!("机耕道太窄"), json!("收割机进不去")]);
    assert_eq!(line(&sheet, "收集日期"), ["2026-11-20"]);
    assert!(!sheet.to_string().contains("王小明"));
    let sheet = v.sheet(&format!("courier_collection?matter={id}&names=yes")).await;
    assert_eq!(line(&sheet, "姓名"), ["王小明"]);
    let sheet = v.sheet(&format!("courier_handling?matter={id}")).await;
    assert_eq!(line(&sheet, "办理结果")[0]["zh"], "列入计划");
    assert!(line(&sheet, "讨论")[0]["zh"].as_str().unwrap().contains("应到 5 人，实到 4 人。同意拓宽"));
    assert_eq!(line(&sheet, "受理"), ["2026-11-23"]);
    let sheet = v.sheet(&format!("courier_feedback?matter={id}")).await;
    assert_eq!(line(&sheet, "怎么告知的"), [Value::Null], "what is missing stands empty on the paper");
    assert!(sheet["notes"].to_string().contains("没有填过这张表"), "{sheet}");
    v.acts(
        &id,
        [
            json!({ "act": "record", "form": "feedback", "fields": { "told_by": "李大姐", "content": "mostly" } }),
            json!({ "act": "answer", "text": "列入明年计划" }),
            json!({ "act": "tell", "how": "visit", "note": "还算满意" }),
        ],
    )
    .await;
    let sheet = v.sheet(&format!("courier_feedback?matter={id}")).await;
    assert_eq!(line(&sheet, "答复内容"), ["列入明年计划"]);
    assert_eq!(line(&sheet, "怎么告知的")[0]["zh"], "上门");
    assert_eq!(line(&sheet, "告知时群众说"), ["还算满意"]);
    assert_eq!(
        (&line(&sheet, "反馈人")[0], &line(&sheet, "群众意见")[0]["zh"]),
        (&json!("李大姐"), &json!("基本满意"))
    );
    assert!(!sheet["notes"].to_string().contains("没有填过这张表"), "{sheet}");
    // On paper: its number and a code that leads to the matter, never the check code.
    let check = v.house.admin().get(&format!("/api/v1/matters/{id}")).await.json()["check_code"].clone();
    let page = v.house.admin().get(&format!("/sheets/courier_handling?matter={id}")).await.text();
    assert!(page.contains("芦稿-2026-0001") && page.contains("<svg class=\"qr\""));
    assert!(!page.contains(check.as_str().unwrap()));
    let english = v.house.admin().get(&format!("/sheets/courier_handling?matter={id}&lang=en")).await.text();
    assert!(english.contains("Opinion handling sheet") && english.contains("4 of 5 there"), "{english}");
    let of_matter = v.house.admin().get(&format!("/sheets?matter={id}")).await.text();
    assert!(of_matter.contains(&format!("value=\"{id}\"")) && !of_matter.contains("待告知清单"));
}

#[tokio::test]
async fn nantongs_lists_have_one_row_for_each_paper() {
    let mut v = Village::open().await;
    let mut ids = Vec::new();
    for (body, agreed) in [("停车难", "增设车位"), ("广场噪音", "限时到九点")] {
        let id = v.register(json!({ "body": body })).await;
        v.acts(
            &id,
            [
                json!({ "act": "accept", "procedure": "good_to_discuss" }),
                json!({ "act": "record", "form": "platform", "fields": { "room": "村议事室", "way": "hall" } }),
                json!({ "act": "record", "form": "opinions", "fields": { "agreed": agreed, "count": 2 } }),
            ],
        )
        .await;
        ids.push(id);
    }
    v.house.clock.set_ms(MORNING_MS + 40 * DAY_MS);
    v.act(
        &ids[0],
        json!({ "act": "record", "form": "opinions", "fields": { "agreed": "补一条", "count": 1 } }),
    )
    .await;
    let other = v.register(json!({ "body": "别的程序" })).await;
    v.act(&other, json!({ "act": "accept", "procedure": "four_steps" })).await;
    let sheet = v.sheet("opinions").await;
    assert_eq!(rows(&sheet), 3, "{sheet}");
    let titles: Vec<&str> =
        sheet["columns"].as_array().unwrap().iter().map(|c| c["title"]["zh"].as_str().unwrap()).collect();
    assert_eq!(
        titles,
        ["编号", "事项", "登记单位", "形成的意见建议", "条数", "填写单位", "填写日期", "现在的阶段"]
    );
    assert_eq!((at(&sheet, 0, "agreed"), at(&sheet, 0, "count")), (&json!("增设车位"), &json!(2)));
    assert_eq!(at(&sheet, 1, "agreed"), "补一条");
    assert_eq!(at(&sheet, 2, "stage")["zh"], "搭平台");
    let november = v.sheet("opinions?until=2026-11-30").await;
    assert_eq!(rows(&november), 2);
    assert_eq!(rows(&v.sheet("opinions?since=2026-12-01").await), 1);
    assert_eq!((rows(&v.sheet("duties").await), rows(&v.sheet("effects").await)), (0, 0));
    let page = v.house.admin().get("/sheets/duties").await.text();
    assert!(page.contains("没有可列的内容"));
}

#[tokio::test]
async fn lost_wages_come_from_the_rolls_and_a_meeting_counts_once() {
    let mut v = Village::open().await;
    let person = v.house.person("li", "correct horse", &["council_member"]).await;
    let li = person["id"].as_str().map_or_else(|| format!("u{}", person["id"]), str::to_owned);
    let council = |day: &str, roll: Value, present: i64| {
        json!({ "act": "meet", "body": "council", "day": day, "eligible": 3, "present": present,
            "roll": roll, "minutes": "议了" })
    };
    let roll = json!({ &li: "present", "u98": "remote", "u99": "absent" });
    let mut ids = Vec::new();
    // One meeting settles two matters, and is in the record of both.
    for body in ["修路", "修桥"] {
        let id = v.register(json!({ "body": body })).await;
        v.act(&id, json!({ "act": "accept", "procedure": "four_steps" })).await;
        for day in ["2026-11-27", "2026-12-02"] {
            v.act(&id, json!({ "act": "call", "body": "council", "day": day, "agenda": body })).await;
        }
        ids.push(id);
    }
    v.house.clock.set_ms(MORNING_MS + 4 * DAY_MS);
    for id in &ids {
        let mut met = council("2026-11-27", roll.clone(), 1);
        met["remote"] = json!(1);
        v.act(id, met).await;
    }
    v.house.clock.set_ms(MORNING_MS + 9 * DAY_MS);
    v.act(&ids[0], council("2026-12-02", json!({ &li: "present", "u98": "present" }), 2)).await;
    v.act(&ids[1], json!({ "act": "meet", "body": "branch", "day": "2026-12-02", "eligible": 9, "present": 7, "minutes": "过" }))
        .await;
    let sheet = v.sheet("lost_wages?rate_yuan=60").await;
    assert_eq!(rows(&sheet), 3, "two members and the sum: {sheet}");
    let of = |member: &str| (0..2).find(|r| at(&sheet, *r, "member") == member).unwrap();
    assert_eq!((at(&sheet, of(&li), "meetings"), at(&sheet, of(&li), "due_yuan")), (&json!(2), &json!(120)));
    assert_eq!(at(&sheet, of(&li), "name"), "李文书");
    assert_eq!(
        (
            at(&sheet, of("u98"), "meetings"),
            at(&sheet, of("u98"), "remote"),
            at(&sheet, of("u98"), "due_yuan")
        ),
        (&json!(1), &json!(1), &json!(60))
    );
    assert_eq!((at(&sheet, 2, "meetings"), at(&sheet, 2, "due_yuan")), (&json!(3), &json!(180)));
    assert!(sheet["notes"].to_string().contains("有 1 次会议只记了人数（7 人次）"), "{}", sheet["notes"]);
    let december = v.sheet("lost_wages?rate_yuan=60&since=2026-12-01&body=council").await;
    assert_eq!(at(&december, 2, "due_yuan"), 120);
    assert!(!december["notes"].to_string().contains("只记了人数"));
}

#[tokio::test]
async fn a_projects_money_adds_up_as_the_matter_says() {
    let mut v = Village::open().await;
    let id = v.register(json!({ "body": "修机耕道" })).await;
    v.acts(
        &id,
        [
            json!({ "act": "accept", "procedure": "village_self_build" }),
            json!({ "act": "record", "form": "budget", "fields": { "amount": 50_000, "funding": "grant" } }),
            json!({ "act": "record", "form": "spending", "fields":
                { "amount": 18_000, "payee": "=王记建材", "voucher": "12" } }),
            json!({ "act": "record", "form": "spending", "fields":
                { "amount": 35_000, "payee": "施工队", "voucher": "13" } }),
        ],
    )
    .await;
    let sheet = v.sheet(&format!("self_build?matter={id}")).await;
    assert_eq!(rows(&sheet), 4);
    let left: Vec<&Value> = (0..4).map(|r| at(&sheet, r, "left_yuan")).collect();
    assert_eq!(left, [&json!(50_000), &json!(32_000), &json!(-3_000), &json!(-3_000)]);
    let matter = v.house.admin().get(&format!("/api/v1/matters/{id}")).await.json();
    assert_eq!(at(&sheet, 3, "budget_yuan"), &matter["deliberation"]["budget_yuan"]);
    assert_eq!(at(&sheet, 3, "spent_yuan"), &matter["deliberation"]["spent_yuan"]);
    assert_eq!(at(&sheet, 0, "what")["zh"], "资金来源：上级专项");
    assert!(sheet["notes"].to_string().contains("支出超出预算 3000 元"));
    let csv = v.house.admin().get(&format!("/api/v1/sheets/self_build?matter={id}&format=csv")).await.text();
    assert!(csv.contains(",-3000,"), "a number below nothing is a number: {csv}");
    // A matter without such papers says why there is nothing.
    let plain = v.register(json!({ "body": "路灯不亮" })).await;
    let sheet = v.sheet(&format!("self_build?matter={plain}")).await;
    assert!(sheet["notes"].to_string().contains("没有预算和支出表单"));
}

#[tokio::test]
async fn the_quarters_figures_open_to_their_matters() {
    let mut v = Village::open().await;
    let visit =
        v.register(json!({ "body": "邻居占路", "category": "邻里纠纷", "channel": "home_visit" })).await;
    v.register(json!({ "body": "去年的事", "channel": "home_visit", "raised_on": "2026-08-01" })).await;
    v.register(json!({ "body": "坝坝会上说的", "channel": "courtyard" })).await;
    v.acts(
        &visit,
        [
            json!({ "act": "accept", "procedure": "four_steps" }),
            json!({ "act": "record", "form": "inspection", "fields": { "found": "账目清楚", "urgent": true } }),
        ],
    )
    .await;
    let settled = v.register(json!({ "body": "路灯不亮", "channel": "fair" })).await;
    v.acts(&settled, [json!({ "act": "accept" }), json!({ "act": "answer", "text": "已换" })]).await;
    let figure = |sheet: &Value, name: &str| {
        let rows = sheet["rows"].as_array().unwrap().iter();
        let row = rows.clone().find(|r| r["cells"][0]["zh"] == name).unwrap_or_else(|| panic!("no {name}"));
        (row["cells"][1].clone(), row["matters"].clone())
    };
    let sheet = v.sheet("quarterly?quarter=2026-Q4").await;
    assert_eq!(figure(&sheet, "家访收集"), (json!(1), json!([visit])));
    assert_eq!(figure(&sheet, "登记事项总数").0, 3);
    assert_eq!(figure(&sheet, "其中邻里纠纷").0, 1);
    assert_eq!(figure(&sheet, "答复次数"), (json!(1), json!([settled])));
    assert_eq!(figure(&sheet, "现在待告知").0, 1);
    assert_eq!(
        (figure(&sheet, "监事会检查次数").0, figure(&sheet, "其中急报党总支").0),
        (json!(1), json!(1))
    );
    assert_eq!((figure(&sheet, "告知次数").0, figure(&sheet, "上门告知次数").0), (json!(0), json!(0)));
    v.act(&settled, json!({ "act": "tell", "how": "visit" })).await;
    let sheet = v.sheet("quarterly").await;
    assert_eq!((figure(&sheet, "现在待告知").0, figure(&sheet, "上门告知次数").0), (json!(0), json!(1)));
    let third = v.sheet("quarterly?quarter=2026-Q3").await;
    assert_eq!(figure(&third, "家访收集").0, 1);
    assert_eq!(figure(&third, "答复次数").0, 0);
}

#[tokio::test]
async fn the_list_of_sheets_says_what_each_asks() {
    let v = Village::open().await;
    let list = v.house.admin().get("/api/v1/sheets").await.json();
    let kinds = list["items"].as_array().unwrap();
    assert_eq!(kinds.len(), 13);
    let page = v.house.admin().get("/sheets").await.text();
    let english = v.house.admin().get("/sheets?lang=en").await.text();
    let empty: Client = v.house.browser();
    for kind in kinds {
        let name = kind["name"].as_str().unwrap();
        assert!(page.contains(&format!("action=\"/sheets/{name}\"")), "{name}");
        assert!(page.contains(kind["title_zh"].as_str().unwrap()), "{name}");
        assert!(english.contains(kind["title"].as_str().unwrap()), "{name}");
        assert_eq!(empty.get(&format!("/api/v1/sheets/{name}")).await.status, 401, "{name}");
    }
    let main = english.split("<main").nth(1).unwrap();
    let chinese: String = main.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).collect();
    assert_eq!(chinese, "议事", "English is complete but for the program's name in the foot");
}

const COLLECTORS: &str = r#"format = 1
people = [
  { id = "zhang", name = "张大姐" },
  { id = "li", name = "李文书" },
  { id = "wu1", name = "吴强" },
  { id = "wu2", name = "吴强" },
]
collectors = [
  { person = "zhang", area = "1–6组", from = 2026-01-15, until = 2027-01-14, allowance_yuan = 500 },
  { person = "li", from = 2026-03-01, until = 2026-08-31, allowance_yuan = 300 },
  { person = "li", area = "7组", from = 2026-09-01, allowance_yuan = 400 },
  { person = "wu1", until = 2025-12-31, allowance_yuan = 999 },
]
"#;

#[tokio::test]
async fn collectors_are_appraised_from_what_they_gathered_and_paid_by_the_charter() {
    let mut v = Village::open().await;
    let empty = v.sheet("collector_appraisal").await;
    assert_eq!(rows(&empty), 0);
    assert!(empty["notes"].to_string().contains("没有聘用民情专递员"));
    let issued = v.house.admin().post("/api/v1/charter", &json!({ "file": COLLECTORS })).await;
    assert_eq!(issued.status, 201, "{}", issued.text());
    v.house.settle().await;
    // Named on the paper: by name, by id, and by a name that two people bear.
    for (courier, channel) in [("张大姐", "diary"), ("zhang", "letter_box"), ("吴强", "diary")] {
        let id = v.register(json!({ "body": "机耕道太窄", "channel": channel })).await;
        v.acts(
            &id,
            [
                json!({ "act": "accept", "procedure": "opinion_courier" }),
                json!({ "act": "record", "form": "collection", "fields":
                    { "courier": courier, "channel": channel, "collected_on": "2026-11-20", "opinion": "窄" } }),
            ],
        )
        .await;
    }
    // Registered by a collector himself, in each of his terms; the account's name is the charter's.
    v.house.person("li", "correct horse", &["collector"]).await;
    let li = v.house.signed_in("li", "correct horse").await.here();
    let mut own = Vec::new();
    for (body, day) in [("路灯不亮", "2026-11-20"), ("水管漏水", "2026-05-04"), ("沟渠堵", "2025-12-30")]
    {
        let made = li.post("/api/v1/matters", &json!({ "body": body, "raised_on": day })).await;
        assert_eq!(made.status, 201, "{}", made.text());
        own.push(made.json()["id"].as_str().unwrap().to_owned());
    }
    v.house.settle().await;
    v.acts(&own[0], [json!({ "act": "accept" }), json!({ "act": "answer", "text": "已换" })]).await;
    v.act(&own[0], json!({ "act": "tell", "how": "visit" })).await;
    v.register(json!({ "body": "别人登记的" })).await;
    let sheet = v.sheet("collector_appraisal?year=2026").await;
    assert_eq!(rows(&sheet), 3, "{sheet}");
    let line = |row| {
        ["name", "from", "gathered", "home_visit", "diary", "letter_box", "answered", "told"]
            .map(|c| at(&sheet, row, c).clone())
    };
    let n = |n: i64| json!(n);
    assert_eq!(line(0), [json!("张大姐"), json!("2026-01-15"), n(2), n(0), n(1), n(1), n(0), n(0)]);
    assert_eq!(line(1), [json!("李文书"), json!("2026-03-01"), n(1), n(1), n(0), n(0), n(0), n(0)]);
    assert_eq!(line(2), [json!("李文书"), json!("2026-09-01"), n(1), n(1), n(0), n(0), n(1), n(1)]);
    assert_eq!(sheet["rows"][2]["matters"], json!([own[0]]));
    let notes = sheet["notes"].to_string();
    assert!(notes.contains("另有 2 件不是专递员收集的") && notes.contains("同名的人：吴强"), "{notes}");
    let last = v.sheet("collector_appraisal?year=2025").await;
    assert_eq!((rows(&last), at(&last, 0, "name")), (1, &json!("吴强")));

    let list = v.sheet("collector_allowance").await;
    assert_eq!(rows(&list), 4, "{list}");
    let line = |sheet: &Value, row| ["month_yuan", "months", "due_yuan"].map(|c| at(sheet, row, c).clone());
    // January to November, the month that is: twelve months are not owed in November.
    assert_eq!(line(&list, 0), [n(500), n(11), n(5_500)]);
    assert_eq!(line(&list, 1), [n(300), n(6), n(1_800)]);
    assert_eq!(line(&list, 2), [n(400), n(3), n(1_200)]);
    assert_eq!((at(&list, 3, "months"), at(&list, 3, "due_yuan")), (&n(20), &n(8_500)));
    let august = v.sheet("collector_allowance?month=2026-08").await;
    assert_eq!((rows(&august), at(&august, 2, "due_yuan")), (3, &n(800)));
    for bad in [
        "collector_allowance?month=2026-08&year=2026",
        "collector_appraisal?year=x",
        "collector_appraisal?month=2026-08",
    ] {
        assert_eq!(v.house.admin().get(&format!("/api/v1/sheets/{bad}")).await.status, 422, "{bad}");
    }
    let page = v.house.admin().get("/sheets/collector_allowance?month=2026-08").await.text();
    assert!(page.contains("领取人签字") && page.contains("month=2026-08"), "{page}");
}

#[tokio::test]
async fn the_joint_meetings_agenda_names_each_matter_once_with_who_reports() {
    let mut v = Village::open().await;
    let late = v.register(json!({ "body": "低保没批下来", "raised_on": "2026-11-02" })).await;
    let waits = v.register(json!({ "body": "河道有垃圾" })).await;
    let many = v.register(json!({ "body": "公交不进村" })).await;
    let done = v.register(json!({ "body": "办完的" })).await;
    for id in [&waits, &many] {
        v.act(id, json!({ "act": "accept" })).await;
    }
    v.act(
        &waits,
        json!({ "act": "summon", "unit": "区水务局", "question": "谁管这段河", "working_days": 5 }),
    )
    .await;
    for id in [&many, &late, &done] {
        v.act(id, json!({ "act": "support", "count": 12 })).await;
    }
    v.acts(
        &done,
        [json!({ "act": "accept" }), json!({ "act": "answer", "text": "好了" }), json!({ "act": "close" })],
    )
    .await;
    v.house.clock.set_ms(MORNING_MS + 30 * DAY_MS);
    let sheet = v.sheet("joint_meeting").await;
    let numbers: Vec<&Value> = (0..rows(&sheet)).map(|r| at(&sheet, r, "number")).collect();
    let find = |title: &str| {
        (0..rows(&sheet))
            .find(|r| at(&sheet, *r, "title") == title)
            .unwrap_or_else(|| panic!("{title}: {sheet}"))
    };
    assert_eq!(numbers.len(), 3, "each once: {sheet}");
    let one = find("低保没批下来");
    let why = at(&sheet, one, "why")["zh"].as_str().unwrap();
    assert!(why.contains("超期") && why.contains("；12 人附议"), "{why}");
    assert!(at(&sheet, one, "days_over").as_i64().unwrap() > 10);
    assert_eq!(at(&sheet, one, "reports"), "芦稿村");
    let one = find("河道有垃圾");
    assert!(at(&sheet, one, "why")["zh"].as_str().unwrap().contains("等区水务局回复"));
    assert_eq!(at(&sheet, one, "reports"), "芦稿村、区水务局");
    assert_eq!(at(&sheet, 0, "order"), 1);
    v.act(&waits, json!({ "act": "respond", "text": "我们管，下周清", "relayed": true })).await;
    let sheet = v.sheet("joint_meeting?month=2026-11&home=self").await;
    assert!(!sheet.to_string().contains("等区水务局回复"));
    assert!(sheet["notes"].to_string().contains("所选月份不是本月"), "it is December now");
    let page = v.house.admin().get("/sheets/joint_meeting?lang=en").await.text();
    assert!(page.contains("Agenda of the joint meeting") && page.contains("12 supporters"), "{page}");
}
