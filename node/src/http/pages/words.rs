//! The words of the pages: each once, in both languages.
//!
//! Chinese as a colleague would say it, English complete. Names the actions give in Chinese (`stage_zh`,
//! `kind_zh`) have their English here.

use crate::http::lang::Lang;

/// One text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(pub(super) &'static str, pub(super) &'static str);

impl Word {
    /// The text in one language.
    pub(super) fn of(self, lang: Lang) -> &'static str {
        lang.of(self.0, self.1)
    }
}

macro_rules! words {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        $(pub(super) const $name: Word = Word($zh, $en);)*
        #[cfg(test)]
        const ALL: &[(&str, Word)] = &[$((stringify!($name), $name)),*];
    };
}

words! {
    SKIP: "跳到内容", "Skip to content";
    NAVIGATION: "栏目", "Sections";
    MATTERS: "事项", "Matters";
    LINKS: "上下级连接", "Links";
    OTHER_LANGUAGE: "English", "中文";
    OTHER_TAG: "en", "zh-CN";
    SIGN_IN: "登录", "Sign in";
    SIGN_OUT: "退出", "Sign out";
    LOCAL_PERSON: "本机管理员", "Local administrator";
    ADMINISTRATOR: "管理员", "administrator";
    FILTERS: "分类查看", "Views";
    KIND_ALL: "全部", "All";
    KIND_OPEN: "未办结", "Open";
    KIND_SOON: "快到期", "Due soon";
    KIND_OVER: "超期", "Overdue";
    KIND_UNTOLD: "待告知", "To be told";
    STAGE: "阶段", "Stage";
    ALL_STAGES: "所有阶段", "All stages";
    WORDS: "查找", "Search";
    WORDS_HINT: "编号或标题", "Number or title";
    FIND: "查看", "Show";
    NUMBER: "编号", "Number";
    MATTER: "事项", "Matter";
    HOLDER: "承办", "With";
    DEADLINE: "期限", "Deadline";
    ARRIVED: "送达", "Arrived at";
    PAGES: "翻页", "Pages";
    FIRST_PAGE: "回到第一页", "First page";
    NEXT_PAGE: "下一页", "Next page";
    NOTHING_FOUND: "没有符合条件的事项。换一个阶段或少写几个字再试。", "No matter fits. Try another stage or fewer words.";
    SHOW_ALL: "查看全部", "Show all";
    NO_MATTERS: "还没有登记事项。群众来反映问题时，登记一件，就会列在这里。", "No matter is registered yet. When somebody raises one, register it and it appears here.";
    PROVISIONAL: "（放假安排未公布，日期为暂定）", "(holidays not announced yet, the day is provisional)";
    NEXT: "下一步可以办", "What can be done next";
    NEXT_HOW: "在办理机上用 yishi 命令办，办完这里就能看到。", "Take it with the yishi command; it then shows here.";
    SAID: "反映内容", "What was said";
    ANSWERS: "答复", "Reply";
    TOLD: "已告知本人", "told to the petitioner";
    UNTOLD: "还没告知本人", "not told yet";
    PAST: "经过", "What happened";
    HOME: "登记单位", "Registered by";
    RAISED_ON: "反映日期", "Raised on";
    PETITIONER: "反映人", "Petitioner";
    NAMED: "实名，身份已封存", "named, identity sealed";
    ANONYMOUS: "匿名", "anonymous";
    PROXY: "代为反映，身份已封存", "by proxy, identity sealed";
    SUPPORTS: "附议", "Supported by";
    MERGED_INTO: "并入", "Merged into";
    SEE_LEAD: "看牵头事项", "see the lead";
    SOURCES: "并案", "Leads";
    EXTERNAL: "外部编号", "Number elsewhere";
    CHECK_CODE: "查询码", "Check code";
    NOT_YOURS: "登录后可看内容、答复和经过。", "Sign in to see the text, the replies and what happened.";
    NAME: "账号", "Name";
    PASSWORD: "密码", "Password";
    SIGN_IN_HINT: "忘了密码请找管理员重设。还没有账号的，由管理员在本机添加。", "If you forgot the password, ask the administrator. Accounts are added by the administrator on this machine.";
    SIGN_IN_FIRST: "请先登录，再看这一页。", "Please sign in to see this page.";
    NO_LINKS: "本单位还没有上级或下级连接。上级发来邀请后即可连接。", "No place above or below is linked yet. It begins with an invitation from above.";
    ABOVE: "上级", "above";
    BELOW: "下级", "below";
    WAITING: "待送达", "Waiting";
    SENT: "已发出", "Sent";
    STORED_THERE: "对方已存", "Stored there";
    RECEIVED: "已收到", "Received";
    REFUSED: "未收下", "Not taken";
    LINK_UP: "已连通", "connected";
    LINK_DOWN: "没有连通", "not connected";
    LINK_CONNECTING: "正在连接", "connecting";
    LINK_REFUSED: "对方不接受", "not accepted";
    LINK_BROKEN: "对方发来的内容不合约定", "the other side broke the protocol";
    FOR_OPERATOR: "给维护人员：", "For the operator: ";
    BACK_TO_LIST: "回到事项列表", "Back to the matters";
    STORED: "已存", "stored";
    ARRIVED_THERE: "已到", "arrived";
    WAITS: "未到", "waiting";
    TODAY_DUE: "今天到期", "due today";
    PAGE_MISSING: "没有这一页", "No such page";
    NOT_DONE: "没有办成", "Not done";
}

const STAGES: &[(&str, &str, &str)] = &[
    ("registered", "已登记", "registered"),
    ("accepted", "已受理", "accepted"),
    ("refused", "不予受理", "refused"),
    ("handling", "办理中", "in hand"),
    ("escalated", "已上报", "escalated"),
    ("returned", "已退回", "returned"),
    ("merged", "已并案", "merged"),
    ("decided", "已决定", "decided"),
    ("referred", "已转出", "referred"),
    ("answered", "已答复", "answered"),
    ("closed", "已办结", "closed"),
    ("withdrawn", "已撤回", "withdrawn"),
    ("reopened", "重新办理", "reopened"),
];

const ACTS: &[(&str, &str)] = &[
    ("register", "registered"),
    ("accept", "accepted"),
    ("refuse", "refused"),
    ("handle", "handled"),
    ("escalate", "escalated"),
    ("return", "returned"),
    ("merge", "merged"),
    ("unmerge", "unmerged"),
    ("release", "released from the merge"),
    ("decide", "decided"),
    ("answer", "answered"),
    ("advance", "moved on"),
    ("assign", "assigned"),
    ("extend", "extended"),
    ("pause", "paused"),
    ("resume", "resumed"),
    ("refer", "referred elsewhere"),
    ("call", "meeting called"),
    ("meet", "met"),
    ("record", "recorded"),
    ("post", "posted"),
    ("object", "objection"),
    ("summon", "summoned"),
    ("respond", "response"),
    ("tell", "told"),
    ("rate", "rated"),
    ("close", "closed"),
    ("reopen", "reopened"),
    ("withdraw", "withdrawn"),
    ("correct", "corrected"),
    ("comment", "comment"),
    ("support", "support"),
    ("ballot", "ballot"),
    ("take_over", "taken over"),
    ("settle", "settled"),
];

/// The stages with their names, in the order of handling.
pub(super) fn stages(lang: Lang) -> impl Iterator<Item = (&'static str, &'static str)> {
    STAGES.iter().map(move |(code, zh, en)| (*code, lang.of(zh, en)))
}

/// The name of a stage; a stage of a newer program keeps the Chinese name it came with.
pub(super) fn stage<'a>(code: &'a str, zh: &'a str, lang: Lang) -> &'a str {
    match (lang, STAGES.iter().find(|(c, ..)| *c == code)) {
        (Lang::En, Some((.., en))) => en,
        (Lang::En, None) => code,
        (Lang::Zh, _) => zh,
    }
}

/// The name of an act.
pub(super) fn act<'a>(kind: &'a str, zh: &'a str, lang: Lang) -> &'a str {
    match lang {
        Lang::Zh => zh,
        Lang::En => ACTS.iter().find(|(k, _)| *k == kind).map_or(kind, |(_, en)| en),
    }
}

/// How a stage is drawn: `done` full, `work` half, `stop` a bar, `wait` open.
pub(super) fn tone(stage: &str) -> &'static str {
    match stage {
        "answered" | "closed" | "decided" => "done",
        "accepted" | "handling" | "escalated" | "reopened" => "work",
        "refused" | "withdrawn" | "merged" => "stop",
        _ => "wait",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_there_in_both_languages() {
        for (name, Word(zh, en)) in ALL {
            assert!(!zh.is_empty() && !en.is_empty(), "{name}");
            let chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
            if !name.starts_with("OTHER_") {
                assert!(zh.chars().any(chinese), "{name} is not Chinese");
                assert!(!en.chars().any(chinese), "{name} is not English");
            }
            for banned in ["同步失败", "无效操作", "未知错误", "节点", "哈希", "冲突"] {
                assert!(!zh.contains(banned), "{name} says {banned}");
            }
        }
    }
}
