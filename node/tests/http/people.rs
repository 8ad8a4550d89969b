//! Places below and accounts on pages: tokens and passwords shown once, consequences told before they come.

use crate::{house::House, paper::Paper};

#[tokio::test]
async fn a_place_is_invited_once_and_its_standby_let_in() {
    let house = House::district().await;
    house.person("sun", "correct horse", &["administrator"]).await;
    let sun = house.signed_in("sun", "correct horse").await;
    let page = sun.get("/places").await.text();
    assert!(page.contains("还没有下级单位") && page.contains("青白江区"), "{page}");
    let form =
        Paper::of(&page, "id=\"invite\"").fill("code", "510113106000").fill("address", "10.8.0.1:9443");
    let wrong = form.clone().fill("code", "51").send(&sun).await;
    assert!(wrong.status == 422 && wrong.text().contains("不是 12 位区划代码"), "{}", wrong.text());
    assert!(wrong.text().contains("value=\"51\"") && wrong.text().contains("10.8.0.1:9443"), "typed is kept");
    let unlisted = form.clone().fill("code", "510113199000").send(&sun).await;
    assert!(unlisted.text().contains("区划表里没有这个代码"), "{}", unlisted.text());
    let made = form.clone().send(&sun).await;
    let text = made.text();
    assert_eq!(made.status, 200, "{text}");
    let token = text.split("yishi-node join ").nth(1).unwrap().split('<').next().unwrap();
    assert!(
        token.starts_with("YISHI1-") && text.contains("姚渡镇") && text.contains("class=\"qr\""),
        "{text}"
    );
    assert!(text.contains("只在这里显示一次"));
    let again = form.clone().send(&sun).await;
    assert!(
        again.status == 409 && again.text().contains("邀请码只显示一次") && !again.text().contains(token)
    );
    // A standby of a place that is not there is not let in.
    let takeover = form.fill("once", "another").fill("takeover", "yes").fill("code", "510113107000");
    assert_eq!(takeover.send(&sun).await.status, 404);
    house.place_below(9, "510113106205", "光明村").await;
    let at = sun.get("/places?at=510113106205").await.text();
    let let_in = Paper::of(&at, "id=\"activate\"").fill("address", "10.8.0.1:9443").send(&sun).await;
    assert!(let_in.text().contains("yishi-node takeover YISHI1-"), "{}", let_in.text());
}

#[tokio::test]
async fn a_place_is_revoked_only_after_its_consequences_were_shown() {
    let house = House::district().await;
    house.person("sun", "correct horse", &["administrator"]).await;
    let sun = house.signed_in("sun", "correct horse").await;
    house.place_below(9, "510113106205", "光明村").await;
    let at = sun.get("/places?at=510113106205").await.text();
    let form = Paper::of(&at, "id=\"revoke\"");
    let bare = form.clone().fill("reason", " ").send(&sun).await;
    assert!(bare.status == 422 && bare.text().contains("为什么撤销"), "{}", bare.text());
    let shown = form.fill("reason", "机器丢失").send(&sun).await.text();
    assert!(shown.contains("光明村的连接马上断开") && shown.contains("已经收下的全部算数"), "{shown}");
    let still = sun.get("/places").await.text();
    assert!(
        still.contains("光明村") && !still.contains("已撤销</small>"),
        "showing changes nothing: {still}"
    );
    let press = Paper::of(&shown, "<main");
    let done = press.send(&sun).await;
    assert_eq!(done.header("location"), "/places?done=revoked", "{}", done.text());
    assert_eq!(press.send(&sun).await.header("location"), "/places?done=revoked", "twice is once");
    let after = sun.get("/places?done=revoked").await.text();
    assert!(after.contains("已撤销</small>") && after.contains("已撤销，连接已断开"), "{after}");
    let english = sun.get("/places?lang=en").await.text();
    assert!(english.contains("revoked</small>") && !english.contains("已撤销"), "{english}");
}

#[tokio::test]
async fn who_does_not_look_after_places_only_sees_them() {
    let house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let li = house.signed_in("li", "correct horse").await;
    let page = li.get("/places").await.text();
    assert!(
        page.contains("芦稿村") && page.contains("姚渡镇") && !page.contains("<form class=\"fill\""),
        "{page}"
    );
    assert!(!page.contains("href=\"/places\"") && !page.contains("href=\"/people\""), "{page}");
    assert_eq!(li.get("/people").await.status, 403);
    for path in ["/places/invite", "/places/revoke", "/people"] {
        assert_eq!(li.clone().here().form(path, "form_token=").await.status, 403, "{path}");
    }
    assert_eq!(house.browser().get("/people").await.status, 303);
    assert_eq!(house.browser().get("/places").await.status, 303);
}

#[tokio::test]
async fn a_person_is_added_given_a_new_password_and_locked() {
    let house = House::open().await;
    house.person("sun", "correct horse", &["administrator"]).await;
    let sun = house.signed_in("sun", "correct horse").await;
    let page = sun.get("/people").await.text();
    let form = Paper::of(&page, "id=\"add\"").fill("name", "zhao").fill("display_name", "赵经办");
    let bare = form.clone().send(&sun).await;
    assert!(
        bare.status == 422 && bare.text().contains("赵经办") && bare.text().contains("“角色”"),
        "{}",
        bare.text()
    );
    let form = form.fill("role", "unit_handler");
    let made = form.clone().send(&sun).await.text();
    let shown = |text: &str| {
        let at = text.split("class=\"now code\">").nth(1).unwrap_or_else(|| panic!("{text}"));
        at.split('<').next().unwrap().to_owned()
    };
    let first = shown(&made);
    assert_eq!(form.send(&sun).await.status, 409, "shown once");
    let zhao = house.signed_in("zhao", &first).await;
    assert_eq!(zhao.get("/inbox").await.status, 200);
    let page = sun.get("/people").await.text();
    assert!(page.contains("赵经办") && page.contains("经办人") && !page.contains(&first), "{page}");
    // A new password ends the old one and every session of it.
    let at = sun.get("/people?at=u2").await.text();
    let part = |step: &str| {
        let mark = format!("name=\"step\" value=\"{step}\"");
        let from = at[..at.find(&mark).unwrap()].rfind("<form").unwrap();
        Paper::of(&at[from..], "<form")
    };
    let second = shown(&part("password").send(&sun).await.text());
    assert_ne!(first, second);
    assert_eq!(zhao.get("/inbox").await.status, 303, "the old session is over");
    let wrong = house.browser().here().form("/login", &format!("name=zhao&password={first}&back=%2F")).await;
    assert_ne!(wrong.status, 303, "the old password too");
    let zhao = house.signed_in("zhao", &second).await;
    let mut roles = part("roles");
    roles.fields.push(("role".into(), "clerk".into()));
    assert_eq!(roles.send(&sun).await.header("location"), "/people?done=changed");
    assert!(sun.get("/people").await.text().contains("文书"));
    assert_eq!(part("lock").send(&sun).await.status, 303);
    assert_eq!(zhao.get("/").await.status, 303);
    let page = sun.get("/people?at=u2").await.text();
    assert!(page.contains("已停用") && page.contains("恢复"), "{page}");
    // Nobody locks themselves out.
    let own = sun.get("/people?at=u1").await.text();
    assert!(!own.contains("value=\"lock\""), "{own}");
    let mut mine = Paper::of(&own, "person-at");
    mine.fields.push(("role".into(), "clerk".into()));
    let refused = mine.clone().send(&sun).await;
    assert!(refused.status == 422 && refused.text().contains("请另一位管理员来办"), "{}", refused.text());
    assert_eq!(mine.fill("step", "lock").fill("once", "x").send(&sun).await.status, 422);
    let english = sun.get("/people?lang=en").await.text();
    assert!(english.contains("Administrator") && english.contains("locked"), "{english}");
}
