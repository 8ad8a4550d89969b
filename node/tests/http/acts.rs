//! Acts on a matter's page: from its registration through a procedure to its end, without a script.

use crate::{
    client::{Client, Reply},
    house::{House, MORNING_MS},
    paper::Paper,
};

use serde_json::json;

const DAY_MS: u64 = 24 * 3_600_000;

struct Clerk {
    house: House,
    browser: Client,
    at: String,
}

impl Clerk {
    async fn with_a_matter() -> Self {
        let mut house = House::open().await;
        let id = house.register("村口涵洞积水").await["id"].as_str().unwrap().to_owned();
        house.person("li", "correct horse", &["clerk"]).await;
        let browser = house.signed_in("li", "correct horse").await;
        Self { house, browser, at: format!("/m/{id}") }
    }

    async fn page(&self) -> String {
        let page = self.browser.get(&self.at).await;
        assert_eq!(page.status, 200, "{}", page.text());
        page.text()
    }

    async fn send(&self, id: &str, fields: &[(&str, &str)]) -> Reply {
        let paper = Paper::act(&self.page().await, id);
        fields.iter().fold(paper, |p, (n, v)| p.fill(n, v)).send(&self.browser).await
    }

    #[track_caller]
    fn check(sent: &Reply, act: &str) {
        assert_eq!(sent.status, 303, "{act}: {}", sent.text());
        assert!(sent.header("location").contains(&format!("done={act}")), "{}", sent.header("location"));
    }

    async fn act(&self, id: &str, fields: &[(&str, &str)]) -> String {
        let sent = self.send(id, fields).await;
        Self::check(&sent, id.split('-').next().unwrap());
        self.browser.get(sent.header("location")).await.text()
    }

    async fn days_pass(&mut self, days: u64) {
        self.house.clock.set_ms(MORNING_MS + days * DAY_MS);
        self.browser = self.house.signed_in("li", "correct horse").await;
    }
}

/// The acts that stand open, and those under “more”.
fn offered(page: &str) -> (usize, usize) {
    let next = page.split("<section class=\"next\"").nth(1).unwrap().split("</section>").next().unwrap();
    let (first, rest) = next.split_once("<details class=\"fold\"").unwrap_or((next, ""));
    (first.matches("id=\"act-").count(), rest.matches("id=\"act-").count())
}

#[tokio::test]
async fn the_next_acts_stand_on_the_page_and_the_rest_is_explained() {
    let clerk = Clerk::with_a_matter().await;
    let page = clerk.page().await;
    let (first, rest) = offered(&page);
    assert!((1..=3).contains(&first) && rest > 3, "{first} {rest}");
    assert!(page.contains("现在不能办的") && page.contains("须在以下环节办理"));
    // Somebody who only reports is offered only that.
    clerk.house.person("wang", "correct horse", &["collector"]).await;
    let wang = clerk.house.signed_in("wang", "correct horse").await;
    let page = wang.get(&clerk.at).await.text();
    assert!(!page.contains("act-accept") && page.contains("act-comment"));
    let english = clerk.browser.get(&format!("{}?lang=en", clerk.at)).await.text();
    let forms = english.split("<section class=\"next\"").nth(1).unwrap().split("</section>").next().unwrap();
    let chinese: String = forms.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).collect();
    assert_eq!(chinese, "", "English is complete");
}

#[tokio::test]
async fn an_act_is_confirmed_done_once_and_refused_in_words() {
    let clerk = Clerk::with_a_matter().await;
    let before = Paper::act(&clerk.page().await, "accept");
    let (one, two) = tokio::join!(before.send(&clerk.browser), before.send(&clerk.browser));
    Clerk::check(&one, "accept");
    Clerk::check(&two, "accept");
    let done = clerk.browser.get(one.header("location")).await.text();
    assert!(done.contains("已记下：受理") && done.contains("已受理"));
    // The same form again, much later, is still the same act.
    Clerk::check(&before.send(&clerk.browser).await, "accept");
    assert_eq!(clerk.page().await.matches("<b>受理</b>").count(), 1, "it was taken once");
    let refuse = clerk.send("handle", &[("note", "去看了现场")]).await;
    Clerk::check(&refuse, "handle");
    let empty = clerk.send("answer", &[("text", " ")]).await;
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("“答复内容”没有填写"), "{}", empty.text());
    let odd = clerk.send("extend", &[("working_days", "好几天"), ("reason", "下雨停工")]).await;
    assert_eq!(odd.status, 422);
    assert!(
        odd.text().contains("要写数字") && odd.text().contains("下雨停工") && odd.text().contains("好几天")
    );
    // Not legal any more: the rule, and what was typed, although its form is gone.
    let late = Paper::act(&clerk.page().await, "answer").fill("text", "已修好");
    let closed = clerk.act("answer", &[("text", "先答复")]).await;
    assert!(closed.contains("先答复"));
    clerk.act("close", &[]).await;
    let gone = late.send(&clerk.browser).await;
    assert_eq!(gone.status, 409, "{}", gone.text());
    assert!(gone.text().contains("现在不能这样办") && gone.text().contains("已修好"));
    let strange = late.fill("act", "<script>").send(&clerk.browser).await;
    assert_eq!(strange.status, 422);
    assert!(!strange.text().contains("<script>"), "only our own, by its address");
    let missing =
        Paper { action: "/m/none/acts".into(), ..before }.fill("once", "another").send(&clerk.browser).await;
    assert_eq!(missing.status, 404, "{}", missing.text());
    assert_eq!(
        clerk.house.browser().here().form(&format!("{}/acts", clerk.at), "act=close").await.status,
        401
    );
}

#[tokio::test]
async fn rights_are_those_of_the_program() {
    let clerk = Clerk::with_a_matter().await;
    clerk.house.person("wang", "correct horse", &["collector"]).await;
    let wang = clerk.house.signed_in("wang", "correct horse").await;
    let page = wang.get(&clerk.at).await.text();
    let forged = Paper::act(&page, "comment").fill("act", "accept").send(&wang).await;
    assert_eq!(forged.status, 403);
    assert!(forged.text().contains("没有权限"));
    let comment = || Paper::act(&page, "comment").fill("text", "电话13812345678");
    // A number is asked about first; without a dossier it cannot be sealed.
    let asked = comment().send(&wang).await;
    assert_eq!(asked.status, 422);
    let asked = asked.text();
    assert!(
        asked.contains("还没有保存")
            && asked.contains("name=\"numbers\"")
            && asked.contains("电话13812345678"),
        "{asked}"
    );
    let again =
        |what: &str| Paper::act(&asked, "comment").fill("text", "电话13812345678").fill("numbers", what);
    let refused = again("seal").send(&wang).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("无处可存"), "{}", refused.text());
    let kept = again("keep").send(&wang).await;
    assert_eq!(kept.status, 303, "{}", kept.text());
    assert!(wang.get(kept.header("location")).await.text().contains("文字里像是有身份证号"));
}

#[tokio::test]
async fn a_number_in_an_act_is_sealed_unless_somebody_says_it_is_nobodys() {
    let mut house = House::open().await;
    let named = json!({ "body": "低保没批下来", "settle": "已说明，再问打13712345678",
        "petitioner": { "kind": "named", "name": "王小明", "phone": "13900000000" } });
    let made = house.admin().post("/api/v1/matters", &named).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(!made.text().contains("13712345678"), "the reply on the spot, too");
    let named = json!({ "body": "路灯不亮", "petitioner": { "kind": "named", "name": "王小明", "phone": "13900000000" } });
    let made = house.admin().post("/api/v1/matters", &named).await.json();
    let id = made["id"].as_str().unwrap().to_owned();
    let acts = format!("/api/v1/matters/{id}/acts");
    assert_eq!(
        house.admin().post(&acts, &json!({ "act": "accept", "procedure": "four_steps" })).await.status,
        200
    );
    let sealed = [
        json!({ "act": "comment", "text": "王某身份证11010519491231002X，电话138-1234-5678" }),
        json!({ "act": "call", "body": "council", "day": "2026-12-01", "agenda": "问13812345678" }),
        json!({ "act": "record", "form": "inspection", "fields": { "found": "问了13612345678", "urgent": true } }),
        json!({ "act": "support", "count": 2, "note": "13900000000" }),
    ];
    for act in &sealed {
        let done = house.admin().post(&acts, act).await;
        assert_eq!(done.status, 200, "{}", done.text());
        let done = done.json();
        assert_eq!(done["warnings"][0]["code"], "moved_to_sealed", "{act}");
        assert!(done.to_string().contains("〔已封存〕"), "{done}");
    }
    house.settle().await;
    let matter = house.admin().get(&format!("/api/v1/matters/{id}")).await.text();
    for hidden in ["13812345678", "138-1234-5678", "11010519491231002X", "13612345678", "13900000000"] {
        assert!(!matter.contains(hidden), "{hidden}");
    }
    let opened = house.admin().get(&format!("/api/v1/matters/{id}/petitioner")).await.json();
    // Each once; the petitioner's own telephone stood there already.
    assert_eq!(opened["moved"], json!(["11010519491231002X", "13812345678", "13612345678"]));
    assert_eq!((&opened["name"], &opened["phone"]), (&json!("王小明"), &json!("13900000000")));
    let kept = json!({ "act": "comment", "text": "热线13812345678", "numbers": "keep" });
    let kept = house.admin().post(&acts, &kept).await.json();
    assert_eq!(kept["warnings"][0]["code"], "personal_number");
    assert!(kept.to_string().contains("热线13812345678"));
    let wrong = json!({ "act": "comment", "text": "13812345678", "numbers": "perhaps" });
    assert_eq!(house.admin().post(&acts, &wrong).await.status, 422);
    // Where there is nothing to seal it in, and in a decision, nothing is saved.
    let plain = house.register("水管漏水").await["id"].as_str().unwrap().to_owned();
    let refused = house.admin().post(&format!("/api/v1/matters/{plain}/acts"), &sealed[0]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.json()["detail_zh"].as_str().unwrap().contains("无处可存"), "{}", refused.text());
    let mut decision = json!({ "proposals": [id], "title": "换灯", "text": "找13812345678" });
    let refused = house.admin().post("/api/v1/outcomes", &decision).await;
    assert!(refused.status == 422 && refused.text().contains("没有可存的密封信息"), "{}", refused.text());
    decision["numbers"] = json!("keep");
    decision["proposals"] = json!([plain]);
    let accepted =
        house.admin().post(&format!("/api/v1/matters/{plain}/acts"), &json!({ "act": "accept" })).await;
    assert_eq!(accepted.status, 200, "{}", accepted.text());
    let decided = house.admin().post("/api/v1/outcomes", &decision).await;
    assert_eq!(decided.status, 201, "{}", decided.text());
    // Once the petitioner is forgotten nothing is put there any more.
    let number = made["number"].as_str().unwrap();
    let forgotten =
        house.admin().post(&format!("/api/v1/matters/{id}/forget"), &json!({ "confirm": number })).await;
    assert!(forgotten.status < 300, "{}", forgotten.text());
    assert_eq!(house.admin().post(&acts, &sealed[0]).await.status, 422);
}

#[tokio::test]
async fn a_matter_goes_through_the_four_steps_on_its_page() {
    let mut clerk = Clerk::with_a_matter().await;
    let page = clerk
        .act("accept", &[("procedure", "four_steps"), ("grade", "ordinary"), ("urgency", "urgent")])
        .await;
    for word in ["四步决策", "1/6 党总支会议", "还缺", "议题提案表", "紧急"] {
        assert!(page.contains(word), "{word} is missing");
    }
    // What opens the way comes first: the paper of the stage, the meeting.
    let first = page.split("<section class=\"next\"").nth(1).unwrap().split("class=\"fold\"").next().unwrap();
    assert!(first.contains("act-record-proposal") && first.contains("act-meet"), "{first}");
    assert!(!page.contains("act-advance-council"));
    let incomplete = clerk.send("record-proposal", &[("f.topic", "修涵洞")]).await;
    assert_eq!(incomplete.status, 422);
    assert!(incomplete.text().contains("“提出理由”没有填写") && incomplete.text().contains("修涵洞"));
    let page = clerk.act("record-proposal", &[("f.topic", "修涵洞"), ("f.reason", "雨季过不去")]).await;
    assert!(page.contains("填过的表单") && page.contains("雨季过不去"));
    let wrong = clerk
        .send("meet", &[("body", "branch"), ("eligible", "10"), ("present", "11"), ("minutes", "同意")])
        .await;
    assert_eq!(wrong.status, 409, "{}", wrong.text());
    assert!(wrong.text().contains("value=\"11\""), "counts typed are kept");
    let page = clerk
        .act("meet", &[("body", "branch"), ("eligible", "１０"), ("present", "8"), ("minutes", "同意提交")])
        .await;
    assert!(page.contains("到会人数够") && page.contains("act-advance-council"));
    let page = clerk.act("advance-council", &[]).await;
    assert!(page.contains("3/6 议事会初决"));
    // Going back wants a reason, in the page and behind it.
    let back = clerk.send("advance-branch", &[("reason", "")]).await;
    assert!(back.status == 409 || back.status == 422, "{}", back.text());
    let page = clerk
        .act("call", &[("body", "council"), ("day", "2026-11-27"), ("agenda", "议涵洞"), ("venue", "村部")])
        .await;
    assert!(page.contains("议涵洞") && page.contains("11月27日") && page.contains("村部"));
    // Called, and not held before its day: neither stands first any more.
    let first = page.split("<section class=\"next\"").nth(1).unwrap().split("class=\"fold\"").next().unwrap();
    assert!(!first.contains("act-meet") && !first.contains("act-call"), "{first}");
    let early = clerk
        .send("meet", &[("body", "council"), ("eligible", "30"), ("present", "25"), ("minutes", "议了")])
        .await;
    assert_eq!(early.status, 409, "three days' notice: {}", early.text());
    clerk.days_pass(4).await;
    clerk
        .act("meet", &[("body", "council"), ("eligible", "30"), ("present", "25"), ("minutes", "议了")])
        .await;
    let page = clerk
        .act(
            "ballot",
            &[
                ("question", "修涵洞"),
                ("body", "council"),
                ("eligible", "30"),
                ("present", "25"),
                ("for", "20"),
                ("against", "3"),
                ("abstain", "2"),
                ("counter.caller", "李"),
                ("counter.teller", "王"),
                ("counter.watcher", "赵"),
            ],
        )
        .await;
    assert!(page.contains("表决") && page.contains("act-advance-representatives"), "{page}");
}

#[tokio::test]
async fn notices_objections_and_summonses_are_on_the_page() {
    let mut clerk = Clerk::with_a_matter().await;
    clerk.act("accept", &[]).await;
    let page = clerk.act("post", &[("text", "拟修涵洞"), ("days", "5")]).await;
    assert!(page.contains("拟修涵洞") && page.contains("还有 5 天"));
    let page = clerk.act("object", &[("text", "应先修路")]).await;
    assert!(page.contains("应先修路") && page.contains("还没回复"));
    let page =
        clerk.act("summon", &[("unit", "区水务局"), ("question", "何时清淤"), ("working_days", "5")]).await;
    assert!(page.contains("区水务局") && page.contains("何时清淤"));
    // Two things wait for a reply: which one is asked.
    assert!(Paper::act(&page, "respond").html.contains("应先修路"));
    let to = page.split("<select name=\"to\"").nth(1).unwrap();
    let option = to.split("<option value=\"").find(|o| o.contains("何时清淤")).unwrap();
    let option = option.split('"').next().unwrap().to_owned();
    let page = clerk.act("respond", &[("to", &option), ("text", "下月"), ("relayed", "yes")]).await;
    assert!(page.contains("下月") && page.contains("转述") && page.contains("已回复"));
    clerk.days_pass(6).await;
    assert!(clerk.page().await.contains("已公示 5 天"));
    // Passed up: who holds it now is said.
    let page = clerk.act("escalate", &[]).await;
    assert!(page.contains("现在由姚渡镇承办"), "{page}");
}
