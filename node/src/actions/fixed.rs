//! The fixed words that requests take (grades, ways of telling, sources, channels), as people read them.

const FIXED: &[(&str, &str, &str)] = &[
    ("minor", "小事", "Minor"),
    ("ordinary", "一般事项", "Ordinary"),
    ("major", "重大事项", "Major"),
    ("urged", "督办", "Urge"),
    ("raised", "提级督办", "Raise one level"),
    ("normal", "一般", "Normal"),
    ("urgent", "紧急", "Urgent"),
    ("immediate", "特急", "Immediate"),
    ("phone", "电话", "By telephone"),
    ("visit", "上门", "In person"),
    ("paper", "书面", "On paper"),
    ("online", "网上", "Online"),
    ("resident", "反映人本人", "The petitioner"),
    ("revisit", "别的单位回访", "Revisit by another place"),
    ("third_party", "第三方", "A third party"),
    ("proxy", "代为评价", "By proxy"),
    ("residents", "群众出题", "Residents"),
    ("party", "党政点题", "Party and government"),
    ("cppcc", "委员荐题", "CPPCC members"),
    ("grid", "网格发现", "Grid patrol"),
    ("supervision", "监督线索", "Supervisor's clue"),
    ("home_visit", "家访", "Home visit"),
    ("diary", "日记", "Diary"),
    ("hotline", "专线", "Hotline"),
    ("letter_box", "专递箱", "Letter box"),
    ("station", "驻点", "Contact day"),
    ("courtyard", "坝坝会", "Courtyard meeting"),
    ("fair", "信息赶集", "Information fair"),
];

/// A fixed word in Chinese and English; `None` for a word of a newer program.
#[must_use]
pub(crate) fn fixed_words(name: &str) -> Option<(&'static str, &'static str)> {
    FIXED.iter().find(|(n, ..)| *n == name).map(|(_, zh, en)| (*zh, *en))
}
