//! The pages: for people, without scripts, and never more than the reader may see.

use crate::house::House;
use serde_json::json;

const SCRIPT: &str = "<script>alert(1)</script>\"'&";

#[tokio::test]
async fn the_list_and_a_matter_for_somebody_signed_in() {
    let mut house = House::open().await;
    let made = house.register("村口涵洞积水").await;
    house.person("li", "correct horse", &["clerk"]).await;
    let browser = house.signed_in("li", "correct horse").await;
    let list = browser.get("/matters").await;
    assert_eq!(list.status, 200, "{}", list.text());
    let text = list.text();
    for word in ["村口涵洞积水", "已登记", "本村", "镇", "李文书", "芦稿村", "个工作日"]
    {
        assert!(text.contains(word), "{word} is missing");
    }
    let href = text.split("href=\"/m/").nth(1).unwrap().split('"').next().unwrap();
    let matter = browser.get(&format!("/m/{href}")).await.text();
    for word in ["村口涵洞积水", "经过", "登记", "姚渡镇还没收到", "受理", made["number"].as_str().unwrap()]
    {
        assert!(matter.contains(word), "{word} is missing");
    }
    let english = browser.get("/matters?lang=en").await.text();
    assert!(english.contains("<html lang=\"en\">") && english.contains("registered"));
    assert!(english.contains("href=\"/m/") && english.contains("?lang=en"));
    let status = browser.get("/link").await.text();
    assert!(status.contains("姚渡镇") && status.contains("待送达"));
}

#[tokio::test]
async fn what_people_type_is_never_markup() {
    let mut house = House::open().await;
    let body = json!({ "body": SCRIPT, "title": SCRIPT, "category": SCRIPT });
    let made = house.admin().post("/api/v1/matters", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    house.settle().await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let query = "%3Cscript%3E%22";
    let paths = [
        "/".to_owned(),
        format!("/m/{id}"),
        format!("/m/{id}/receipt"),
        format!("/matters?q={query}&holder={query}&view={query}"),
        format!("/login?back=/{query}"),
        format!("/q?n={query}&c={query}"),
        "/board".to_owned(),
        "/board/screen".to_owned(),
        "/board/sheet".to_owned(),
        format!("/m/{id}?done={query}"),
        "/matters".to_owned(),
    ];
    for path in paths {
        let page = house.admin().get(&path).await;
        assert!(page.status == 200 || path.starts_with("/q"), "{path}: {}", page.status);
        let scripts = page.text().matches("<script").count();
        let own = page.text().matches("<script src=\"/assets/page-").count();
        assert_eq!((scripts, own), (1, 1), "{path}: no script but our own");
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("cache-control"), "no-store");
        for inline in ["style=\"", "onclick", "javascript:", "http://", "https://"] {
            assert!(!page.text().contains(inline), "{path}: {inline}");
        }
    }
}

#[tokio::test]
async fn without_sign_in_there_is_only_the_way_to_it() {
    let mut house = House::open().await;
    let made = house.register("不公开的事").await;
    let id = made["id"].as_str().unwrap();
    for path in
        ["/", "/matters", "/new", "/procedures", &format!("/m/{id}"), &format!("/m/{id}/receipt"), "/link"]
    {
        let page = house.browser().get(path).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(page.header("location").starts_with("/login?back=%2F"), "{}", page.header("location"));
    }
    assert_eq!(house.browser().get("/login").await.status, 200);
}

#[tokio::test]
async fn an_open_board_opens_the_board_and_nothing_else() {
    let mut house = House::with(|c| c.open_board = true).await;
    let made = house.register("王某某反映水费多收").await;
    let id = made["id"].as_str().unwrap();
    let home = house.browser().get("/").await;
    assert_eq!((home.status, home.header("location")), (303, "/board"));
    for path in ["/matters", &format!("/m/{id}"), &format!("/m/{id}/receipt"), "/link", "/new"] {
        let page = house.browser().get(path).await;
        assert!(page.header("location").starts_with("/login?back=%2F"), "{path}: {}", page.status);
    }
    let sign_in = house.browser().get("/login").await.text();
    assert!(sign_in.contains("href=\"/board\"") && sign_in.contains("href=\"/q\""));
    house.browser().get("/api/v1/matters").await.problem(401, "not_signed_in");
}

#[tokio::test]
async fn signing_in_and_out_by_form() {
    let house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let evil = house.browser().with("origin", "http://evil.example");
    let foreign = evil.form("/login", "name=li&password=correct+horse").await;
    assert_eq!(foreign.status, 403);
    let wrong = house.browser().here().form("/login", "name=li&password=nonsense").await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("value=\"li\""), "what was typed is kept");
    let away =
        house.browser().here().form("/login", "name=li&password=correct+horse&back=//evil.example").await;
    assert_eq!((away.status, away.header("location")), (303, "/"));
    let browser = house.signed_in("li", "correct horse").await;
    let page = browser.get("/").await.text();
    let token = page.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(browser.clone().here().form("/logout", "form_token=0").await.status, 403);
    assert_eq!(browser.get("/").await.status, 200);
    let out = browser.clone().here().form("/logout", &format!("form_token={token}")).await;
    assert_eq!(out.status, 303);
    assert_eq!(browser.get("/").await.status, 303, "the session has ended");
}

#[tokio::test]
async fn filters_pages_and_size() {
    let mut house = House::open().await;
    for i in 0..45 {
        let body = json!({ "body": format!("第{i}件：{}", "水渠年久失修，雨季漫到路上，行人和车都不好走"), "category": "水利" });
        assert_eq!(house.admin().post("/api/v1/matters", &body).await.status, 201);
    }
    house.settle().await;
    let first = house.admin().get("/matters").await;
    let text = first.text();
    assert!(first.body.len() <= 60_000, "the first page has {} bytes", first.body.len());
    assert_eq!(text.matches("<td class=\"title\">").count(), 40);
    let next =
        text.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
    let second = house.admin().get(&next).await.text();
    assert_eq!(second.matches("<td class=\"title\">").count(), 5);
    assert!(second.contains("回到第一页"));
    let found = house.admin().get("/matters?q=%E7%AC%AC44%E4%BB%B6").await.text();
    assert_eq!(found.matches("<td class=\"title\">").count(), 1);
    let none = house.admin().get("/matters?stage=closed").await.text();
    assert!(none.contains("没有符合条件的事项"));
    let stale = house.admin().get("/matters?cursor=nonsense").await;
    assert_eq!(stale.status, 200);
    let missing = house.admin().get("/m/none").await;
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("没有这一页"));
}

#[tokio::test]
async fn the_stylesheet_is_ours_and_kept_for_ever() {
    let house = House::open().await;
    let page = house.browser().get("/login").await.text();
    let href = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let sheet = house.browser().get(href).await;
    assert_eq!(sheet.status, 200);
    assert!(sheet.header("content-type").starts_with("text/css"));
    assert!(sheet.header("cache-control").contains("immutable"));
    assert!(!sheet.text().contains("url("), "nothing else is loaded");
    house.browser().get("/assets/page-000.css").await.problem(404, "no_such_address");
}
