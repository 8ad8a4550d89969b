//! Everything that goes wrong, as `application/problem+json` (RFC 9457).
//!
//! Invariant: no other shape of error leaves the API. `code` is stable and for programs; `detail` and
//! `detail_zh` are for people and say what happened, what was kept and what to do. What only an operator may
//! know (paths, database messages) goes to the log, under a reference the answer names.

use crate::{
    actions::{ActionError, Class},
    store::StoreError,
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// The prefix of `type`; it names the problem, it is not fetched.
const TYPES: &str = "https://yishi.example/problems/";

/// An error of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem(Box<Told>);

/// Boxed, because every handler's result has room for one.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    en: String,
    zh: String,
    retry_after_seconds: Option<u64>,
    allow: Option<String>,
    more: Map<String, Value>,
}

/// What handlers answer.
pub type Answer<T> = Result<T, Problem>;

impl Problem {
    /// A problem with its words.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) -> Self {
        Self(Box::new(Told {
            status,
            code,
            title,
            en: en.into(),
            zh: zh.into(),
            retry_after_seconds: None,
            allow: None,
            more: Map::new(),
        }))
    }

    /// A member of the body beyond the usual ones.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The words in one language.
    #[must_use]
    pub fn words(&self, lang: super::lang::Lang) -> &str {
        lang.of(&self.0.zh, &self.0.en)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = json!({
            "type": format!("{TYPES}{}", self.0.code.replace('_', "-")),
            "title": self.0.title,
            "status": self.0.status.as_u16(),
            "code": self.0.code,
            "detail": self.0.en,
            "detail_zh": self.0.zh,
        });
        if let Some(map) = body.as_object_mut() {
            map.extend(self.0.more.clone());
        }
        body
    }

    // --- what the server itself refuses, in the order a request meets it

    /// Nothing is at this address.
    #[must_use]
    pub fn no_such_page() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no_such_address",
            "No such address",
            "Nothing is at this address; nothing was changed. The addresses are listed at /api/v1/openapi.json.",
            "这个地址没有内容，没有改动任何数据。全部地址见 /api/v1/openapi.json。",
        )
    }

    /// The address exists, not for this method.
    #[must_use]
    pub fn method(allow: String) -> Self {
        let mut p = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            format!("This address takes {allow} only; nothing was changed."),
            format!("这个地址只接受 {allow}，没有改动任何数据。"),
        );
        p.0.allow = Some(allow);
        p
    }

    /// Nobody is signed in.
    #[must_use]
    pub fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "Not signed in",
            "Nobody is signed in, or the session or token has ended; nothing was changed. Sign in, or send a valid token, and try again.",
            "尚未登录，或登录、令牌已失效；没有改动任何数据。请登录或换用有效的令牌后重试。",
        )
    }

    /// Signed in, without the right.
    #[must_use]
    pub fn not_permitted(needs: &'static str, needs_zh: &'static str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "not_permitted",
            "Not permitted",
            format!(
                "This account may not {needs}; nothing was changed. Ask the administrator for a role that may, or hand the matter to a colleague."
            ),
            format!(
                "这个账号没有权限{needs_zh}，没有改动任何数据。请向管理员申请相应角色，或交给有权限的同事办理。"
            ),
        )
    }

    /// A form sent from another site.
    #[must_use]
    pub fn foreign_form() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign_form",
            "Sent from another page",
            "This request did not come from a page of this server, so it was not carried out. Open the page again and repeat it there.",
            "这个请求不是从本站页面发出的，没有执行。请重新打开页面，再做一次。",
        )
    }

    /// Too many wrong passwords.
    #[must_use]
    pub fn locked_out(seconds: u64) -> Self {
        let minutes = seconds.div_ceil(60);
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "locked_out",
            "Locked out",
            format!("Too many wrong passwords for this name: signing in is closed for {minutes} more minutes. Nothing else is affected; wait, or ask the administrator for a new password."),
            format!("这个账号密码输错次数过多，暂停登录，还需等待 {minutes} 分钟。其他功能不受影响；请稍后再试，或请管理员重设密码。"),
        )
        .retry_after(seconds)
    }

    /// Name or password wrong; which of them is not said.
    #[must_use]
    pub fn wrong_password() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "wrong_password",
            "Name or password wrong",
            "Name or password is wrong; you are not signed in. Check both and try again. After five failures signing in is closed for 15 minutes.",
            "账号或密码不对，没有登录。请核对后再试；连续输错 5 次将暂停登录 15 分钟。",
        )
    }

    /// Too much going on.
    #[must_use]
    pub fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "Busy",
            "This machine is busy with other requests; nothing of this one was kept. Try again in a few seconds.",
            "本机正在处理其他请求，这一次没有保存任何内容。请过几秒再试。",
        )
        .retry_after(5)
    }

    /// The body is too large.
    #[must_use]
    pub fn too_large(limit_bytes: usize) -> Self {
        let kib = limit_bytes / 1024;
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "Too large",
            format!(
                "The request is larger than {kib} KiB; nothing of it was kept. Send it in smaller parts."
            ),
            format!("内容超过 {kib} KiB，没有保存。请分成几次提交。"),
        )
        .with("limit_bytes", limit_bytes)
    }

    /// The body stopped coming.
    #[must_use]
    pub fn too_slow() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "The request did not arrive in time",
            "The rest of the request did not arrive in time; nothing of it was kept. Check the connection and send it again.",
            "请求没有传完，没有保存任何内容。请检查网络后重新提交。",
        )
    }

    /// The body is not of the expected media type.
    #[must_use]
    pub fn media_type(expected: &'static str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media_type",
            "Wrong media type",
            format!("The body must be sent as {expected}; nothing was kept."),
            format!("内容须以 {expected} 类型提交，没有保存。"),
        )
    }

    /// The body is not JSON, or the query not a query.
    #[must_use]
    pub fn unreadable(what: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unreadable",
            "The request cannot be read",
            format!("The request cannot be read ({what}); nothing was kept. Correct it and send it again."),
            format!("请求内容读不懂（{what}），没有保存。请改正后重新提交。"),
        )
    }

    /// The body is JSON of another shape than asked.
    #[must_use]
    pub fn wrong_shape(what: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_shape",
            "A field is missing or wrong",
            format!(
                "A field is missing or not as described ({what}); nothing was kept. Correct it and send it again."
            ),
            format!("有字段缺失或填写不符合要求（{what}），没有保存。请改正后重新提交。"),
        )
    }

    /// A field's value cannot be used.
    #[must_use]
    pub fn field(name: &'static str, en: impl std::fmt::Display, zh: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "A field cannot be used",
            format!("`{name}`: {en}. Nothing was kept; correct it and send it again."),
            format!("「{name}」：{zh}。没有保存，请改正后重新提交。"),
        )
        .with("field", name)
    }

    /// What an action was refused for.
    #[must_use]
    pub fn action(e: ActionError) -> Self {
        let status = match e.class() {
            Class::NotFound => StatusCode::NOT_FOUND,
            Class::Conflict => StatusCode::CONFLICT,
            Class::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Class::Forbidden => StatusCode::FORBIDDEN,
            Class::Unavailable => match e.code() {
                "disk_full" => StatusCode::INSUFFICIENT_STORAGE,
                "read_only" | "disk_error" | "stopping" | "clock" => StatusCode::SERVICE_UNAVAILABLE,
                _ => return Self::fault(e),
            },
        };
        let mut problem = Self::new(status, e.code(), e.title(), e.en(), e.zh());
        if let Some(rule) = e.rule() {
            problem = problem.with("rule", rule);
        }
        if let Some(field) = e.field() {
            problem = problem.with("field", field);
        }
        problem
    }

    /// What the store refused.
    #[must_use]
    pub fn store(e: StoreError) -> Self {
        Self::action(e.into())
    }

    /// A fault of this program or machine; `cause` goes to the log only.
    #[must_use]
    pub fn fault(cause: impl std::fmt::Display) -> Self {
        let reference = super::secret::hex(&rand::random::<[u8; 4]>());
        tracing::error!(reference, %cause, "a request failed by a fault");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "fault",
            "A fault of this server",
            format!("This server could not finish the request; what was confirmed before is intact. Try again; if it stays, give the operator the reference {reference} (it is in the log)."),
            format!("服务器没有办成这一次请求，此前确认保存的内容都完好。请重试；如仍不行，请把编号 {reference} 告诉维护人员（日志中可查）。"),
        )
        .with("reference", reference)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body().to_string();
        let mut response = (self.0.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.0.allow.as_deref().and_then(|a| HeaderValue::from_str(a).ok()) {
            headers.insert(header::ALLOW, allow);
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"yishi\""));
        }
        response
    }
}
