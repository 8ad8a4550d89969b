//! Today, the procedures, and looking up with a receipt.

use crate::{client::Client, house::House, paper::Paper};
use serde_json::json;

const FOUR_STEPS: &str = include_str!("../../procedures/four_steps.toml");

#[tokio::test]
async fn today_shows_what_is_mine_whom_to_tell_and_whom_i_wait_for() {
    let mut house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let browser = house.signed_in("li", "correct horse").await;
    let empty = browser.get("/").await.text();
    assert!(empty.contains("还没有登记事项") && empty.contains("href=\"/new\""));
    let mine = house.register("等我受理的事").await;
    let told = house.register("答复过没告知的事").await["id"].as_str().unwrap().to_owned();
    let gone = house.register("报到镇里的事").await["id"].as_str().unwrap().to_owned();
    let act = |id: &str| format!("/api/v1/matters/{id}/acts");
    for (id, step) in [
        (&told, json!({ "act": "accept" })),
        (&told, json!({ "act": "answer", "text": "已修好" })),
        (&gone, json!({ "act": "accept" })),
        (&gone, json!({ "act": "escalate" })),
    ] {
        let done = house.admin().post(&act(id), &step).await;
        assert_eq!(done.status, 200, "{}", done.text());
    }
    house.settle().await;
    let page = browser.get("/").await.text();
    let part = |title: &str| page.split(title).nth(1).unwrap().split("</section>").next().unwrap().to_owned();
    let (todo, tell, wait) = (part("<h2>今天要办</h2>"), part("<h2>待告知</h2>"), part("<h2>等别人办</h2>"));
    assert!(
        todo.contains("等我受理的事") && todo.contains("受理</span>") && !todo.contains("报到镇里的事"),
        "{todo}"
    );
    assert!(todo.contains(mine["number"].as_str().unwrap()) && todo.contains("个工作日"));
    assert!(tell.contains("答复过没告知的事") && !tell.contains("等我受理的事"), "{tell}");
    assert!(wait.contains("姚渡镇") && wait.contains("1 件"), "{wait}");
    // The list behind it is that place's.
    let href = wait.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let list = browser.get(&href).await.text();
    assert!(list.contains("报到镇里的事") && !list.contains("等我受理的事"));
    let english = browser.get("/?lang=en").await.text();
    assert!(
        english.contains("To do") && english.contains("Waiting for others") && !english.contains("今天要办")
    );
}

#[tokio::test]
async fn procedures_are_drawn_shown_and_issued() {
    let mut house = House::district().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let clerk = house.signed_in("li", "correct horse").await;
    let list = clerk.get("/procedures").await.text();
    assert!(list.contains("四步决策") && list.contains("随程序提供") && !list.contains("/procedures/issue"));
    let one = clerk.get("/procedures/four_steps").await.text();
    for word in ["村民议事会", "2/3", "公示满 5 天", "议题提案表", "提前 3 天通知", "可退回"]
    {
        assert!(one.contains(word), "{word} is missing");
    }
    assert_eq!(clerk.get("/procedures/none").await.status, 404);
    assert_eq!(clerk.get("/procedures/issue").await.status, 403);
    let ops = {
        house.person("zhao", "correct horse", &["administrator"]).await;
        house.signed_in("zhao", "correct horse").await
    };
    let blank = Paper::of(&ops.get("/procedures/issue").await.text(), "<main");
    // What is wrong is shown with its line; nothing can be issued.
    let broken = FOUR_STEPS.replace("go = [\"committees\", \"council\"]", "go = [\"nowhere\"]");
    let shown = blank.clone().fill("file", &broken).send(&ops).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let text = shown.text();
    assert!(
        text.contains("要改：第 ") && text.contains("nowhere") && !text.contains("value=\"apply\""),
        "{text}"
    );
    let empty = blank.clone().send(&ops).await;
    assert_eq!(empty.status, 422);
    // Sound: what it replaces, then issued by a second press.
    let newer =
        FOUR_STEPS.replace("version = 1", "version = 2").replace("posted_days = 5", "posted_days = 7");
    let shown = blank.clone().fill("file", &newer).send(&ops).await.text();
    assert!(shown.contains("发布后第 2 版代替第 1 版") && shown.contains("公示满 7 天"), "{shown}");
    assert!(
        !clerk.get("/procedures/four_steps").await.text().contains("公示满 7 天"),
        "showing changes nothing"
    );
    let apply = Paper::of(&shown, "class=\"staged\"");
    assert!(apply.fields.iter().any(|(n, v)| n == "file" && *v == newer), "byte for byte");
    let done = apply.send(&ops).await;
    assert_eq!(done.status, 303, "{}", done.text());
    house.settle().await;
    assert_eq!(apply.send(&ops).await.header("location"), done.header("location"), "twice is once");
    let one = ops.get(done.header("location")).await.text();
    assert!(one.contains("公示满 7 天") && one.contains("已发布") && one.contains("青白江区"), "{one}");
    // As a browser uploads a file.
    let part = |name: &str, more: &str, value: &str| {
        format!("--b1\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
    };
    let token = &blank.fields.iter().find(|(n, _)| n == "form_token").unwrap().1;
    let body = part("form_token", "", token)
        + &part("upload", "; filename=\"a.toml\"", &newer)
        + &part("file", "", "")
        + "--b1--\r\n";
    let sent = ops
        .clone()
        .here()
        .send(
            hyper::Method::POST,
            "/procedures/issue",
            Some("multipart/form-data; boundary=b1"),
            body.into_bytes(),
        )
        .await;
    assert!(sent.status == 200 && sent.text().contains("第 2 版正在使用"), "{}", sent.text());
    let refused = clerk.clone().here().form("/procedures/issue", "file=x&form_token=").await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn a_receipt_shows_how_a_matter_stands_and_nothing_else() {
    let mut house = House::open().await;
    let made = house.register("王家水费多收").await;
    let (number, code) =
        (made["number"].as_str().unwrap().to_owned(), made["check_code"].as_str().unwrap().to_owned());
    let ask = |browser: Client, n: String, c: String| async move {
        let query = crate::paper::encoded(&[("n".into(), n), ("c".into(), c)]);
        browser.get(&format!("/q?{query}")).await
    };
    let found = ask(house.browser(), number.clone(), code.clone()).await;
    assert_eq!(found.status, 200, "{}", found.text());
    let text = found.text();
    assert!(text.contains("已登记") && text.contains("芦稿村") && text.contains("还没有答复"));
    assert!(!text.contains("水费"), "no text and no title");
    assert_eq!(house.browser().get("/q").await.status, 200);
    // A wrong code and a number that is not here are answered alike, and late.
    let begun = std::time::Instant::now();
    let wrong = ask(house.browser(), number.clone(), "000000".into()).await;
    let unknown = ask(house.browser(), "芦稿-2026-9999".into(), "000000".into()).await;
    assert!(begun.elapsed() >= std::time::Duration::from_millis(2_900));
    assert_eq!((wrong.status, unknown.status), (404, 404));
    assert!(wrong.text().contains("对不上") && unknown.text().contains("对不上"));
    // Five slips on one number close it, for the right code too, and for a while only.
    // However the number is written.
    let short = number.split_once('-').unwrap().1.to_owned();
    for spelt in [&number, &short, &short, &number] {
        assert_eq!(ask(house.browser(), spelt.clone(), "111111".into()).await.status, 404);
    }
    let closed = ask(house.browser(), number.clone(), code.clone()).await;
    assert_eq!(closed.status, 429);
    assert!(closed.text().contains("暂停查询"));
    house.clock.set_ms(crate::house::MORNING_MS + 15 * 60_000);
    assert_eq!(ask(house.browser(), number.clone(), code.clone()).await.status, 200);
}

#[tokio::test]
async fn who_walks_through_numbers_is_shut_out() {
    let mut house = House::open().await;
    let made = house.register("一件").await;
    let number = made["number"].as_str().unwrap().to_owned();
    let walker = Client::tls(house.server.tls_address().unwrap(), house.server.web_pin().unwrap().to_owned());
    let ask = |n: String, c: &str| crate::paper::encoded(&[("n".into(), n), ("c".into(), c.into())]);
    for i in 0..5 {
        let tried = walker.get(&format!("/q?{}", ask(format!("芦稿-2026-{i:04}"), "123456"))).await;
        assert_eq!(tried.status, 404, "{}", tried.text());
    }
    let right = ask(number, made["check_code"].as_str().unwrap());
    assert_eq!(walker.get(&format!("/q?{right}")).await.status, 429);
    // Others are not.
    assert_eq!(house.browser().get(&format!("/q?{right}")).await.status, 200);
}
