//! The engine knows no procedure: one that nobody has seen before runs, and no engine code names one.

use crate::{
    story::{Leave, Play, meeting, posted, record, record_by, tell_of, visit},
    world::{TOWN, VILLAGE},
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use yishi_protocol::procedure::{self, shipped};

const SHRINE: &str = r#"
format = 1
id = "market_day_schedule"
version = 1
title = { zh = "赶场日调整", en = "Market days" }
summary = { zh = "摊主议、镇里看", en = "Stall holders talk, the town looks" }

[bodies.stalls]
zh = "摊主会"
en = "Stall holders"
quorum = "1/3"
notice_days = 2

[forms.count]
zh = "摊位清点表"
en = "Stalls counted"
fields = [{ id = "stalls", zh = "摊位数", en = "Stalls", kind = "number", required = true }]

[forms.look]
zh = "镇里看过"
en = "The town looked"
by = "above"
fields = [{ id = "fine", zh = "可行", en = "Fine", kind = "yes_no", required = true }]

[[stages]]
id = "talk"
zh = "摊主议"
en = "Talk"
limit = { normal = "9 days" }
gates = [{ record = "count" }, { meeting = "stalls", tags = { women = "1/2" } }]
go = ["hang"]
up = "town"

[[stages]]
id = "town"
zh = "镇里议"
en = "Town"
limit = { normal = "30 hours" }
gates = [{ record = "count" }]
go = ["hang"]
down = "hang"

[[stages]]
id = "hang"
zh = "公示"
en = "Posted"
limit = { normal = "9 days" }
gates = [{ posted_days = 3 }, { record = "look" }]
end = true
"#;

#[test]
fn a_thirteenth_procedure_runs_like_the_twelve() {
    let (stranger, warnings) = procedure::read(SHRINE).unwrap();
    assert_eq!(warnings, []);
    let count = || record("count", fields! { "stalls" => 64 });
    let hang = || {
        visit(
            "hang",
            vec![
                posted("拟改为逢二五八赶场", "与邻镇冲突", "邻镇逢三六九"),
                record_by(TOWN, "look", fields! { "fine" => true }),
            ],
            Leave::Answer("下月起逢二五八赶场。"),
        )
    };
    let talk = |leave| visit("talk", vec![count(), meeting("stalls", 64, 40, &[("women", 25)])], leave);
    let own = Play::new("赶场日调整", "与邻镇撞期。", vec![talk(Leave::Go("hang")), hang()]);
    // 镇里议过的，镇里就是承办单位，退回后由村里公示、镇里再看。
    let above = Play::new(
        "场镇搬迁",
        "新旧场并行三个月。",
        vec![talk(Leave::Up), visit("town", vec![count()], Leave::Down(VILLAGE, "可以试")), hang()],
    );
    tell_of(&Arc::new(stranger), &[own.offline(0..1), above]);
}

fn sources(dir: &Path, out: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|n| n != "tests") {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push((path.clone(), fs::read_to_string(path).unwrap()));
        }
    }
}

#[test]
fn no_engine_code_names_a_procedure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut engine = Vec::new();
    for folder in ["protocol/src/fold", "node/src", "admin-cli/src"] {
        sources(&root.join(folder), &mut engine);
    }
    assert!(engine.len() > 100);
    for shipped in shipped::all() {
        let id = &shipped.procedure.id;
        for (path, code) in &engine {
            let word = |w: &str| w == id;
            let found = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(word);
            assert!(!found, "{} names {id}", path.display());
        }
    }
}
