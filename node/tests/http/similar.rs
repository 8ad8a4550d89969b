//! Matters that may be the same, on the pages: told with the reason, merged only by whoever may and decides to.

use crate::{house::House, paper::Paper};

async fn village() -> (House, crate::client::Client, String) {
    let mut house = House::open().await;
    let first = house.register("村口涵洞一下雨就积水，车过不去").await;
    house.register("养老金没有到账").await;
    house.person("li", "correct horse", &["clerk"]).await;
    let browser = house.signed_in("li", "correct horse").await;
    (house, browser, first["id"].as_str().unwrap().to_owned())
}

fn section(page: &str) -> Option<&str> {
    page.split("<section class=\"alike screen\">").nth(1).map(|s| s.split("</section>").next().unwrap())
}

#[tokio::test]
async fn whoever_registers_sees_what_is_open_and_alike_and_the_visitor_takes_none_of_it_home() {
    let (mut house, browser, first) = village().await;
    let blank = Paper::of(&browser.follow("/new").await.text(), "<main");
    let sent = blank.fill("body", "村口那个过水洞下雨就淹水，车子走不成").send(&browser).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let receipt = browser.get(sent.header("location")).await.text();
    let told = section(&receipt).expect("one is alike");
    assert!(told.contains(&format!("/m/{first}")) && told.contains("村口涵洞"), "{told}");
    assert!(told.contains("说法不同、意思相近") && told.contains("都提到"), "the reason: {told}");
    assert!(!told.contains("养老金"), "{told}");
    let taken_home = receipt.split("<article class=\"receipt\">").nth(1).unwrap();
    assert!(!taken_home.contains(&first) && !taken_home.contains("涵洞"), "another's matter is printed");
    // Opened again later it is only the receipt.
    let plain = sent.header("location").split('?').next().unwrap().to_owned();
    assert_eq!(section(&browser.get(&plain).await.text()), None);
    let english = browser.get(&format!("{}&lang=en", sent.header("location"))).await.text();
    assert!(section(&english).unwrap().contains("both say"), "{english}");
    // What is like nothing says nothing.
    house.settle().await;
    let blank = Paper::of(&browser.follow("/new").await.text(), "<main");
    let sent = blank.fill("body", "想办一场象棋比赛").send(&browser).await;
    assert_eq!(section(&browser.get(sent.header("location")).await.text()), None);
}

#[tokio::test]
async fn a_like_matter_is_merged_from_the_page_either_way_round() {
    for into_this in [true, false] {
        let (mut house, browser, first) = village().await;
        let second = house.register("村口那个过水洞下雨就淹水，车子走不成").await;
        let second = second["id"].as_str().unwrap().to_owned();
        // Whoever has it to take up is told in the list of work already.
        let today = browser.get("/").await.text();
        assert!(today.contains("可能是同一件事") && today.contains("都提到"), "{today}");
        let page = browser.get(&format!("/m/{second}")).await.text();
        let told = section(&page).expect("one is alike");
        assert!(told.contains(&format!("/m/{first}")) && told.contains("都提到"), "{told}");
        let words = if into_this { "本件牵头" } else { "它牵头" };
        let id = told.split("id=\"act-").skip(1).find(|f| f.contains(words)).unwrap();
        let paper = Paper::act(&page, id.split('"').next().unwrap());
        let sent = paper.send(&browser).await;
        assert_eq!(sent.status, 303, "{}", sent.text());
        house.settle().await;
        let (lead, source) = if into_this { (&second, &first) } else { (&first, &second) };
        assert!(sent.header("location").starts_with(&format!("/m/{lead}?done=merge")), "{words}");
        let merged = house.admin().get(&format!("/api/v1/matters/{source}")).await.json();
        assert_eq!((&merged["stage"], &merged["merged_into"]), (&"merged".into(), &lead.as_str().into()));
        // Those that are one already are not suggested to each other.
        for one in [lead, source] {
            assert_eq!(section(&browser.get(&format!("/m/{one}")).await.text()), None);
        }
        // The same press again changes nothing.
        assert_eq!(paper.send(&browser).await.header("location"), sent.header("location"));
    }
}

#[tokio::test]
async fn only_whoever_may_merge_is_offered_it_and_a_closed_one_is_shown_without() {
    let (mut house, browser, first) = village().await;
    let second = house.register("村口那个过水洞下雨就淹水，车子走不成").await;
    let at = format!("/m/{}", second["id"].as_str().unwrap());
    house.person("wang", "correct horse", &["collector"]).await;
    let wang = house.signed_in("wang", "correct horse").await;
    let told = wang.get(&at).await.text();
    let told = section(&told).unwrap();
    assert!(told.contains(&first) && !told.contains("<form"), "{told}");
    let open = section(&browser.get(&at).await.text()).unwrap().matches("<form").count();
    assert_eq!(open, 2, "either way round");
    for act in [
        serde_json::json!({ "act": "accept" }),
        serde_json::json!({ "act": "answer", "text": "已清淤" }),
        serde_json::json!({ "act": "tell", "how": "phone" }),
        serde_json::json!({ "act": "close" }),
    ] {
        let done = house.admin().post(&format!("/api/v1/matters/{first}/acts"), &act).await;
        assert!(done.status < 300, "{}", done.text());
    }
    house.settle().await;
    let page = browser.get(&at).await.text();
    let told = section(&page).unwrap();
    assert!(told.contains(&first) && !told.contains("<form"), "an old answer helps: {told}");
    let english = browser.get(&format!("{at}?lang=en")).await.text();
    assert!(section(&english).unwrap().contains("Perhaps the same matter"));
}
