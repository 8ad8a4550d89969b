//! `GET /inbox`: what waits for this place, at a desk in three panes, on a phone in one.
//!
//! Choosing a view, a row, a filter is a link or a form of addresses; what is done to several matters at once is
//! one form ([`bulk`]). The script only moves the cursor.

use super::{
    Page, Place, Visitor,
    beside::{self, Pane},
    bulk,
    bulk_forms::{self, Bulk},
    escaped,
    forms::{self, Input},
    html,
    list::{LinkLine, Row, link_line, row},
    matter, moments,
    w::{self, inbox as wi},
};
use crate::{
    actions::{BelowView, InboxAsked, InboxCounts, InboxRow, InboxView},
    http::{
        House,
        accounts::member_id,
        body::{Filled, Query},
        caller::Caller,
        lang::Lang,
        limits,
        permit::{self, Permit},
        problem::Problem,
        secret,
    },
    store::COUNTED_MAX,
};
use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc};

/// What the page's links and forms ask for. Unknown fields are let pass: addresses get shared and amended.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    view: String,
    q: String,
    category: String,
    place: String,
    unit: String,
    person: String,
    due: String,
    sort: String,
    cursor: String,
    /// The matter that is open beside the list.
    m: String,
    done: String,
    note: String,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    page: Page,
    link: Option<LinkLine>,
    title: String,
    views: Vec<View>,
    units: Vec<View>,
    villages: Vec<Village>,
    places: Option<String>,
    filter: Filter,
    trouble: Option<String>,
    rows: Vec<InRow>,
    none: &'static str,
    first: Option<String>,
    next: Option<String>,
    bulk: Option<Bulk>,
    pane: Option<Pane>,
    back: String,
    keys: Vec<(&'static str, String)>,
}

struct View {
    name: String,
    count: String,
    /// `over`, `soon` or nothing.
    tone: &'static str,
    href: String,
    chosen: bool,
}

struct Village {
    name: String,
    full: String,
    count: String,
    href: String,
    chosen: bool,
    up: bool,
    quiet: bool,
    /// When it was last heard from, and what waits for it.
    words: String,
}

struct Filter {
    hidden: Vec<(&'static str, String)>,
    q: String,
    inputs: Vec<Input>,
    open: bool,
    clear: Option<String>,
}

struct InRow {
    row: Row,
    id: String,
    href: String,
    chosen: bool,
    ticked: bool,
    home: Place,
    unit: String,
    /// Who holds it, where that is another place.
    with: Option<Place>,
}

/// A page's own address to come back to, ready for more to be said; `None` if it is no inbox.
pub(super) fn back_to(address: &str) -> Option<String> {
    let rest = address.strip_prefix("/inbox")?;
    let plain = rest.is_empty() || rest.starts_with('?');
    let quiet = address.len() <= limits::BACK_BYTES_MAX && !address.chars().any(char::is_control);
    (plain && quiet).then(|| match rest.len() {
        0 | 1 => "/inbox?".to_owned(),
        _ => format!("{address}&"),
    })
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    match &visitor.caller {
        Some(caller) if visitor.may_read() => match written(&house, &visitor, caller, asked, None).await {
            Ok(page) => html(&page),
            Err(problem) => visitor.trouble(&house, &problem),
        },
        _ => visitor.to_sign_in(),
    }
}

/// The page again after a form over several matters that lacked something; what was chosen and typed is kept.
pub(super) async fn again(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    filled: &Filled,
    wrong: &bulk::Wrong,
) -> Response {
    let query = filled.get("back").split_once('?').map_or("", |(_, query)| query);
    let asked: Asked = serde_urlencoded::from_str(query).unwrap_or_default();
    match written(house, visitor, caller, asked, Some((filled, wrong))).await {
        Ok(page) => (StatusCode::UNPROCESSABLE_ENTITY, html(&page)).into_response(),
        Err(problem) => visitor.trouble(house, &problem),
    }
}

impl Asked {
    /// The address with these filters, without page and matter.
    fn address(&self) -> String {
        let pairs = [
            ("view", &self.view),
            ("q", &self.q),
            ("category", &self.category),
            ("place", &self.place),
            ("unit", &self.unit),
            ("person", &self.person),
            ("due", &self.due),
            ("sort", &self.sort),
        ];
        let query: Vec<String> =
            pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| format!("{k}={}", escaped(v))).collect();
        if query.is_empty() { "/inbox".to_owned() } else { format!("/inbox?{}", query.join("&")) }
    }

    fn on(&self, name: &str, value: &str) -> String {
        if value.is_empty() {
            return self.address();
        }
        let address = self.address();
        let joint = if address.contains('?') { '&' } else { '?' };
        format!("{address}{joint}{name}={}", escaped(value))
    }

    fn is_filtered(&self) -> bool {
        [&self.q, &self.category, &self.place, &self.unit, &self.person, &self.due]
            .iter()
            .any(|v| !v.is_empty())
    }
}

/// What nobody was given stands in addresses as this.
const NOBODY: &str = "-";

async fn written(
    house: &House,
    visitor: &Visitor,
    caller: &Caller,
    mut asked: Asked,
    refused: Option<(&Filled, &bulk::Wrong)>,
) -> Result<InboxPage, Problem> {
    let page = visitor.page(house, "inbox");
    let lang = page.lang;
    let view = InboxView::from_name(&asked.view).unwrap_or_default();
    view.name().clone_into(&mut asked.view);
    asked.q = asked.q.trim().chars().take(limits::QUERY_CHARS_MAX).collect();
    let filled = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let query = InboxAsked {
        view,
        words: filled(&asked.q),
        category: filled(&asked.category),
        home: filled(&asked.place),
        unit: match asked.unit.as_str() {
            "" => None,
            NOBODY => Some(String::new()),
            unit => Some(unit.to_owned()),
        },
        person: filled(&asked.person),
        due: filled(&asked.due),
        sort: filled(&asked.sort),
        limit: Some(limits::HTML_ITEMS),
        cursor: filled(&asked.cursor),
    };
    let (found, trouble) = match house.actions.inbox(query.clone()).await {
        Ok(found) => (found, None),
        // A filter of an old address: say so, and show the view without.
        Err(e) => {
            let plain = InboxAsked { view, limit: query.limit, ..InboxAsked::default() };
            let again = house.actions.inbox(plain).await.map_err(Problem::action)?;
            (again, Some(lang.of(&e.zh(), &e.en()).to_owned()))
        }
    };
    let counts = house.actions.inbox_counts(filled(&asked.unit).as_deref()).await.map_err(Problem::action)?;
    let own = house.actions.node().place.place;
    let names = names(house).await?;
    let back = asked.on("cursor", &asked.cursor);
    let ticked = |id: &str| refused.is_some_and(|(f, _)| f.pairs().iter().any(|(n, v)| n == "m" && v == id));
    let rows: Vec<InRow> = found
        .rows
        .iter()
        .map(|r| {
            let id = r.matter.id.to_string();
            let joint = if back.contains('?') { '&' } else { '?' };
            InRow {
                row: row(&r.matter, &page, &own.level),
                href: page.href(&format!("{back}{joint}m={id}")),
                chosen: asked.m == id,
                ticked: ticked(&id),
                id,
                home: Place::of(&r.matter.home),
                unit: given_to(r, &names),
                with: r.matter.holder.as_ref().filter(|h| h.id != own.id).map(Place::of),
            }
        })
        .collect();
    let pane = match asked.m.as_str() {
        "" => None,
        reference => {
            let matter = house.actions.matter(reference).await.map_err(Problem::action)?;
            let came = matter::Came { done: asked.done.clone(), note: asked.note.clone() };
            Some(beside::pane(house, visitor, caller, &page, &matter, came, &back).await?)
        }
    };
    let bulk = bulk_of(house, caller, &page, &found.rows, &back, refused).await?;
    let title = if asked.place.is_empty() || view != InboxView::Home {
        view_name(view).of(lang).to_owned()
    } else {
        let chosen = counts.below.iter().find(|b| b.place.id.to_string() == asked.place);
        chosen.map_or_else(|| asked.place.clone(), |b| Place::of(&b.place).name)
    };
    // The line to the level above is shown only where it is down: then what is passed up waits.
    let link = house.actions.lines().await.map_err(Problem::action)?;
    let link = link_line(&link, house.actions.today(), lang).filter(|l| !l.up);
    Ok(InboxPage {
        link,
        title,
        views: views(&page, &counts, view),
        units: units(&page, &counts, &asked, &names),
        villages: counts
            .below
            .iter()
            .map(|b| village(b, &page, house.actions.today(), &asked, view))
            .collect(),
        places: caller.may(Permit::Places).then(|| page.href("/places")),
        filter: filter(house, &page, &asked, &counts),
        trouble: refused.map(|(_, wrong)| wrong.words.of(lang).to_owned()).or(trouble),
        none: none(view, asked.is_filtered()).of(lang),
        first: filled(&asked.cursor).map(|_| page.href(&asked.address())),
        next: found.next.map(|c| page.href(&asked.on("cursor", &c))),
        keys: keys(lang),
        back: page.href(&back),
        rows,
        bulk,
        pane,
        page,
    })
}

/// What people here are called: accounts by member id, and the charter's people.
pub(super) async fn names(house: &House) -> Result<BTreeMap<String, String>, Problem> {
    let people = house.store().people().await.map_err(Problem::store)?;
    let mut names: BTreeMap<String, String> =
        people.into_iter().map(|p| (member_id(p.id), p.display_name)).collect();
    names.extend(house.actions.articles().people.iter().map(|p| (p.id.clone(), p.name.clone())));
    Ok(names)
}

fn given_to(r: &InboxRow, names: &BTreeMap<String, String>) -> String {
    let Some(unit) = &r.unit else { return String::new() };
    match &r.person {
        Some(person) => format!("{unit} · {}", names.get(person).unwrap_or(person)),
        None => unit.clone(),
    }
}

fn view_name(view: InboxView) -> w::Word {
    match view {
        InboxView::Arrived => wi::ARRIVED,
        InboxView::Working => wi::WORKING,
        InboxView::Soon => wi::SOON,
        InboxView::Overdue => wi::OVERDUE,
        InboxView::Untold => wi::UNTOLD,
        InboxView::Above => wi::ABOVE,
        InboxView::Below => wi::BELOW,
        InboxView::Held | InboxView::Home => wi::HELD,
    }
}

fn none(view: InboxView, filtered: bool) -> w::Word {
    match view {
        _ if filtered => wi::NONE_OTHER,
        InboxView::Arrived | InboxView::Below => wi::NONE_ARRIVED,
        InboxView::Working | InboxView::Held => wi::NONE_WORKING,
        InboxView::Soon => wi::NONE_SOON,
        InboxView::Overdue => wi::NONE_OVERDUE,
        InboxView::Untold => wi::NONE_UNTOLD,
        InboxView::Above => wi::NONE_ABOVE,
        InboxView::Home => wi::NONE_OTHER,
    }
}

/// `12`; where counting stopped, `1000+`.
fn counted(n: u64) -> String {
    if n >= COUNTED_MAX { format!("{COUNTED_MAX}+") } else { n.to_string() }
}

fn views(page: &Page, counts: &InboxCounts, chosen: InboxView) -> Vec<View> {
    let shown = InboxView::ALL.into_iter().filter(|v| *v != InboxView::Home);
    shown
        .zip(&counts.views)
        .map(|(view, (_, n))| View {
            name: view_name(view).of(page.lang).to_owned(),
            count: counted(*n),
            tone: match view {
                InboxView::Overdue if *n > 0 => "over",
                InboxView::Soon if *n > 0 => "soon",
                _ => "",
            },
            href: page.href(&Asked { view: view.name().into(), ..Asked::default() }.address()),
            chosen: view == chosen,
        })
        .collect()
}

fn units(page: &Page, counts: &InboxCounts, asked: &Asked, names: &BTreeMap<String, String>) -> Vec<View> {
    let link = |unit: &str, person: &str, name: String, n: u64| {
        let to = Asked {
            view: InboxView::Held.name().into(),
            unit: unit.into(),
            person: person.into(),
            ..Asked::default()
        };
        View {
            name,
            count: counted(n),
            tone: "",
            href: page.href(&to.address()),
            chosen: asked.unit == unit && asked.person == person,
        }
    };
    let mut out = Vec::new();
    for (unit, total) in &counts.units {
        out.push(link(unit, "", unit.clone(), *total));
        // Who has what of it, once the unit is looked at.
        if asked.unit == *unit {
            let named = |person: &String| format!("　{}", names.get(person).unwrap_or(person));
            out.extend(counts.persons.iter().map(|(person, n)| link(unit, person, named(person), *n)));
        }
    }
    out
}

fn village(b: &BelowView, page: &Page, today: i64, asked: &Asked, view: InboxView) -> Village {
    let (lang, place) = (page.lang, Place::of(&b.place));
    let id = b.place.id.to_string();
    let mut words = line_words(b, today, lang);
    if b.held_back > 0 {
        words.push_str(&match lang {
            Lang::Zh => format!("，{} 项还没送到它", b.held_back),
            Lang::En => format!(", {} not delivered to it", b.held_back),
        });
    }
    let to = Asked { view: InboxView::Home.name().into(), place: id.clone(), ..Asked::default() };
    Village {
        href: page.href(&to.address()),
        chosen: view == InboxView::Home && asked.place == id,
        name: place.name,
        full: place.full,
        count: counted(b.open),
        up: b.up,
        quiet: b.quiet,
        words,
    }
}

/// How the line to a place below stands.
pub(super) fn line_words(b: &BelowView, today: i64, lang: Lang) -> String {
    let seen = b.last_contact.as_deref().map(|at| moments::instant(at, today, lang));
    match (b.up, b.quiet, seen, lang) {
        (true, ..) => wi::LINE_UP.of(lang).to_owned(),
        (_, _, None, _) => wi::LINE_NEVER.of(lang).to_owned(),
        (_, false, Some(at), Lang::Zh) => format!("上次 {at}"),
        (_, false, Some(at), Lang::En) => format!("last {at}"),
        (_, true, Some(at), Lang::Zh) => format!("没有联系上，上次 {at}"),
        (_, true, Some(at), Lang::En) => format!("not heard from since {at}"),
    }
}

fn filter(house: &House, page: &Page, asked: &Asked, counts: &InboxCounts) -> Filter {
    let lang = page.lang;
    let choice = |name: &str, label: w::Word, value: &str, all: Vec<(String, String)>| {
        let mut input = Input::choice(name, label.of(lang), all);
        // What an old address names and is not offered stays to be seen.
        if !value.is_empty() && input.choices.iter().all(|c| c.value != value) {
            let kept = forms::Choice { value: value.into(), label: value.into(), chosen: false };
            input.choices.push(kept);
        }
        for choice in &mut input.choices {
            choice.chosen = choice.value == value;
        }
        input
    };
    let first = |word: w::Word| vec![(String::new(), word.of(lang).to_owned())];
    let scheme = house.actions.categories();
    let mut categories = first(wi::ANY_CATEGORY);
    match scheme.is_empty() {
        true => categories.extend(forms::CATEGORIES.iter().map(|c| ((*c).to_owned(), (*c).to_owned()))),
        false => categories
            .extend(scheme.into_iter().map(|c| (c.id, lang.of(&c.title.zh, &c.title.en).to_owned()))),
    }
    let mut places = first(wi::ANY_PLACE);
    places.extend(counts.below.iter().map(|b| (b.place.id.to_string(), Place::of(&b.place).name)));
    let mut units = first(wi::ANY_UNIT);
    units.push((NOBODY.to_owned(), wi::NO_UNIT.of(lang).to_owned()));
    let articles = house.actions.articles();
    units.extend(
        articles.units.iter().map(|u| (u.title.zh.clone(), lang.of(&u.title.zh, &u.title.en).to_owned())),
    );
    let word = |code: &str, word: w::Word| (code.to_owned(), word.of(lang).to_owned());
    let due = vec![word("", wi::ANY_DUE), word("soon", wi::SOON), word("overdue", wi::OVERDUE)];
    let sort = vec![word("", wi::SORT_DUE), word("newest", wi::SORT_NEWEST), word("number", wi::SORT_NUMBER)];
    Filter {
        hidden: [("view", &asked.view), ("person", &asked.person)]
            .into_iter()
            .filter(|(_, v)| !v.is_empty())
            .map(|(n, v)| (n, v.clone()))
            .collect(),
        q: asked.q.clone(),
        inputs: vec![
            choice("category", w::CATEGORY, &asked.category, categories),
            choice("place", wi::PLACE, &asked.place, places),
            choice("unit", wi::UNITS, &asked.unit, units),
            choice("due", wi::DUE, &asked.due, due),
            choice("sort", wi::SORT, &asked.sort, sort),
        ],
        open: [&asked.category, &asked.due, &asked.sort].iter().any(|v| !v.is_empty()),
        clear: asked
            .is_filtered()
            .then(|| page.href(&Asked { view: asked.view.clone(), ..Asked::default() }.address())),
    }
}

/// What may be done with several at once, by whoever looks.
async fn bulk_of(
    house: &House,
    caller: &Caller,
    page: &Page,
    rows: &[InboxRow],
    back: &str,
    refused: Option<(&Filled, &bulk::Wrong)>,
) -> Result<Option<Bulk>, Problem> {
    if rows.is_empty() || !caller.may(permit::of_step("accept")) {
        return Ok(None);
    }
    let (lang, typed) = (page.lang, refused.map(|(filled, _)| filled));
    let wrong = refused.map(|(_, wrong)| wrong.field);
    let mut acts = bulk_forms::offered(house, rows, lang).await?;
    for act in &mut acts {
        let inputs = std::mem::take(&mut act.inputs);
        act.inputs =
            inputs.into_iter().map(|i| if typed.is_some() { i.typed(typed, wrong) } else { i }).collect();
        act.open = refused.is_some_and(|(filled, _)| filled.get("act") == act.act);
    }
    Ok(Some(Bulk {
        action: page.href("/inbox/do"),
        form_token: caller.form_token(),
        once: secret::fresh(),
        back: back.to_owned(),
        acts,
    }))
}

fn keys(lang: Lang) -> Vec<(&'static str, String)> {
    let plain = |word: w::Word| word.of(lang).to_owned();
    vec![
        ("j", plain(wi::KEY_DOWN)),
        ("k", plain(wi::KEY_UP)),
        ("x", plain(wi::KEY_CHOOSE)),
        ("Enter", plain(wi::KEY_OPEN)),
        ("a", plain(wi::DO_ACCEPT)),
        ("s", plain(wi::DO_ASSIGN)),
        ("m", plain(wi::DO_MERGE)),
        ("r", plain(wi::DO_RETURN)),
        ("e", plain(wi::DO_ESCALATE)),
        ("/", plain(wi::KEY_SEARCH)),
        ("Esc", plain(wi::KEY_LEAVE)),
        ("?", plain(wi::KEY_HELP)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_inbox_is_come_back_to() {
        assert_eq!(back_to("/inbox").as_deref(), Some("/inbox?"));
        assert_eq!(back_to("/inbox?view=soon").as_deref(), Some("/inbox?view=soon&"));
        for other in
            ["", "/", "//evil.example/inbox", "/inboxes", "/inbox/do", "https://a/inbox", "/inbox?a=\r\nb"]
        {
            assert_eq!(back_to(other), None, "{other}");
        }
    }

    #[test]
    fn addresses_keep_what_was_asked() {
        let asked = Asked { view: "soon".into(), q: "涵洞 a&b".into(), ..Asked::default() };
        assert_eq!(asked.on("cursor", "1.2"), "/inbox?view=soon&q=%E6%B6%B5%E6%B4%9E%20a%26b&cursor=1.2");
        assert_eq!(Asked::default().on("cursor", "x"), "/inbox?cursor=x");
    }
}
