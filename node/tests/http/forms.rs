//! A place's own Excel form: shown, kept, filled with what is on record, taken away.

use crate::house::House;
use base64::{Engine, prelude::BASE64_STANDARD};
use calamine::{Data, Reader, Xlsx};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use std::io::Cursor;

fn workbook(names: &[(&str, &str)]) -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("季报").unwrap().write_string(0, 0, "区里的表").unwrap();
    for (name, refers) in names {
        book.define_name(*name, refers).unwrap();
    }
    book.save_to_buffer().unwrap()
}

fn request(name: &str, file: &[u8]) -> Value {
    json!({ "name": name, "file": BASE64_STANDARD.encode(file) })
}

fn at(bytes: &[u8], row: u32, column: u32) -> Data {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    book.worksheet_range("季报").unwrap().get_value((row, column)).cloned().unwrap_or(Data::Empty)
}

const NAMES: &[(&str, &str)] = &[
    ("登记事项总数", "=季报!$B$2"),
    ("yishi.raised.2026Q3", "=季报!$B$3"),
    ("yishi.raised.matters", "=季报!$B$4"),
    ("yishi.place", "=季报!$C$1"),
    ("报告期", "=季报!$D$1"),
    ("yishi.rased", "=季报!$B$9"),
];

#[tokio::test]
async fn a_form_is_shown_kept_filled_and_taken_away() {
    let mut house = House::open().await;
    house.register("路灯不亮").await;
    house.register("水管漏水").await;
    let old = json!({ "body": "上季度的事", "raised_on": "2026-08-01" });
    assert_eq!(house.admin().post("/api/v1/matters", &old).await.status, 201);
    house.settle().await;
    let file = workbook(NAMES);
    let staged = house.admin().post("/api/v1/forms/stage", &request("区季报", &file)).await;
    assert_eq!(staged.status, 200, "{}", staged.text());
    let staged = staged.json();
    assert_eq!(
        (staged["sound"].clone(), staged["cells"].as_array().unwrap().len()),
        (json!(true), 5),
        "{staged}"
    );
    assert_eq!(staged["unknown"], json!([{ "name": "yishi.rased", "perhaps": "yishi.raised" }]));
    let none = house.admin().get("/api/v1/forms").await.json();
    assert_eq!(none, json!({ "items": [] }), "showing keeps nothing");
    assert_eq!(house.admin().get("/api/v1/forms/区季报").await.status, 404);
    assert_eq!(house.admin().post("/api/v1/forms", &request("区季报", &file)).await.status, 201);
    let list = house.admin().get("/api/v1/forms").await.json();
    assert_eq!(
        (&list["items"][0]["name"], &list["items"][0]["bytes"]),
        (&json!("区季报"), &json!(file.len()))
    );
    let filled = house.admin().get("/api/v1/forms/%E5%8C%BA%E5%AD%A3%E6%8A%A5").await;
    assert_eq!(filled.status, 200, "{}", filled.text());
    assert!(
        filled.header("content-disposition").contains("filename*=UTF-8''%E5%8C%BA"),
        "{}",
        filled.header("content-disposition")
    );
    assert_eq!(at(&filled.body, 0, 0), Data::String("区里的表".into()));
    assert_eq!(
        (at(&filled.body, 1, 1), at(&filled.body, 2, 1), at(&filled.body, 3, 1)),
        (Data::Float(2.0), Data::Float(1.0), Data::Float(2.0))
    );
    assert_eq!(
        (at(&filled.body, 0, 2), at(&filled.body, 0, 3)),
        (Data::String("芦稿村".into()), Data::String("2026年第4季度".into()))
    );
    assert_eq!(at(&filled.body, 8, 1), Data::Empty, "a name that is not known is left alone");
    let third =
        house.admin().get("/api/v1/forms/%E5%8C%BA%E5%AD%A3%E6%8A%A5?quarter=2026-Q3&home=self").await;
    assert_eq!(at(&third.body, 1, 1), Data::Float(1.0));
    assert_eq!(house.admin().get("/api/v1/forms/%E5%8C%BA%E5%AD%A3%E6%8A%A5?quarter=x").await.status, 422);
    // Whoever may read has it filled, and can neither add nor remove.
    house.person("wang", "correct horse", &["group_leader"]).await;
    let wang = house.signed_in("wang", "correct horse").await.here();
    let page = wang.get("/sheets").await.text();
    assert!(page.contains("区季报") && !page.contains("href=\"/sheets/forms\""), "{page}");
    assert_eq!(wang.get("/sheets/forms/%E5%8C%BA%E5%AD%A3%E6%8A%A5?quarter=2026-Q4").await.status, 200);
    assert_eq!(wang.get("/sheets/forms").await.status, 403);
    assert_eq!(wang.post("/api/v1/forms", &request("x", &file)).await.status, 403);
    assert_eq!(house.browser().get("/sheets/forms/%E5%8C%BA%E5%AD%A3%E6%8A%A5").await.status, 303);
    assert_eq!(house.admin().delete("/api/v1/forms/%E5%8C%BA%E5%AD%A3%E6%8A%A5").await.status, 204);
    assert_eq!(house.admin().delete("/api/v1/forms/%E5%8C%BA%E5%AD%A3%E6%8A%A5").await.status, 404);
}

#[tokio::test]
async fn a_bad_form_is_told_of_in_words_and_not_kept() {
    let house = House::open().await;
    for (name, file, code) in [
        ("表", b"a,b".to_vec(), "not_a_workbook"),
        ("表", workbook(&[("raised", "=季报!$A$1:$B$2")]), "range"),
        ("表", workbook(&[("summary", "=季报!$A$1")]), "no_known_name"),
    ] {
        let staged = house.admin().post("/api/v1/forms/stage", &request(name, &file)).await.json();
        assert_eq!(
            (&staged["problems"][0]["code"], &staged["sound"]),
            (&json!(code), &json!(false)),
            "{staged}"
        );
        let refused = house.admin().post("/api/v1/forms", &request(name, &file)).await;
        assert_eq!(refused.status, 422);
        let detail = refused.json()["detail_zh"].as_str().unwrap().to_owned();
        assert!(detail.contains("没有保存任何内容"), "{detail}");
    }
    for name in
        ["", "a/b", "长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长长"]
    {
        let refused = house.admin().post("/api/v1/forms/stage", &request(name, &workbook(NAMES))).await;
        assert_eq!(refused.status, 422, "{name}: {}", refused.text());
    }
    let broken = json!({ "name": "表", "file": "不是 base64" });
    assert_eq!(house.admin().post("/api/v1/forms", &broken).await.status, 422);
    assert_eq!(house.admin().get("/api/v1/forms").await.json(), json!({ "items": [] }));
}

#[tokio::test]
async fn on_pages_a_form_is_kept_by_a_second_press() {
    let house = House::open().await;
    house.person("li", "correct horse", &["administrator"]).await;
    let li = house.signed_in("li", "correct horse").await.here();
    let page = li.get("/sheets/forms").await.text();
    let token =
        page.split("name=\"form_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let file = workbook(NAMES);
    let mut body = Vec::new();
    for (name, value) in
        [("form_token", token.as_bytes()), ("name", "区季报".as_bytes()), ("workbook", &file)]
    {
        body.extend(format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
        body.extend(value);
        body.extend(b"\r\n");
    }
    body.extend(b"--b0--\r\n");
    let shown =
        li.send(hyper::Method::POST, "/sheets/forms", Some("multipart/form-data; boundary=b0"), body).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let shown = shown.text();
    assert!(shown.contains("季报!B2") && shown.contains("yishi.rased（是不是 yishi.raised）"), "{shown}");
    assert_eq!(house.admin().get("/api/v1/forms").await.json(), json!({ "items": [] }));
    let hidden = |name: &str| {
        let after = shown.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        after.split('"').next().unwrap().to_owned()
    };
    let workbook =
        hidden("workbook").replace("&#43;", "+").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let apply = format!(
        "form_token={token}&once={}&step=apply&name=%E5%8C%BA%E5%AD%A3%E6%8A%A5&workbook={workbook}",
        hidden("once")
    );
    for _ in 0..2 {
        let kept = li.form("/sheets/forms", &apply).await;
        assert_eq!(kept.status, 303, "{}", kept.text());
        assert_eq!(kept.header("location"), "/sheets?kept=yes");
    }
    let page = li.get("/sheets?kept=yes").await.text();
    assert!(page.contains("区季报") && page.contains("已保存"), "{page}");
    let filled = li.get("/sheets/forms/%E5%8C%BA%E5%AD%A3%E6%8A%A5").await;
    assert_eq!(at(&filled.body, 1, 1), Data::Float(0.0));
    let remove = format!("form_token={token}&step=remove&name=%E5%8C%BA%E5%AD%A3%E6%8A%A5");
    assert_eq!(li.form("/sheets/forms", &remove).await.status, 303);
    let english = li.get("/sheets/forms?lang=en").await.text();
    assert!(!english.contains("区季报") && english.contains("Excel forms of one"), "{english}");
}
