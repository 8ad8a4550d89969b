//! `yishi user` and `yishi token`: who may sign in, and which programs may speak.
//!
//! Secrets are shown once or written to a file only its owner reads; none is taken from the command line.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::{Desk, at, instant, items, text};
use crate::args::{TokenVerb, UserVerb};
use crate::both;
use crate::client::escaped;
use crate::table::{Cell, Paint, Table};
use crate::trouble::Trouble;
use crate::words;
use crate::words::Lang;

/// Runs a verb of `user`.
pub async fn run_user(verb: UserVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        UserVerb::Add { name, roles, display_name, password_file } => {
            let password = password_file.map(|path| secret_from(desk, &path)).transpose()?;
            let mut body = json!({"name": name, "roles": roles});
            if let Some(fields) = body.as_object_mut() {
                fields.extend(display_name.map(|name| ("display_name".to_owned(), Value::String(name))));
                fields.extend(password.map(|password| ("password".to_owned(), Value::String(password))));
            }
            let user = desk.client()?.create("/users", &body).await?;
            if desk.gave(&user)? {
                return Ok(());
            }
            let lang = desk.lang();
            let roles = role_names(&user, lang);
            desk.console.say(&words!(lang, "已添加 {name}（{roles}）。", "{name} was added ({roles})."))?;
            match text(&user, "password") {
                "" => Ok(()),
                password => desk.console.say(&words!(
                    lang,
                    "初始密码（只显示这一次，请当面交给本人）：{password}",
                    "First password (shown this once; hand it over in person): {password}"
                )),
            }
        }
        UserVerb::List => {
            let users = desk.client()?.list("/users", usize::MAX).await?;
            if desk.gave(&users)? {
                return Ok(());
            }
            let lang = desk.lang();
            let mut table = Table::new(match lang {
                Lang::Zh => &["标识", "登录名", "姓名", "角色", "状态"],
                Lang::En => &["Id", "Name", "Shown as", "Roles", "State"],
            });
            for user in items(&users, "items") {
                let active = at(user, "active").and_then(Value::as_bool).unwrap_or(true);
                let state = if active { lang.of("在用", "active") } else { lang.of("停用", "off") };
                table.row(vec![
                    text(user, "id").into(),
                    text(user, "name").into(),
                    text(user, "display_name").into(),
                    role_names(user, lang).into(),
                    Cell::new(state, if active { Paint::Plain } else { Paint::Dim }),
                ]);
            }
            desk.console.table(&table)
        }
    }
}

fn role_names(user: &Value, lang: Lang) -> String {
    let names: Vec<String> =
        items(user, "roles").iter().filter_map(Value::as_str).map(|role| words::role(role, lang)).collect();
    names.join(lang.of("、", ", "))
}

/// A secret from a file or standard input: its first line.
fn secret_from(desk: &Desk, path: &Path) -> Result<String, Trouble> {
    let whole = if path == Path::new("-") {
        desk.console.text("-")?
    } else {
        let shown = path.display();
        std::fs::read_to_string(path).map_err(|why| {
            Trouble::Usage(both!(
                "密码文件 {shown} 打不开（{why}），什么都没有改动。",
                "The password file {shown} cannot be opened ({why}); nothing was changed."
            ))
        })?
    };
    match whole.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(Trouble::Usage(both!(
            "密码是空的，什么都没有改动。",
            "The password is empty; nothing was changed."
        ))),
    }
}

/// Runs a verb of `token`.
pub async fn run_token(verb: TokenVerb, desk: &mut Desk) -> Result<(), Trouble> {
    match verb {
        TokenVerb::Create { name, scopes, expires_days, output } => {
            let body = super::fields(&[
                ("name", Some(json!(name))),
                ("scopes", Some(json!(scopes))),
                ("expires_days", expires_days.map(Value::from)),
            ]);
            create(desk, &body, output.as_deref()).await
        }
        TokenVerb::List => {
            let tokens = desk.client()?.list("/tokens", usize::MAX).await?;
            if desk.gave(&tokens)? {
                return Ok(());
            }
            let mut table = Table::new(match desk.lang() {
                Lang::Zh => &["标识", "用途", "权限", "发放", "到期", "最近使用"],
                Lang::En => &["Id", "For", "Scopes", "Made", "Expires", "Last used"],
            });
            for token in items(&tokens, "items") {
                let scopes: Vec<&str> = items(token, "scopes").iter().filter_map(Value::as_str).collect();
                table.row(vec![
                    text(token, "id").into(),
                    text(token, "name").into(),
                    scopes.join(" ").into(),
                    instant(token, "created_at").into(),
                    instant(token, "expires_at").into(),
                    instant(token, "last_used_at").into(),
                ]);
            }
            desk.console.table(&table)
        }
        TokenVerb::Revoke { id, yes } => {
            let consequence = words!(
                desk.lang(),
                "将作废令牌 {id}：用它的程序马上不能再连。已经办过的事不受影响。",
                "The token {id} will be revoked: programs using it stop at once. What they did stays."
            );
            desk.console.confirm(&consequence, yes)?;
            desk.client()?.delete(&format!("/tokens/{}", escaped(&id))).await?;
            if desk.gave(&json!({"id": id, "revoked": true}))? {
                return Ok(());
            }
            desk.console.say(&words!(desk.lang(), "已作废令牌 {id}。", "The token {id} is revoked."))
        }
    }
}

async fn create(desk: &mut Desk, body: &Value, output: Option<&Path>) -> Result<(), Trouble> {
    // The file first: a token that cannot be written down would be lost the moment it exists.
    let file = output.map(private_file).transpose()?;
    let mut token = desk.client()?.create("/tokens", body).await?;
    let lang = desk.lang();
    let (id, value) = (text(&token, "id").to_owned(), text(&token, "token").to_owned());
    let Some((mut file, path)) = file.zip(output) else {
        if desk.gave(&token)? {
            return Ok(());
        }
        return desk.console.say(&words!(
            lang,
            "令牌 {id}（只显示这一次）：\n\n{value}\n\n请存进只有本人能读的文件，用 --token-file 指明。",
            "The token {id} (shown this once):\n\n{value}\n\nKeep it in a file only you can read and name that with --token-file."
        ));
    };
    let shown = path.display().to_string();
    writeln!(file, "{value}").and_then(|()| file.sync_all()).map_err(|why| {
        Trouble::Usage(both!(
            "令牌 {id} 已发放，但写不进 {shown}（{why}）。请用 yishi token revoke {id} 作废后重发。",
            "The token {id} was made but cannot be written to {shown} ({why}). Revoke it with yishi token revoke {id} and make another."
        ))
    })?;
    if let Some(fields) = token.as_object_mut() {
        fields.remove("token");
        fields.insert("file".to_owned(), Value::String(shown.clone()));
    }
    if desk.gave(&token)? {
        return Ok(());
    }
    desk.console.say(&words!(lang, "令牌 {id} 已写入 {shown}。", "The token {id} is in {shown}."))
}

/// A new file only its owner may read; one that is there already is not overwritten.
fn private_file(path: &Path) -> Result<std::fs::File, Trouble> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let shown = path.display();
    options.open(path).map_err(|why| {
        Trouble::Usage(both!(
            "不能新建文件 {shown}（{why}），没有发放令牌。请换一个文件名。",
            "The file {shown} cannot be made ({why}); no token was made. Choose another name."
        ))
    })
}
