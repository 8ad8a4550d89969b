//! What acts are called, in Chinese and English, by their stable names.
//!
//! Stages and steps carry their words with them ([`Stage`](super::frame::Stage),
//! [`StepKind`]); the other families are named here, and [`act`] finds any.

use super::frame::StepKind;

/// The Chinese and the English word.
pub type Words = (&'static str, &'static str);

/// Voices and the acts of the other kinds of documents: stable name, Chinese, English.
pub const OTHER_ACTS: &[(&str, &str, &str)] = &[
    ("comment", "意见", "Comment"),
    ("support", "附议", "Support"),
    ("ballot", "表决", "Vote"),
    ("call", "通知开会", "Call a meeting"),
    ("meet", "会议记录", "Record a meeting"),
    ("record", "填写表单", "Fill in a form"),
    ("attach", "照片", "Photo"),
    ("post", "公示", "Post"),
    ("object", "提出异议", "Object"),
    ("summon", "约请", "Summon"),
    ("respond", "回复", "Respond"),
    ("urge", "督办", "Urge"),
    ("procedure", "议事程序", "Procedure"),
    ("tell", "告知", "Tell the people"),
    ("rate", "评价", "Rate"),
    ("progress", "进展", "Progress"),
    ("snapshot", "章程版本", "Charter version"),
    ("holidays", "放假通知", "Holiday notice"),
    ("seal", "封存", "Seal"),
    ("stubs", "摘要", "Summaries"),
    ("heard", "联系情况", "Heard from"),
];

/// The words of an act by its stable name; `None` for a kind this program does not know.
#[must_use]
pub fn act(name: &str) -> Option<Words> {
    StepKind::from_name(name)
        .map(|k| (k.zh(), k.en()))
        .or_else(|| OTHER_ACTS.iter().find(|(n, _, _)| *n == name).map(|(_, zh, en)| (*zh, *en)))
}

/// An act's word in Chinese; the stable name itself if this program does not know the kind.
#[must_use]
pub fn act_zh(name: &str) -> &str {
    act(name).map_or(name, |(zh, _)| zh)
}

/// An act's word in English; the stable name itself if this program does not know the kind.
#[must_use]
pub fn act_en(name: &str) -> &str {
    act(name).map_or(name, |(_, en)| en)
}
