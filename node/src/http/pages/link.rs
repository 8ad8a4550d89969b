//! `GET /link`: how the links above and below stand.

use super::{Page, Place, Visitor, escaped, html, moments, w};
use crate::{
    actions::views::LinkView,
    http::{House, lang::Lang, permit::Permit, problem::Problem},
};
use askama::Template;
use axum::{extract::State, response::Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    page: Page,
    /// Of a machine that was taken over: what it alone has, and how much of that is listed.
    only_here: Vec<OnlyHere>,
    only_here_words: Option<String>,
    rows: Vec<Row>,
}

struct OnlyHere {
    href: String,
    name: String,
    title: String,
}

struct Row {
    peer: Place,
    side: &'static str,
    state: &'static str,
    up: bool,
    words: String,
    waiting: u64,
    sent: u64,
    stored_there: u64,
    received: u64,
    refused: u64,
    why: Option<String>,
}

pub(super) fn state(code: &str, lang: Lang) -> &'static str {
    match code {
        "up" => w::LINK_UP,
        "connecting" => w::LINK_CONNECTING,
        "refused" => w::LINK_REFUSED,
        "broken" => w::LINK_BROKEN,
        _ => w::LINK_DOWN,
    }
    .of(lang)
}

pub(super) async fn show(State(house): State<Arc<House>>, visitor: Visitor) -> Response {
    if !visitor.may_read() {
        return visitor.to_sign_in();
    }
    match written(&house, &visitor).await {
        Ok(page) => html(&page),
        Err(problem) => visitor.trouble(&house, &problem),
    }
}

async fn written(house: &House, visitor: &Visitor) -> Result<LinkPage, Problem> {
    let page = visitor.page(house, "link");
    let links = house.actions.links().await.map_err(Problem::action)?;
    let today = house.actions.today();
    // The technical reason is for whoever looks after the machine; others can do nothing with it.
    let machine = visitor.caller.as_ref().is_some_and(|c| c.may(Permit::Machine));
    let active = links.active;
    let up = links.up.iter().map(|l| row(l, w::ABOVE, active, machine, today, page.lang));
    let down = links.down.iter().map(|l| row(l, w::BELOW, active, machine, today, page.lang));
    let only_here = links.only_here.iter().map(|found| {
        let id = found.document.to_string();
        let name = found.number.clone().unwrap_or_else(|| id.chars().take(12).collect());
        OnlyHere {
            href: page.href(&format!("/m/{}", escaped(&id))),
            name,
            title: found.title.clone().unwrap_or_default(),
        }
    });
    Ok(LinkPage {
        only_here: only_here.collect(),
        only_here_words: (!active).then(|| only_here_words(links.only_here_documents, page.lang)),
        rows: up.chain(down).collect(),
        page,
    })
}

fn only_here_words(documents: u64, lang: Lang) -> String {
    match (documents, lang) {
        (0, Lang::Zh) => "上级已签收这里的全部事项，没有只在这台机器上的。".into(),
        (0, Lang::En) => {
            "The place above has signed for all matters here; nothing is on this machine only.".into()
        }
        (n, Lang::Zh) => format!(
            "{n} 件有没有送到上级的内容，只在这台机器上，都保存着，还不算数。请上级准许（yishi place activate），再在这台机器上 yishi-node takeover 准许码，就会送去、算数。"
        ),
        (n, Lang::En) => format!(
            "{n} matters have something that is on this machine only: kept, and not counted yet. With a token from above (yishi place activate) and yishi-node takeover TOKEN on this machine it is sent and counts."
        ),
    }
}

fn row(link: &LinkView, side: w::Word, active: bool, machine: bool, today: i64, lang: Lang) -> Row {
    Row {
        peer: Place::of(&link.peer),
        side: side.of(lang),
        state: state(link.state, lang),
        up: link.state == "up",
        words: words(link, active, today, lang),
        waiting: link.waiting,
        sent: link.sent,
        stored_there: link.stored_there,
        received: link.received,
        refused: link.refused,
        why: link.why.clone().filter(|_| machine),
    }
}

fn words(link: &LinkView, active: bool, today: i64, lang: Lang) -> String {
    let seen = link.last_contact.as_ref().map(|at| moments::instant(at, today, lang));
    let mut words = match (&seen, lang) {
        (Some(at), Lang::Zh) => format!("上次联通：{at}。"),
        (Some(at), Lang::En) => format!("Last heard {at}. "),
        (None, Lang::Zh) => "还没有联通过。".to_owned(),
        (None, Lang::En) => "Never heard yet. ".to_owned(),
    };
    if link.comparing {
        words.push_str(lang.of(
            "本机是从备份恢复的，正等着核对并取回对方那里有的本单位内容；核对完以前，列表可能缺最近的。",
            "This node was restored: what the neighbour has of this place is still to be compared and fetched; until then lists may lack the latest. ",
        ));
    }
    // What waits on a machine that was taken over does not go by itself; the list above says what will.
    if !active {
        return words;
    }
    if link.state != "up" && link.waiting > 0 {
        words.push_str(lang.of(
            "待送达的内容已存在本机，不用管，通了会自动送到。",
            "What waits is stored here; leave it, it goes by itself once connected.",
        ));
    } else if link.waiting == 0 && link.state == "up" {
        words.push_str(lang.of("发出的内容对方都已存好。", "Everything sent is stored there."));
    }
    if let Some(held) = &link.held_back {
        let since = moments::instant(&held.since, today, lang);
        let (peer, beyond, n) = (&link.peer.name, &held.place.name, held.documents);
        words.push_str(&match lang {
            Lang::Zh => format!("{peer}已收到，{beyond}还没有回执：{n} 件，最早 {since}。请问一问{peer}。"),
            Lang::En => format!(
                " {peer} has {n} since {since} that {beyond} has not signed for. Ask {peer} about it."
            ),
        });
    }
    words
}
