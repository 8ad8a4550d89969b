//! The verbs: each asks the node one thing and shows the answer.
//!
//! A verb never decides what is allowed; the node does, and its refusal is passed on.

pub mod attachment;
pub mod charter;
mod deliberation;
pub mod export;
pub mod forget;
pub mod import;
pub mod link;
pub mod matter;
pub mod notice;
pub mod outcome;
pub mod people;
pub mod place;
pub mod placing;
pub mod procedure;
pub mod revoke;
pub mod sheet;
mod sheet_form;
pub mod show;
mod supervision;

use std::path::Path;

use serde_json::Value;

use crate::args::{Global, Noun};
use crate::both;
use crate::client::Client;
use crate::console::Console;
use crate::target::{Target, Token};
use crate::trouble::Trouble;
use crate::words::Lang;

/// What a verb works with: the person in front and, once needed, the node behind.
#[derive(Debug)]
pub struct Desk {
    /// The person or program in front.
    pub console: Console,
    global: Global,
    client: Option<Client>,
}

impl Desk {
    /// A desk; nothing is dialled or read yet.
    pub fn new(global: Global, console: Console) -> Self {
        Self { console, global, client: None }
    }

    /// Says of an act or a decision that numbers in it are to stay, if that was said here.
    pub fn numbers(&self, body: &mut Value) {
        if let (true, Some(body)) = (self.global.keep_numbers, body.as_object_mut()) {
            body.insert("numbers".into(), "keep".into());
        }
    }

    /// The language of the person in front.
    pub fn lang(&self) -> Lang {
        self.console.lang
    }

    /// The node.
    pub fn client(&mut self) -> Result<&mut Client, Trouble> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.make_client()?,
        };
        Ok(self.client.insert(client))
    }

    fn make_client(&self) -> Result<Client, Trouble> {
        let target = Target::find(self.global.node.as_deref(), self.global.pin)?;
        let token = match (&self.global.token_file, &self.global.token) {
            (Some(path), _) => Some(self.token_from(path)?),
            (None, Some(token)) => Some(token.checked().map_err(Trouble::Usage)?),
            (None, None) => None,
        };
        if token.is_none() && matches!(target, Target::Https { .. }) {
            return Err(Trouble::not_allowed(both!(
                "用 https:// 连接要有令牌：--token-file 文件，或设 YISHI_TOKEN。什么都没有改动。令牌由那边的管理员用 yishi token create 发放。",
                "https:// needs a token: --token-file FILE, or set YISHI_TOKEN. Nothing was changed. The administrator there makes one with yishi token create."
            )));
        }
        Ok(Client::new(target, token))
    }

    fn token_from(&self, path: &Path) -> Result<Token, Trouble> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|why| {
            Trouble::Usage(both!(
                "令牌文件 {shown} 打不开（{why}），什么都没有改动。",
                "The token file {shown} cannot be opened ({why}); nothing was changed."
            ))
        })?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
                self.console.note(&crate::words!(
                    self.lang(),
                    "提醒：令牌文件 {shown} 别人也能读，请运行 chmod 600 {shown}",
                    "Note: others can read the token file {shown}; run chmod 600 {shown}"
                ));
            }
        }
        Token::from(text.as_str()).checked().map_err(Trouble::Usage)
    }

    /// The node's answer as it is, for a program; for a person nothing yet.
    ///
    /// Returns whether the answer has been given.
    pub fn gave(&self, document: &Value) -> Result<bool, Trouble> {
        if self.console.json {
            self.console.document(document)?;
        }
        Ok(self.console.json)
    }
}

/// Runs one verb.
pub async fn run(noun: Noun, desk: &mut Desk) -> Result<(), Trouble> {
    match noun {
        Noun::Place(verb) => place::run(verb, desk).await,
        Noun::Matter(verb) => matter::run(verb, desk).await,
        Noun::Charter(verb) => charter::run(verb, desk).await,
        Noun::Procedure(verb) => procedure::run(verb, desk).await,
        Noun::Sheet(verb) => sheet::run(verb, desk).await,
        Noun::Attachment(verb) => attachment::run(verb, desk).await,
        Noun::Outcome(verb) => outcome::run(verb, desk).await,
        Noun::Notice(verb) => notice::run(verb, desk).await,
        Noun::Stub(verb) => notice::run_stub(verb, desk).await,
        Noun::Link(verb) => link::run(verb, desk).await,
        Noun::User(verb) => people::run_user(verb, desk).await,
        Noun::Token(verb) => people::run_token(verb, desk).await,
    }
}

/// A text in an answer; empty where there is none. Answers are read leniently: a newer node may send more, an
/// older one less, and a missing word is no reason to show nothing.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or("")
}

/// A count in an answer.
pub(crate) fn number(value: &Value, path: &str) -> i64 {
    at(value, path).and_then(Value::as_i64).unwrap_or(0)
}

/// A truth in an answer.
pub(crate) fn truth(value: &Value, path: &str) -> bool {
    at(value, path).and_then(Value::as_bool).unwrap_or(false)
}

/// The items of a list in an answer.
pub(crate) fn items<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A value by its dotted path.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// An instant as people read it, in the local time zone.
pub(crate) fn instant(value: &Value, path: &str) -> String {
    let stated = text(value, path);
    match stated.parse::<jiff::Timestamp>() {
        Ok(at) => at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => stated.to_owned(),
    }
}

/// A JSON object of the fields that are there.
pub(crate) fn fields(pairs: &[(&str, Option<Value>)]) -> Value {
    let present = pairs.iter().filter_map(|(key, value)| Some(((*key).to_owned(), value.clone()?)));
    Value::Object(present.collect())
}
