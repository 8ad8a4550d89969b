//! Each verb: what it asks, what it shows, how it ends.

use serde_json::{Value, json};

use crate::fake::{Answer, Node, yishi, yishi_with};

fn matter() -> Value {
    json!({
        "id": "ab".repeat(32), "number": "芦稿-2026-0187", "check_code": "402913", "title": "村口涵洞积水",
        "body": "第一段。\n\n第二段。", "category": "水利", "source": "residents", "channel": "home_visit",
        "raised_on": "2026-11-16", "home": {"name": "芦稿村"}, "holder": {"name": "姚渡镇"}, "stage": "accepted",
        "stage_zh": "已受理",
        "deadline": {"date": "2026-11-25", "working_days_left": 3, "overdue": false, "provisional": false, "what": "handle"},
        "stored": {"here": true, "up": [{"place": {"name": "姚渡镇"}, "level": "township", "state": "waiting"}]},
        "answers": [{"act": "1@a", "text": "已派人。", "place": {"name": "姚渡镇"}, "on": "2026-11-20", "told": false}],
        "ratings": [], "violations": [], "petitioner": {"kind": "named", "dossier": null}, "external": null,
        "timeline": [{"act": "1@a", "kind": "register", "kind_zh": "登记", "place": {"name": "芦稿村"}, "by": "u1",
                      "on": "2026-11-16", "text": null, "verdict": "counted", "why": null},
                     {"act": "2@a", "kind": "answer", "kind_zh": "答复", "place": {"name": "姚渡镇"}, "by": "u1",
                      "on": "2026-11-20", "text": "抢答", "verdict": "violation", "why": null}],
        "next": [{"act": "tell", "label": "告知", "label_en": "Tell"}],
    })
}

const REF: &str = "%E8%8A%A6%E7%A8%BF-2026-0187";

#[test]
fn every_act_is_one_request_with_its_fields() {
    let node = Node::saying(json!({"matter": matter(), "act": "3@a"}));
    let r = "芦稿-2026-0187";
    let cases: &[(&[&str], Value)] = &[
        (&["accept", r], json!({"act": "accept"})),
        (
            &["accept", r, "--procedure", "four_steps", "--grade", "major", "--urgency", "urgent"],
            json!({"act": "accept", "procedure": "four_steps", "grade": "major", "urgency": "urgent"}),
        ),
        (&["advance", r, "--to", "council"], json!({"act": "advance", "to": "council"})),
        (
            &["assign", r, "--unit", "水务站", "--person", "u7"],
            json!({"act": "assign", "unit": "水务站", "person": "u7"}),
        ),
        (
            &["extend", r, "--days", "5", "--reason", "汛期"],
            json!({"act": "extend", "working_days": 5, "reason": "汛期"}),
        ),
        (&["pause", r, "--reason", "等测绘"], json!({"act": "pause", "reason": "等测绘"})),
        (&["resume", r], json!({"act": "resume"})),
        (
            &["refer", r, "--to", "县交通局", "--reason", "属县道"],
            json!({"act": "refer", "to": "县交通局", "reason": "属县道"}),
        ),
        (
            &["call", r, "--body", "council", "--day", "2026年11月28日", "修涵洞"],
            json!({"act": "call", "body": "council", "day": "2026-11-28", "agenda": "修涵洞"}),
        ),
        (
            &[
                "meet",
                r,
                "--body",
                "council",
                "--eligible",
                "33",
                "--present",
                "26",
                "--tag",
                "women=9",
                "同意",
            ],
            json!({"act": "meet", "body": "council", "eligible": 33, "present": 26, "remote": 0,
                   "tags": {"women": 9}, "minutes": "同意"}),
        ),
        (
            &[
                "ballot",
                r,
                "--body",
                "council",
                "--eligible",
                "33",
                "--present",
                "26",
                "--for",
                "24",
                "--against",
                "2",
                "修不修",
            ],
            json!({"act": "ballot", "question": "修不修", "body": "council", "eligible": 33, "present": 26, "for": 24,
                   "against": 2, "abstain": 0}),
        ),
        (
            &["record", r, "--form", "proposal", "topic=修涵洞", "reason=积水"],
            json!({"act": "record", "form": "proposal", "fields": {"topic": "修涵洞", "reason": "积水"}}),
        ),
        (&["post", r, "--days", "5", "拟修"], json!({"act": "post", "text": "拟修", "days": 5})),
        (&["object", r, "占地"], json!({"act": "object", "text": "占地"})),
        (
            &["summon", r, "--unit", "县水务局", "管径"],
            json!({"act": "summon", "unit": "县水务局", "question": "管径", "working_days": 5}),
        ),
        (
            &["respond", r, "--relayed", "一米二"],
            json!({"act": "respond", "text": "一米二", "relayed": true}),
        ),
        (&["take-over", r, "--reason", "超期"], json!({"act": "take_over", "reason": "超期"})),
        (&["settle", r, "--branch", "4@0a"], json!({"act": "settle", "branch": "4@0a"})),
        (&["refuse", r, "--reason", "不属本地"], json!({"act": "refuse", "reason": "不属本地"})),
        (&["handle", r, "已清淤"], json!({"act": "handle", "note": "已清淤"})),
        (&["escalate", r], json!({"act": "escalate"})),
        (&["escalate", r, "--reason", "要钱"], json!({"act": "escalate", "reason": "要钱"})),
        (
            &["return", r, "--reason", "材料不全", "--to", "510113106204"],
            json!({"act": "return", "reason": "材料不全", "to": "510113106204"}),
        ),
        (
            &["merge", r, "芦稿-2026-0188", "abcdef"],
            json!({"act": "merge", "sources": ["芦稿-2026-0188", "abcdef"]}),
        ),
        (&["unmerge", r], json!({"act": "unmerge"})),
        (
            &["answer", r, "已修", "--on", "2026年11月20日"],
            json!({"act": "answer", "text": "已修", "on": "2026-11-20"}),
        ),
        (
            &["tell", r, "--how", "phone", "--note", "本人接"],
            json!({"act": "tell", "how": "phone", "note": "本人接"}),
        ),
        (
            &["rate", r, "--score", "4", "--source", "third_party"],
            json!({"act": "rate", "score": 4, "source": "third_party"}),
        ),
        (&["close", r], json!({"act": "close"})),
        (&["reopen", r, "--reason", "又积水"], json!({"act": "reopen", "reason": "又积水"})),
        (&["withdraw", r, "--reason", "本人要求"], json!({"act": "withdraw", "reason": "本人要求"})),
        (&["correct", r, "--title", "涵洞"], json!({"act": "correct", "title": "涵洞"})),
        (&["comment", r, "我也见过"], json!({"act": "comment", "text": "我也见过"})),
        (&["support", r, "--count", "3"], json!({"act": "support", "count": 3})),
    ];
    for (args, body) in cases {
        let ran = node.yishi(&[&["matter"], *args].concat()).exits(0);
        assert!(
            ran.out.contains("芦稿-2026-0187 现在：已受理，承办：姚渡镇，还剩 3 个工作日"),
            "{}",
            ran.out
        );
        assert!(ran.out.contains("▣本级 □镇"), "{}", ran.out);
        let asked = node.asked().pop().unwrap();
        assert_eq!(
            (asked.method.as_str(), asked.path.as_str()),
            ("POST", format!("/api/v1/matters/{REF}/acts").as_str())
        );
        assert_eq!(asked.body, *body, "{args:?}");
    }
    assert_eq!(node.asked().len(), cases.len());
}

#[test]
fn forgetting_is_ordered_with_the_number_and_tells_who_has() {
    let told = json!({"forgotten": true, "on": "2026-11-20", "reason": "本人要求", "by": {"name": "芦稿村"},
        "done": [{"name": "芦稿村"}], "waiting": [{"name": "姚渡镇"}]});
    let node = Node::saying(told);
    let r = "芦稿-2026-0187";
    let ran = node.yishi(&["matter", "forget", r, "--confirm", r, "--reason", "本人要求"]).exits(0);
    assert!(ran.out.contains("2 处中的 1 处") && ran.out.contains("等着 姚渡镇"), "{}", ran.out);
    let asked = &node.asked()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("POST", format!("/api/v1/matters/{REF}/forget").as_str())
    );
    assert_eq!(asked.body, json!({"confirm": r, "reason": "本人要求"}));
    // Without the number nothing is ordered.
    let ran = node.yishi(&["--lang", "en", "matter", "forget", r]).exits(0);
    assert!(ran.out.contains("forgotten at 1 of 2"), "{}", ran.out);
    assert_eq!(node.asked()[1].method, "GET");
}

#[test]
fn text_may_come_from_standard_input() {
    let node = Node::saying(json!({"matter": matter(), "act": "3@a"}));
    node.yishi_reading(&["matter", "answer", "abcdef", "-"], "第一段\n\n第二段\n").exits(0);
    assert_eq!(node.asked()[0].body["text"], "第一段\n\n第二段");
    node.yishi_reading(&["matter", "comment", "abcdef", "-"], "\n").exits(64);
    assert_eq!(node.asked().len(), 1);
}

#[test]
fn a_refusal_is_passed_on_in_the_readers_language() {
    let problem = json!({"title": "Not the holder", "status": 409, "code": "not_legal",
        "detail": "The township holds it.", "detail_zh": "这件事由镇里承办，没有改动；请联系姚渡镇。"});
    let said = problem.clone();
    let node = Node::new(move |_, _| Answer::Json(409, said.clone()));
    let ran = node.yishi(&["matter", "accept", "abcdef"]).exits(1);
    assert_eq!((ran.out.as_str(), ran.err.trim()), ("", "这件事由镇里承办，没有改动；请联系姚渡镇。"));
    let ran = node.yishi(&["--lang", "en", "--json", "matter", "accept", "abcdef"]).exits(1);
    assert_eq!(ran.json(), json!({"error": problem}));
    assert_eq!(ran.err.trim(), "The township holds it.");
}

#[test]
fn exit_statuses_tell_reasons_apart() {
    let no = |status: u16| Node::new(move |_, _| Answer::Json(status, json!({"detail": "no", "code": "x"})));
    no(401).yishi(&["matter", "list"]).exits(4);
    no(403).yishi(&["matter", "list"]).exits(4);
    no(404).yishi(&["matter", "show", "abcdef"]).exits(1);
    no(503).yishi(&["link", "status"]).exits(1);
    yishi(&["--node", "/nonexistent/api.sock", "matter", "list"], "").exits(3);
    let other = Node::new(|_, _| Answer::Text("<html>"));
    assert!(other.yishi(&["matter", "list"]).exits(3).err.contains("不是议事服务"));
    for args in [
        &["matter", "listt"][..],
        &["matter"],
        &[],
        &["matter", "rate", "x", "--score", "9", "--source", "resident"],
    ] {
        yishi(args, "").exits(64);
    }
    assert!(yishi(&["--help"], "").exits(0).out.contains("退出码"));
    let ran = yishi(&["--json", "matter", "tell", "x"], "").exits(64);
    assert_eq!(ran.json()["error"]["code"], "usage");
}

#[test]
fn a_list_goes_over_the_pages_and_lines_up() {
    let node = Node::new(|asked, _| {
        let first = !asked.path.contains("cursor=");
        Answer::Json(
            200,
            json!({"items": [matter()], "next_cursor": if first { json!("次页") } else { Value::Null }}),
        )
    });
    let args = [
        "matter", "list", "--stage", "accepted", "--due", "soon", "--untold", "-q", "涵洞", "--sort",
        "deadline", "--all",
    ];
    let ran = node.yishi(&args).exits(0);
    assert_eq!(ran.out.matches("村口涵洞积水").count(), 2);
    assert!(ran.err.contains("共 2 件"), "{}", ran.err);
    let asked = node.asked();
    assert_eq!(
        asked[0].path,
        "/api/v1/matters?stage=accepted&q=%E6%B6%B5%E6%B4%9E&due=soon&untold=true&sort=deadline&limit=500"
    );
    assert!(asked[1].path.ends_with("&cursor=%E6%AC%A1%E9%A1%B5"), "{}", asked[1].path);

    let ran = node.yishi(&["--json", "matter", "list", "--limit", "1"]).exits(0);
    assert_eq!(ran.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(ran.json()["next_cursor"], "次页");
    assert!(node.yishi(&["matter", "list", "--limit", "1"]).exits(0).err.contains("还有更多"));
}

#[test]
fn a_matter_shows_its_whole_record() {
    let node = Node::saying(matter());
    let ran = node.yishi(&["matter", "show", "芦稿-2026-0187"]).exits(0);
    for part in [
        "芦稿-2026-0187  村口涵洞积水",
        "第二段。",
        "还没告知提出人",
        "登记",
        "[违规，不计]",
        "下一步可以：告知",
        "402913",
    ] {
        assert!(ran.out.contains(part), "{part} is missing in\n{}", ran.out);
    }
    let ran = node.yishi(&["--lang", "en", "matter", "show", "芦稿-2026-0187"]).exits(0);
    assert!(
        ran.out.contains("accepted") && ran.out.contains("Next: Tell") && ran.out.contains("not told yet"),
        "{}",
        ran.out
    );
    assert_eq!(node.yishi(&["--json", "matter", "show", "abcdef"]).exits(0).json(), matter());

    let node = Node::saying(json!({"items": [{"act": "refuse", "label": "不予受理", "label_en": "Refuse",
        "fields": [{"name": "reason", "required": true, "type": "text"}]}],
        "not_now": [{"act": "close", "why": "no answer yet", "why_zh": "还没有答复"}]}));
    let ran = node.yishi(&["matter", "next", "abcdef"]).exits(0);
    assert!(
        ran.out.contains("refuse  不予受理  reason") && ran.out.contains("不能 close：还没有答复"),
        "{}",
        ran.out
    );
}

#[test]
fn raising_keeps_the_petitioner_off_the_command_line() {
    let mut answer = matter();
    answer["warnings"] = json!(["正文里的电话已移到封存部分"]);
    let node = Node::saying(answer);
    let who = node.file("who.txt", "王某\n13800000000\n三组\n".as_bytes());
    let args = [
        "matter",
        "raise",
        "村口涵洞积水",
        "--channel",
        "home_visit",
        "--raised-on",
        "2026/11/16",
        "--petitioner",
        who.to_str().unwrap(),
        "--settle",
        "当场答复",
        "--external",
        "hotline:A1",
    ];
    let ran = node.yishi(&args).exits(0);
    assert!(ran.out.contains("已登记，当场办结，编号 芦稿-2026-0187，校验码 402913"), "{}", ran.out);
    assert!(ran.err.contains("提醒：正文里的电话已移到封存部分"), "{}", ran.err);
    let asked = node.asked().pop().unwrap();
    assert_eq!(
        asked.body,
        json!({"body": "村口涵洞积水", "channel": "home_visit", "raised_on": "2026-11-16", "settle": "当场答复",
            "petitioner": {"kind": "named", "name": "王某", "phone": "13800000000", "address": "三组"},
            "external": {"system": "hotline", "number": "A1"}})
    );
    assert!(asked.key.is_some_and(|key| key.len() == 32));
    node.yishi(&["matter", "raise", "x", "--raised-on", "2026-02-30"]).exits(64);
    node.yishi(&["matter", "raise", "-", "--petitioner", "-"]).exits(64);
    assert_eq!(node.asked().len(), 1);
}

#[test]
fn places_are_a_tree_and_revoking_one_is_asked_about() {
    let node = Node::new(|asked, _| match asked.method.as_str() {
        "GET" => Answer::Json(
            200,
            json!({"items": [
            {"id": "d", "code": "510113000000", "name": "青白江区", "level": "district", "parent": null, "is_self": true, "open_matters": 9},
            {"id": "t", "code": "510113106000", "name": "姚渡镇", "level": "township", "parent": "d", "open_matters": 4,
             "link": {"state": "up", "last_contact": "2026-11-21T09:20:00Z"}},
            {"id": "v", "code": "510113106204", "name": "芦稿村", "level": "village", "parent": "t", "open_matters": 2, "revoked": true}]}),
        ),
        _ => Answer::Json(
            200,
            json!({"revoked_certificates": 2, "link_closed": true, "uncounted_changes": 3, "uncounted_documents": 1,
                "counted_until": "2026-11-16T01:30:00.000Z", "uncounted": [{"document": "aa", "number": "姚渡-2026-0007", "title": "修桥",
                "changes": 3, "first_stored_at": "2026-11-16T02:00:00Z", "last_stored_at": "2026-11-16T03:00:00Z"}]}),
        ),
    });
    let ran = node.yishi(&["place", "tree"]).exits(0);
    assert!(
        ran.out.contains("青白江区（本级）")
            && ran.out.contains("   └─ 芦稿村")
            && ran.out.contains("已撤销"),
        "{}",
        ran.out
    );

    let ran = node.yishi(&["place", "revoke", "姚渡镇", "--reason", "设备丢失"]).exits(64);
    assert!(
        ran.err.contains("姚渡镇（510113106000）")
            && ran.err.contains("4 件未办结")
            && ran.err.contains("姚渡-2026-0007 修桥（3 处）")
            && ran.err.contains("--yes"),
        "{}",
        ran.err
    );
    assert!(node.asked().iter().all(|asked| asked.method == "GET" || asked.body["preview"] == true));

    let ran = node.yishi(&["place", "revoke", "姚渡镇", "--reason", "设备丢失", "--yes"]).exits(0);
    assert!(ran.out.contains("作废证书 2 份"), "{}", ran.out);
    let asked = node.asked().pop().unwrap();
    assert_eq!(asked.path, "/api/v1/places/%E5%A7%9A%E6%B8%A1%E9%95%87/revoke");
    assert_eq!(asked.body, json!({"reason": "设备丢失"}));

    let admit = ["place", "admit", "姚渡镇", "--reason", "经核实"];
    node.yishi(&admit).exits(64);
    node.yishi(&[&admit[..], &["--until", "2026-11-17", "--matter", "姚渡-2026-0007", "--yes"]].concat())
        .exits(0);
    let asked = node.asked().pop().unwrap();
    assert_eq!(asked.path, "/api/v1/places/%E5%A7%9A%E6%B8%A1%E9%95%87/admit");
    assert_eq!(asked.body, json!({"reason": "经核实", "until": "2026-11-17", "matters": ["姚渡-2026-0007"]}));
}

#[test]
fn moving_merging_and_re_coding_are_shown_before_they_are_done() {
    let node = Node::saying(json!({"number": 1, "open_matters": 3, "places_below": 12,
        "place": {"name": "姚渡镇", "code": "510113106000"}, "called": {"name": "姚渡街道", "code": "510114106000"},
        "old_parent": {"name": "青白江区"}, "parent": {"name": "新都区"}, "into": null}));
    let moved = ["place", "move", "姚渡镇", "--to", "新都区", "--address", "10.9.0.1:9443"];
    let ran = node.yishi(&moved).exits(64);
    for words in ["青白江区", "新都区", "12", "姚渡街道", "--yes"] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    let preview = json!({"parent": "新都区", "address": "10.9.0.1:9443", "preview": true});
    assert_eq!(node.asked().pop().unwrap().body, preview);
    node.yishi(&[&moved[..], &["--yes"]].concat()).exits(0);
    let asked = node.asked().pop().unwrap();
    assert_eq!(asked.path, "/api/v1/places/%E5%A7%9A%E6%B8%A1%E9%95%87/placement");
    assert_eq!(asked.body, json!({"parent": "新都区", "address": "10.9.0.1:9443"}));
    node.yishi(&["place", "merge", "甲村", "--into", "乙村", "--yes"]).exits(0);
    assert_eq!(node.asked().pop().unwrap().body, json!({"into": "乙村"}));
    node.yishi(&["place", "recode", "甲村", "--code", "510113106299", "--yes"]).exits(0);
    assert_eq!(node.asked().pop().unwrap().body, json!({"code": "510113106299"}));
    node.yishi(&["place", "recode", "甲村", "--yes"]).exits(64);
}

#[test]
fn an_invitation_is_text_and_a_picture() {
    let node = Node::saying(json!({"token": "YISHI1-ABCDEFGH234567", "expires_at": "2026-11-25T00:00:00Z",
        "place": {"code": "510113106204", "name": "芦稿村"}}));
    let ran = node.yishi(&["place", "invite", "510113106204", "--address", "10.0.0.1:9443"]).exits(0);
    assert!(ran.out.contains("\nYISHI1-ABCDEFGH234567\n") && ran.out.contains('█'), "{}", ran.out);
    assert_eq!(node.asked()[0].body["expires_hours"], 72);
    assert!(node.asked()[0].body.get("replace").is_none());
    assert!(
        !node.yishi(&["place", "invite", "510113106204", "--no-qr", "--replace"]).exits(0).out.contains('█')
    );
    assert_eq!(node.asked()[1].body["replace"], true);
    let ran = node.yishi(&["place", "activate", "510113106204", "--no-qr"]).exits(0);
    assert!(ran.out.contains("yishi-node takeover"), "{}", ran.out);
    assert_eq!(
        node.asked()[2].body,
        json!({"code": "510113106204", "expires_hours": 72, "address": null, "takeover": true})
    );
    let ran = node.yishi(&["--json", "place", "invite", "510113106204"]).exits(0);
    assert_eq!(ran.json()["token"], "YISHI1-ABCDEFGH234567");
}

#[test]
fn links_outcomes_people_and_tokens() {
    let node = Node::new(|asked, _| match asked.path.as_str() {
        "/api/v1/link" => Answer::Json(
            200,
            json!({"up": {"peer": {"name": "姚渡镇"}, "state": "down", "last_contact": null,
            "why": "对方机器没有应答", "waiting": 7, "sent": 3, "stored_there": 3, "refused": 0, "received": 1}, "down": []}),
        ),
        "/api/v1/link/reconnect" => Answer::Json(202, Value::Null),
        path if path.starts_with("/api/v1/outcomes") => Answer::Json(
            201,
            json!({"id": "cd".repeat(32), "title": "修涵洞",
            "text": "十二月前修好。", "decided_on": "2026-11-22", "place": {"name": "姚渡镇"}, "budget_yuan": 50000,
            "proposals": [{"id": "ab".repeat(32), "number": "芦稿-2026-0187", "home": {"name": "芦稿村"}}],
            "answer": "已决定修。", "progress": [], "stored": {"here": true, "up": []}}),
        ),
        path if path.starts_with("/api/v1/users") && asked.method == "POST" => {
            Answer::Json(201, json!({"id": "u2", "name": "li", "roles": ["clerk"], "password": "once-123"}))
        }
        path if path.starts_with("/api/v1/users") => Answer::Json(
            200,
            json!({"items": [{"id": "u1", "name": "li", "display_name": "李", "roles": ["clerk"], "active": true}]}),
        ),
        _ if asked.method == "DELETE" => Answer::Json(204, Value::Null),
        _ if asked.method == "POST" => Answer::Json(201, json!({"id": "k1", "token": "yst_secret"})),
        _ => Answer::Json(200, json!({"items": [{"id": "k1", "name": "报表", "scopes": ["matters:read"]}]})),
    });
    let ran = node.yishi(&["link", "status"]).exits(0);
    assert!(
        ran.out.contains("未接通") && ran.out.contains("7") && ran.out.contains("对方机器没有应答"),
        "{}",
        ran.out
    );
    node.yishi(&["link", "reconnect"]).exits(0);

    let args = [
        "outcome",
        "decide",
        "芦稿-2026-0187",
        "芦稿-2026-0188",
        "--title",
        "修涵洞",
        "--text",
        "十二月前修好。",
        "--budget-yuan",
        "50000",
        "--due-on",
        "2026-12-31",
        "--answer",
        "已决定修。",
    ];
    assert!(node.yishi(&args).exits(0).out.contains("涉及 2 件事项"));
    assert_eq!(
        node.asked().pop().unwrap().body,
        json!({"proposals": ["芦稿-2026-0187", "芦稿-2026-0188"], "title": "修涵洞", "text": "十二月前修好。",
            "budget_yuan": 50000, "due_on": "2026-12-31", "answer": "已决定修。"})
    );
    assert!(node.yishi(&["outcome", "show", "cdcdcd"]).exits(0).out.contains("芦稿-2026-0187  芦稿村"));
    node.yishi(&["outcome", "list"]).exits(0);

    assert!(node.yishi(&["user", "add", "li", "--role", "clerk,mediator"]).exits(0).out.contains("once-123"));
    assert_eq!(node.asked().pop().unwrap().body, json!({"name": "li", "roles": ["clerk", "mediator"]}));
    assert!(node.yishi(&["user", "list"]).exits(0).out.contains("文书"));

    let file = node.dir.path().join("token");
    let path = file.to_str().unwrap();
    let ran = node.yishi(&["token", "create", "报表", "--scope", "matters:read", "-o", path]).exits(0);
    assert!(!ran.out.contains("yst_secret"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "yst_secret\n");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = node.asked().len();
    node.yishi(&["token", "create", "报表", "--scope", "matters:read", "-o", path]).exits(64);
    node.yishi(&["token", "revoke", "k1"]).exits(64);
    assert_eq!(node.asked().len(), before, "neither asked the node anything");
    assert!(node.yishi(&["token", "create", "报表", "--scope", "admin"]).exits(0).out.contains("yst_secret"));
    assert!(node.yishi(&["token", "list"]).exits(0).out.contains("matters:read"));
    node.yishi(&["token", "revoke", "k1", "--yes"]).exits(0);
    assert_eq!(node.lines().pop().unwrap(), "DELETE /api/v1/tokens/k1 null");
}

#[test]
fn what_creates_is_repeated_under_one_key_and_an_act_is_not() {
    let node = Node::new(|_, count| if count == 1 { Answer::HangUp } else { Answer::Json(201, matter()) });
    node.yishi(&["matter", "raise", "村口涵洞积水"]).exits(0);
    let asked = node.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].key.is_some() && asked[0].key == asked[1].key);

    let node = Node::new(|_, _| Answer::HangUp);
    let ran = node.yishi(&["matter", "accept", "abcdef"]).exits(3);
    assert!(ran.err.contains("不能确定是否办成") && ran.err.contains("matter show"), "{}", ran.err);
    assert_eq!(node.asked().len(), 1);
}

#[test]
fn language_and_address_come_from_the_surroundings() {
    let node = Node::saying(json!({"items": [], "next_cursor": null}));
    let socket = node.dir.path().join("api.sock");
    let env = [("YISHI_NODE", socket.to_str().unwrap()), ("LANG", "en_GB.UTF-8"), ("YISHI_TOKEN", "yst_x")];
    let ran = yishi_with(&["matter", "list"], "", &env).exits(0);
    assert_eq!(ran.out.trim(), "No such matters.");
    assert_eq!(node.asked()[0].token, None, "a token is for the network only");
}

#[test]
fn the_manual_names_every_verb() {
    let manual =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/manual/yishi.md")).unwrap();
    for noun in yishi_admin::command().get_subcommands() {
        for verb in noun.get_subcommands() {
            let named = format!("yishi {} {}", noun.get_name(), verb.get_name());
            assert!(manual.contains(&named), "the manual does not show `{named}`");
        }
    }
    yishi_admin::command().debug_assert();
}

#[test]
fn numbers_in_a_text_are_kept_only_if_that_is_said() {
    let warning =
        json!({ "code": "moved_to_sealed", "detail": "moved", "detail_zh": "已存入反映人的密封信息" });
    let node = Node::saying(
        json!({ "matter": { "number": "芦稿-2026-0001" }, "act": "1@ab", "warnings": [warning] }),
    );
    let ran = node.yishi(&["matter", "comment", "芦稿-2026-0001", "电话13812345678"]).exits(0);
    assert!(ran.err.contains("已存入反映人的密封信息"), "{}", ran.err);
    node.yishi(&["matter", "comment", "芦稿-2026-0001", "热线13812345678", "--keep-numbers"]).exits(0);
    let said: Vec<_> = node.asked().iter().map(|a| a.body["numbers"].clone()).collect();
    assert_eq!(said, [serde_json::Value::Null, json!("keep")]);
}
