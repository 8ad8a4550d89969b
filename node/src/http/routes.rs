//! The table of addresses: what is where, who may ask, and the words of the OpenAPI document.
//!
//! Router, access check, `Allow` headers and OpenAPI all come from [`ROUTES`], so none can forget an address:
//! [`Op`] is matched exhaustively where handlers are attached.

pub use super::ops::Op;
use super::permit::Permit;

/// What a caller needs to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nobody in particular.
    Nothing,
    /// Signed in.
    SignedIn,
    /// Signed in with this permission.
    May(Permit),
}

/// One address and method.
#[derive(Debug)]
pub struct Route {
    /// The operation.
    pub op: Op,
    /// GET, POST or DELETE.
    pub method: &'static str,
    /// The path with `{parameters}`.
    pub path: &'static str,
    /// Who may ask.
    pub need: Need,
    /// Summary in English and Chinese.
    pub words: (&'static str, &'static str),
    /// Query parameters.
    pub query: &'static [&'static str],
    /// The body's schema.
    pub takes: Option<&'static str>,
    /// The status of success and the answer's schema (`""`: no body, `"bytes"`: a file).
    pub gives: (u16, &'static str),
    /// Whether it creates and so honours `Idempotency-Key`.
    pub creates: bool,
}

const PAGED: &[&str] = &["limit", "cursor"];
const LISTED: &[&str] =
    &["stage", "holder", "home", "category", "q", "due", "untold", "open", "sort", "limit", "cursor"];

const fn read(
    op: Op,
    path: &'static str,
    need: Need,
    words: (&'static str, &'static str),
    query: &'static [&'static str],
    gives: &'static str,
) -> Route {
    Route { op, method: "GET", path, need, words, query, takes: None, gives: (200, gives), creates: false }
}

const fn create(
    op: Op,
    path: &'static str,
    need: Need,
    words: (&'static str, &'static str),
    takes: &'static str,
    gives: (u16, &'static str),
) -> Route {
    Route { op, method: "POST", path, need, words, query: &[], takes: Some(takes), gives, creates: true }
}

/// What is asked with a body and changes nothing.
const fn tried(
    op: Op,
    path: &'static str,
    need: Need,
    words: (&'static str, &'static str),
    takes: &'static str,
    gives: &'static str,
) -> Route {
    let gives = (200, gives);
    Route { op, method: "POST", path, need, words, query: &[], takes: Some(takes), gives, creates: false }
}

const fn ended(op: Op, path: &'static str, need: Need, words: (&'static str, &'static str)) -> Route {
    Route {
        op,
        method: "DELETE",
        path,
        need,
        words,
        query: &[],
        takes: None,
        gives: (204, ""),
        creates: false,
    }
}

const READ: Need = Need::May(Permit::Read);
const REPORT: Need = Need::May(Permit::Report);
const MACHINE: Need = Need::May(Permit::Machine);

/// Every address of the API.
pub const ROUTES: &[Route] = &[
    read(
        Op::Node,
        "/api/v1/node",
        Need::SignedIn,
        ("This node and its place", "本机和所在单位"),
        &[],
        "Node",
    ),
    read(Op::Places, "/api/v1/places", READ, ("Places known here", "已知的上下级单位"), &[], "Places"),
    create(
        Op::Invite,
        "/api/v1/places/invites",
        Need::May(Permit::Places),
        ("Invite a place below", "邀请下级单位加入"),
        "NewInvite",
        (201, "Invite"),
    ),
    create(
        Op::Revoke,
        "/api/v1/places/{place}/revoke",
        Need::May(Permit::Places),
        ("Revoke a place's certificates", "吊销下级单位的证书"),
        "NewRevocation",
        (200, "Revoked"),
    ),
    create(
        Op::Admit,
        "/api/v1/places/{place}/admit",
        Need::May(Permit::Places),
        ("Let count what a revoked key wrote", "采纳已吊销证书下写的内容"),
        "NewAdmission",
        (200, "Admission"),
    ),
    create(
        Op::Place,
        "/api/v1/places/{place}/placement",
        Need::May(Permit::Places),
        ("Move, merge, rename or re-code a place", "划转、合并、更名、换代码"),
        "NewPlacement",
        (200, "Placement"),
    ),
    read(Op::Matters, "/api/v1/matters", READ, ("List matters", "事项列表"), LISTED, "MatterList"),
    create(
        Op::Register,
        "/api/v1/matters",
        Need::May(Permit::Report),
        ("Register a matter", "登记事项"),
        "NewMatter",
        (201, "Matter"),
    ),
    create(
        Op::Import,
        "/api/v1/matters/import",
        Need::May(Permit::Report),
        ("Take over rows of another system", "导入其他系统的工单"),
        "Import",
        (200, "Imported"),
    ),
    read(
        Op::Export,
        "/api/v1/matters/export",
        READ,
        ("Answers for another system", "导出给其他系统的答复"),
        &["system", "answered_since", "limit", "cursor"],
        "ExportList",
    ),
    read(Op::Matter, "/api/v1/matters/{ref}", READ, ("One matter", "一件事项"), &[], "Matter"),
    read(
        Op::Next,
        "/api/v1/matters/{ref}/next",
        READ,
        ("What may be done now", "现在可以办的步骤"),
        &[],
        "Next",
    ),
    Route {
        op: Op::Attach,
        method: "POST",
        path: "/api/v1/matters/{ref}/attachments",
        need: Need::May(Permit::Report),
        words: ("Put a photo to a matter", "给事项放一张照片"),
        query: &["about", "caption"],
        takes: Some("picture"),
        gives: (201, "Acted"),
        creates: true,
    },
    create(
        Op::KeepFile,
        "/api/v1/attachments",
        REPORT,
        ("Bring a photo", "上传照片"),
        "picture",
        (201, "KeptFile"),
    ),
    read(Op::File, "/api/v1/attachments/{file}", READ, ("A photo", "一张照片"), &[], "bytes"),
    read(Op::Files, "/api/v1/attachments", MACHINE, ("Photos known here", "照片列表"), PAGED, "FileList"),
    Route {
        op: Op::LetGo,
        method: "POST",
        path: "/api/v1/attachments/{file}/let-go",
        need: MACHINE,
        words: ("Let a photo go that the place above has", "清出上级已有的照片"),
        query: &[],
        takes: None,
        gives: (200, "File"),
        creates: true,
    },
    read(
        Op::Similar,
        "/api/v1/matters/{ref}/similar",
        READ,
        ("Matters that may be the same", "相似的事项"),
        &[],
        "SimilarList",
    ),
    tried(
        Op::SimilarText,
        "/api/v1/similar",
        READ,
        ("Matters like a text, before it is registered", "登记前查找相似的事项"),
        "SimilarText",
        "SimilarList",
    ),
    read(Op::Sheets, "/api/v1/sheets", READ, ("Sheets there are", "可以生成的表格"), &[], "SheetKinds"),
    read(
        Op::Sheet,
        "/api/v1/sheets/{name}",
        READ,
        (
            "One sheet, derived: JSON, or with format= csv, xlsx or html; names=yes needs the permission Petitioner",
            "一张表格，由记录生成：JSON，或用 format= 取 csv、xlsx、html；names=yes 须有打开反映人信息的权限",
        ),
        &[
            "format",
            "lang",
            "matter",
            "home",
            "since",
            "until",
            "quarter",
            "month",
            "year",
            "names",
            "rate_yuan",
            "body",
        ],
        "Sheet",
    ),
    read(Op::Forms, "/api/v1/forms", READ, ("Forms filled here", "本机可填的表格"), &[], "FormList"),
    tried(
        Op::StageForm,
        "/api/v1/forms/stage",
        Need::May(Permit::Places),
        ("What is found in a form", "试上传表格：认出哪些单元格"),
        "NewForm",
        "StagedForm",
    ),
    create(
        Op::KeepForm,
        "/api/v1/forms",
        Need::May(Permit::Places),
        ("Keep a form at this node", "上传表格"),
        "NewForm",
        (201, "StagedForm"),
    ),
    read(
        Op::FillForm,
        "/api/v1/forms/{name}",
        READ,
        ("A form, filled; partial=yes also from part of it", "填好的表格；partial=yes 数据不全也填"),
        &["quarter", "home", "partial", "lang"],
        "bytes",
    ),
    ended(
        Op::RemoveForm,
        "/api/v1/forms/{name}",
        Need::May(Permit::Places),
        ("Take a form away", "删除表格"),
    ),
    create(
        Op::Act,
        "/api/v1/matters/{ref}/acts",
        Need::May(Permit::Report),
        ("Take a step", "办理一步"),
        "Act",
        (200, "Acted"),
    ),
    read(
        Op::Petitioner,
        "/api/v1/matters/{ref}/petitioner",
        Need::May(Permit::Petitioner),
        ("Open the petitioner's identity", "查看来访人身份"),
        &[],
        "Petitioner",
    ),
    create(
        Op::Forget,
        "/api/v1/matters/{ref}/forget",
        Need::May(Permit::Petitioner),
        ("Have the petitioner forgotten", "忘记来访人"),
        "Forget",
        (200, "Forgetting"),
    ),
    read(
        Op::Forgetting,
        "/api/v1/matters/{ref}/forget",
        Need::May(Permit::Petitioner),
        ("Who has forgotten the petitioner", "各级是否已忘记来访人"),
        &[],
        "Forgetting",
    ),
    read(
        Op::Document,
        "/api/v1/matters/{ref}/document",
        READ,
        ("The Automerge document", "Automerge 文档原件"),
        &[],
        "bytes",
    ),
    read(
        Op::Changes,
        "/api/v1/matters/{ref}/changes",
        READ,
        ("The document's changes", "文档的逐次改动"),
        &[],
        "Changes",
    ),
    read(
        Op::Announcements,
        "/api/v1/notices",
        READ,
        ("What places made known", "通知列表"),
        &["sort", "all", "limit", "cursor"],
        "AnnouncementList",
    ),
    create(
        Op::Announce,
        "/api/v1/notices",
        Need::May(Permit::Decide),
        ("Make something known", "发通知"),
        "NewAnnouncement",
        (201, "Announcement"),
    ),
    tried(
        Op::StageAnnouncement,
        "/api/v1/notices/stage",
        Need::May(Permit::Decide),
        ("Show whom a notice would reach", "发通知前先看"),
        "NewAnnouncement",
        "StagedAnnouncement",
    ),
    read(Op::Announcement, "/api/v1/notices/{id}", READ, ("One notice", "一份通知"), &[], "Announcement"),
    create(
        Op::Recall,
        "/api/v1/notices/{id}/recall",
        Need::May(Permit::Decide),
        ("Take a notice back", "收回通知"),
        "Reason",
        (200, "Announcement"),
    ),
    read(
        Op::Stub,
        "/api/v1/stubs/{ref}",
        READ,
        ("What a register says of a matter below", "下级登记表里的摘要"),
        &[],
        "Stub",
    ),
    create(
        Op::OpenStub,
        "/api/v1/stubs/{ref}/open",
        Need::May(Permit::TakeOver),
        ("Open a matter below on record", "调阅下级事项"),
        "Reason",
        (200, "Stub"),
    ),
    read(Op::Outcomes, "/api/v1/outcomes", READ, ("List outcomes", "决定列表"), PAGED, "OutcomeList"),
    create(
        Op::Decide,
        "/api/v1/outcomes",
        Need::May(Permit::Decide),
        ("Record a decision", "记录决定"),
        "NewOutcome",
        (201, "Outcome"),
    ),
    read(Op::Outcome, "/api/v1/outcomes/{ref}", READ, ("One outcome", "一项决定"), &[], "Outcome"),
    read(
        Op::Procedures,
        "/api/v1/procedures",
        READ,
        ("Procedures in force", "现行议事程序"),
        &[],
        "ProcedureList",
    ),
    read(
        Op::ProcedureFile,
        "/api/v1/procedures/{procedure}",
        READ,
        ("The file of a procedure", "议事程序文件"),
        &[],
        "ProcedureFile",
    ),
    tried(
        Op::StageProcedure,
        "/api/v1/procedures/stage",
        Need::May(Permit::Places),
        ("What issuing a file would do", "试发布议事程序"),
        "NewProcedure",
        "StagedProcedure",
    ),
    create(
        Op::IssueProcedure,
        "/api/v1/procedures",
        Need::May(Permit::Places),
        ("Issue a procedure", "发布议事程序"),
        "NewProcedure",
        (201, "StagedProcedure"),
    ),
    read(Op::Charter, "/api/v1/charter", READ, ("The charter of a place", "章程"), &["place"], "Charter"),
    read(
        Op::CharterFile,
        "/api/v1/charter/file",
        READ,
        ("The file of its articles", "章程文件"),
        &["place"],
        "CharterFile",
    ),
    tried(
        Op::StageCharter,
        "/api/v1/charter/stage",
        Need::May(Permit::Places),
        ("What issuing a charter would do", "试发布章程"),
        "NewCharter",
        "StagedCharter",
    ),
    create(
        Op::IssueCharter,
        "/api/v1/charter",
        Need::May(Permit::Places),
        ("Issue a charter", "发布章程"),
        "NewCharter",
        (201, "StagedCharter"),
    ),
    tried(
        Op::StageNotice,
        "/api/v1/charter/notices/stage",
        Need::May(Permit::Places),
        ("What issuing a holiday notice would change", "试发布放假通知"),
        "NewNotice",
        "StagedNotice",
    ),
    create(
        Op::IssueNotice,
        "/api/v1/charter/notices",
        Need::May(Permit::Places),
        ("Issue a year's holiday notice", "发布放假通知"),
        "NewNotice",
        (201, "StagedNotice"),
    ),
    read(
        Op::Handover,
        "/api/v1/charter/handover",
        READ,
        ("What is handed over at the end of a term", "移交清单"),
        &[],
        "Handover",
    ),
    read(
        Op::Supervision,
        "/api/v1/supervision",
        READ,
        ("What is late, who is not heard from, what arrived late", "督办"),
        &[],
        "Supervision",
    ),
    read(Op::Link, "/api/v1/link", READ, ("The links up and down", "上下级连接"), &[], "Links"),
    Route {
        op: Op::Reconnect,
        method: "POST",
        path: "/api/v1/link/reconnect",
        need: Need::May(Permit::Places),
        words: ("Dial the parent now", "立即重连上级"),
        query: &[],
        takes: None,
        gives: (202, ""),
        creates: false,
    },
    read(
        Op::Users,
        "/api/v1/users",
        Need::May(Permit::People),
        ("People of this place", "本单位人员"),
        PAGED,
        "UserList",
    ),
    create(
        Op::AddUser,
        "/api/v1/users",
        Need::May(Permit::People),
        ("Add a person", "添加人员"),
        "NewUser",
        (201, "User"),
    ),
    read(
        Op::Tokens,
        "/api/v1/tokens",
        Need::May(Permit::Machine),
        ("Tokens of programs", "程序令牌"),
        PAGED,
        "TokenList",
    ),
    create(
        Op::AddToken,
        "/api/v1/tokens",
        Need::May(Permit::Machine),
        ("Make a token", "新建令牌"),
        "NewToken",
        (201, "MadeToken"),
    ),
    ended(Op::EndToken, "/api/v1/tokens/{id}", Need::May(Permit::Machine), ("Withdraw a token", "撤销令牌")),
    Route {
        op: Op::SignIn,
        method: "POST",
        path: "/api/v1/session",
        need: Need::Nothing,
        words: ("Sign in", "登录"),
        query: &[],
        takes: Some("SignIn"),
        gives: (204, ""),
        creates: false,
    },
    ended(Op::SignOut, "/api/v1/session", Need::Nothing, ("Sign out", "退出")),
    read(
        Op::OpenApi,
        "/api/v1/openapi.json",
        Need::Nothing,
        ("This description", "本接口说明"),
        &[],
        "OpenApi",
    ),
];

/// The methods an address takes, for `Allow`.
#[must_use]
pub fn methods_at(path: &str) -> String {
    let mut methods: Vec<&str> = ROUTES.iter().filter(|r| r.path == path).map(|r| r.method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_address_stands_twice() {
        let all: BTreeSet<_> = ROUTES.iter().map(|r| (r.method, r.path)).collect();
        assert_eq!(all.len(), ROUTES.len());
        let ops: BTreeSet<_> = ROUTES.iter().map(|r| format!("{:?}", r.op)).collect();
        assert_eq!(ops.len(), ROUTES.len());
    }

    #[test]
    fn what_changes_something_needs_a_permission() {
        for r in ROUTES {
            let sign_in = matches!(r.op, Op::SignIn | Op::SignOut);
            assert!(r.method == "GET" || sign_in || matches!(r.need, Need::May(_)), "{:?}", r.op);
        }
    }

    #[test]
    fn allow_lists_the_methods() {
        assert_eq!(methods_at("/api/v1/matters"), "GET, POST, HEAD");
        assert_eq!(methods_at("/api/v1/session"), "POST, DELETE");
    }
}
