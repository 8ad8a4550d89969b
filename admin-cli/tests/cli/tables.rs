//! Tables in and out: the files hotlines really send, good rows and bad ones, and running it again.

use encoding_rs::GB18030;
use serde_json::{Value, json};

use crate::fake::{Answer, Asked, Node};

const GOOD: &str = "留言编号,留言用户,留言主题,留言时间,留言详情,答复意见,答复时间\r\n\
    A1,张某,　路灯不亮,2020/1/2 13:04,\"\t路灯坏了。\r\n\r\n\r\n请修。\",已修好,2020年1月5日\r\n\
    A2,李某,涵洞积水,2020-01-03,车过不去,,\r\n";
const BAD: &str = "A3,王某,没有内容,2020-01-03, 　,,\r\n\
    A4,王某,坏日期,2020-02-30,内容,,\r\n\
    A5,王某,倒过来,2020-01-05,内容,答,2020-01-04\r\n\
    A1,张某,重复,2020-01-02,内容,,\r\n";

/// Imports like a node: creates all.
fn takes_all(asked: &Asked, _count: usize) -> Answer {
    let rows = asked.body["rows"].as_array().map_or(0, Vec::len);
    Answer::Json(200, json!({"created": rows, "answered": 0, "skipped": 0, "errors": []}))
}

fn rows_sent(node: &Node) -> Vec<Value> {
    node.asked().iter().flat_map(|asked| asked.body["rows"].as_array().unwrap().clone()).collect()
}

fn good_rows() -> Vec<Value> {
    vec![
        json!({"row": 2, "number": "A1", "title": "路灯不亮", "body": "路灯坏了。\n\n请修。", "raised_on": "2020-01-02",
               "answer": "已修好", "answered_on": "2020-01-05"}),
        json!({"row": 3, "number": "A2", "title": "涵洞积水", "body": "车过不去", "raised_on": "2020-01-03"}),
    ]
}

#[test]
fn a_clean_file_is_taken_whole_in_any_encoding() {
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(GOOD.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for bytes in [GOOD.as_bytes().to_vec(), GB18030.encode(GOOD).0.into_owned(), utf16] {
        let node = Node::new(takes_all);
        let file = node.file("热线.csv", &bytes);
        let ran = node.yishi(&["matter", "import", file.to_str().unwrap()]).exits(0);
        assert!(ran.err.contains("自动认出的列") && ran.err.contains("内容 ← 留言详情"), "{}", ran.err);
        assert!(ran.out.contains("新登记 2 件") && ran.out.contains("不合格 0 行"), "{}", ran.out);
        assert_eq!(node.asked()[0].path, "/api/v1/matters/import");
        assert_eq!(node.asked()[0].body["system"], "hotline");
        assert_eq!(rows_sent(&node), good_rows());
    }
}

#[test]
fn bad_rows_are_named_and_written_down_and_the_good_ones_go_in() {
    let node = Node::new(takes_all);
    let file = node.file("热线.csv", format!("{GOOD}{BAD}").as_bytes());
    let errors = node.dir.path().join("坏行.csv");
    let (file, errors) = (file.to_str().unwrap(), errors.to_str().unwrap());
    let ran = node.yishi(&["matter", "import", file, "--errors", errors, "--system", "热线"]).exits(2);
    assert_eq!(rows_sent(&node), good_rows());
    // The first matter's text has three line breaks: spreadsheet row 4 is line 7 of the file.
    for part in [
        "第 4 行（文件第 7 行） A3：没有内容",
        "第 5 行",
        "没有这一天",
        "早于提出时间",
        "与第 2 行重复",
        "坏行.csv",
    ] {
        assert!(ran.err.contains(part), "{part} is missing in\n{}", ran.err);
    }
    assert!(ran.out.contains("新登记 2 件") && ran.out.contains("不合格 4 行"), "{}", ran.out);

    let written = std::fs::read_to_string(errors).unwrap();
    assert!(written.starts_with("\u{feff}行号,原因,Reason,留言编号,"), "{written}");
    // Corrected by hand, the list of bad rows is imported itself.
    let corrected = written.replace("2020-02-30", "2020-02-29");
    let again = node.file("改好.csv", corrected.as_bytes());
    let before = rows_sent(&node).len();
    node.yishi(&["matter", "import", again.to_str().unwrap(), "--system", "热线"]).exits(2);
    let sent = rows_sent(&node);
    assert_eq!(sent[before]["number"], "A4");
    assert_eq!(sent[before]["raised_on"], "2020-02-29");
}

#[test]
fn a_program_gets_one_document_about_an_import() {
    let node = Node::new(takes_all);
    let file = node.file("热线.csv", format!("{GOOD}{BAD}").as_bytes());
    let report = node.yishi(&["--json", "matter", "import", file.to_str().unwrap()]).exits(2).json();
    assert_eq!(report["created"], 2);
    assert_eq!(report["columns"]["body"], "留言详情");
    assert_eq!(report["guessed"], true);
    let codes: Vec<&str> =
        report["bad"].as_array().unwrap().iter().map(|bad| bad["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["no_body", "bad_date", "answer_before_question", "duplicate_number"]);
    assert!(report["bad"][1]["detail"].as_str().unwrap().contains("no such day"));
}

#[test]
fn checking_only_asks_the_node_nothing() {
    let node = Node::new(takes_all);
    let file = node.file("热线.csv", GOOD.as_bytes());
    let ran = node.yishi(&["matter", "import", file.to_str().unwrap(), "--dry-run"]).exits(0);
    assert!(ran.out.contains("合格 2 行"), "{}", ran.out);
    assert!(node.asked().is_empty());
}

#[test]
fn stated_columns_and_limits_are_kept() {
    let node = Node::new(takes_all);
    let file = node.file(
        "x.csv",
        "甲,乙,丙,丁\n1,内容一,20200102,类\n2,内容二,43833,类\n3,内容三,2020.1.4,类\n".as_bytes(),
    );
    let file = file.to_str().unwrap();
    let maps = ["--map", "number=甲", "--map", "body=乙", "--map", "raised_at=丙", "--map", "category=丁"];
    let args = [&["matter", "import", file, "--limit", "1", "--from-row", "3"][..], &maps].concat();
    node.yishi(&args).exits(0);
    assert_eq!(
        rows_sent(&node),
        [
            json!({"row": 3, "number": "2", "title": "内容二", "body": "内容二", "category": "类", "raised_on": "2020-01-03"})
        ]
    );
    let ran = node.yishi(&["matter", "import", file]).exits(64);
    assert!(ran.err.contains("甲、乙、丙、丁"), "{}", ran.err);
    let ran = node.yishi(&["matter", "import", file, "--map", "body=戊"]).exits(64);
    assert!(ran.err.contains("「戊」"), "{}", ran.err);
    node.yishi(&["matter", "import", file, "--map", "colour=甲"]).exits(64);
    node.yishi(&["matter", "import", "/nonexistent.csv"]).exits(64);
    assert_eq!(node.asked().len(), 1);
}

#[test]
fn a_workbook_with_real_dates_and_a_title_row() {
    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
    let node = Node::new(takes_all);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "姚渡镇热线工单").unwrap();
    for (column, header) in
        ["工单编号", "诉求标题", "诉求内容", "来电时间", "办理结果", "办结时间"].iter().enumerate()
    {
        sheet.write(1, column as u16, *header).unwrap();
    }
    let dates = Format::new().set_num_format("yyyy/m/d h:mm");
    let day = |text: &str| ExcelDateTime::parse_from_str(text).unwrap();
    sheet.write(2, 0, 4012).unwrap().write(2, 1, "路灯").unwrap().write(2, 2, "不亮\r\n请修").unwrap();
    sheet.write_with_format(2, 3, day("2020-01-02T13:04:00"), &dates).unwrap();
    sheet.write(2, 4, "已修").unwrap().write(2, 5, "2020年1月5日").unwrap();
    sheet.write(3, 0, 4013).unwrap().write(3, 1, "无内容").unwrap();
    sheet.write_with_format(3, 3, day("2020-01-03T08:00:00"), &dates).unwrap();
    // A day that was typed with a number's format: Excel's day number.
    sheet.write(4, 0, "4014").unwrap().write(4, 2, "涵洞").unwrap().write(4, 3, 43834.5).unwrap();
    let file = node.dir.path().join("工单.xlsx");
    book.save(&file).unwrap();
    let ran = node.yishi(&["matter", "import", file.to_str().unwrap()]).exits(2);
    assert!(ran.err.contains("第 4 行 4013：没有内容"), "{}", ran.err);
    assert_eq!(
        rows_sent(&node),
        [
            json!({"row": 3, "number": "4012", "title": "路灯", "body": "不亮\n请修", "raised_on": "2020-01-02",
                   "answer": "已修", "answered_on": "2020-01-05"}),
            json!({"row": 5, "number": "4014", "title": "涵洞", "body": "涵洞", "raised_on": "2020-01-04"}),
        ]
    );
}

fn many(rows: usize, body: &str) -> String {
    let lines: String = (1..=rows).map(|row| format!("N{row},{body},2020-01-02\n")).collect();
    format!("编号,内容,时间\n{lines}")
}

#[test]
fn batches_are_bounded_in_rows_and_bytes() {
    let sizes = |text: String| {
        let node = Node::new(takes_all);
        let file = node.file("x.csv", text.as_bytes());
        node.yishi(&["matter", "import", file.to_str().unwrap()]).exits(0);
        node.asked().iter().map(|asked| asked.body["rows"].as_array().unwrap().len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(many(450, "内容")), [200, 200, 50]);
    // 19,000 characters are 57 kB: eighteen of them fit into a mebibyte.
    assert_eq!(sizes(many(20, &"长".repeat(19_000))), [18, 2]);
}

#[test]
fn rows_the_node_refuses_join_the_bad_ones_and_running_again_skips() {
    let node = Node::new(|_, count| match count {
        1 => Answer::Json(
            200,
            json!({"created": 1, "answered": 0, "skipped": 0,
            "errors": [{"row": 3, "code": "sealed", "detail": "no", "detail_zh": "不收"}]}),
        ),
        _ => Answer::Json(200, json!({"created": 0, "answered": 0, "skipped": 2, "errors": []})),
    });
    let file = node.file("热线.csv", GOOD.as_bytes());
    let ran = node.yishi(&["matter", "import", file.to_str().unwrap()]).exits(2);
    assert!(ran.err.contains("A2：不收"), "{}", ran.err);
    let ran = node.yishi(&["matter", "import", file.to_str().unwrap()]).exits(0);
    assert!(ran.out.contains("跳过 2 件"), "{}", ran.out);
}

#[test]
fn a_broken_connection_is_tried_again_and_then_says_where_it_stopped() {
    // Once broken: nobody notices.
    let node = Node::new(|asked, count| if count == 2 { Answer::HangUp } else { takes_all(asked, count) });
    let file = node.file("x.csv", many(250, "内容").as_bytes());
    assert!(node.yishi(&["matter", "import", file.to_str().unwrap()]).exits(0).out.contains("新登记 250 件"));

    let node = Node::new(|asked, count| if count >= 2 { Answer::HangUp } else { takes_all(asked, count) });
    let file = node.file("x.csv", many(250, "内容").as_bytes());
    let ran = node.yishi(&["matter", "import", file.to_str().unwrap()]).exits(3);
    assert!(ran.err.contains("到第 201 行为止都已收下") && ran.err.contains("--from-row 202"), "{}", ran.err);
    let report = node.yishi(&["--json", "matter", "import", file.to_str().unwrap()]).exits(3).json();
    assert_eq!(report["error"]["code"], "unreachable");
    assert_eq!(report["sent"], 0);
}

#[test]
fn replies_go_out_in_the_hotlines_template() {
    let node = Node::new(|asked, _| {
        let (number, next) =
            if asked.path.contains("cursor") { ("A2", Value::Null) } else { ("A1", json!("n")) };
        Answer::Json(
            200,
            json!({"next_cursor": next, "items": [{"external_number": number, "number": "芦稿-2026-0187",
            "title": "路灯", "answer": "=cmd()\n第二行", "answered_on": "2026-11-20", "stage": "closed", "stage_zh": "已办结"}]}),
        )
    });
    let ran = node.yishi(&["matter", "export", "--since", "2026/11/1"]).exits(0);
    assert_eq!(
        node.asked()[0].path,
        "/api/v1/matters/export?system=hotline&answered_since=2026-11-01&limit=500"
    );
    assert_eq!(
        ran.out,
        "\u{feff}留言编号,留言主题,答复意见,答复时间\r\nA1,路灯,\"\t=cmd()\n第二行\",2026-11-20\r\nA2,路灯,\"\t=cmd()\n第二行\",2026-11-20\r\n"
    );

    let file = node.dir.path().join("答复.xlsx");
    let path = file.to_str().unwrap();
    let ran =
        node.yishi(&["matter", "export", "--template", "工单号=number,结果=stage_zh", "-o", path]).exits(0);
    assert!(ran.out.contains("已导出 2 条"), "{}", ran.out);
    let tables = yishi_admin::import::sheet::open(&file, None, None).unwrap();
    let cells: Vec<Vec<String>> = tables[0]
        .rows
        .iter()
        .map(|row| row.cells.iter().map(yishi_admin::import::sheet::Cell::text).collect())
        .collect();
    assert_eq!(cells, [["工单号", "结果"], ["A1", "已办结"], ["A2", "已办结"]]);
    node.yishi(&["matter", "export", "--template", "a=b"]).exits(64);
    assert_eq!(
        node.yishi(&["--json", "matter", "export"]).exits(0).json()["items"].as_array().unwrap().len(),
        2
    );
}
