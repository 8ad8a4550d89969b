//! What the pages of notices and of opened matters say.

super::words! {
    TITLE: "通知", "Notices";
    INTRO: "上级发来的和本单位发出的通知、督办事项、议题征集和可用资源。", "Announcements, directives, calls for topics and resources on offer, from above and of this place.";
    NEW: "发通知", "Give notice";
    NONE: "现在没有通知。上级发来的会出现在这里；给下级发通知，点“发通知”。", "There is no notice now. What is given above appears here; press “Give notice” to tell the places below.";
    NONE_VILLAGE: "现在没有通知。上级发来的会出现在这里。", "There is no notice now. What is given above appears here.";
    IN_FORCE: "有效的", "In force";
    WITH_OVER: "全部，含过期和收回的", "All, also over or taken back";
    OVER: "已过期", "over";
    RECALLED: "已收回", "taken back";
    SORT: "种类", "Sort";
    ANNOUNCEMENT: "通知", "Announcement";
    DIRECTIVE: "督办要求", "Directive";
    TOPIC: "征集议题", "Call for topics";
    RESOURCE: "可用资源", "Resource on offer";
    SORT_HINT: "“可用资源”会显示在同类别的事项旁边。", "A resource is shown beside matters of its category.";
    HEAD: "标题", "Title";
    TEXT: "内容", "Words";
    CATEGORY: "类别", "Category";
    UNTIL: "有效到", "Holds until";
    UNTIL_HINT: "不填就一直有效，直到收回。", "Without a day it holds until it is taken back.";
    TO: "发给", "For";
    TO_HINT: "不选就是本单位以下全部。", "With none chosen it is for everything below this place.";
    SHOW: "先看发给谁", "Show whom it reaches";
    REACHES: "将发到", "It reaches";
    OPEN_MATTERS: "件未办结事项会看到这项资源", "open matters here are offered this resource";
    NOTHING_YET: "还没有发出。内容无误再点“发出”，也可以在下面改。", "Nothing was given yet. Press “Give it” if it is right, or change it below.";
    APPLY: "发出", "Give it";
    GIVEN: "已发出。连着的下级马上收到，断线的联通后收到。", "Given. Places that are connected receive it now, the others when their line is back.";
    EARLIER: "以前的版本", "Earlier versions";
    CHANGE: "改后重发", "Change it";
    RECALL: "收回", "Take it back";
    RECALL_MEANS: "收回后不再有效，大家仍能看到原文和收回的理由。", "It holds no longer; everybody can still read it and why it was taken back.";
    RECALL_WHY: "收回的理由", "Why it is taken back";
    RECALLED_NOW: "已收回。", "Taken back.";
    BACK: "回到通知", "Back to notices";
    STUB_TITLE: "下级事项摘要", "A matter below, in summary";
    STUB_INTRO: "这件事项没有上报，本级平时只见摘要。因督办需要可以调阅：要写明理由，登记单位、承办单位和沿途各级都会看到是谁、为什么调阅。", "This matter was not passed up; here only its summary is seen. It can be opened for supervision: a reason is asked for, and the place that registered it, its holder and all between see who opened it and why.";
    STUB_UNSEEN: "没有调阅过", "not opened";
    STUB_ASKED: "已调阅，等下级联通后送来", "opened; it comes once the places below are connected";
    STUB_HERE: "已到本级", "it is here";
    STUB_SEE: "查看事项", "See the matter";
    STUB_OPEN: "调阅", "Open it";
    STUB_WHY: "调阅理由", "Why it is opened";
    STUB_WHY_HINT: "例如：超期三周未答复，督办核查。", "For example: three weeks overdue, looked into.";
    STUB_SAID_BY: "摘要来自", "Said by the register of";
    STUB_SAID_ON: "登记表日期", "Said on";
    STUB_FIELD: "项目", "Field";
    STUB_SAID: "登记表上", "In the register";
    STUB_FOUND: "事项原件", "In the matter";
    STUB_SAME: "登记表和经签名的原件一致。", "The register agrees with the signed matter.";
    STUB_DIFFERS: "登记表和经签名的原件不一致，请核查标出的几项。", "The register does not agree with the signed matter. Look into what is marked.";
    STUB_MOVED: "登记表之后事项又有进展，标出的几项因此不同。", "The matter has moved on since the register spoke; what is marked differs for that.";
    OPENED_BY: "上级调阅", "Opened from above";
    F_NUMBER: "编号", "Number";
    F_RAISED: "登记日期", "Raised on";
    F_STAGE: "阶段", "Stage";
    F_MOVED: "最近一步", "Newest step";
    F_ANSWERED: "答复日期", "Answered on";
    F_REFUSED: "不予受理、转出日期", "Refused or referred on";
    F_HOLDER: "承办单位", "Holder";
    F_DUE: "期限", "Due";
    F_VIOLATIONS: "程序违规", "Acts that broke the procedure";
    DIFFERENT: "不同", "differs";
    RESOURCES: "可用的资源", "Resources on offer";
}

/// The sorts of notice, in the order they are offered.
pub(in crate::http::pages) const SORTS: [(&str, super::Word); 4] =
    [("announcement", ANNOUNCEMENT), ("directive", DIRECTIVE), ("topic", TOPIC), ("resource", RESOURCE)];
