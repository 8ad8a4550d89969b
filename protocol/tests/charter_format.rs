//! The format of charters' articles: what reads, what does not and where, what binds below.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;
use yishi_protocol::{
    calendar::Date,
    charter::{Articles, Asking, InForce, Layer, Power, read, read_issued},
    ids::PlaceId,
    problem::Problem,
};

const VILLAGE: Asking<'static> = Asking { level: "village", code: "510113106204" };
const TOWN: Asking<'static> = Asking { level: "township", code: "510113106000" };

const FILE: &str = r#"
format = 1
people = [
  { id = "wang", name = "王建国" },
  { id = "li", name = "李秀英", tags = ["women"] },
  { id = "zhao", name = "赵德华", tags = ["women", "new_residents"] },
]
units = [
  { id = "civil", zh = "民政办", en = "Civil affairs", handlers = ["wang"] },
  { id = "power", zh = "供电所", en = "Power company", external = true },
]
stations = [{ id = "hall", zh = "便民服务站", en = "Service point", weekdays = ["tuesday"], people = ["li"] }]
rotas = [
  { id = "hotline", zh = "热线值班", en = "Hotline", every = "week", from = 2026-01-07, order = ["wang", "li", "zhao"] },
  { id = "hall", zh = "大厅值班", en = "Hall", every = "day", from = 2026-01-01, order = ["li", "zhao"] },
]
custody = [{ what = "村委会公章", by = "wang" }]

[[bodies]]
id = "council"
zh = "村民议事会"
en = "Council"
members = ["wang", "li"]
from = 2023-01-01
until = 2026-12-31

[[bodies]]
id = "council"
zh = "村民议事会"
en = "Council"
members = ["li", "zhao"]
from = 2027-01-01

[[collectors]]
person = "zhao"
until = 2026-12-31
allowance_yuan = 200

[[categories]]
id = "水利"
zh = "水利"
en = "Water"
unit = "civil"

[[powers]]
power = "spend"
category = "水利"
level = "village"
up_to_yuan = 20000
"#;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn articles(file: &str) -> Articles {
    let (articles, warnings) = read(file, VILLAGE, &InForce::default()).unwrap();
    assert_eq!(warnings, []);
    articles
}

fn above(file: &str) -> InForce {
    let (articles, _) = read(file, TOWN, &InForce::default()).unwrap();
    InForce { layers: vec![Layer { place: PlaceId([1; 16]), articles: Arc::new(articles) }] }
}

#[test]
fn terms_rotas_and_stations_know_the_day() {
    let a = articles(FILE);
    assert_eq!(a.sitting("council", day("2026-11-23")).unwrap().members, ["wang", "li"]);
    assert_eq!(a.sitting("council", day("2027-01-01")).unwrap().members, ["li", "zhao"]);
    assert_eq!(a.sitting("council", day("2022-12-31")), None);
    // The first week ends on its Sunday, although the rota began on a Wednesday.
    let weekly = &a.rotas[0];
    assert_eq!(weekly.on(day("2026-01-06")), None);
    assert_eq!(weekly.on(day("2026-01-07")), Some("wang"));
    assert_eq!(weekly.on(day("2026-01-11")), Some("wang"));
    assert_eq!(weekly.on(day("2026-01-12")), Some("li"));
    assert_eq!(weekly.on(day("2026-01-26")), Some("wang"));
    let daily = &a.rotas[1];
    assert_eq!([daily.on(day("2026-01-01")), daily.on(day("2026-01-02"))], [Some("li"), Some("zhao")]);
    assert!(a.stations[0].open_on(day("2026-11-24")) && !a.stations[0].open_on(day("2026-11-25")));
    assert_eq!(a.tags_of(["li", "zhao"].into_iter())["women"], 2);
}

#[test]
fn terms_that_end_without_a_next_one_are_named() {
    let a = articles(FILE);
    let ending = a.ending(day("2026-11-23"), 60);
    // The council's next term stands there already; the collector has none.
    assert_eq!(ending.len(), 1);
    assert_eq!((&ending[0].body, ending[0].people.as_slice()), (&None, ["zhao".to_owned()].as_slice()));
    assert_eq!(a.ending(day("2026-09-01"), 60), []);
    assert_eq!(a.ending(day("2027-09-01"), 60).len(), 1, "an ended term stays named");
}

/// The one problem of a file that differs from the good one.
fn problem(from: &str, to: &str, above: &InForce) -> (Problem, usize) {
    assert!(FILE.contains(from), "{from}");
    let file = FILE.replacen(from, to, 1);
    let problems = read(&file, VILLAGE, above).unwrap_err();
    let line = file.lines().position(|l| l.contains(to.lines().last().unwrap_or(to))).map_or(0, |n| n + 1);
    (problems[0].clone(), line)
}

#[test]
fn a_broken_file_is_refused_with_its_line() {
    let none = InForce::default();
    for (from, to, code) in [
        ("format = 1", "format = 9", "newer_format"),
        ("handlers = [\"wang\"]", "handlers = [\"nobody\"]", "no_such_person"),
        ("id = \"li\", name = \"李秀英\"", "id = \"wang\", name = \"李秀英\"", "twice"),
        ("name = \"王建国\"", "name = \" \"", "no_name"),
        ("members = [\"wang\", \"li\"]", "members = []", "nobody"),
        ("from = 2027-01-01", "from = 2026-12-31", "terms_meet"),
        ("from = 2023-01-01", "from = 2023-01-01T08:00:00", "bad_day"),
        ("until = 2026-12-31\nallowance", "from = 2027-01-01\nuntil = 2026-12-31\nallowance", "ends_first"),
        ("weekdays = [\"tuesday\"]", "weekdays = [\"dienstag\"]", "unknown_word"),
        ("every = \"week\"", "every = \"month\"", "unknown_word"),
        ("unit = \"civil\"", "unit = \"water\"", "no_such_unit"),
        ("power = \"spend\"", "power = \"rule\"", "unknown_word"),
        ("level = \"village\"", "level = \"hamlet\"", "unknown_word"),
        ("category = \"水利\"", "category = \"电力\"", "no_such_category"),
        ("custody", "keys", "not_readable"),
    ] {
        let (found, _) = problem(from, to, &none);
        assert_eq!(found.code, code, "{to}: {found}");
        assert!(found.line > 1 && found.column >= 1 && !found.zh.is_empty(), "{found:?}");
    }
    let (found, line) = problem("handlers = [\"wang\"]", "handlers = [\"nobody\"]", &none);
    assert_eq!(found.line, line);
    // What the reader of TOML itself says is said in Chinese too, with the key that was meant.
    let (found, line) = problem("handlers = [\"wang\"]", "handler = [\"wang\"]", &none);
    assert_eq!((found.line, found.code), (line, "not_readable"));
    assert!(found.zh.contains("“handler”不是这里能写的，是不是“handlers”"), "{found:?}");
    assert!(found.en.contains("perhaps `handlers`"), "{found:?}");
}

#[test]
fn what_a_place_above_says_binds_below() {
    let scheme = above("format = 1\ncategories = [{ id = \"水\", zh = \"水\", en = \"Water\" }]\n");
    assert_eq!(problem("[[categories]]", "[[categories]]", &scheme).0.code, "category_alone");
    let within = FILE.replacen("id = \"水利\"", "under = \"水\"\nid = \"水利\"", 1);
    assert!(read(&within, VILLAGE, &scheme).is_ok());
    let again =
        FILE.replacen("id = \"水利\"\nzh", "id = \"水\"\nzh", 1).replacen("category = \"水利\"", "", 1);
    assert_eq!(read(&again, VILLAGE, &scheme).unwrap_err()[0].code, "category_above");
    // What was issued before the scheme stays readable.
    assert!(read_issued(&again).is_ok());

    let powers = |line: &str| above(&format!("format = 1\npowers = [{{ power = \"spend\", {line} }}]\n"));
    assert!(read(FILE, VILLAGE, &powers("level = \"village\"")).is_ok());
    assert!(read(FILE, VILLAGE, &powers("level = \"village\", up_to_yuan = 20000")).is_ok());
    assert!(
        read(FILE, VILLAGE, &powers("level = \"township\", delegated_to = [\"510113106204\"]")).is_ok(),
        "a delegation by name"
    );
    for line in ["level = \"township\"", "level = \"village\", up_to_yuan = 19999"] {
        let found = read(FILE, VILLAGE, &powers(line)).unwrap_err();
        assert_eq!(found[0].code, "power_not_delegated", "{line}");
    }
}

#[test]
fn every_layer_that_speaks_of_a_power_must_allow_it() {
    let district = "format = 1\ncategories = [{ id = \"建房\", zh = \"建房\", en = \"Building\" }]\n\
        powers = [{ power = \"answer\", category = \"建房\", level = \"township\", basis = \"川府发〔2025〕3 号\" },\
        { power = \"spend\", level = \"village\", up_to_yuan = 50000 },\
        { power = \"spend\", level = \"township\" }]\n";
    let mut in_force = above(district);
    in_force.layers.push(Layer { place: PlaceId([2; 16]), articles: Arc::new(articles(FILE)) });
    let may = |who, power, category, yuan| in_force.may(who, power, category, yuan);
    assert!(may(VILLAGE, Power::Answer, Some("水利"), None).is_ok(), "nobody says anything of it");
    let denied = may(VILLAGE, Power::Answer, Some("建房"), None).unwrap_err();
    assert_eq!((denied.by, denied.levels.as_slice()), (PlaceId([1; 16]), ["township".to_owned()].as_slice()));
    assert_eq!(denied.basis.as_deref(), Some("川府发〔2025〕3 号"));
    assert!(may(TOWN, Power::Answer, Some("建房"), None).is_ok());
    // The district's limit, and below it the village's own for one category.
    assert!(may(VILLAGE, Power::Spend, None, Some(50_000)).is_ok());
    assert_eq!(may(VILLAGE, Power::Spend, None, Some(50_001)).unwrap_err().up_to_yuan, Some(50_000));
    let own = may(VILLAGE, Power::Spend, Some("水利"), Some(20_001)).unwrap_err();
    assert_eq!((own.by, own.up_to_yuan), (PlaceId([2; 16]), Some(20_000)));
}
