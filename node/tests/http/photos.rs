//! Photos over the API and on pages: brought, cleaned, put to matters, given to whom they are for and to nobody else.

use crate::{
    client::{Client, Reply},
    house::House,
    paper::Paper,
};
use hyper::Method;
use serde_json::{Value, json};
use yishi_protocol::{
    attachment::{name_of, pieces_of},
    ids::Hash,
    limits::ATTACHMENT_BYTES_MAX,
};

/// A JPEG as a telephone makes it: with where it was taken, a thumbnail's worth of other things, and so many bytes
/// of picture.
pub(crate) fn photo(len: usize, seed: u8) -> Vec<u8> {
    let seg = |marker: u8, body: &[u8]| {
        let mut out = vec![0xff, marker];
        out.extend(u16::try_from(body.len() + 2).unwrap().to_be_bytes());
        out.extend(body);
        out
    };
    let mut out = vec![0xff, 0xd8];
    out.extend(seg(
        0xe1,
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0GPS 30.8795N 104.2437E",
    ));
    out.extend(seg(0xfe, b"HUAWEI of somebody"));
    out.extend(seg(0xdb, &[1; 65]));
    out.extend(seg(0xc0, &[8, 0, 20, 0, 30, 1, 1, 0x11, 0]));
    out.extend(seg(0xc4, &[0; 20]));
    out.extend(seg(0xda, &[1, 1, 0, 0, 63, 0]));
    out.extend(
        (0..len).map(|i| (i as u8).wrapping_mul(31).wrapping_add((i >> 8) as u8) ^ seed).map(|b| b & 0x7f),
    );
    out.extend([0xff, 0xd9]);
    out
}

fn holds(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|w| w == what.as_bytes())
}

async fn matter(admin: &Client, id: &Value) -> Value {
    admin.get(&format!("/api/v1/matters/{}", id.as_str().unwrap())).await.json()
}

#[tokio::test]
async fn a_photo_is_kept_without_where_it_was_taken_and_comes_back_as_it_is() {
    let mut house = House::open().await;
    let made = house.register("村口涵洞积水").await;
    let at = format!(
        "/api/v1/matters/{}/attachments?about=sign_in&caption=%E7%AD%BE%E5%88%B0",
        made["id"].as_str().unwrap()
    );
    let admin = house.admin();
    let bytes = photo(200_000, 1);
    let put = admin.clone().with("idempotency-key", "p-1").picture(&at, bytes.clone()).await;
    assert_eq!(put.status, 201, "{}", put.text());
    let attached = put.json()["matter"]["attachments"][0].clone();
    assert_eq!((&attached["about"], &attached["caption"]), (&json!("sign_in"), &json!("签到")));
    assert_eq!((&attached["kind"], &attached["state"]), (&json!("jpeg"), &json!("here")));
    house.settle().await;
    let file = attached["file"].as_str().unwrap();
    let got = admin.get(&format!("/api/v1/attachments/{file}")).await;
    assert_eq!((got.status, got.header("content-type")), (200, "image/jpeg"));
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    assert_eq!(got.header("content-security-policy"), "default-src 'none'; sandbox");
    assert!(got.header("cache-control").contains("private"));
    assert_eq!(name_of(&got.body).to_string(), file);
    assert_eq!(got.body.len() as u64, attached["size"].as_u64().unwrap());
    for gone in ["GPS", "104.2437", "HUAWEI"] {
        assert!(holds(&bytes, gone) && !holds(&got.body, gone), "{gone}");
    }
    assert!(holds(&got.body, "Exif"), "how it was held is kept");
    let tag = got.header("etag").to_owned();
    let again = admin.clone().with("if-none-match", &tag).get(&format!("/api/v1/attachments/{file}")).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    // The same request, and the same photo without a key: there once.
    let repeated = admin.clone().with("idempotency-key", "p-1").picture(&at, bytes.clone()).await;
    assert_eq!(repeated.status, 201, "{}", repeated.text());
    admin.picture(&at, bytes).await;
    let now = matter(&admin, &made["id"]).await;
    assert_eq!(now["attachments"].as_array().unwrap().len(), 1);
    let entries = now["timeline"].as_array().unwrap();
    let entry = entries.iter().find(|t| t["kind"] == "attach").unwrap();
    assert_eq!((&entry["kind_zh"], &entry["text"]), (&json!("照片"), &json!("签到")));
}

#[tokio::test]
async fn what_is_no_photo_is_refused_in_words() {
    let mut house = House::open().await;
    let made = house.register("路灯不亮").await;
    let at = format!("/api/v1/matters/{}/attachments", made["id"].as_str().unwrap());
    let admin = house.admin();
    for (bytes, word) in [
        (b"<html><script>alert(1)</script>".to_vec(), "不是照片"),
        (b"\0\0\0\x18ftypheic\0\0\0\0".to_vec(), "HEIC"),
        (Vec::new(), "空的"),
        (photo(1_000, 0)[..60].to_vec(), "损坏"),
        (photo(ATTACHMENT_BYTES_MAX, 0), "太大"),
        (photo(30 * 1024 * 1024, 0), "太大"),
    ] {
        let refused = admin.picture(&at, bytes).await.problem(422, "invalid");
        assert_eq!(refused["field"], "photo");
        assert!(refused["detail_zh"].as_str().unwrap().contains(word), "{refused}");
    }
    admin.send(Method::POST, &at, Some("text/html"), photo(10, 0)).await.problem(415, "media_type");
    let number = admin.picture(&format!("{at}?caption=13900001234"), photo(10, 0)).await;
    assert_eq!(number.problem(422, "invalid")["field"], "caption");
    let about = admin.picture(&format!("{at}?about=selfie"), photo(10, 0)).await;
    assert_eq!(about.problem(422, "invalid")["field"], "about");
    assert_eq!(matter(&admin, &made["id"]).await["attachments"], json!([]));
    // Twenty of one place, and not one more.
    for n in 0..20 {
        let put = admin.picture(&at, photo(100, n)).await;
        assert_eq!(put.status, 201, "{}", put.text());
    }
    let over = admin.picture(&at, photo(100, 99)).await;
    assert_eq!(over.problem(409, "not_legal")["rule"], "too_many_files");
}

#[tokio::test]
async fn a_photo_is_its_bringers_until_it_is_put_to_a_matter() {
    let mut house = House::open().await;
    house.person("zhang", "correct horse", &["clerk"]).await;
    house.person("wang", "battery staple", &["council_member"]).await;
    let zhang = house.signed_in("zhang", "correct horse").await.here();
    let wang = house.signed_in("wang", "battery staple").await.here();
    let kept = zhang.picture("/api/v1/attachments", photo(70_000, 3)).await;
    assert_eq!(kept.status, 201, "{}", kept.text());
    let file = kept.json()["file"].as_str().unwrap().to_owned();
    assert!(kept.json()["left_out"].as_u64().unwrap() > 20);
    let path = format!("/api/v1/attachments/{file}");
    assert_eq!(zhang.get(&path).await.status, 200);
    wang.get(&path).await.problem(404, "unknown_file");
    house.browser().get(&path).await.problem(401, "not_signed_in");
    assert_eq!(house.browser().get(&format!("/files/{file}")).await.status, 303, "to sign in");
    wang.get(&format!("/api/v1/attachments/{}", Hash([7; 32]))).await.problem(404, "unknown_file");
    wang.get("/api/v1/attachments/none").await.problem(404, "unknown_file");
    // Nobody else puts it anywhere; whoever brought it does, in the very save of the matter.
    let raise = json!({ "body": "渠堤塌了", "attachments": [{ "file": file, "about": "photo" }] });
    assert_eq!(wang.post("/api/v1/matters", &raise).await.problem(422, "invalid")["field"], "photo");
    let made = zhang.post("/api/v1/matters", &raise).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["attachments"][0]["file"], file.as_str());
    house.settle().await;
    assert_eq!(wang.get(&path).await.status, 200);
    let shown = wang.get(&format!("/files/{file}")).await;
    assert_eq!((shown.status, shown.header("content-type")), (200, "image/jpeg"));
    // Whoever may only read brings none.
    let reader = house.token(&["matters:read"]).await;
    house.program(&reader).picture("/api/v1/attachments", photo(10, 0)).await.problem(403, "not_permitted");
    assert_eq!(house.program(&reader).get(&path).await.status, 200);
    house.program(&reader).get("/api/v1/attachments").await.problem(403, "not_permitted");
}

#[tokio::test]
async fn only_what_the_place_above_has_is_let_go() {
    let mut house = House::open().await;
    let made = house.register("路灯不亮").await;
    let admin = house.admin();
    let at = format!("/api/v1/matters/{}/attachments", made["id"].as_str().unwrap());
    let put = admin.picture(&at, photo(150_000, 5)).await.json();
    house.settle().await;
    let file = put["matter"]["attachments"][0]["file"].as_str().unwrap().to_owned();
    let go = format!("/api/v1/attachments/{file}/let-go");
    let refused = admin.send(Method::POST, &go, None, Vec::new()).await.problem(422, "invalid");
    assert!(refused["detail_zh"].as_str().unwrap().contains("上级还没有收到"));
    house.store.file_stored_above(file.parse().unwrap()).await.unwrap();
    let gone = admin.send(Method::POST, &go, None, Vec::new()).await;
    assert_eq!((gone.status, &gone.json()["state"]), (200, &json!("let_go")), "{}", gone.text());
    let listed = admin.get("/api/v1/attachments").await.json();
    assert_eq!(
        (&listed["items"][0]["state"], &listed["items"][0]["above"]),
        (&json!("let_go"), &json!(true))
    );
    assert_eq!(listed["items"][0]["matters"][0], made["number"]);
    // Asked for, it is fetched again.
    let asked = admin.get(&format!("/api/v1/attachments/{file}")).await;
    assert!(asked.problem(409, "photo_on_its_way")["detail_zh"].as_str().unwrap().contains("取回"));
    let pieces = pieces_of(put["matter"]["attachments"][0]["size"].as_u64().unwrap()).unwrap();
    let now = &matter(&admin, &made["id"]).await["attachments"][0];
    assert_eq!(
        (&now["state"], &now["have"], &now["pieces"]),
        (&json!("on_its_way"), &json!(0), &json!(pieces))
    );
    let wanted = house.store.wanted_files(0, 10).await.unwrap();
    assert_eq!((wanted.len(), wanted[0].file.to_string()), (1, file));
}

#[tokio::test]
async fn photos_nobody_put_to_a_matter_are_thrown_away_after_a_day() {
    let mut house = House::open().await;
    let admin = house.admin();
    let stray = admin.picture("/api/v1/attachments", photo(100, 1)).await.json()["file"].clone();
    let kept = admin.picture("/api/v1/attachments", photo(100, 2)).await.json()["file"].clone();
    let made =
        admin.post("/api/v1/matters", &json!({ "body": "x", "attachments": [{ "file": kept }] })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    house.settle().await;
    let now = crate::house::MORNING_MS;
    assert_eq!(house.store.sweep_files(now).await.unwrap(), 0, "not yet a day old");
    assert_eq!(house.store.sweep_files(now + 1).await.unwrap(), 1);
    let path = |file: &Value| format!("/api/v1/attachments/{}", file.as_str().unwrap());
    admin.get(&path(&stray)).await.problem(404, "unknown_file");
    assert_eq!(admin.get(&path(&kept)).await.status, 200);
}

/// A form with files, as a browser without scripts sends it: the hidden fields first, as they stand on the page.
async fn send_with(browser: &Client, paper: &Paper, photos: &[(&str, Vec<u8>)]) -> Reply {
    let mut body = Vec::new();
    for (name, value) in &paper.fields {
        body.extend(
            format!("--b0undary\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .bytes(),
        );
    }
    for (name, bytes) in photos {
        let head = format!(
            "--b0undary\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"{name}\"\r\nContent-Type: image/jpeg\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--b0undary--\r\n");
    let kind = Some("multipart/form-data; boundary=b0undary");
    browser.clone().here().send(Method::POST, &paper.action, kind, body).await
}

fn kept_in(page: &str) -> Vec<String> {
    let boxes = page.split("name=\"photo\" value=\"").skip(1);
    boxes.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_matter_with_photos_is_one_form_and_one_save() {
    let mut house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let browser = house.signed_in("li", "correct horse").await;
    let page = browser.follow("/new").await.text();
    assert!(
        page.contains("enctype=\"multipart/form-data\"") && page.contains("multiple data-photos"),
        "{page}"
    );
    let paper = Paper::of(&page, "<main").fill("body", "村口涵洞积水");
    // No photo chosen: browsers send an empty one.
    let sent = send_with(&browser, &paper, &[("", Vec::new())]).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let paper = Paper::of(&browser.follow("/new").await.text(), "<main").fill("body", "渠堤塌了");
    let photos = [("a.jpg", photo(200_000, 1)), ("b.jpg", photo(3_000, 2))];
    let sent = send_with(&browser, &paper, &photos).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let again = send_with(&browser, &paper, &photos).await;
    assert_eq!(again.header("location"), sent.header("location"), "pressed twice, registered once");
    house.settle().await;
    let at = sent.header("location").split("/receipt").next().unwrap().to_owned();
    let shown = browser.get(&at).await.text();
    assert_eq!(shown.matches("loading=\"lazy\"").count(), 2, "{shown}");
    assert!(shown.contains("还没送到上级"));
    let src = shown.split("<img src=\"").nth(1).unwrap().split('"').next().unwrap();
    let got = browser.get(src).await;
    assert_eq!((got.status, holds(&got.body, "GPS")), (200, false));
}

#[tokio::test]
async fn photos_that_are_not_taken_cost_nothing_that_was_typed() {
    let mut house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let browser = house.signed_in("li", "correct horse").await;
    let paper = Paper::of(&browser.follow("/new").await.text(), "<main")
        .fill("body", "三组水渠垮了")
        .fill("title", "水渠");
    let photos = [
        ("大.jpg", photo(30 * 1024 * 1024, 1)),
        ("好.jpg", photo(2_000, 2)),
        ("<b>.jpg", b"<script>".to_vec()),
    ];
    let refused = send_with(&browser, &paper, &photos).await;
    let text = refused.text();
    assert_eq!(refused.status, 422, "{text}");
    assert!(text.contains("大.jpg：照片太大") && text.contains("不是照片"), "{text}");
    assert!(text.contains("&#60;b&#62;.jpg") && !text.contains("<b>.jpg"));
    assert!(text.contains("三组水渠垮了") && text.contains("value=\"水渠\""));
    let kept = kept_in(&text);
    assert_eq!(kept.len(), 1, "the good one need not be chosen again: {text}");
    assert_eq!(browser.get(&format!("/files/{}", kept[0])).await.status, 200);
    // Sent again without choosing anything.
    let paper = Paper::of(&text, "<main").fill("body", "三组水渠垮了").fill("photo", &kept[0]);
    let sent = send_with(&browser, &paper, &[("", Vec::new())]).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    house.settle().await;
    let listed = house.admin().get("/api/v1/matters").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let id = listed["items"][0]["id"].as_str().unwrap();
    let matter = house.admin().get(&format!("/api/v1/matters/{id}")).await.json();
    assert_eq!(matter["attachments"][0]["file"], kept[0].as_str());
}

#[tokio::test]
async fn photos_are_added_on_the_matters_page_and_only_from_it() {
    let mut house = House::open().await;
    house.person("li", "correct horse", &["clerk"]).await;
    let browser = house.signed_in("li", "correct horse").await;
    let made = house.register("路灯不亮").await;
    let at = format!("/m/{}", made["id"].as_str().unwrap());
    let page = browser.get(&at).await.text();
    let paper = Paper::of(&page, "id=\"add-photos\"").fill("about", "count").fill("caption", "唱票");
    let none = send_with(&browser, &paper, &[]).await;
    assert_eq!(none.status, 422);
    assert!(none.text().contains("没有选照片") && none.text().contains("value=\"唱票\""), "{}", none.text());
    let put = send_with(&browser, &paper, &[("p.png", photo(5_000, 7))]).await;
    assert_eq!(put.status, 303, "{}", put.text());
    let shown = browser.get(put.header("location")).await.text();
    assert!(shown.contains("已记下：照片") && shown.contains("唱票、计票：唱票"), "{shown}");
    // Another site's page, or a form of another session: nothing is done, and nothing is kept.
    let stray = photo(4_000, 8);
    let mut forged = paper.clone();
    forged.fields.retain(|(n, _)| n != "form_token");
    let refused = send_with(&browser, &forged, &[("x.jpg", stray.clone())]).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let clean = yishi_node::pictures::clean(&stray).unwrap();
    assert_eq!(house.store.file(&name_of(&clean.bytes)).await.unwrap(), None);
    let nobody = send_with(&house.browser(), &paper, &[("x.jpg", stray)]).await;
    assert!(nobody.text().contains("登录"), "{}", nobody.text());
    assert_eq!(house.store.file(&name_of(&clean.bytes)).await.unwrap(), None);
    assert_eq!(matter(&house.admin(), &made["id"]).await["attachments"].as_array().unwrap().len(), 1);
}
