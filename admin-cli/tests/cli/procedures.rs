//! `yishi procedure …`: files checked, drawn, listed and shown, without any node.

use crate::fake::{Ran, yishi, yishi_with};

const BROKEN: &str = "format = 1\nid = \"x\"\nversion = 1\ntitle = { zh = \"试\", en = \"T\" }\n\
summary = { zh = \"试\", en = \"T\" }\n\n[[stages]]\nid = \"a\"\nzh = \"甲\"\nen = \"A\"\ngo = [\"b\"]\n";

fn in_chinese(args: &[&str], input: &str) -> Ran {
    yishi_with(args, input, &[("LC_ALL", "zh_CN.UTF-8")])
}

#[test]
fn what_is_shown_checks_and_has_the_pin_that_is_listed() {
    let listed = yishi(&["procedure", "list", "--shipped", "--json"], "").exits(0).json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 13);
    for item in items {
        let file = yishi(&["procedure", "show", item["id"].as_str().unwrap()], "").exits(0).out;
        let checked = yishi(&["procedure", "check", "-", "--json"], &file).exits(0).json();
        assert_eq!((&checked["ok"], &checked["pin"]), (&true.into(), &item["pin"]));
        assert_eq!(checked["problems"].as_array().unwrap().len(), 0);
    }
    let table = in_chinese(&["procedure", "list", "--shipped"], "").exits(0).out;
    assert!(table.contains("四议两公开") && table.contains("livelihood_110"), "{table}");
}

#[test]
fn problems_are_told_with_line_and_column_in_both_languages() {
    let ran = in_chinese(&["procedure", "check", "-"], BROKEN).exits(64);
    assert!(ran.out.contains("-:11:7: 错误：没有“b”这个环节 [no_such_stage]"), "{}", ran.out);
    assert!(ran.err.contains("不能使用") && ran.err.contains("文件没有改动"), "{}", ran.err);
    let ran = yishi_with(&["--lang", "en", "procedure", "check", "-"], BROKEN, &[]).exits(64);
    assert!(ran.out.contains("-:11:7: error: there is no stage “b” [no_such_stage]"), "{}", ran.out);
    let told = yishi(&["procedure", "check", "-", "--json"], BROKEN).exits(64).json();
    assert_eq!(told["ok"], false);
    let named = |p: &&serde_json::Value| p["code"] == "no_such_stage";
    assert_eq!(told["problems"].as_array().unwrap().iter().find(named).unwrap()["line"], 11);
    // A warning is told, and the file is sound.
    let sound = BROKEN.replace("go = [\"b\"]", "end = true");
    let ran = in_chinese(&["procedure", "check", "-"], &sound).exits(0);
    assert!(
        ran.out.contains("提醒") && ran.out.contains("[no_limit]") && ran.out.contains("指纹 "),
        "{}",
        ran.out
    );
}

#[test]
fn files_that_cannot_be_read_are_said_to_be_so() {
    assert!(yishi(&["procedure", "check", "/nowhere/x.toml"], "").exits(64).err.contains("/nowhere/x.toml"));
    assert!(
        yishi(&["procedure", "show", "nothing_of_the_kind"], "").exits(64).err.contains("list --shipped")
    );
    let long = "#".repeat(60_000);
    let told = yishi(&["procedure", "check", "-", "--json"], &long).exits(64).json();
    assert_eq!(told["problems"][0]["code"], "too_large");
    let nowhere = yishi(&["--node", "/nowhere/api.sock", "procedure", "list"], "");
    assert!(nowhere.err.contains("/nowhere/api.sock"), "{}", nowhere.err);
}

#[test]
fn a_procedure_is_drawn_for_the_terminal_and_as_svg() {
    let drawn = in_chinese(&["procedure", "graph", "four_steps"], "").exits(0).out;
    assert!(drawn.contains("┌─ 1 党总支会议") && drawn.contains("╔═ 6 公示与检查"), "{drawn}");
    assert!(drawn.contains("◇ 村民代表会议表决，到会人员过1/2"), "{drawn}");
    let dir = tempfile::tempdir().unwrap();
    let (file, svg) = (dir.path().join("mine.toml"), dir.path().join("mine.svg"));
    std::fs::write(&file, yishi(&["procedure", "show", "power_lists"], "").out).unwrap();
    let args = ["procedure", "graph", file.to_str().unwrap(), "--svg", svg.to_str().unwrap()];
    in_chinese(&args, "").exits(0);
    let picture = std::fs::read_to_string(&svg).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("对照清单"));
    assert_eq!(
        in_chinese(&["procedure", "graph", file.to_str().unwrap(), "--svg", "-"], "").exits(0).out,
        picture
    );
    let ran = in_chinese(&["procedure", "graph", "-"], BROKEN).exits(64);
    assert!(ran.err.contains("没有画图"), "{}", ran.err);
}
