//! Why a command did not do (all of) what it was asked, and the exit status that says so to a script.
//!
//! Every trouble tells three things: what happened, what was kept, what to do. What the node refuses comes
//! with the node's own sentence (`detail_zh`, `detail`) and is passed on unchanged.

use serde_json::{Value, json};
use thiserror::Error;

use crate::both;
use crate::words::{Both, Lang};

/// Exit statuses; they are part of the CLI's contract and are listed in `yishi --help`.
pub mod exit {
    /// Done.
    pub const OK: u8 = 0;
    /// The node or a rule refused it; nothing was changed.
    pub const REFUSED: u8 = 1;
    /// Partly done: the good rows of an import are in, bad ones are reported.
    pub const PARTLY: u8 = 2;
    /// The node cannot be reached.
    pub const UNREACHABLE: u8 = 3;
    /// Not allowed: token, pin or file permission.
    pub const NOT_ALLOWED: u8 = 4;
    /// The node's disk is full or may not be written.
    pub const DISK: u8 = 14;
    /// The node's clock cannot be right.
    pub const CLOCK: u8 = 24;
    /// No place has this code, id or name.
    pub const UNKNOWN_PLACE: u8 = 25;
    /// The place belongs elsewhere.
    pub const FOREIGN_PLACE: u8 = 26;
    /// The command line or the given file is wrong; nothing was asked of the node.
    pub const USAGE: u8 = 64;
}

/// What the node answered when it refused: RFC 9457 with our `code` and Chinese detail.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code, empty if the answer was not a problem document.
    pub code: String,
    /// What happened, what was kept, what to do.
    pub detail: Both,
    /// The document as it came, for `--json`.
    pub document: Value,
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Trouble {
    /// The node understood and refused.
    #[error("{}", .0.detail)]
    Refused(Problem),
    /// Some of it is done, or it stopped midway; the report is on standard output already.
    #[error("{words}")]
    Reported {
        /// The exit status.
        status: u8,
        /// What remains to be done.
        words: Both,
    },
    /// No answer from the node.
    #[error("{0}")]
    Unreachable(Both),
    /// Token, pin or permission.
    #[error("{}", .0.detail)]
    NotAllowed(Box<Problem>),
    /// The command line or a file given on it.
    #[error("{0}")]
    Usage(Both),
    /// The reader of our output went away (`yishi matter list | head`): no trouble at all.
    #[error("the reader of the output has gone")]
    ReaderGone,
}

impl Trouble {
    /// What a wrong pin, an unreadable socket and the like have in common.
    pub fn not_allowed(detail: Both) -> Self {
        let document = json!({"code": "not_allowed", "detail": detail.en, "detail_zh": detail.zh});
        Trouble::NotAllowed(Box::new(Problem { status: 403, code: "not_allowed".into(), detail, document }))
    }

    /// The exit status that says so.
    pub fn exit_status(&self) -> u8 {
        match self {
            Trouble::Refused(problem) => match problem.code.as_str() {
                "disk_full" | "read_only" | "disk_error" => exit::DISK,
                "clock" => exit::CLOCK,
                "unknown_place" | "unknown_code" => exit::UNKNOWN_PLACE,
                "foreign_place" | "not_below" => exit::FOREIGN_PLACE,
                _ => exit::REFUSED,
            },
            Trouble::Reported { status, .. } => *status,
            Trouble::Unreachable(_) => exit::UNREACHABLE,
            Trouble::NotAllowed(_) => exit::NOT_ALLOWED,
            Trouble::Usage(_) => exit::USAGE,
            Trouble::ReaderGone => exit::OK,
        }
    }

    /// The sentence for a person.
    pub fn say(&self, lang: Lang) -> String {
        match self {
            Trouble::Refused(problem) => problem.detail.of(lang).to_owned(),
            Trouble::NotAllowed(problem) => problem.detail.of(lang).to_owned(),
            Trouble::Reported { words, .. } | Trouble::Unreachable(words) | Trouble::Usage(words) => {
                words.of(lang).to_owned()
            }
            Trouble::ReaderGone => String::new(),
        }
    }

    /// The one document a program gets instead of the answer; none when the answer was already given.
    pub fn document(&self) -> Option<Value> {
        let own = |code: &str, words: &Both| json!({"code": code, "detail": words.en, "detail_zh": words.zh});
        let error = match self {
            Trouble::Refused(problem) => problem.document.clone(),
            Trouble::NotAllowed(problem) => problem.document.clone(),
            Trouble::Unreachable(words) => own("unreachable", words),
            Trouble::Usage(words) => own("usage", words),
            Trouble::Reported { .. } | Trouble::ReaderGone => return None,
        };
        Some(json!({"error": error}))
    }

    /// A refusal made from an HTTP answer: the node's own words where it gave any.
    pub fn from_answer(status: u16, document: Value) -> Self {
        let text = |key: &str| document.get(key).and_then(Value::as_str).map(str::to_owned);
        let own = own_words(status);
        let en = text("detail").or_else(|| text("title"));
        let zh = text("detail_zh").or_else(|| en.clone());
        let detail = Both::new(zh.unwrap_or(own.zh), en.unwrap_or(own.en));
        let code = text("code").unwrap_or_default();
        let problem = Problem { status, code, detail, document };
        // A sealed identity is a rule about this matter, not about this token.
        if status == 401 || (status == 403 && problem.code != "sealed") {
            Trouble::NotAllowed(Box::new(problem))
        } else {
            Trouble::Refused(problem)
        }
    }
}

/// What to say when the node gave no sentence of its own.
fn own_words(status: u16) -> Both {
    match status {
        401 => both!(
            "需要有效的访问令牌，什么都没有改动。请用 --token-file 给出令牌；令牌过期的，请管理员重新发放（yishi token create）。",
            "A valid token is needed; nothing was changed. Give it with --token-file; if it has expired, ask the administrator for a new one (yishi token create)."
        ),
        403 => both!(
            "这个令牌没有做这件事的权限，什么都没有改动。请换用有权限的令牌，或请管理员来办。",
            "This token may not do that; nothing was changed. Use a token with the right scope, or ask the administrator."
        ),
        404 => both!(
            "没有找到，什么都没有改动。请核对编号或地点。",
            "Not found; nothing was changed. Check the number or the place."
        ),
        413 => both!(
            "一次送的内容太多，没有收下。请缩短后再送。",
            "Too much at once; it was not taken. Shorten it and send it again."
        ),
        429 => both!(
            "请求太密，没有收下。请过几分钟再试。",
            "Too many requests; not taken. Try again in a few minutes."
        ),
        500.. => both!(
            "服务程序内部出错（{status}），这件事没有确认办成。已经存下的不受影响；请运行 yishi-node doctor 查看，稍后再试。",
            "The server had an internal fault ({status}); this was not confirmed. What was stored before is unaffected; run yishi-node doctor and try again later."
        ),
        _ => both!(
            "没有办成（{status}），什么都没有改动。请核对命令后再试。",
            "It was not done ({status}); nothing was changed. Check the command and try again."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_own_sentence_is_passed_on() {
        let trouble = Trouble::from_answer(
            409,
            json!({"code": "not_holder", "detail": "The township holds it.", "detail_zh": "承办单位是镇里。"}),
        );
        assert_eq!(trouble.exit_status(), exit::REFUSED);
        assert_eq!(trouble.say(Lang::Zh), "承办单位是镇里。");
        assert_eq!(trouble.say(Lang::En), "The township holds it.");
        assert_eq!(trouble.document().unwrap()["error"]["code"], "not_holder");
    }

    #[test]
    fn tokens_and_seals_are_told_apart() {
        assert_eq!(Trouble::from_answer(401, Value::Null).exit_status(), exit::NOT_ALLOWED);
        assert_eq!(Trouble::from_answer(403, json!({"code": "scope"})).exit_status(), exit::NOT_ALLOWED);
        assert_eq!(Trouble::from_answer(403, json!({"code": "sealed"})).exit_status(), exit::REFUSED);
        assert!(Trouble::from_answer(500, Value::Null).say(Lang::En).contains("doctor"));
    }
}
