//! The public board: what anybody may see, and no more; and an objection by receipt.

use crate::{
    client::Client,
    house::{House, MORNING_MS},
    paper::Paper,
};
use serde_json::{Value, json};

const DAY_MS: u64 = 24 * 3_600_000;

async fn open() -> House {
    House::with(|c| c.open_board = true).await
}

async fn raised(house: &mut House, asked: Value) -> Value {
    let made = house.admin().post("/api/v1/matters", &asked).await;
    assert_eq!(made.status, 201, "{}", made.text());
    house.settle().await;
    made.json()
}

async fn act(house: &mut House, matter: &Value, asked: Value) -> Value {
    let path = format!("/api/v1/matters/{}/acts", matter["id"].as_str().unwrap());
    let done = house.admin().post(&path, &asked).await;
    assert!(done.status < 300, "{}", done.text());
    house.settle().await;
    done.json()
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn number(matter: &Value) -> &str {
    matter["number"].as_str().unwrap()
}

fn at(matter: &Value) -> String {
    format!("/board/{}", escaped(number(matter)))
}

const BOARDS: [&str; 3] = ["/board", "/board/screen", "/board/sheet"];

#[tokio::test]
async fn it_is_open_only_where_the_configuration_opens_it_and_teaches_when_empty() {
    let closed = House::open().await;
    for path in BOARDS {
        assert!(closed.browser().get(path).await.header("location").starts_with("/login"), "{path}");
        assert_eq!(closed.admin().get(path).await.status, 200, "{path}: who is signed in sees it");
    }
    let open = open().await;
    let page = open.browser().get("/board").await;
    assert_eq!(page.status, 200);
    for word in ["现在没有公示", "最近三十天没有新的答复", "还没有项目账目", "没有在等答复的事项", "校验码"]
    {
        assert!(page.text().contains(word), "{word}");
    }
    let english = open.browser().get("/board?lang=en").await.text();
    assert!(english.contains("Nothing is posted now") && english.contains("Check code"));
}

#[tokio::test]
async fn of_what_was_not_posted_nobody_reads_a_word() {
    let mut house = open().await;
    let secret = json!({
        "body": "王某某反映水费多收", "title": "王某某家水费", "category": "民生",
        "petitioner": { "kind": "named", "name": "王小明", "phone": "13800138000", "address": "三组" },
    });
    let quiet = raised(&mut house, secret.clone()).await;
    let answered = raised(&mut house, secret.clone()).await;
    act(&mut house, &answered, json!({ "act": "accept" })).await;
    act(&mut house, &answered, json!({ "act": "answer", "text": "已退还王某某多收的四十元" })).await;
    let posted =
        raised(&mut house, json!({ "body": "李某说要修涵洞", "title": "村口涵洞改造", "category": "道路" }))
            .await;
    act(
        &mut house,
        &posted,
        json!({ "act": "post", "days": 7, "text": "表决通过：改造村口涵洞，投资三万元。" }),
    )
    .await;
    let clue = raised(
        &mut house,
        json!({ "body": "反映村干部的事", "title": "线索", "category": "纪律", "source": "supervision" }),
    )
    .await;
    act(&mut house, &clue, json!({ "act": "post", "days": 7, "text": "本不该挂出来的线索" })).await;
    let opinion =
        raised(&mut house, json!({ "body": "就人选征求意见", "title": "征求意见", "category": "人事" }))
            .await;
    act(&mut house, &opinion, json!({ "act": "accept", "procedure": "integrity_reply" })).await;
    act(&mut house, &opinion, json!({ "act": "post", "days": 7, "text": "本不该挂出来的意见" })).await;
    for path in BOARDS {
        let page = house.browser().get(path).await;
        let text = page.text();
        assert_eq!(page.status, 200, "{text}");
        for word in [
            number(&quiet),
            number(&answered),
            number(&posted),
            "村口涵洞改造",
            "表决通过：改造村口涵洞",
            "已答复",
            "民生",
            "还剩 7 天",
        ] {
            let said_once_only = word == "还剩 7 天" && path == "/board/sheet";
            assert!(text.contains(word) || said_once_only, "{path} lacks {word}: {text}");
        }
        for hidden in [
            "王某某",
            "王小明",
            "13800138000",
            "三组",
            "多收",
            "四十元",
            "李某",
            number(&clue),
            "线索",
            "纪律",
            number(&opinion),
            "征求意见",
            "人事",
            "实名",
        ] {
            assert!(!text.contains(hidden), "{path} shows {hidden}");
        }
        assert!(!text.contains("/m/"), "{path} leads inside");
    }
    let one = house.browser().get(&at(&posted)).await;
    assert_eq!(one.status, 200);
    assert!(one.text().contains("表决通过：改造村口涵洞") && !one.text().contains("李某"));
    for other in [&quiet, &answered, &clue, &opinion] {
        let page = house.browser().get(&at(other)).await;
        assert_eq!(page.status, 404, "a notice of {}", number(other));
    }
    // What was withdrawn hangs no longer; what was corrected away either.
    act(&mut house, &posted, json!({ "act": "withdraw", "reason": "不修了" })).await;
    assert!(!house.browser().get("/board").await.text().contains("改造村口涵洞"));
}

#[tokio::test]
async fn a_notice_is_taken_down_by_itself_and_long_waits_come_first() {
    let mut house = open().await;
    let old = raised(&mut house, json!({ "body": "路灯不亮", "raised_on": "2026-09-01" })).await;
    let new = raised(&mut house, json!({ "body": "水管漏水" })).await;
    act(&mut house, &old, json!({ "act": "post", "days": 3, "text": "路灯更换方案" })).await;
    let text = house.browser().get("/board").await.text();
    let waiting = text.split("data-live=\"waiting\"").nth(1).unwrap();
    assert!(waiting.find(number(&old)).unwrap() < waiting.find(number(&new)).unwrap());
    assert!(waiting.contains("83 天"), "{waiting}");
    house.clock.set_ms(MORNING_MS + 3 * DAY_MS);
    assert!(house.browser().get("/board").await.text().contains("今天是最后一天"));
    house.clock.set_ms(MORNING_MS + 4 * DAY_MS);
    let text = house.browser().get("/board").await.text();
    assert!(text.contains("现在没有公示") && !text.contains("路灯更换方案"));
    // Whoever comes by the square on the paper board still reads what hung there, and that it is over.
    let past = house.browser().get(&at(&old)).await.text();
    assert!(past.contains("路灯更换方案") && past.contains("公示期已过") && !past.contains("<textarea"));
}

/// Fills in the form below a notice.
async fn objects(
    browser: &Client,
    at: &str,
    matter: &Value,
    code: &str,
    text: &str,
) -> (Paper, crate::client::Reply) {
    let page = browser.get(at).await.text();
    let paper = Paper::of(&page, "<main").fill("n", number(matter)).fill("c", code).fill("text", text);
    let sent = paper.send(browser).await;
    (paper, sent)
}

#[tokio::test]
async fn whoever_holds_the_receipt_can_object_once_for_one_form() {
    let mut house = open().await;
    let matter = raised(&mut house, json!({ "body": "村口涵洞积水", "title": "涵洞" })).await;
    let other = raised(&mut house, json!({ "body": "路灯不亮" })).await;
    act(&mut house, &matter, json!({ "act": "post", "days": 7, "text": "涵洞改造方案公示" })).await;
    let (code, other_code) = (matter["check_code"].as_str().unwrap(), other["check_code"].as_str().unwrap());
    let browser = house.browser();
    let at = at(&matter);
    let wrong = if code == "123456" { "123457" } else { "123456" };
    for (whose, code, text, words, status) in [
        (&matter, wrong, "施工队没有招标", "对不上", 404),
        (&other, other_code, "施工队没有招标", "另一件事的", 422),
        (&matter, code, "  ", "没有填写", 422),
        (&matter, code, "打我电话13800138000", "身份证号或电话", 422),
        (&matter, code, &"长".repeat(2_001), "2000 个字", 422),
    ] {
        let (_, refused) = objects(&browser, &at, whose, code, text).await;
        assert_eq!(refused.status, status, "{}", refused.text());
        assert!(refused.text().contains(words), "{words}: {}", refused.text());
        assert!(refused.text().contains(text.trim()), "what was typed is kept");
        assert!(!refused.text().contains(&format!("value=\"{code}\"")), "the code is not shown again");
    }
    let (paper, sent) = objects(&browser, &at, &matter, code, "施工队没有招标，请公开比选").await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    assert_eq!(paper.send(&browser).await.header("location"), sent.header("location"));
    assert!(browser.get(sent.header("location")).await.text().contains("异议已记下"));
    house.settle().await;
    let shown =
        house.admin().get(&format!("/api/v1/matters/{}", matter["id"].as_str().unwrap())).await.json();
    let lodged: Vec<&Value> =
        shown["timeline"].as_array().unwrap().iter().filter(|t| t["kind"] == "object").collect();
    assert_eq!(lodged.len(), 1, "sent twice, recorded once");
    assert_eq!((&lodged[0]["verdict"], &lodged[0]["by"]), (&"counted".into(), &"receipt".into()));
    assert!(
        house
            .admin()
            .get(&format!("/m/{}", matter["id"].as_str().unwrap()))
            .await
            .text()
            .contains("持回执人")
    );
    let board = house.browser().get("/board").await.text();
    assert!(
        board.contains("已收到异议 1") && !board.contains("招标"),
        "that there is one is public, its words are not"
    );
    // From elsewhere nobody sends it for them.
    let evil =
        browser.clone().with("origin", "http://evil.example").form(&paper.action, "n=1&c=2&text=3").await;
    assert_eq!(evil.status, 403);
    for n in 2..=5 {
        assert_eq!(objects(&browser, &at, &matter, code, &format!("第{n}次")).await.1.status, 303);
    }
    let (_, full) = objects(&browser, &at, &matter, code, "第六次").await;
    assert!(full.status == 422 && full.text().contains("当面说"), "{}", full.text());
    house.clock.set_ms(MORNING_MS + 8 * DAY_MS);
    let late = paper.clone().fill("once", "1").send(&browser).await;
    assert!(late.status == 422 && late.text().contains("公示期已过"), "{}", late.text());
}

#[tokio::test]
async fn codes_cannot_be_guessed_here_either() {
    let mut house = open().await;
    let matter = raised(&mut house, json!({ "body": "村口涵洞积水" })).await;
    act(&mut house, &matter, json!({ "act": "post", "days": 7, "text": "涵洞改造" })).await;
    let code = matter["check_code"].as_str().unwrap();
    let at = at(&matter);
    let browser = house.browser();
    for n in 0..5 {
        let wrong = if code == format!("00000{n}") { "999999".to_owned() } else { format!("00000{n}") };
        assert_eq!(objects(&browser, &at, &matter, &wrong, "不同意").await.1.status, 404);
    }
    let shut = objects(&browser, &at, &matter, code, "不同意").await.1;
    assert_eq!(shut.status, 429, "{}", shut.text());
    assert!(shut.text().contains("不同意") && shut.text().contains("15 分钟"));
    let asked = browser.get(&format!("/q?n={}&c={code}", escaped(number(&matter)))).await;
    assert_eq!(asked.status, 429, "one count for both");
}

#[tokio::test]
async fn public_money_is_public() {
    let mut house = open().await;
    let road =
        raised(&mut house, json!({ "body": "三组的机耕道，刘某家门口那段", "category": "道路" })).await;
    act(&mut house, &road, json!({ "act": "accept", "procedure": "village_self_build" })).await;
    let money = |form: &str, fields: Value| json!({ "act": "record", "form": form, "fields": fields });
    act(&mut house, &road, money("budget", json!({ "amount": 50_000, "funding": "grant" }))).await;
    act(
        &mut house,
        &road,
        money("spending", json!({ "amount": 18_000, "payee": "王记建材", "voucher": "12" })),
    )
    .await;
    for path in BOARDS {
        let text = house.browser().get(path).await.text();
        for word in [number(&road), "50,000 元", "18,000 元", "36%"] {
            assert!(text.contains(word), "{path} lacks {word}: {text}");
        }
        assert!(!text.contains("刘某") && !text.contains("王记"), "{path}");
    }
}

#[tokio::test]
async fn no_list_of_the_board_goes_through_all_matters() {
    let house = open().await;
    for plan in house.store.board_plans().await.unwrap() {
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[tokio::test]
async fn the_paper_board_has_a_square_for_every_notice() {
    let mut house = open().await;
    for n in 0..3 {
        let matter = raised(&mut house, json!({ "body": format!("第{n}件") })).await;
        act(&mut house, &matter, json!({ "act": "post", "days": 7, "text": "公示" })).await;
    }
    let sheet = house.browser().get("/board/sheet").await.text();
    assert_eq!(sheet.matches("<svg class=\"qr\"").count(), 3);
    let screen = house.browser().get("/board/screen").await.text();
    assert_eq!(
        screen.matches("data-leaf=").count(),
        4,
        "a leaf for each notice, one for what waits: {screen}"
    );
    let ids: std::collections::BTreeSet<&str> =
        screen.split("data-leaf=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(ids.len(), 4, "each leaf has a name of its own: {ids:?}");
    assert!(
        screen.contains("<noscript><meta http-equiv=\"refresh\"") && screen.contains("class=\"turn\" hidden")
    );
}
