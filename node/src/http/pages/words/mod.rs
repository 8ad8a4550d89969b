//! The words of the pages: each once, in both languages.
//!
//! Chinese as a colleague would say it, English complete. Names the actions give in Chinese (`stage_zh`,
//! `kind_zh`) have their English here. What one kind of page alone says stands in a file of its own.

pub(super) mod board;
pub(super) mod collect;
pub(super) mod dashboard;
pub(super) mod inbox;
pub(super) mod notices;
pub(super) mod photos;

use crate::http::lang::Lang;

/// One text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http::pages) struct Word(
    pub(in crate::http::pages) &'static str,
    pub(in crate::http::pages) &'static str,
);

impl Word {
    /// The text in one language.
    pub(super) fn of(self, lang: Lang) -> &'static str {
        lang.of(self.0, self.1)
    }
}

macro_rules! words {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        $(pub(in crate::http::pages) const $name: $crate::http::pages::words::Word =
            $crate::http::pages::words::Word($zh, $en);)*
        #[cfg(test)]
        pub(super) const ALL: &[(&str, $crate::http::pages::words::Word)] = &[$((stringify!($name), $name)),*];
    };
}
use words;

/// How a member was at a meeting.
pub(super) const ROLL: [(&str, Word); 3] = [
    ("present", Word("到会", "there")),
    ("remote", Word("远程", "from afar")),
    ("absent", Word("缺席", "absent")),
];
/// How a member voted.
pub(super) const VOTES: [(&str, Word); 3] = [
    ("for", Word("同意", "for")),
    ("against", Word("反对", "against")),
    ("abstain", Word("弃权", "abstains")),
];

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
    NEXT_NOT_YOURS: "这一件现在没有您要办的。可办的人登录后，这里会列出步骤。", "Nothing here is for you to do now. Whoever may act sees the steps here.";
    MORE: "更多", "More";
    NOT_NOW: "现在不能办的，和原因", "What cannot be done now, and why";
    NEW: "登记事项", "Register a matter";
    NEW_SAID: "群众说了什么", "What was said";
    NEW_SAID_HINT: "只有这一项必填。照原话写就行；身份证号和电话会自动转到密封信息里。", "Only this is compulsory. Write it as it was said; identity and telephone numbers are moved to the sealed part.";
    NEW_MORE: "更多：来源、渠道、类别、反映人", "More: source, channel, category, who raised it";
    NEW_SETTLE: "当场办结", "Settle on the spot";
    NEW_SETTLE_LABEL: "当场怎么答复的", "What was answered on the spot";
    NEW_SETTLE_HINT: "填了就连登记带办结一次完成；不填就只登记。", "Filled in, it is registered and closed in one go; left empty, it is only registered.";
    NEW_TOLD: "本人在场，已经当面说清楚", "They were there and heard it";
    NEW_TOLD_HINT: "不在场就去掉勾：这一件会留在“待告知”里，提醒告诉本人。", "If they were not, take the tick away: it then stands under To be told.";
    NEW_BEFORE: "这一张已经登记过了，再按“登记”也不会多出一件。", "This very form was registered; pressing Register again makes no second matter.";
    NEW_SAVE: "登记", "Register";
    NEW_SAVE_HINT: "登记后出现在事项列表里，并给一张可以打印的回执。", "It then appears in the list, and a receipt can be printed.";
    TITLE: "标题", "Title";
    TITLE_HINT: "不填就用第一句话。", "Left empty, the first sentence is used.";
    CATEGORY: "类别", "Category";
    SOURCE: "来源", "Source";
    CHANNEL: "渠道", "Channel";
    PETITIONER_KIND: "反映人身份", "Who raised it";
    PETITIONER_NAME: "姓名（密封）", "Name (sealed)";
    PETITIONER_PHONE: "电话（密封）", "Telephone (sealed)";
    PETITIONER_ADDRESS: "住址（密封）", "Address (sealed)";
    PETITIONER_HINT: "姓名、电话、住址单独密封，列表和公开栏里都看不到。", "Name, telephone and address are sealed apart; no list and no board shows them.";
    PETITIONER_NAMED: "实名", "Named";
    PETITIONER_ANONYMOUS: "匿名", "Anonymous";
    PETITIONER_PROXY: "代人反映", "By proxy";
    REGISTERED_ONCE: "刚才那一份已经登记好了。如果这是另一件事，请核对后再按一次“登记”。", "The form sent before is registered. If this is another matter, check it and press “Register” again.";
    RECEIPT: "回执", "Receipt";
    RECEIPT_DONE: "已登记。把回执打印或抄给来访人。", "Registered. Print the receipt for the visitor, or copy it.";
    RECEIPT_MOVED: "文字里的身份证号或电话已转入密封信息，原处留了记号。", "Identity or telephone numbers in the text were moved to the sealed part; a mark stands in their place.";
    RECEIPT_SETTLED: "已当场答复并办结。", "Answered and closed on the spot.";
    RECEIPT_ASK: "凭编号和校验码可以查办到哪一步：到登记单位问，或打开", "With number and check code one can ask how it stands: at the place that registered it, or at";
    RECEIPT_PRINT: "打印：在浏览器菜单里选“打印”。没有打印机，就把编号和校验码抄在纸条上。", "To print, choose “Print” in the browser's menu. Without a printer, copy number and check code on a slip.";
    RECEIPT_SIGN: "经手人（签名）", "Taken by (signature)";
    RECEIPT_STAMP: "单位（盖章）", "Place (stamp)";
    TO_TELL_SHEET: "打印待告知清单", "Print the list of whom to tell";
    SHEETS: "表格", "Sheets";
    SHEETS_OF: "本件的表格", "Sheets of this matter";
    SHEETS_HINT: "表格由记录自动生成，不用另填。看不到的，说明还没有记下来。", "Sheets are made of what is on record; nothing is filled in again. What is missing was not written down yet.";
    SHEET_MATTER: "事项编号", "Number of the matter";
    SHEET_HOME: "登记单位（不填为全部）", "Registered by (all if empty)";
    SHEET_SINCE: "从哪天", "From";
    SHEET_UNTIL: "到哪天", "Until";
    SHEET_QUARTER: "季度（不填为本季度）", "Quarter (this one if empty)";
    SHEET_MONTH: "月份（不填为本月；可按年的不填为全年）", "Month (this one if empty; the whole year where a year can be asked)";
    SHEET_YEAR: "年份（不填为今年）", "Year (this one if empty)";
    SHEET_RATE: "每次会补多少元", "Yuan for one meeting";
    SHEET_BODY: "哪个会（不填为全部）", "Which body (all if empty)";
    SHEET_NAMES: "带姓名电话（查看会留记录）", "With names and telephone numbers (opening them is logged)";
    FORMS: "自己的 Excel 表", "Excel forms of one's own";
    FORMS_HINT: "在 Excel 里选中要填的单元格，在左上角的名称框写上指标名（见下），存成 .xlsx 上传。以后每季度这里给出填好的表，其余内容一个字不动。表只存在本机，不会发到上级或下级。", "Select a cell in Excel, write a figure's name (below) into the name box at the top left, save it as .xlsx and send it here. Each quarter you get it filled; nothing else in it changes. Forms are kept at this node only and travel nowhere.";
    FORMS_PERIOD: "名称后面可以带季度，如 yishi.raised.2026Q4；不带的按下载时选的季度填。加 .matters 数的是事项件数。", "A quarter may follow the name, as in yishi.raised.2026Q4; without one it is the quarter chosen when it is made. With .matters it counts matters.";
    FORMS_NAMES: "可以填的指标", "Figures that can be filled in";
    FORM_NAME: "表名", "Name of the form";
    FORM_FILE: "Excel 文件（.xlsx，不超过 1 MiB）", "Excel file (.xlsx, at most 1 MiB)";
    FORM_SHOW: "先看看认出哪些", "Show what is found";
    FORM_KEEP: "保存这张表", "Keep this form";
    FORM_REPLACES: "会替换同名的表。", "It takes the place of the form of this name.";
    FORM_FORMULAS: "表里有公式：用 Excel 或 WPS 打开时会重新计算，手机预览可能显示旧数。", "It calculates: Excel and WPS do so anew when they open it, a preview on a telephone may show old results.";
    FORM_CELL: "单元格", "Cell";
    FORM_FIGURE: "填什么", "Filled with";
    FORM_PERIOD: "季度", "Quarter";
    FORM_ASKED: "下载时选", "as chosen";
    FORM_UNKNOWN: "不认得的名称，不会填", "Names that are not known and not filled";
    FORM_PERHAPS: "是不是", "perhaps";
    FORM_FILL: "下载填好的表", "Download it filled";
    FORM_PARTIAL: "数据不全也照填", "Also where the figures are not whole";
    FORM_REMOVE: "删除这张表（已下载的不受影响）", "Remove this form (files already downloaded stay)";
    FORM_ADD: "上传、删除", "Add or remove";
    FORM_KEPT: "已保存。", "Kept.";
    FORM_NONE: "还没有上传过。", "None yet.";
    NUMBERS: "文中的号码", "The number in the text";
    NUMBERS_SEAL: "是个人号码：存入密封信息，原处写〔已封存〕", "It is a person's: seal it, and put a mark in its place";
    NUMBERS_KEEP: "不是个人号码：照原文保存", "It is nobody's: keep it as written";
    NOTE_SEALED: "文中的号码已存入反映人的密封信息，原处写作〔已封存〕。", "The number in the text went into the petitioner's sealed part; a mark stands in its place.";
    SHEET_OPEN: "查看、打印", "View and print";
    SHEET_XLSX: "下载 Excel", "Download Excel";
    SHEET_CSV: "下载 CSV", "Download CSV";
    SHEET_EMPTY: "没有可列的内容。", "There is nothing to list.";
    SHEET_PRINT: "用浏览器的打印就能打成 A4。", "Print it with the browser; it fits A4.";
    SHEET_BACK: "回到表格", "Back to the sheets";
    RECEIPT_ALIKE: "可能已经有人反映过", "Perhaps somebody raised it before";
    RECEIPT_ALIKE_HINT: "这一件已照常登记。如确是同一件事，打开来并案；不是就不用管。", "This matter is registered all the same. If they are one, open it and merge; if not, nothing is to be done.";
    ALIKE: "可能是同一件事", "Perhaps the same matter";
    ALIKE_HINT: "只是提示，是不是同一件由人决定。", "Only a hint: people decide whether they are one.";
    MERGE_INTO_THIS: "并进本件（本件牵头）", "Merge it into this one (this one leads)";
    MERGE_INTO_THAT: "本件并入它（它牵头）", "Merge this one into it (it leads)";
    RECEIPT_OPEN: "看这一件", "Open the matter";
    RECEIPT_NEXT: "再登记一件", "Register another";
    RECEIPT_LINK: "看回执", "Receipt";
    TO_BE_TYPED: "不改的就空着。", "Leave empty what stays as it is.";
    CHOOSE_NONE: "不选", "None";
    PLAIN_PROCEDURE: "不分环节，直接办理", "Without stages";
    TODAY: "今天", "Today";
    ALL_MATTERS: "全部事项", "All matters";
    MINE: "今天要办", "To do";
    MINE_NONE: "今天没有要办的。新登记的、上级退回的、下级上报的，都会出现在这里。", "Nothing is to be done today. What is registered, returned from above or passed up from below appears here.";
    TO_TELL: "待告知", "To be told";
    TO_TELL_NONE: "没有要告知的。事项有了答复，该告诉谁就列在这里。", "Nobody is to be told. Once a matter is answered, it stands here until the petitioner knows.";
    TELL_NOW: "有答复了，告诉反映人", "Answered: tell the petitioner";
    WAITING_FOR: "等别人办", "Waiting for others";
    WAITING_NONE: "没有在等别人的。交给上级或下级的事项会列在这里。", "Nothing waits for others. Matters another place holds are counted here.";
    ASK: "查办到哪一步", "How does it stand?";
    ASK_HINT: "编号和校验码在回执上。这里只显示办到哪一步、谁在办，不显示内容和姓名。", "Number and check code are on the receipt. Only stage and holder are shown, no text and no name.";
    ASK_BOTH: "编号和校验码都要填。", "Number and check code are both needed.";
    ASK_STAGE: "议事环节", "Stage of the procedure";
    ASK_NO_ANSWER: "还没有答复。", "There is no reply yet.";
    ASK_ANSWERED: "已有答复，登记单位会告诉反映人；也可以去问。", "There is a reply; the place that registered it will pass it on, and can be asked.";
    ASK_TOLD: "已答复，并已告知反映人。", "Answered, and the petitioner has been told.";
    PROCEDURES: "议事程序", "Procedures";
    PROCEDURES_HINT: "受理事项时可以选一个；选了就按它的环节走。", "One may be chosen when a matter is accepted; the matter then passes its stages.";
    PROCEDURES_NONE: "还没有可用的议事程序。", "No procedure is in force yet.";
    WITH_PROGRAM: "随程序提供", "comes with the program";
    NOT_IN_FORCE: "旧版，只用于已按它受理的事项", "an older version, for matters accepted under it";
    MAY_END: "可以答复办结", "may be answered from here";
    TIME_LIMIT: "时限：", "Time limit:";
    BODIES: "哪些会", "Bodies";
    PAPERS: "表单", "Forms";
    PIN: "版本指纹：", "Fingerprint of this version:";
    URGES: "督办", "Urged";
    S_TITLE: "督办", "Supervision";
    S_RAISED: "提级督办", "Raised one level";
    S_RAISED_NONE: "没有要提级的。", "Nothing is to be raised.";
    S_NAMED: "超期", "Late";
    S_NAMED_NONE: "没有超期的。", "Nothing is late.";
    S_SOON: "快到期", "Due soon";
    S_SOON_NONE: "三个工作日内没有到期的。", "Nothing is due within three working days.";
    S_NOT_HEARD: "没有联系上", "Not heard from";
    S_NOT_HEARD_NONE: "下级都联系得上。", "Every place below has been heard from.";
    S_LATE: "迟到", "Arrived late";
    S_LATE_NONE: "没有迟到的办理记录。", "Nothing arrived late.";
    S_LATE_ACTS: "迟到几条：", "acts that arrived late:";
    S_PLACE: "单位", "Place";
    S_LAST: "最近联系", "Last heard from";
    S_MATTERS: "过了期限、情况未知的事项", "Matters past their day, state unknown";
    S_NEVER: "从未联系", "never";
    S_URGED: "已督办", "urged on";
    S_STUB: "（下级承办，本级只看到摘要）", "(held below; only its summary is seen here)";
    BY_CHARTER: "不填就按章程的人数", "Left out, as many as the charter names";
    PERSON_HINT: "不填就是该单位的经办人", "Left out, the usual person of the unit";
    CHARTER: "章程", "Charter";
    C_ISSUE: "发布新章程", "Issue a charter";
    C_HANDOVER: "移交清单", "Hand-over list";
    C_HANDOVER_HINT: "任期届满时逐项清点，双方和监交人签字。", "Gone through when a term ends; both sides and a witness sign.";
    C_DONE: "章程已发布，本单位和下级按它办。", "The charter is issued; it binds here and below.";
    C_TODAY: "今天值班和驻点", "On duty today";
    C_NONE: "本单位还没有写章程。章程写明人员、单位、议事主体和权限，写好后填单子时就不用再打字。", "This place has no charter yet. It names people, units, bodies and powers, so that forms fill themselves.";
    C_SAME: "内容与现行章程相同。", "It says the same as the charter in force.";
    C_FILE: "章程文件", "The file of the charter";
    C_BODIES: "议事主体", "Bodies";
    C_BODY: "名称", "Body";
    C_TERM: "任期", "Term";
    C_COUNT: "人数", "How many";
    C_MEMBERS: "成员", "Members";
    C_UNITS: "单位", "Units";
    C_UNIT: "单位", "Unit";
    C_HANDLERS: "经办人", "Handled by";
    C_NOTE: "说明", "Note";
    C_EXTERNAL: "不用本系统，答复由人转录", "has no seat here; replies are passed on";
    C_COLLECTORS: "民情专递员", "Collectors";
    C_NAME: "姓名", "Name";
    C_AREA: "片区", "Area";
    C_ALLOWANCE: "每月补贴（元）", "Allowance a month, yuan";
    C_STATIONS: "驻点", "Stations";
    C_STATION: "驻点", "Station";
    C_DAYS: "星期", "Weekdays";
    C_HOURS: "时间", "Hours";
    C_WHO: "谁在", "Who";
    C_ROTAS: "值班", "Rotas";
    C_ROTA: "值班", "Rota";
    C_EVERY: "轮换", "Hands over";
    C_ORDER: "次序", "In turn";
    C_CATEGORIES: "事项分类", "Categories";
    C_CATEGORY: "分类", "Category";
    C_UNDER: "归在", "Under";
    C_BY: "谁定的", "Declared by";
    C_ALL: "全部", "all";
    C_POWERS: "权限清单", "Who may decide";
    C_POWER: "权限", "Power";
    C_LEVEL: "哪一级", "Level";
    C_UP_TO: "最多（元）", "Up to, yuan";
    C_BASIS: "依据", "Rests on";
    C_CUSTODY: "保管物品", "Kept things";
    C_CUSTODY_NONE: "章程里没有写保管物品。", "The charter names nothing that is kept.";
    C_WHAT: "物品", "Thing";
    C_KEEPER: "保管人", "Kept by";
    C_TAKEN_BY: "接收人", "Taken over by";
    C_LEAVES: "任期届满", "term ends";
    C_CALENDAR: "放假调休", "Holidays and make-up days";
    C_YEAR: "年份", "Year";
    C_ISSUED_ON: "发布日期", "Issued on";
    C_OPEN: "未办结事项", "Open matters";
    C_OPEN_NONE: "没有未办结的事项。", "Nothing is open.";
    C_NO: "编号", "Number";
    C_TITLE: "事项", "Matter";
    C_STAGE: "环节", "Stage";
    C_DUE: "期限", "Due";
    C_MORE: "还有更多，请到事项列表查看。", "There are more; see the list of matters.";
    C_HANDS: "移交人：", "Handed over by:";
    C_TAKES: "接收人：", "Taken over by:";
    C_WATCHES: "监交人：", "Witness:";
    ISSUE: "发布议事程序", "Issue a procedure";
    ISSUE_SHOW: "先看一看", "Show what it does";
    ISSUE_APPLY: "发布", "Issue it";
    ISSUE_DONE: "已发布。本单位和下级受理事项时就可以选它。", "Issued. It can be chosen here and below when a matter is accepted.";
    ISSUE_HINT: "先看一看不会改变什么；核对无误后再按“发布”。", "Showing changes nothing; check it, then press “Issue it”.";
    ISSUE_EMPTY: "还没有选文件，也没有粘贴内容。没有发布。", "No file was chosen and nothing pasted. Nothing was issued.";
    ISSUE_UPLOAD: "选程序文件", "Choose the file";
    ISSUE_PASTE: "或者把文件内容贴在这里", "Or paste it here";
    ISSUE_ERROR: "要改", "Must be mended";
    ISSUE_WARNING: "请留意", "Please note";
    ISSUE_UNREADABLE: "这份文件还不能发布，请照下面改好再看。", "This file cannot be issued yet; mend what is listed below.";
    ISSUE_NEW: "这是新的程序，发布后本单位和下级受理事项时就可以选它。", "This is a new procedure; once issued, it can be chosen here and below.";
    ACT_ONCE: "这一步刚才已经记下了，没有重复记。要再记一次，请核对后再按。", "This step is already on record and was not taken twice. To take another, check it and press again.";
    ACT_NUMBERS: "文字里像是有身份证号或手机号，已照原文保存，看得到这件事项的人都能看到。如是群众个人信息，请用“更正”改掉。", "The text seems to hold an identity or mobile number and was saved as written, for everybody who sees the matter. If it is a resident's, correct it.";
    SAVED_BEFORE: "您刚才填的（没有保存）", "What you typed (not saved)";
    DAY_HINT: "不填就是今天。", "Left empty: today.";
    LACKS: "进入下一步还缺", "Still lacking before the next stage";
    GRADE: "等级", "Grade";
    URGENCY: "紧急程度", "Urgency";
    PAUSED: "已中止，时限暂停，自", "Paused, no time runs, since";
    ASSIGNED: "交办", "Assigned";
    RECORDS: "填过的表单", "Forms filled in";
    MEETINGS: "会议", "Meetings";
    BALLOTS: "表决", "Votes";
    POSTS: "公示", "Notices";
    SUMMONSES: "约请", "Summonses";
    MONEY: "经费", "Money";
    BUDGET: "预算", "Budget";
    SPENT: "已支出", "Spent";
    LEFT: "结余", "Left";
    OUTCOMES: "决定", "Decisions";
    RATINGS: "评价", "Ratings";
    REPLIED: "回复", "Reply";
    OBJECTION: "异议", "Objection";
    NO_REPLY: "还没回复", "No reply yet";
    RELAYED: "转述", "passed on";
    YES: "是", "yes";
    NO: "否", "no";
    QUORATE: "到会人数够", "quorum reached";
    NOT_QUORATE: "到会人数不够", "no quorum";
    CONTINUE: "继续提交", "Send it now";
    CONTINUE_TITLE: "刚才填的还在", "What you typed is still here";
    CONTINUE_WORDS: "登录换过了，刚才的内容还没有提交。请核对，再按“继续提交”。", "The sign-in had changed, so nothing was saved yet. Check it, then press “Send it now”.";
    CARRIED: "登录超时了，刚才填的内容没有丢：登录后核对一下再提交。", "The session had ended. What you typed is kept: sign in, check it, and send it.";
    DROP: "不要了", "Drop it";
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
    CHECK_CODE: "校验码", "Check code";
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
    STOOD_DOWN: "本单位已由上级准许的另一台机器接管，这台只供查看，不能写入。请到新机器上办理；没送到上级的，“上下级”页列着。", "Another machine, certified from above, has taken this place over: this one can be read and not written. Work on the new one; what had not reached the place above is listed under Links.";
    LINK_BROKEN: "对方发来的内容不合约定", "the other side broke the protocol";
    FOR_OPERATOR: "给维护人员：", "For the operator: ";
    BACK_TO_LIST: "回到事项列表", "Back to the matters";
    STORED: "已存", "stored";
    ARRIVED_THERE: "已到", "arrived";
    WAITS: "未到", "waiting";
    TODAY_DUE: "今天到期", "due today";
    PAGE_MISSING: "没有这一页", "No such page";
    PAGE_MISSING_WORDS: "这个地址没有内容，也没有改动什么。请核对地址，或者从下面回去。", "Nothing is at this address, and nothing was changed. Check the address, or go back from here.";
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
    ("absorb", "others merged into this"),
    ("unmerge", "unmerged"),
    ("release", "released from the merge"),
    ("decide", "decided"),
    ("answer", "answered"),
    ("advance", "moved on"),
    ("assign", "assigned"),
    ("urge", "urged"),
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
    ("attach", "photo added"),
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
        // Each half of a merge as it reads in its own matter.
        Lang::Zh if kind == "absorb" => "并案",
        Lang::Zh if kind == "merge" => "并入牵头事项",
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
        let rooms = [
            ALL,
            board::ALL,
            collect::ALL,
            collect::SPOKEN,
            dashboard::ALL,
            inbox::ALL,
            notices::ALL,
            photos::ALL,
        ];
        for (name, Word(zh, en)) in rooms.concat() {
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
