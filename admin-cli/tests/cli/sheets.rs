//! `yishi sheet …` and `yishi matter similar`.

use crate::fake::{Answer, Node};
use serde_json::json;

fn sheet() -> serde_json::Value {
    json!({
        "name": "to_tell", "title": { "zh": "待告知清单", "en": "Replies still to be told" },
        "place": "芦稿村", "made_on": "2026-11-23", "about": null,
        "notes": [{ "zh": "共 1 件", "en": "1 matter" }],
        "columns": [
            { "name": "number", "title": { "zh": "编号", "en": "Number" }, "holds": "text" },
            { "name": "waits_days", "title": { "zh": "已等天数", "en": "Days waiting" }, "holds": "number" },
            { "name": "petitioner", "title": { "zh": "反映人", "en": "Raised by" }, "holds": "text" },
        ],
        "rows": [{ "cells": ["芦稿-2026-0001", 4, { "zh": "匿名", "en": "anonymous" }], "matters": ["ab"] }],
    })
}

#[test]
fn a_sheet_is_shown_in_words_and_asked_for_as_said() {
    let node = Node::saying(sheet());
    let ran = node.yishi(&["sheet", "show", "to_tell", "--home", "芦稿村", "--names"]).exits(0);
    for word in ["待告知清单", "芦稿-2026-0001", "已等天数", "4", "匿名"] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    let english = node.yishi(&["--lang", "en", "sheet", "show", "lost_wages", "--rate", "60"]).exits(0);
    assert!(english.out.contains("Days waiting") && english.out.contains("anonymous"), "{}", english.out);
    let paths: Vec<String> = node.asked().iter().map(|a| a.path.clone()).collect();
    assert_eq!(
        paths,
        [
            "/api/v1/sheets/to_tell?home=%E8%8A%A6%E7%A8%BF%E6%9D%91&names=yes",
            "/api/v1/sheets/lost_wages?rate_yuan=60"
        ]
    );
}

#[test]
fn a_sheet_is_put_away_as_the_node_wrote_it_whole_or_not_at_all() {
    let node = Node::new(|asked, _| match asked.path.contains("none") {
        true => {
            Answer::Json(404, json!({ "code": "unknown_sheet", "detail": "no", "detail_zh": "没有这张表" }))
        }
        false => Answer::Text("\u{feff}编号\r\n芦稿-2026-0001\r\n"),
    });
    let path = node.dir.path().join("清单.xlsx");
    let shown = path.to_str().unwrap();
    let ran = node.yishi(&["sheet", "export", "to_tell", "-o", shown]).exits(0);
    assert!(ran.out.contains("清单.xlsx"), "{}", ran.out);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "\u{feff}编号\r\n芦稿-2026-0001\r\n");
    assert_eq!(node.asked()[0].path, "/api/v1/sheets/to_tell?format=xlsx&lang=zh");
    let ran = node.yishi(&["sheet", "export", "to_tell"]).exits(0);
    assert!(ran.out.contains("芦稿-2026-0001"), "{}", ran.out);
    let ran = node.yishi(&["sheet", "export", "none", "-o", shown]).exits(1);
    assert!(ran.err.contains("没有这张表"), "{}", ran.err);
    assert!(std::fs::read_to_string(&path).unwrap().contains("0001"), "what was there is untouched");
    let kinds = json!({ "items": [{ "name": "lost_wages", "title_zh": "误工补贴发放表", "title": "Allowances",
        "takes": ["rate_yuan", "body"], "of_matter": false }] });
    let ran = Node::saying(kinds).yishi(&["sheet", "list"]).exits(0);
    assert!(ran.out.contains("误工补贴发放表") && ran.out.contains("--rate --body"), "{}", ran.out);
}

#[test]
fn like_matters_are_told_with_the_reason() {
    let like = json!({ "items": [{
        "matter": { "number": "芦稿-2026-0001", "title": "村口涵洞积水", "stage": "accepted", "stage_zh": "已受理" },
        "open": true, "alike": 61, "merged": ["芦稿-2026-0002"], "why": "both say: 涵洞", "why_zh": "都提到：涵洞",
    }] });
    let ran = Node::saying(like).yishi(&["matter", "similar", "芦稿-2026-0003"]).exits(0);
    for word in ["芦稿-2026-0001", "村口涵洞积水", "都提到：涵洞", "已并入：芦稿-2026-0002"]
    {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    assert!(ran.err.contains("yishi matter merge 芦稿-2026-0001"), "{}", ran.err);
    let none = Node::saying(json!({ "items": [] })).yishi(&["matter", "similar", "x"]).exits(0);
    assert!(none.out.contains("没有相似的事项"), "{}", none.out);
}

#[test]
fn a_form_is_shown_first_then_kept_and_a_bad_one_never() {
    let cell = json!({ "name": "raised", "cell": "Sheet1!B5", "figure": "raised", "period": null, "matters": false,
        "title": { "zh": "登记事项总数", "en": "Matters raised in all" } });
    let staged = json!({ "name": "季报", "replaces": false, "sound": true, "problems": [], "cells": [cell],
        "unknown": [{ "name": "yishi.rased", "perhaps": "yishi.raised" }], "formulas": false });
    let again = staged.clone();
    let node = Node::new(move |asked, _| match asked.path.ends_with("/forms") {
        true if asked.method == "POST" => Answer::Json(201, again.clone()),
        true => Answer::Json(
            200,
            json!({ "items": [{ "name": "季报", "bytes": 9, "added_at": "2026-11-23T02:00:00.000Z",
            "added_by": "u1", "cells": [cell] }] }),
        ),
        false => Answer::Json(200, again.clone()),
    });
    let path = node.dir.path().join("季报.xlsx");
    std::fs::write(&path, b"PK\x03\x04").unwrap();
    let shown = path.to_str().unwrap();
    let ran = node.yishi(&["sheet", "form", "add", shown]).exits(64);
    assert!(
        ran.out.contains("登记事项总数") && ran.err.contains("yishi.raised") && ran.err.contains("--yes"),
        "{}{}",
        ran.out,
        ran.err
    );
    assert!(node.asked().iter().all(|a| a.path == "/api/v1/forms/stage"), "nothing is kept unasked");
    node.yishi(&["sheet", "form", "add", shown, "--yes"]).exits(0);
    let last = node.asked().last().unwrap().clone();
    assert_eq!(
        (last.path.as_str(), &last.body["name"], &last.body["file"]),
        ("/api/v1/forms", &json!("季报"), &json!("UEsDBA=="))
    );
    let ran = node.yishi(&["sheet", "form", "show", "季报"]).exits(0);
    assert!(ran.out.contains("Sheet1!B5"), "{}", ran.out);
    node.yishi(&["sheet", "form", "show", "别的"]).exits(64);
    let ran = node.yishi(&["sheet", "form", "list"]).exits(0);
    assert!(ran.out.contains("季报") && ran.out.contains("2026-11-23"), "{}", ran.out);
    let bad = json!({ "name": "季报", "replaces": false, "sound": false, "cells": [], "unknown": [], "formulas": false,
        "problems": [{ "code": "macros", "name": null, "zh": "文件带有宏", "en": "macros" }] });
    let node = Node::saying(bad);
    let ran = node.yishi(&["sheet", "form", "add", shown, "--yes"]).exits(64);
    assert!(ran.err.contains("文件带有宏") && ran.err.contains("没有保存"), "{}", ran.err);
    assert_eq!(node.asked().len(), 1);
}
