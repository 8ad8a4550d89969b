//! `GET /board`: the public board; `/board/{number}`: one matter's notice, and an objection to it by receipt;
//! `/board/screen` for the hall's screen; `/board/sheet` for the paper board.
//!
//! Everybody may see these where the configuration opens them, so they are made of
//! [`BoardView`] and of nothing else: what is not in it cannot be shown. Whoever objects shows a receipt, and
//! wrong codes are counted as on `/q`.

use super::{
    Page, Place, Visitor, ask,
    desk::{sent_once, shown_at},
    escaped, html, moments, notices,
    qr::{self, Square},
    w,
};
use crate::{
    actions::{
        ObjectionRequest,
        board::RECEIPT,
        views::{BoardMatter, BoardView, NoticeView},
    },
    http::{
        House,
        body::{Filled, Query},
        caller::{Caller, Proof, sent_from_here},
        lang::Lang,
        once::Done,
        problem::{Answer, Problem},
        secret,
        server::Remote,
    },
};
use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::Arc};
use w::board as b;
use yishi_protocol::ids::PlaceId;

/// Characters of a notice on the board; the whole is one press away.
const TEXT_CHARS: usize = 320;
/// The same on the hall's screen, where nobody can press: what fits it in large letters.
const SCREEN_CHARS: usize = 180;
/// Rows of a list on one page of the hall's screen.
const SCREEN_ROWS: usize = 4;

/// A matter as the board's lists show it.
#[derive(Debug, Clone)]
struct Row {
    number: String,
    category: String,
    title: String,
    stage: String,
    tone: &'static str,
    /// Only where another place registered it.
    home: Place,
    holder: Place,
    due: moments::Due,
    answered_on: String,
    told: bool,
    waited: String,
    budget: String,
    spent: String,
    share: i64,
}

/// A notice.
#[derive(Debug, Clone)]
struct Notice {
    row: Row,
    place: Place,
    text: String,
    cut: bool,
    /// `11月16日（周一）—11月23日（周一）`
    days: String,
    /// `还剩 3 天`
    left: String,
    tone: &'static str,
    over: bool,
    how: String,
    objections: usize,
    href: String,
    square: Option<Square>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    page: Page,
    /// What this place and those above make known to everybody.
    said: Vec<notices::Shown>,
    notices: Vec<Notice>,
    replies: Vec<Row>,
    money: Vec<Row>,
    waiting: Vec<Row>,
}

#[derive(Template)]
#[template(path = "board_sheet.html")]
struct SheetPage {
    page: Page,
    made_on: String,
    notices: Vec<Notice>,
    replies: Vec<Row>,
    money: Vec<Row>,
    waiting: Vec<Row>,
    look_up: Option<String>,
}

#[derive(Template)]
#[template(path = "board_screen.html")]
struct ScreenPage {
    page: Page,
    leaves: Vec<Leaf>,
}

/// One page of the hall's screen.
struct Leaf {
    /// Tells pages apart when they are brought up to date.
    id: String,
    title: &'static str,
    notice: Option<Notice>,
    list: Vec<Row>,
    /// Which list: `replies`, `money`, `waiting`.
    kind: &'static str,
    empty: &'static str,
    square: Option<Square>,
}

#[derive(Template)]
#[template(path = "board_notice.html")]
struct NoticePage {
    page: Page,
    notices: Vec<Notice>,
    hangs: bool,
    done: bool,
    trouble: Option<String>,
    number: String,
    said: String,
    once: String,
    action: String,
}

/// Whose board it is and how it is looked at.
struct Eye<'a> {
    page: &'a Page,
    own: PlaceId,
    today: i64,
    /// The address of this board for a QR code.
    address: Option<String>,
}

impl Eye<'_> {
    fn row(&self, m: &BoardMatter) -> Row {
        let lang = self.page.lang;
        let percent = |spent: i64| spent.saturating_mul(100).checked_div(m.budget_yuan).unwrap_or(0);
        Row {
            number: m.number.clone(),
            category: m.category.clone().unwrap_or_default(),
            title: m.title.clone().unwrap_or_default(),
            stage: w::stage(&m.stage, &m.stage_zh, lang).to_owned(),
            tone: w::tone(&m.stage),
            home: if m.home.id == self.own { Place::default() } else { Place::of(&m.home) },
            holder: Place::of_known(m.holder.as_ref()),
            due: moments::due(m.deadline.as_ref(), lang),
            answered_on: m
                .answered_on
                .as_ref()
                .map_or_else(String::new, |on| moments::day_seen(on, self.today, lang)),
            told: m.told,
            waited: match (m.waited_days, lang) {
                (0, _) => lang.of("今天登记", "registered today").to_owned(),
                (n, Lang::Zh) => format!("已等 {}", days(n, lang)),
                (n, Lang::En) => format!("waiting {}", days(n, lang)),
            },
            budget: yuan(m.budget_yuan, lang),
            spent: yuan(m.spent_yuan, lang),
            share: percent(m.spent_yuan).clamp(0, 100),
        }
    }

    fn rows(&self, matters: &[BoardMatter]) -> Vec<Row> {
        matters.iter().map(|m| self.row(m)).collect()
    }

    fn notice(&self, n: &NoticeView, chars_max: usize) -> Notice {
        let lang = self.page.lang;
        let seen = |day: &str| moments::day_seen(day, self.today, lang);
        let (text, cut) = shortened(&n.text, chars_max);
        let path = format!("/board/{}", escaped(&n.matter.number));
        let over = n.days_left < 0;
        let place = Place::of(&n.place);
        Notice {
            row: self.row(&n.matter),
            text,
            cut,
            days: format!("{} — {}", seen(&n.on), seen(&n.until)),
            left: match n.days_left {
                ..0 => b::TAKEN_DOWN.of(lang).to_owned(),
                0 => lang.of("今天是最后一天", "last day today").to_owned(),
                left => match lang {
                    Lang::Zh => format!("还剩 {}", days(left, lang)),
                    Lang::En => format!("{} left", days(left, lang)),
                },
            },
            tone: if over {
                "past"
            } else if n.days_left <= 1 {
                "soon"
            } else {
                "calm"
            },
            over,
            how: match lang {
                Lang::Zh => format!(
                    "有异议：最迟{}，到{}当面说、交书面的都行；有这一件回执的，也可以在网上写。",
                    seen(&n.until),
                    place.name
                ),
                Lang::En => format!(
                    "To object: by {}, at {}, by word of mouth or on paper; whoever has this matter's receipt can also write it here.",
                    seen(&n.until),
                    place.name
                ),
            },
            place,
            objections: n.objections,
            square: qr::square(&match &self.address {
                Some(at) => format!("{at}{path}"),
                None => n.matter.number.clone(),
            }),
            href: self.page.href(&path),
        }
    }

    fn notices(&self, board: &BoardView, chars_max: usize) -> Vec<Notice> {
        board.notices.iter().map(|n| self.notice(n, chars_max)).collect()
    }
}

fn days(n: i64, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{n} 天"),
        Lang::En => format!("{n} day{}", if n == 1 { "" } else { "s" }),
    }
}

/// `460,000 元`
fn yuan(n: i64, lang: Lang) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut shown = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(c);
    }
    let sign = if n < 0 { "-" } else { "" };
    match lang {
        Lang::Zh => format!("{sign}{shown} 元"),
        Lang::En => format!("{sign}{shown} yuan"),
    }
}

/// The beginning of a text, and whether that is not all.
fn shortened(text: &str, chars_max: usize) -> (String, bool) {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => (format!("{}……", text.get(..end).unwrap_or(text).trim_end()), true),
        None => (text.to_owned(), false),
    }
}

/// The board, if whoever asks may see it.
async fn seen(house: &House, visitor: &Visitor) -> Result<BoardView, Box<Response>> {
    if !visitor.may_see_board(house) {
        return Err(Box::new(visitor.to_sign_in()));
    }
    let board = house.actions.board().await.map_err(Problem::action);
    board.map_err(|problem| Box::new(visitor.trouble(house, &problem)))
}

fn eye<'a>(house: &House, visitor: &Visitor, page: &'a Page, headers: &HeaderMap) -> Eye<'a> {
    Eye {
        page,
        own: house.actions.node().place.place.id,
        today: house.actions.today(),
        address: shown_at(headers, visitor.door),
    }
}

pub(super) async fn show(State(house): State<Arc<House>>, visitor: Visitor, headers: HeaderMap) -> Response {
    let board = match seen(&house, &visitor).await {
        Ok(board) => board,
        Err(response) => return *response,
    };
    let page = visitor.page(&house, "board");
    let eye = eye(&house, &visitor, &page, &headers);
    let said = match notices::newest(&house, &page, &["announcement", "topic"]).await {
        Ok(said) => said,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    html(&BoardPage {
        said,
        notices: eye.notices(&board, TEXT_CHARS),
        replies: eye.rows(&board.replies),
        money: eye.rows(&board.money),
        waiting: eye.rows(&board.waiting),
        page,
    })
}

pub(super) async fn sheet(State(house): State<Arc<House>>, visitor: Visitor, headers: HeaderMap) -> Response {
    let board = match seen(&house, &visitor).await {
        Ok(board) => board,
        Err(response) => return *response,
    };
    let page = visitor.page(&house, "board");
    let eye = eye(&house, &visitor, &page, &headers);
    html(&SheetPage {
        made_on: page.today.clone(),
        notices: eye.notices(&board, usize::MAX),
        replies: eye.rows(&board.replies),
        money: eye.rows(&board.money),
        waiting: eye.rows(&board.waiting),
        look_up: eye.address.as_ref().map(|at| format!("{at}/q")),
        page,
    })
}

pub(super) async fn screen(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Response {
    let board = match seen(&house, &visitor).await {
        Ok(board) => board,
        Err(response) => return *response,
    };
    let page = visitor.page(&house, "board");
    let eye = eye(&house, &visitor, &page, &headers);
    let blank = |title: w::Word, kind: &'static str, empty: w::Word| Leaf {
        id: kind.to_owned(),
        title: title.of(page.lang),
        notice: None,
        list: Vec::new(),
        kind,
        empty: empty.of(page.lang),
        square: None,
    };
    let mut leaves: Vec<Leaf> = Vec::new();
    if board.notices.is_empty() {
        leaves.push(blank(b::NOTICES, "notice", b::NOTICES_NONE));
    }
    for n in &board.notices {
        let leaf = blank(b::NOTICES, "notice", b::NOTICES_NONE);
        // An act is named within its matter only.
        let id = format!("{} {}", n.matter.number, n.act);
        leaves.push(Leaf { id, notice: Some(eye.notice(n, SCREEN_CHARS)), ..leaf });
    }
    let lists = [
        (b::REPLIES, "replies", b::REPLIES_NONE, &board.replies),
        (b::MONEY, "money", b::MONEY_NONE, &board.money),
        (b::WAITING, "waiting", b::WAITING_NONE, &board.waiting),
    ];
    for (title, kind, empty, matters) in lists {
        // An empty list has nothing to say to a hall.
        for (n, rows) in matters.chunks(SCREEN_ROWS).enumerate() {
            let leaf = blank(title, kind, empty);
            leaves.push(Leaf { id: format!("{kind}-{n}"), list: eye.rows(rows), ..leaf });
        }
    }
    if let Some(at) = &eye.address {
        let leaf = blank(b::LOOK_UP, "ask", b::SHEET_ASK);
        leaves.push(Leaf { square: qr::square(&format!("{at}/q")), ..leaf });
    }
    html(&ScreenPage { leaves, page })
}

/// What brought somebody to a notice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Came {
    done: String,
}

pub(super) async fn notice(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
    Query(came): Query<Came>,
) -> Response {
    if !visitor.may_see_board(&house) {
        return visitor.to_sign_in();
    }
    one(&house, &visitor, &number, &headers, came.done == "yes", None).await
}

/// A form that was not taken, with what was wrong.
type Refused<'a> = (&'a Filled, &'a Problem);

async fn one(
    house: &House,
    visitor: &Visitor,
    number: &str,
    headers: &HeaderMap,
    done: bool,
    refused: Option<Refused<'_>>,
) -> Response {
    let found = match house.actions.notices(number).await {
        Ok(found) => found,
        Err(e) => return visitor.trouble(house, &Problem::action(e)),
    };
    let page = visitor.page(house, "board");
    let eye = eye(house, visitor, &page, headers);
    let notices: Vec<Notice> = found.iter().map(|n| eye.notice(n, usize::MAX)).collect();
    let number = found.first().map(|n| n.matter.number.clone()).unwrap_or_default();
    let typed = |name: &str| refused.map(|(filled, _)| filled.get(name).to_owned()).filter(|v| !v.is_empty());
    let fresh = refused.is_some_and(|(_, p)| p.code() == "key_reused");
    let shown = NoticePage {
        hangs: notices.iter().any(|n| !n.over),
        done,
        trouble: refused.map(|(_, p)| p.words(page.lang).to_owned()),
        action: page.href(&format!("/board/{}", escaped(&number))),
        number: typed("n").unwrap_or(number),
        said: typed("text").unwrap_or_default(),
        once: typed("once").filter(|_| !fresh).unwrap_or_else(secret::fresh),
        notices,
        page,
    };
    let status = refused.map_or(StatusCode::OK, |(_, p)| p.status());
    (status, html(&shown)).into_response()
}

pub(super) async fn object(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(number): Path<String>,
    headers: HeaderMap,
    from: Option<Extension<Remote>>,
    filled: Result<Filled, Problem>,
) -> Response {
    if !visitor.may_see_board(&house) {
        return visitor.to_sign_in();
    }
    let filled = match sent_from_here(&Method::POST, &headers).and(filled) {
        Ok(filled) => filled,
        Err(problem) => return visitor.trouble(&house, &problem),
    };
    match lodged(&house, &visitor, &number, from.map(|f| f.0), &filled).await {
        Ok(()) => {
            let to = format!("/board/{}?done=yes", escaped(&number));
            visitor.to(&to)
        }
        Err(problem) => one(&house, &visitor, &number, &headers, false, Some((&filled, &problem))).await,
    }
}

/// Lodges an objection by receipt, once for one form.
async fn lodged(
    house: &Arc<House>,
    visitor: &Visitor,
    number: &str,
    from: Option<Remote>,
    filled: &Filled,
) -> Answer<()> {
    let (n, c, text) = (filled.get("n").trim(), filled.get("c").trim(), filled.get("text").trim());
    let refuse = |code: &'static str, word: w::Word| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, "Not recorded", word.1, word.0)
    };
    if n.is_empty() || c.is_empty() {
        return Err(refuse("receipt_wanted", w::ASK_BOTH));
    }
    if text.is_empty() {
        return Err(refuse("no_text", b::NO_TEXT));
    }
    let notices = house.actions.notices(number).await.map_err(Problem::action)?;
    let hanging = notices.iter().find(|n| n.days_left >= 0).ok_or_else(|| refuse("posted_over", b::OVER))?;
    let held = ask::held(house, visitor.door, from, n, c).await?;
    if held.summary.id != hanging.matter.id {
        return Err(refuse("other_receipt", b::OTHER_RECEIPT));
    }
    let (doc, post) = (hanging.matter.id, hanging.act);
    let caller = Caller::new(RECEIPT.into(), RECEIPT.into(), Proof::Token, BTreeSet::new());
    let hash = secret::hash(format!("{doc}\n{post}\n{text}").as_bytes());
    sent_once(house, &caller, "/board", filled, hash, || {
        let (actions, text) = (house.actions.clone(), text.to_owned());
        async move {
            let done = actions.object_by_receipt(&doc, ObjectionRequest { post, text }).await;
            let acted = done.map_err(Problem::action)?;
            Ok(Done { status: StatusCode::CREATED, body: serde_json::json!({ "act": acted.act }) })
        }
    })
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_in_threes_and_texts_end_on_a_character() {
        for (n, zh) in [
            (0, "0 元"),
            (999, "999 元"),
            (1_000, "1,000 元"),
            (460_000, "460,000 元"),
            (-1_234_567, "-1,234,567 元"),
        ] {
            assert_eq!(yuan(n, Lang::Zh), zh);
        }
        assert_eq!(yuan(12_000, Lang::En), "12,000 yuan");
        assert_eq!(shortened("涵洞改造", 2), ("涵洞……".to_owned(), true));
        assert_eq!(shortened("涵洞", 2), ("涵洞".to_owned(), false));
    }
}
