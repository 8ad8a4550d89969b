//! `yishi place`: the tree and invitations; revocation is in `revoke`.

use std::collections::BTreeMap;

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};

use super::{Desk, fields, instant, items, number, placing, revoke, text, truth};
use crate::args::PlaceVerb;
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Runs a verb.
pub async fn run(verb: PlaceVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        PlaceVerb::Tree => tree(desk).await,
        PlaceVerb::Invite { code, name, level, expires_hours, address, replace, here, no_qr } => {
            let mut body = json!({
                "code": code, "name": name, "level": level, "expires_hours": expires_hours, "address": address,
            });
            for (said, name) in [(replace, "replace"), (here, "here")] {
                if let (true, Some(fields)) = (said, body.as_object_mut()) {
                    fields.insert(name.to_owned(), Value::Bool(true));
                }
            }
            invite(desk, &body, !no_qr).await
        }
        PlaceVerb::Activate { code, expires_hours, address, no_qr } => {
            let body = json!({
                "code": code, "expires_hours": expires_hours, "address": address, "takeover": true,
            });
            invite(desk, &body, !no_qr).await
        }
        PlaceVerb::Revoke { place, reason, since, all_keys, yes } => {
            let mut body = fields(&[("reason", Some(reason.into())), ("since", since.map(Value::from))]);
            if let (true, Some(fields)) = (all_keys, body.as_object_mut()) {
                fields.insert("all_keys".to_owned(), Value::Bool(true));
            }
            revoke::revoke(desk, &place, body, yes).await
        }
        PlaceVerb::Move { place, to, address, code, name, yes } => {
            let body = fields(&[
                ("parent", Some(to.into())),
                ("address", address.map(Value::from)),
                ("code", code.map(Value::from)),
                ("name", name.map(Value::from)),
            ]);
            placing::run(desk, &place, &body, yes).await
        }
        PlaceVerb::Merge { place, into, address, yes } => {
            let body = fields(&[("into", Some(into.into())), ("address", address.map(Value::from))]);
            placing::run(desk, &place, &body, yes).await
        }
        PlaceVerb::Recode { place, code, name, level, yes } => {
            let body = fields(&[
                ("code", code.map(Value::from)),
                ("name", name.map(Value::from)),
                ("level", level.map(Value::from)),
            ]);
            placing::run(desk, &place, &body, yes).await
        }
        PlaceVerb::Admit { place, reason, until, matter, yes } => {
            let body = fields(&[
                ("reason", Some(reason.into())),
                ("until", until.map(Value::from)),
                ("matters", (!matter.is_empty()).then(|| matter.into())),
            ]);
            revoke::admit(desk, &place, body, yes).await
        }
    }
}

async fn tree(desk: &mut Desk) -> Result<(), Trouble> {
    let places = desk.client()?.list("/places", usize::MAX).await?;
    if desk.gave(&places)? {
        return Ok(());
    }
    let lang = desk.lang();
    let mut table = Table::new(match lang {
        Lang::Zh => &["地点", "代码", "层级", "未办结", "连接", "上次联通"],
        Lang::En => &["Place", "Code", "Level", "Open", "Link", "Last contact"],
    });
    for (prefix, place) in drawn(items(&places, "items")) {
        let mut name = format!("{prefix}{}", text(place, "name"));
        if truth(place, "is_self") {
            name.push_str(lang.of("（本级）", " (here)"));
        }
        let revoked = truth(place, "revoked");
        let state = text(place, "link.state");
        let (link, paint) = match state {
            _ if revoked => (lang.of("已撤销", "revoked").to_owned(), Paint::Red),
            "" | "none" => (String::new(), Paint::Plain),
            "up" => (words::link_state(state, lang), Paint::Green),
            _ => (words::link_state(state, lang), Paint::Amber),
        };
        table.row(vec![
            Cell::new(&name, if revoked { Paint::Dim } else { Paint::Plain }),
            text(place, "code").into(),
            words::level(text(place, "level"), lang).into(),
            number(place, "open_matters").to_string().into(),
            Cell::new(&link, paint),
            instant(place, "link.last_contact").into(),
        ]);
    }
    desk.console.table(&table)
}

/// Places in the order of the tree, each with the branch drawn before its name.
fn drawn(places: &[Value]) -> Vec<(String, &Value)> {
    let known: BTreeMap<&str, &Value> = places.iter().map(|place| (text(place, "id"), place)).collect();
    let mut below: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for place in places {
        // A parent that is not in the list is no parent to draw under.
        let parent = Some(text(place, "parent")).filter(|id| known.contains_key(id)).unwrap_or("");
        below.entry(parent).or_default().push(place);
    }
    let mut out = Vec::new();
    // Stack of (place, its prefix, the prefix of what is under it); a cycle cannot be reached from the top.
    let tops = below.get("").cloned().unwrap_or_default();
    let mut stack: Vec<(&Value, String, String)> =
        tops.into_iter().rev().map(|place| (place, String::new(), String::new())).collect();
    while let Some((place, prefix, under)) = stack.pop() {
        out.push((prefix, place));
        let children = below.get(text(place, "id")).map_or(&[][..], Vec::as_slice);
        for (at, child) in children.iter().enumerate().rev() {
            let last = at + 1 == children.len();
            let branch = format!("{under}{}", if last { "└─ " } else { "├─ " });
            let deeper = format!("{under}{}", if last { "   " } else { "│  " });
            stack.push((child, branch, deeper));
        }
    }
    out
}

async fn invite(desk: &mut Desk, body: &Value, qr: bool) -> Result<(), Trouble> {
    let invitation = desk.client()?.create("/places/invites", body).await?;
    if desk.gave(&invitation)? {
        return Ok(());
    }
    let (lang, token) = (desk.lang(), text(&invitation, "token"));
    let (name, code) = (text(&invitation, "place.name"), text(&invitation, "place.code"));
    let until = instant(&invitation, "expires_at");
    desk.console.say(&words!(
        lang,
        "已为 {name}（{code}）开出邀请，{until} 前有效，只能用一次：",
        "An invitation for {name} ({code}), valid once, until {until}:"
    ))?;
    desk.console.say(&format!("\n{token}\n"))?;
    if qr {
        desk.console.say(&qr_code(token, desk.console.colour)?)?;
    }
    if truth(body, "takeover") {
        let advice = lang.of(
            "在备用机上运行：yishi-node takeover 准许码。用上的那一刻，原来的机器停用：连不上来，知道后只能看、不能写；没送到的只留在它那里。它若落在别人手里，再撤销旧钥匙：yishi place revoke。准许码等于钥匙，请当面交给负责的人。",
            "On the standby run: yishi-node takeover TOKEN. From that moment the old machine is turned away, and once it knows it can only be read; what it had not delivered stays there. If it is in wrong hands, revoke its key too: yishi place revoke. The token is a key: hand it over in person.",
        );
        return desk.console.paragraph(advice, "");
    }
    let advice = lang.of(
        "在那台机器上运行：yishi-node join 邀请码。邀请码等于钥匙，请当面交给负责的人，不要发到群里。",
        "On that machine run: yishi-node join TOKEN. The token is a key: hand it over in person, do not post it.",
    );
    desk.console.paragraph(advice, "")
}

/// A QR code of half-height blocks. Without colour the blocks are the light modules, as terminals are dark.
fn qr_code(token: &str, colour: bool) -> Result<String, Trouble> {
    let code = QrCode::with_error_correction_level(token, EcLevel::L).map_err(|_| {
        Trouble::Usage(crate::both!(
            "邀请码太长，画不成二维码；邀请已经开出，请用上面的文字。",
            "The token is too long for a QR code; the invitation is made, use the text above."
        ))
    })?;
    let mut renderer = code.render::<Dense1x2>();
    if !colour {
        renderer.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
        return Ok(renderer.build());
    }
    // Black on white whatever the terminal's colours are.
    let lines = renderer.build();
    Ok(lines.lines().map(|line| format!("\x1b[30;107m{line}\x1b[0m")).collect::<Vec<_>>().join("\n"))
}

pub(super) fn descendants(places: &[Value], id: &str) -> usize {
    let (mut wave, mut count) = (vec![id], 0usize);
    while let Some(parent) = wave.pop() {
        for place in places.iter().filter(|place| text(place, "parent") == parent) {
            count += 1;
            // More than all of them means a cycle in what was sent.
            if count > places.len() {
                return places.len();
            }
            wave.push(text(place, "id"));
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_drawn_from_stated_parents() {
        let places = json!([
            {"id": "t", "name": "姚渡镇", "parent": "d"},
            {"id": "v1", "name": "芦稿村", "parent": "t"},
            {"id": "d", "name": "青白江区", "parent": null},
            {"id": "v2", "name": "光明村", "parent": "t"},
            {"id": "t2", "name": "福洪镇", "parent": "d"},
        ]);
        let drawn: Vec<String> = drawn(places.as_array().unwrap())
            .iter()
            .map(|(prefix, place)| format!("{prefix}{}", text(place, "name")))
            .collect();
        assert_eq!(drawn, ["青白江区", "├─ 姚渡镇", "│  ├─ 芦稿村", "│  └─ 光明村", "└─ 福洪镇"]);
        assert_eq!(descendants(places.as_array().unwrap(), "d"), 4);
    }

    #[test]
    fn a_token_fits_a_qr_code_with_and_without_colour() {
        let token = format!("YISHI1-{}", "A".repeat(220));
        assert!(qr_code(&token, false).unwrap().lines().count() > 20);
        assert!(qr_code(&token, true).unwrap().contains("\x1b[30;107m"));
    }
}
