//! The inbox: whose turn it is, what is done to several matters at once and told honestly, merging and taking it
//! back.

use crate::{
    client::{Client, Reply},
    house::House,
    paper::{Paper, encoded},
};
use serde_json::{Value, json};

const CHARTER: &str = r#"format = 1
people = [{ id = "wang", name = "王建国" }, { id = "zhang", name = "张德顺" }]
units = [
  { id = "civil", zh = "民政办", en = "Civil affairs", handlers = ["wang"] },
  { id = "farm", zh = "农业服务中心", en = "Farming service", handlers = ["zhang"] },
]
[[categories]]
id = "水利"
zh = "水利"
en = "Water"
unit = "farm"
[[categories]]
id = "治安"
zh = "治安"
en = "Safety"
"#;

struct Desk {
    house: House,
    browser: Client,
    ids: Vec<String>,
}

/// A village with a handler at the desk and these matters, each with its category.
async fn desk(matters: &[(&str, &str)]) -> Desk {
    let mut house = House::open().await;
    let done = house.admin().post("/api/v1/charter", &json!({ "file": CHARTER })).await;
    assert!(done.status < 300, "{}", done.text());
    house.settle().await;
    house.person("li", "correct horse", &["unit_handler"]).await;
    let browser = house.signed_in("li", "correct horse").await;
    let mut ids = Vec::new();
    for (body, category) in matters {
        let made =
            house.admin().post("/api/v1/matters", &json!({ "body": body, "category": category })).await;
        assert_eq!(made.status, 201, "{}", made.text());
        ids.push(made.json()["id"].as_str().unwrap().to_owned());
    }
    house.settle().await;
    Desk { house, browser, ids }
}

const THREE: &[(&str, &str)] =
    &[("三组水渠垮了八米", "水利"), ("村口涵洞积水车过不去", "水利"), ("夜里有人偷电缆", "治安")];

impl Desk {
    async fn page(&self, query: &str) -> String {
        let page = self.browser.get(&format!("/inbox{query}")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        page.text()
    }

    /// The form over several matters with these chosen.
    async fn form(&self, query: &str, chosen: &[&str]) -> Paper {
        let mut form = Paper::of(&self.page(query).await, "id=\"in-q\"");
        form.fields.extend(chosen.iter().map(|id| ("m".to_owned(), (*id).to_owned())));
        form
    }

    async fn result(&mut self, sent: &Reply) -> String {
        assert_eq!(sent.status, 303, "{}", sent.text());
        self.house.settle().await;
        self.browser.get(sent.header("location")).await.text()
    }

    async fn matter(&self, n: usize) -> Value {
        self.house.admin().get(&format!("/api/v1/matters/{}", self.ids[n])).await.json()
    }

    async fn act(&mut self, n: usize, asked: Value) {
        let done = self.house.admin().post(&format!("/api/v1/matters/{}/acts", self.ids[n]), &asked).await;
        assert_eq!(done.status, 200, "{}", done.text());
        self.house.settle().await;
    }
}

/// The count beside a view's name.
fn count<'a>(page: &'a str, name: &str) -> &'a str {
    let after =
        page.split(&format!("<span>{name}</span> <b>")).nth(1).unwrap_or_else(|| panic!("{name}: {page}"));
    after.split("</b>").next().unwrap()
}

#[tokio::test]
async fn each_view_shows_whose_turn_it_is_and_counts_it() {
    let mut desk = desk(THREE).await;
    let page = desk.page("").await;
    for (body, _) in THREE {
        assert!(page.contains(body), "{body}");
    }
    assert_eq!((count(&page, "待受理"), count(&page, "在办"), count(&page, "上报等答复")), ("3", "0", "0"));
    assert!(!page.contains("href=\"/inbox\""), "nobody is below, so there is no entry to it");
    desk.act(0, json!({ "act": "accept" })).await;
    desk.act(1, json!({ "act": "accept" })).await;
    desk.act(1, json!({ "act": "escalate" })).await;
    desk.act(2, json!({ "act": "accept" })).await;
    desk.act(2, json!({ "act": "answer", "text": "已报警" })).await;
    let page = desk.page("?view=working").await;
    assert!(page.contains(THREE[0].0) && !page.contains(THREE[1].0) && !page.contains(THREE[2].0), "{page}");
    let counts = ["待受理", "在办", "待告知", "上报等答复"].map(|name| count(&page, name).to_owned());
    assert_eq!(counts, ["0", "1", "1", "1"]);
    assert!(desk.page("?view=above").await.contains(THREE[1].0));
    assert!(desk.page("?view=untold").await.contains(THREE[2].0));
    assert!(desk.page("?view=arrived").await.contains("没有等受理的"));
    // Half a year later what is in hand is overdue, in red and in words.
    let late = crate::house::MORNING_MS + 180 * 24 * 3_600_000;
    desk.house.clock.set_ms(late);
    let browser = desk.house.signed_in("li", "correct horse").await;
    let page = browser.get("/inbox?view=overdue").await.text();
    assert!(page.contains(THREE[0].0) && page.contains("超期 ") && count(&page, "超期") == "1", "{page}");
    let english = browser.get("/inbox?view=overdue&lang=en").await.text();
    assert!(
        english.contains("Overdue") && english.contains("With those chosen") && !english.contains("待受理")
    );
}

#[tokio::test]
async fn filters_words_and_pages_narrow_a_view() {
    let many: Vec<(String, &str)> =
        (0..43).map(|n| (format!("第{n}件水渠的事"), if n % 2 == 0 { "水利" } else { "治安" })).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(b, c)| (b.as_str(), *c)).collect();
    let mut desk = desk(&many).await;
    let rows = |page: &str| page.matches("form=\"bulk\" name=\"m\"").count();
    let first = desk.page("").await;
    assert_eq!((rows(&first), count(&first, "待受理")), (40, "43"));
    let next =
        first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let second = desk.browser.get(&next).await.text();
    assert_eq!(rows(&second), 3);
    for (body, _) in &many {
        let name = format!("<b>{body}</b>");
        assert!(first.contains(&name) != second.contains(&name), "{body} stands on one page and on one only");
    }
    let q = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        format!("?{}", encoded(&pairs))
    };
    assert_eq!(rows(&desk.page(&q(&[("category", "治安")])).await), 21);
    assert_eq!(rows(&desk.page(&q(&[("q", "第7件")])).await), 1);
    assert_eq!(rows(&desk.page(&q(&[("q", "第7件"), ("category", "水利")])).await), 0);
    assert_eq!(rows(&desk.page(&q(&[("q", "100%")])).await), 0, "a sign of patterns is a letter");
    desk.act(7, json!({ "act": "accept" })).await;
    desk.act(7, json!({ "act": "assign", "unit": "民政办" })).await;
    let page = desk.page(&q(&[("view", "held"), ("unit", "民政办")])).await;
    assert!(rows(&page) == 1 && page.contains("民政办 · 王建国"), "{page}");
    assert_eq!(rows(&desk.page(&q(&[("view", "held"), ("unit", "-")])).await), 40);
    // A place or an order that is none is said, and the view is shown without.
    let odd = desk.page(&q(&[("place", "没有这个村")])).await;
    assert!(odd.contains("role=\"alert\"") && rows(&odd) == 40);
    assert!(desk.page("?view=no-such-view&sort=newest").await.contains("待受理"));
}

#[tokio::test]
async fn one_matter_stands_beside_the_list_and_its_act_comes_back_there() {
    let mut desk = desk(THREE).await;
    let id = desk.ids[0].clone();
    let page = desk.page(&format!("?view=arrived&m={id}")).await;
    assert!(page.contains("class=\"inbox one\"") && page.contains("<h3>反映内容</h3>"), "{page}");
    assert!(page.contains("aria-current=\"true\""));
    let accept = Paper::act(&page, "accept");
    let sent = accept.send(&desk.browser).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    assert_eq!(sent.header("location"), format!("/inbox?view=arrived&m={id}&done=accept"));
    let after = desk.result(&sent).await;
    assert!(after.contains("已记下：受理。") && count(&after, "待受理") == "2", "{after}");
    // An address that is no inbox is not followed.
    let elsewhere = Paper::act(&after, "handle").fill("note", "去看过").fill("back", "//evil.example/inbox");
    assert_eq!(elsewhere.send(&desk.browser).await.header("location"), format!("/m/{id}?done=handle"));
    // A refused act keeps what was typed.
    let refused = Paper::act(&after, "comment").fill("text", "").send(&desk.browser).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(desk.browser.get("/inbox?m=%E6%B2%A1%E6%9C%89").await.status, 404);
}

#[tokio::test]
async fn several_are_accepted_at_once_and_what_was_not_is_said() {
    let mut desk = desk(THREE).await;
    desk.act(1, json!({ "act": "accept" })).await;
    let ids: Vec<&str> = desk.ids.iter().map(String::as_str).collect();
    let form = desk.form("?view=arrived", &ids).await.fill("act", "accept").fill("accept.urgency", "urgent");
    let sent = form.send(&desk.browser).await;
    let page = desk.result(&sent).await;
    assert!(page.contains("3 件里办了 2 件，没办 1 件"), "{page}");
    let (not, done) = (page.find("没办</span>").unwrap(), page.find("办了</span>").unwrap());
    assert!(not < done, "what was not done comes first");
    let row = page.split("<li>").find(|row| row.contains(THREE[1].0)).unwrap();
    assert!(
        row.contains("没办</span>") && row.contains("class=\"hint\">") && !row.contains("已受理</p>"),
        "{row}"
    );
    for n in [0, 2] {
        let m = desk.matter(n).await;
        assert_eq!((&m["stage"], &m["deliberation"]["urgency"]), (&"accepted".into(), &"urgent".into()));
    }
    // The same press again does nothing and shows the same.
    let before = [desk.matter(0).await["timeline"].clone(), desk.matter(1).await["timeline"].clone()];
    let again = form.send(&desk.browser).await;
    assert_eq!(again.header("location"), sent.header("location"));
    assert_eq!([desk.matter(0).await["timeline"].clone(), desk.matter(1).await["timeline"].clone()], before);
    // Nobody else sees it, and what is not kept is said.
    desk.house.person("wu", "correct horse", &["unit_handler"]).await;
    let other = desk.house.signed_in("wu", "correct horse").await;
    assert!(other.get(sent.header("location")).await.text().contains("结果没有留下"));
    let english = desk.browser.get(&format!("{}?lang=en", sent.header("location"))).await.text();
    assert!(english.contains("Of 3, 2 done and 1 not") && english.contains("Accepted"), "{english}");
}

#[tokio::test]
async fn several_are_given_to_the_units_of_their_categories() {
    let mut desk = desk(THREE).await;
    let ids: Vec<&str> = desk.ids.iter().map(String::as_str).collect();
    let form = desk.form("", &ids).await.fill("act", "assign").fill("assign.accept", "yes");
    let sent = form.send(&desk.browser).await;
    let page = desk.result(&sent).await;
    assert!(
        page.contains("3 件里办了 2 件，没办 1 件") && page.contains("已受理；交办给农业服务中心"),
        "{page}"
    );
    assert!(page.contains("这个类别没有指定单位"), "{page}");
    assert_eq!(desk.matter(2).await["stage"], "registered", "not accepted for nothing");
    let list = desk.page("?view=held").await;
    assert!(
        list.contains("农业服务中心 · 张德顺") && list.contains("<span>农业服务中心</span> <b>2</b>"),
        "{list}"
    );
    // To one unit for all, with a person; without accepting first it is refused, and said.
    let form = desk.form("", &[&desk.ids[2]]).await.fill("act", "assign").fill("assign.unit", "民政办");
    let sent = form.send(&desk.browser).await;
    let page = desk.result(&sent).await;
    assert!(page.contains("没办 1 件"), "{page}");
    let form = desk.form("", &[&desk.ids[2]]).await.fill("act", "assign").fill("assign.unit", "民政办");
    let sent =
        form.fill("assign.accept", "yes").fill("assign.person", "没有这个人").send(&desk.browser).await;
    let page = desk.result(&sent).await;
    assert!(page.contains("已受理；章程人员名单里没有"), "what was done before is told too: {page}");
}

#[tokio::test]
async fn matters_are_compared_merged_and_taken_apart_again_by_one_press_each() {
    let mut desk = desk(&[
        ("村口涵洞一下雨就积水，车过不去", "水利"),
        ("村口那个过水洞下雨就淹水，车子走不成", "水利"),
        ("夜里有人偷电缆", "治安"),
    ])
    .await;
    let (a, b) = (desk.ids[0].clone(), desk.ids[1].clone());
    let pane = desk.page(&format!("?m={a}")).await;
    let near =
        pane.split("class=\"alike\"").nth(1).expect("one is alike").split("</section>").next().unwrap();
    assert!(near.contains("都提到") && near.contains("并排看"), "{near}");
    let href = near
        .split("class=\"button\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&");
    let both = desk.browser.get(&href).await.text();
    for words in ["一下雨就积水", "过水洞下雨就淹水", "都提到", "谁反映的", "登记单位：芦稿村"]
    {
        assert!(both.contains(words), "{words}: {both}");
    }
    let sent = Paper::of(&both, "class=\"compare\"").send(&desk.browser).await;
    let page = desk.result(&sent).await;
    assert!(page.contains("1 件都办了") && page.contains("已并入"), "{page}");
    assert_eq!(desk.matter(1).await["merged_into"], a.as_str());
    // Back by one press.
    let undo = Paper::of(&page, "class=\"buttons\"");
    assert!(
        undo.fields.contains(&("act".into(), "unmerge".into()))
            && undo.fields.contains(&("m".into(), b.clone()))
    );
    let sent = undo.send(&desk.browser).await;
    let page = desk.result(&sent).await;
    assert!(page.contains("恢复到并案以前"), "{page}");
    let apart = desk.matter(1).await;
    assert_eq!((&apart["stage"], &apart["merged_into"]), (&"registered".into(), &Value::Null));
    assert_eq!(desk.matter(0).await["sources"], json!([]));
    // Three into one chosen as the lead; the lead's own pane offers the way back too.
    let ids: Vec<&str> = desk.ids.iter().map(String::as_str).collect();
    let form = desk.form("", &ids).await.fill("act", "merge").fill("merge.lead", &b);
    let sent = form.send(&desk.browser).await;
    let page = desk.result(&sent).await;
    assert!(page.contains("2 件都办了"), "{page}");
    assert_eq!(desk.matter(1).await["sources"].as_array().unwrap().len(), 2);
    let pane = desk.page(&format!("?m={b}")).await;
    assert!(pane.contains("全部撤销并案"), "{pane}");
    let sent = Paper::of(&pane, "<h3>并进来的</h3>").send(&desk.browser).await;
    desk.result(&sent).await;
    assert_eq!(desk.matter(1).await["sources"], json!([]));
}

#[tokio::test]
async fn what_is_missing_is_asked_for_and_what_was_chosen_is_kept() {
    let desk = desk(THREE).await;
    let none = desk.form("", &[]).await.fill("act", "accept").send(&desk.browser).await;
    assert!(none.status == 422 && none.text().contains("还没有选"), "{}", none.text());
    let chosen = [desk.ids[0].as_str(), &desk.ids[2]];
    let form = desk.form("?view=held", &chosen).await.fill("act", "return");
    let bare = form.clone().send(&desk.browser).await;
    assert_eq!(bare.status, 422);
    let page = bare.text();
    assert!(
        page.contains("退回要写理由") && page.matches(" checked><span class=\"off\">选中").count() == 2,
        "{page}"
    );
    assert!(page.contains("data-key=\"r\" open"), "{page}");
    // Nobody handed them in, so they cannot be given back: that is said of each.
    let sent = form.fill("return.reason", "请补照片").send(&desk.browser).await;
    assert_eq!(sent.status, 303);
    let page = desk.browser.get(sent.header("location")).await.text();
    assert!(page.contains("2 件里办了 0 件，没办 2 件"), "{page}");
    let lone = desk.form("", &[&desk.ids[0]]).await.fill("act", "merge").send(&desk.browser).await;
    assert!(lone.status == 422 && lone.text().contains("至少要选两件"));
    let mut many = desk.form("", &[]).await.fill("act", "accept");
    many.fields.extend((0..201).map(|n| ("m".to_owned(), format!("{n:064x}"))));
    let many = many.send(&desk.browser).await;
    assert!(many.status == 422 && many.text().contains("一次最多办 200 件"), "{}", many.text());
    // One that is not here is said as such; the others are done.
    let form = desk.form("", &[&desk.ids[0], "芦稿-2026-9999"]).await.fill("act", "accept");
    let sent = form.send(&desk.browser).await;
    let page = desk.browser.get(sent.header("location")).await.text();
    assert!(page.contains("2 件里办了 1 件，没办 1 件") && page.contains("芦稿-2026-9999"), "{page}");
}

#[tokio::test]
async fn only_whoever_may_handle_acts() {
    let desk = desk(THREE).await;
    assert_eq!(desk.house.browser().get("/inbox").await.status, 303);
    desk.house.person("chen", "correct horse", &["collector"]).await;
    let chen = desk.house.signed_in("chen", "correct horse").await;
    let page = chen.get("/inbox").await.text();
    assert!(page.contains(THREE[0].0) && !page.contains("class=\"in-bulk\"") && !page.contains("name=\"m\""));
    let form = desk.form("", &[&desk.ids[0]]).await.fill("act", "accept");
    let body = |form: &Paper| encoded(&form.fields);
    let theirs = Paper::of(&chen.get(&format!("/m/{}", desk.ids[0])).await.text(), "class=\"next\"");
    let token = &theirs.fields.iter().find(|(n, _)| n == "form_token").unwrap().1;
    let sent = chen.clone().here().form("/inbox/do", &body(&form.clone().fill("form_token", token))).await;
    assert_eq!(sent.status, 403, "{}", sent.text());
    // Not from another site's page, nor with another session's token.
    assert_eq!(desk.browser.form("/inbox/do", &body(&form)).await.status, 403);
    assert_eq!(chen.here().form("/inbox/do", &body(&form)).await.status, 403);
    assert_eq!(desk.matter(0).await["stage"], "registered");
    assert_eq!(desk.browser.get("/inbox/do").await.header("location"), "/inbox");
    assert_eq!(desk.browser.get("/inbox/done/nothing").await.status, 200);
}

#[tokio::test]
async fn a_place_with_places_below_sees_how_each_stands() {
    let mut house = House::district().await;
    house.person("li", "correct horse", &["clerk"]).await;
    house.place_below(9, "510113106205", "光明村").await;
    let made = house.register("区里自己登记的一件").await;
    let browser = house.signed_in("li", "correct horse").await;
    let page = browser.get("/inbox").await.text();
    assert!(
        page.contains("href=\"/inbox\"") && page.contains("光明村") && page.contains("还没联通过"),
        "{page}"
    );
    assert!(!page.contains("data-key=\"e\""), "nobody is above, so nothing is passed up");
    let village = page.split("光明村").nth(1).unwrap();
    let href = page
        .split("title=\"光明村")
        .next()
        .unwrap()
        .rsplit("href=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let theirs = browser.get(&href.replace("&#38;", "&")).await.text();
    assert!(
        theirs.contains("没有符合条件的事项") && !theirs.contains(made["title"].as_str().unwrap()),
        "{village}"
    );
}
