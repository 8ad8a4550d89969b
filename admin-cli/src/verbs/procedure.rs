//! `yishi procedure check`, `graph`, `list` and `show`: what a district does with a file before it issues it.
//!
//! The reader and the drawings are the protocol's own, so that what passes here passes at every node.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::{Value, json};
use yishi_protocol::problem::{Problem, Severity};
use yishi_protocol::procedure::{
    Procedure,
    file::FILE_BYTES_MAX,
    graph::{self, Tongue},
    read,
    shipped::{self, Shipped},
};

use super::charter::problems;
use super::{Desk, items, number, text};
use crate::args::ProcedureVerb;
use crate::both;
use crate::import::clean::for_terminal;
use crate::table::{Cell, Paint, Table};
use crate::trouble::{Trouble, exit};
use crate::words;
use crate::words::Lang;

/// Columns of a drawing where no terminal says how many there are.
const DRAWING_COLUMNS: usize = 80;

/// Runs one verb.
pub async fn run(verb: ProcedureVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        ProcedureVerb::Check { file } => check(desk, &file),
        ProcedureVerb::Graph { file, svg } => draw(desk, &file, svg.as_deref()),
        ProcedureVerb::List { shipped: true } => list(desk),
        ProcedureVerb::List { shipped: false } => in_force(desk).await,
        ProcedureVerb::Issue { file, yes } => issue(desk, &file, yes).await,
        ProcedureVerb::Show { id } => show(desk, &id),
    }
}

fn check(desk: &Desk, path: &Path) -> Result<(), Trouble> {
    let (text, lang) = (contents(path)?, desk.lang());
    let shown = for_terminal(&path.display().to_string());
    let (procedure, problems) = match read(&text) {
        Ok((procedure, warnings)) => (Some(procedure), warnings),
        Err(problems) => (None, problems),
    };
    let document = json!({
        "file": path.display().to_string(),
        "ok": procedure.is_some(),
        "pin": procedure.as_ref().map(|p| p.pin),
        "id": procedure.as_ref().map(|p| &p.id),
        "version": procedure.as_ref().map(|p| p.version),
        "stages": procedure.as_ref().map(|p| p.stages.len()),
        "problems": problems,
    });
    if !desk.gave(&document)? {
        for problem in &problems {
            desk.console.say(&line(&shown, problem, desk))?;
        }
        if let Some(p) = &procedure {
            let (id, version, pin, stages) = (&p.id, p.version, p.pin, p.stages.len());
            let title = for_terminal(lang.of(&p.title.zh, &p.title.en));
            let gates: usize = p.stages.iter().map(|s| s.gates.len()).sum();
            desk.console.say(&words!(
                lang,
                "合格：{title}（{id}，第 {version} 版），{stages} 个环节，{gates} 道关口。\n指纹 {pin}",
                "Sound: {title} ({id}, version {version}), {stages} stages, {gates} gates.\nPin {pin}"
            ))?;
        }
    }
    match procedure {
        Some(_) => Ok(()),
        None => Err(unsound(&shown, &problems)),
    }
}

fn errors(problems: &[Problem]) -> usize {
    problems.iter().filter(|p| p.severity == Severity::Error).count()
}

fn unsound(shown: &str, problems: &[Problem]) -> Trouble {
    let count = errors(problems);
    let words = both!(
        "{shown} 不能使用：{count} 处错误。文件没有改动，按上面的行、列改好后再检查一次。",
        "{shown} cannot be used: {count} errors. The file was not changed; mend the lines above and check again."
    );
    Trouble::Reported { status: exit::USAGE, words }
}

fn line(shown: &str, problem: &Problem, desk: &Desk) -> String {
    let Problem { severity, line, column, code, en, zh } = problem;
    let lang = desk.lang();
    let (paint, mark) = match severity {
        Severity::Error => (Paint::Red, lang.of("错误", "error")),
        Severity::Warning => (Paint::Amber, lang.of("提醒", "warning")),
    };
    let (mark, said) = (desk.console.paint(paint, mark), for_terminal(lang.of(zh, en)));
    words!(
        lang,
        "{shown}:{line}:{column}: {mark}：{said} [{code}]",
        "{shown}:{line}:{column}: {mark}: {said} [{code}]"
    )
}

/// A file, or a shipped one by its id.
fn given(path: &Path, desk: &Desk) -> Result<Procedure, Trouble> {
    if let Some(shipped) = path.to_str().and_then(named).filter(|_| !path.exists()) {
        return Ok((*shipped.procedure).clone());
    }
    let text = contents(path)?;
    read(&text).map(|(procedure, _)| procedure).map_err(|problems| {
        let shown = for_terminal(&path.display().to_string());
        for problem in &problems {
            desk.console.note(&line(&shown, problem, desk));
        }
        let count = errors(&problems);
        Trouble::Usage(both!(
            "{shown} 不能使用：{count} 处错误，没有画图。用 yishi procedure check 看详情。",
            "{shown} cannot be used: {count} errors; nothing was drawn. See yishi procedure check."
        ))
    })
}

fn draw(desk: &Desk, path: &Path, svg: Option<&Path>) -> Result<(), Trouble> {
    let procedure = given(path, desk)?;
    let tongue = match desk.lang() {
        Lang::Zh => Tongue::Zh,
        Lang::En => Tongue::En,
    };
    let Some(out) = svg else {
        if desk.gave(&json!(procedure))? {
            return Ok(());
        }
        let drawing = graph::terminal(&procedure, tongue, desk.console.width.unwrap_or(DRAWING_COLUMNS));
        return desk.console.say(for_terminal(&drawing).trim_end());
    };
    let picture = graph::svg(&procedure, tongue);
    if out == Path::new("-") {
        return desk.console.bytes(picture.as_bytes());
    }
    let shown = for_terminal(&out.display().to_string());
    std::fs::File::create(out).and_then(|mut file| file.write_all(picture.as_bytes())).map_err(|why| {
        Trouble::Usage(both!(
            "写不了 {shown}（{why}），图没有存下。换个位置再试。",
            "{shown} cannot be written ({why}); the drawing was not kept. Try another place."
        ))
    })?;
    let done = json!({"svg": out.display().to_string(), "bytes": picture.len()});
    if desk.gave(&done)? {
        return Ok(());
    }
    desk.console.say(&words!(desk.lang(), "已画好：{shown}", "Drawn: {shown}"))
}

fn list(desk: &Desk) -> Result<(), Trouble> {
    let rows: Vec<Value> = shipped::all()
        .iter()
        .map(|s| {
            let p = &s.procedure;
            json!({
                "id": p.id, "version": p.version, "title": p.title, "summary": p.summary, "practice": p.practice,
                "pin": p.pin, "stages": p.stages.len(), "forms": p.forms.len(), "bodies": p.bodies.len(),
                "gates": p.stages.iter().map(|s| s.gates.len()).sum::<usize>(),
            })
        })
        .collect();
    if desk.gave(&json!({ "items": rows }))? {
        return Ok(());
    }
    let lang = desk.lang();
    let headers = match lang {
        Lang::Zh => ["代号", "名称", "版", "环节", "关口", "说明"],
        Lang::En => ["Id", "Name", "Version", "Stages", "Gates", "What it is"],
    };
    let mut table = Table::new(&headers).giving_way(5);
    for shipped in shipped::all() {
        let p = &shipped.procedure;
        let gates: usize = p.stages.iter().map(|s| s.gates.len()).sum();
        table.row(vec![
            Cell::from(p.id.as_str()),
            Cell::from(lang.of(&p.title.zh, &p.title.en)),
            p.version.to_string().into(),
            p.stages.len().to_string().into(),
            gates.to_string().into(),
            Cell::new(lang.of(&p.summary.zh, &p.summary.en), Paint::Dim),
        ]);
    }
    desk.console.table(&table)
}

fn named(id: &str) -> Option<&'static Shipped> {
    shipped::all().iter().find(|s| s.procedure.id == id)
}

fn show(desk: &Desk, id: &str) -> Result<(), Trouble> {
    let Some(shipped) = named(id) else {
        let id = for_terminal(id);
        return Err(Trouble::Usage(both!(
            "没有附带叫“{id}”的程序。用 yishi procedure list --shipped 看有哪些。",
            "No procedure called “{id}” comes with the program. See yishi procedure list --shipped."
        )));
    };
    let document = json!({"id": id, "pin": shipped.procedure.pin, "file": shipped.file});
    if desk.gave(&document)? {
        return Ok(());
    }
    // Byte for byte: its pin is the hash of the file.
    desk.console.bytes(shipped.file.as_bytes())
}

async fn in_force(desk: &mut Desk) -> Result<(), Trouble> {
    let answer = desk.client()?.get("/procedures").await?;
    if desk.gave(&answer)? {
        return Ok(());
    }
    let lang = desk.lang();
    let headers = match lang {
        Lang::Zh => ["代号", "名称", "版", "谁发布的", "日期"],
        Lang::En => ["Id", "Name", "Version", "Issued by", "On"],
    };
    let mut table = Table::new(&headers).giving_way(1);
    for p in items(&answer, "items") {
        let by = match text(p, "by.name") {
            "" => lang.of("随程序附带", "came with the program").to_owned(),
            by => for_terminal(by),
        };
        table.row(vec![
            Cell::from(text(p, "id")),
            Cell::from(for_terminal(text(p, lang.of("title.zh", "title.en")))),
            number(p, "version").to_string().into(),
            Cell::from(by),
            Cell::from(text(p, "issued_on")),
        ]);
    }
    desk.console.table(&table)
}

async fn issue(desk: &mut Desk, path: &Path, yes: bool) -> Result<(), Trouble> {
    let file = contents(path)?;
    let staged = desk.client()?.create("/procedures/stage", &json!({ "file": file })).await?;
    let errors = problems(desk, &staged)?;
    if errors > 0 {
        return Err(Trouble::Reported {
            status: exit::USAGE,
            words: both!(
                "程序没有发布：{errors} 处错误。现行程序不变，按上面的行、列改好后再试。",
                "The procedure was not issued: {errors} errors. The one in force stays; mend the lines above and try again."
            ),
        });
    }
    let lang = desk.lang();
    let title = for_terminal(text(&staged, lang.of("procedure.title.zh", "procedure.title.en")));
    let version = number(&staged, "procedure.version");
    let consequence = match staged.get("replaces").and_then(Value::as_i64) {
        Some(before) => words!(
            lang,
            "{title}第 {version} 版代替第 {before} 版；已受理的事项仍按原来的版本办。",
            "{title}, version {version}, replaces version {before}; matters already accepted keep the version they have."
        ),
        None => words!(
            lang,
            "{title}第 {version} 版是新的程序，本级和下级受理时可以选它。",
            "{title}, version {version}, is new; it can be chosen here and below."
        ),
    };
    desk.console.confirm(&consequence, yes)?;
    let issued = desk.client()?.create("/procedures", &json!({ "file": file })).await?;
    if desk.gave(&issued)? {
        return Ok(());
    }
    desk.console.say(lang.of("已发布。", "Issued."))
}

/// The file's text, of which no more is read than a procedure may have.
pub(super) fn contents(path: &Path) -> Result<String, Trouble> {
    let shown = for_terminal(&path.display().to_string());
    let most = FILE_BYTES_MAX as u64 + 1;
    let mut text = Vec::new();
    let got = match path == Path::new("-") {
        true => std::io::stdin().lock().take(most).read_to_end(&mut text),
        false => std::fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut text)),
    };
    got.map_err(|why| {
        Trouble::Usage(both!(
            "{shown} 打不开（{why}），什么都没有改动。",
            "{shown} cannot be opened ({why}); nothing was changed."
        ))
    })?;
    // A piece of a longer file may end within a character; that it is too long is said by the reader.
    if text.len() > FILE_BYTES_MAX {
        return Ok(String::from_utf8_lossy(&text).into_owned());
    }
    String::from_utf8(text).map_err(|_| {
        Trouble::Usage(both!(
            "{shown} 不是 UTF-8 文字，什么都没有改动。请用记事本另存为 UTF-8。",
            "{shown} is not UTF-8 text; nothing was changed. Save it as UTF-8."
        ))
    })
}
