//! Registering a matter on its page, and what becomes of a form that cannot be taken.

use crate::{
    client::Client,
    house::{House, MORNING_MS},
    paper::Paper,
};

async fn clerk(house: &House) -> Client {
    house.person("li", "correct horse", &["clerk"]).await;
    house.signed_in("li", "correct horse").await
}

async fn matters(house: &mut House) -> usize {
    house.settle().await;
    house.admin().get("/api/v1/matters").await.json()["items"].as_array().unwrap().len()
}

async fn blank(browser: &Client) -> Paper {
    let keyed = browser.get("/new").await;
    assert_eq!(keyed.status, 303, "{}", keyed.text());
    let page = browser.get(keyed.header("location")).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "private, no-cache"), "{}", page.text());
    Paper::of(&page.text(), "<main")
}

#[tokio::test]
async fn going_back_leads_to_the_form_that_was_sent() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let paper = blank(&browser).await.fill("body", "路灯不亮");
    assert!(paper.action.starts_with("/new?k="), "{}", paper.action);
    let sent = paper.send(&browser).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    // A browser that kept nothing asks for the address again: the same key, and the page says what it is.
    let back = browser.get(&paper.action).await.text();
    let receipt = sent.header("location").split('?').next().unwrap();
    assert!(back.contains("这一张已经登记过了") && back.contains(&format!("href=\"{receipt}\"")), "{back}");
    let again = Paper::of(&back, "<main").fill("body", "路灯不亮").send(&browser).await;
    assert_eq!(again.header("location"), sent.header("location"));
    assert_eq!(matters(&mut house).await, 1);
    // Somebody else's form with the same key is another form.
    house.person("wang", "battery staple", &["clerk"]).await;
    let other = house.signed_in("wang", "battery staple").await;
    let theirs = Paper::of(&other.get(&paper.action).await.text(), "<main");
    assert!(!theirs.html.contains("已经登记过"));
    assert_eq!(theirs.fill("body", "水管漏水").send(&other).await.status, 303);
    assert_eq!(matters(&mut house).await, 2);
    for odd in ["/new?k=1", "/new?k=%22%3E", "/new?k="] {
        assert_eq!(browser.get(odd).await.status, 303, "{odd}");
    }
}

#[tokio::test]
async fn what_was_typed_goes_along_into_the_other_language() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let paper = blank(&browser).await.fill("body", "三组水渠垮了").fill("title", &"长".repeat(10_000));
    let refused = paper.send(&browser).await;
    assert_eq!(refused.status, 422);
    let text = refused.text();
    let switch = text.split("formaction=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    assert_eq!(switch, format!("{}&lang=en", paper.action));
    let mut there =
        Paper::of(&text, "<main").fill("body", "三组水渠垮了").fill("title", "水渠").fill("look", "yes");
    there.action = switch;
    let english = there.send(&browser).await;
    assert_eq!(english.status, 200, "{}", english.text());
    let text = english.text();
    assert!(
        text.contains("Register a matter")
            && text.contains("三组水渠垮了")
            && text.contains("value=\"水渠\"")
    );
    assert_eq!(matters(&mut house).await, 0, "looking registers nothing");
    let sent = Paper::of(&text, "<main").fill("body", "三组水渠垮了").send(&browser).await;
    assert_eq!(sent.status, 303);
    assert!(sent.header("location").ends_with("lang=en"), "{}", sent.header("location"));
    assert_eq!(matters(&mut house).await, 1);
}

#[tokio::test]
async fn who_heard_it_at_the_desk_is_not_to_be_told_again() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let settled = |told: &str| {
        let (told, browser) = (told.to_owned(), browser.clone());
        async move {
            let paper = blank(&browser)
                .await
                .fill("body", "医保怎么查")
                .fill("settle", "已当场查到")
                .fill("told", &told);
            let sent = paper.send(&browser).await;
            assert_eq!(sent.status, 303, "{}", sent.text());
            sent.header("location").split('/').nth(2).unwrap().to_owned()
        }
    };
    let (there, away) = (settled("yes").await, settled("").await);
    house.settle().await;
    let told = |id: String| {
        let admin = house.admin();
        async move { admin.get(&format!("/api/v1/matters/{id}")).await.json()["told"].clone() }
    };
    assert_eq!((told(there.clone()).await, told(away.clone()).await), (true.into(), false.into()));
    let untold = house.admin().get("/api/v1/matters?untold=true").await.json();
    let ids: Vec<&str> =
        untold["items"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [away.as_str()]);
    // A program that says nothing: by the channel, and not where somebody else came.
    for (asked, expected) in [
        (serde_json::json!({ "body": "a", "settle": "b", "channel": "station" }), true),
        (serde_json::json!({ "body": "a", "settle": "b", "channel": "letter_box" }), false),
        (serde_json::json!({ "body": "a", "settle": "b", "petitioner": { "kind": "proxy" } }), false),
        (serde_json::json!({ "body": "a", "settle": "b", "channel": "online", "told": true }), true),
        (serde_json::json!({ "body": "a", "settle": "b", "told": false }), false),
    ] {
        let made = house.admin().post("/api/v1/matters", &asked).await.json();
        assert_eq!((&made["stage"], &made["told"]), (&"closed".into(), &expected.into()), "{asked}");
    }
}

#[tokio::test]
async fn only_the_text_is_compulsory_and_a_receipt_comes_out() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let sent = blank(&browser).await.fill("body", "村口涵洞积水，车过不去").send(&browser).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let receipt = browser.get(sent.header("location")).await;
    let made = house.admin().get("/api/v1/matters").await;
    assert_eq!(receipt.status, 200, "{} {}", receipt.text(), made.text());
    house.settle().await;
    let made = house.admin().get("/api/v1/matters").await.json();
    let text = receipt.text();
    for word in ["村口涵洞积水，车过不去", "回执", "芦稿村", "已登记", "<svg class=\"qr\"", "签名"]
    {
        assert!(text.contains(word), "{word} is missing");
    }
    for member in ["number", "check_code"] {
        assert!(text.contains(made["items"][0][member].as_str().unwrap()), "{member}");
    }
    assert_eq!(matters(&mut house).await, 1);
    let english = browser.get(&format!("{}&lang=en", sent.header("location"))).await.text();
    assert!(english.contains("Receipt") && english.contains("Check code") && !english.contains("校验码"));
}

#[tokio::test]
async fn the_form_sent_twice_makes_one_matter() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let paper = blank(&browser).await.fill("body", "路灯不亮");
    let (one, two) = tokio::join!(paper.send(&browser), paper.send(&browser));
    assert_eq!((one.status, two.status), (303, 303), "{} {}", one.text(), two.text());
    assert_eq!(one.header("location"), two.header("location"));
    assert_eq!(paper.send(&browser).await.header("location"), one.header("location"));
    assert_eq!(matters(&mut house).await, 1);
    // Going back and typing another matter into the old form: said, kept, and taken with the next press.
    let other = paper.clone().fill("body", "水管漏水").send(&browser).await;
    assert_eq!(other.status, 422);
    assert!(other.text().contains("刚才那一份已经登记好了") && other.text().contains("水管漏水"));
    let again = Paper::of(&other.text(), "<main").fill("body", "水管漏水").send(&browser).await;
    assert_eq!(again.status, 303, "{}", again.text());
    assert_eq!(matters(&mut house).await, 2);
}

#[tokio::test]
async fn what_is_known_of_the_visitor_is_sealed_and_numbers_are_moved() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let sent = blank(&browser)
        .await
        .fill("body", "低保没批下来，回电13812345678")
        .fill("petitioner.kind", "proxy")
        .fill("petitioner.name", "王小明")
        .fill("petitioner.phone", "13900000000")
        .fill("category", "社会保障")
        .fill("channel", "courtyard")
        .fill("source", "residents")
        .fill("raised_on", "2026-11-20")
        .fill("settle", "已当场说明政策")
        .send(&browser)
        .await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let receipt = browser.get(sent.header("location")).await.text();
    assert!(
        receipt.contains("转入密封信息")
            && receipt.contains("已当场答复并办结")
            && receipt.contains("已当场说明政策")
    );
    house.settle().await;
    let id = sent.header("location").split('/').nth(2).unwrap().to_owned();
    let made = house.admin().get(&format!("/api/v1/matters/{id}")).await.json();
    assert_eq!(
        (&made["stage"], &made["channel"], &made["raised_on"]),
        (&"closed".into(), &"courtyard".into(), &"2026-11-20".into())
    );
    let matter = browser.get(&format!("/m/{id}")).await.text();
    for page in [&receipt, &matter, &browser.get("/").await.text()] {
        for hidden in ["王小明", "13900000000", "13812345678"] {
            assert!(!page.contains(hidden), "{hidden} is shown");
        }
    }
    assert!(matter.contains("代为反映"));
}

#[tokio::test]
async fn what_was_typed_is_kept_when_it_cannot_be_taken() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let long = "长".repeat(10_000);
    let cases = [
        ("title", long.as_str(), "“标题”太长"),
        ("raised_on", "前天", "“反映日期”请写成"),
        ("raised_on", "2030-01-01", "“反映日期”是将来"),
        ("body", " ", "“群众说了什么”没有填写"),
    ];
    for (name, value, words) in cases {
        let paper =
            blank(&browser).await.fill("body", "照原话").fill("petitioner.name", "王小明").fill(name, value);
        let sent = paper.send(&browser).await;
        assert_eq!(sent.status, 422, "{name}");
        let text = sent.text();
        assert!(text.contains(words), "{words} is not said: {}", text.chars().take(3000).collect::<String>());
        assert!(
            text.contains("王小明") && (name == "body" || text.contains("照原话")),
            "{name}: what was typed is kept"
        );
        assert!(text.contains(value) && text.contains("autofocus"));
    }
    let script = "<script>alert(1)</script>\"'&";
    let sent = blank(&browser).await.fill("body", script).fill("title", &long).send(&browser).await;
    assert!(sent.text().contains("&#60;script&#62;") && !sent.text().contains("<script>"));
    assert_eq!(matters(&mut house).await, 0);
    let sent = blank(&browser).await.fill("body", script).send(&browser).await;
    assert!(!browser.get(sent.header("location")).await.text().contains("<script>"));
}

#[tokio::test]
async fn a_session_that_ended_in_mid_form_loses_nothing() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let paper = blank(&browser).await.fill("body", "第一行\r\n第二行 & <b>");
    house.clock.set_ms(MORNING_MS + 15 * 3_600_000);
    let late = paper.send(&browser).await;
    assert_eq!(late.status, 401);
    let page = late.text();
    assert!(page.contains("刚才填的内容没有丢") && !page.contains("& <b>"));
    // A wrong password on the way keeps it too.
    let wrong = Paper::of(&page, "<main")
        .fill("name", "li")
        .fill("password", "nonsense")
        .send(&house.browser())
        .await;
    assert_eq!(wrong.status, 401);
    let right = Paper::of(&wrong.text(), "<main").fill("name", "li").fill("password", "correct horse");
    let signed_in = right.send(&house.browser()).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
    assert!(signed_in.text().contains("第一行\n第二行 &#38; &#60;b&#62;"), "{}", signed_in.text());
    assert_eq!(matters(&mut house).await, 0, "signing in carries nothing out");
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let browser = house.browser().cookie(&cookie);
    let sent = Paper::of(&signed_in.text(), "<main").send(&browser).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    assert!(browser.get(sent.header("location")).await.text().contains("第二行 &#38; &#60;b&#62;"));
    assert_eq!(matters(&mut house).await, 1);
}

#[tokio::test]
async fn another_page_cannot_send_our_form() {
    let mut house = House::open().await;
    let browser = clerk(&house).await;
    let paper = blank(&browser).await.fill("body", "照原话");
    let body = crate::paper::encoded(&paper.fields);
    for foreign in [browser.clone(), browser.clone().with("sec-fetch-site", "cross-site")] {
        let sent = foreign.form("/new", &body).await;
        assert_eq!(sent.status, 403);
        assert!(sent.text().contains("不是从本站页面发出的"));
    }
    // A form of an older session: nothing is done before it is looked at again.
    let stale = paper.clone().fill("form_token", "0").send(&browser).await;
    assert_eq!(stale.status, 403);
    assert!(stale.text().contains("继续提交") && stale.text().contains("照原话"));
    assert_eq!(matters(&mut house).await, 0);
    let sent = Paper::of(&stale.text(), "<main").send(&browser).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    assert_eq!(matters(&mut house).await, 1);
}

#[tokio::test]
async fn who_may_not_settle_is_not_asked_and_not_obeyed() {
    let mut house = House::open().await;
    house.person("wang", "correct horse", &["collector"]).await;
    house.person("ops", "correct horse", &["operator"]).await;
    let wang = house.signed_in("wang", "correct horse").await;
    let page = blank(&wang).await;
    assert!(!page.html.contains("当场办结"));
    let sent = page.fill("body", "一件").fill("settle", "好").send(&wang).await;
    assert_eq!(sent.status, 403);
    assert!(sent.text().contains("没有权限") && sent.text().contains("一件"));
    let ops = house.signed_in("ops", "correct horse").await;
    assert_eq!(ops.get("/new").await.status, 403);
    assert_eq!(house.browser().get("/new").await.status, 303);
    assert_eq!(matters(&mut house).await, 0);
}
