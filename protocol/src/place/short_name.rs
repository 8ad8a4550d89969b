//! Short names of places, as people say them: 芦稿村村民委员会 → 芦稿, 姚渡镇 → 姚渡.
//!
//! A short name is for speech and for the front of matter numbers. It need not be unique; which places
//! share one is known to [`super::Divisions`], which then finds a longer name. It has at least two
//! characters, because 西村 is never called 西.

/// What a place may be called after its own name, longest first where one ends in another.
const TYPES: [&str; 26] = [
    "特别行政区",
    "街道办事处",
    "虚拟生活区",
    "虚拟社区",
    "人民政府",
    "自治区",
    "自治州",
    "自治县",
    "自治旗",
    "民族乡",
    "街道",
    "社区",
    "地区",
    "林区",
    "苏木",
    "嘎查",
    "村",
    "镇",
    "乡",
    "区",
    "县",
    "市",
    "省",
    "盟",
    "旗",
    "组",
];

/// Words of which the last character is not a type of place: 启东经济开发区 without 区 would be no name.
const WHOLE_WORDS: [&str; 25] = [
    "开发区",
    "园区",
    "新区",
    "高新区",
    "工业区",
    "产业区",
    "示范区",
    "管理区",
    "试验区",
    "实验区",
    "保税区",
    "度假区",
    "风景区",
    "景区",
    "矿区",
    "港区",
    "厂区",
    "校区",
    "库区",
    "片区",
    "街区",
    "小区",
    "自由市",
    "集镇",
    "牧区",
];

/// The fewest characters a short name has.
const SHORT_CHARS_MIN: usize = 2;

fn long_enough(name: &str) -> bool {
    name.chars().count() >= SHORT_CHARS_MIN
}

/// The place's own full name without its committee: 芦稿村村民委员会 → 芦稿村, 新坝村委会 → 新坝村,
/// 杏花社区居民委员会 → 杏花社区.
#[must_use]
pub fn bare_name(name: &str) -> &str {
    let name = name.trim();
    // The 村 of 村委会 is the place's own, unless the name has brought one already: 古县村村委会.
    let village =
        ["民委员会", "委会"].iter().filter_map(|c| name.strip_suffix(c)).find(|stem| stem.ends_with('村'));
    if let Some(stem) = village {
        return if stem.ends_with("村村") { stem.strip_suffix('村').unwrap_or(stem) } else { stem };
    }
    let residents = ["居民委员会", "居委会"].iter().find_map(|c| name.strip_suffix(c));
    residents.filter(|stem| long_enough(stem)).unwrap_or(name)
}

/// The name people say, of at least two characters.
///
/// Only one word is cut off: 浆洗街街道 → 浆洗街, 石湾镇街道 → 石湾镇.
#[must_use]
pub fn short_name(name: &str) -> &str {
    let bare = bare_name(name);
    if WHOLE_WORDS.iter().any(|w| bare.ends_with(w)) {
        return bare;
    }
    TYPES.iter().find_map(|t| bare.strip_suffix(t)).filter(|s| long_enough(s)).unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_say_them() {
        let cases = [
            ("芦稿村", "芦稿"),
            ("芦稿村村民委员会", "芦稿"),
            ("杏花社区居民委员会", "杏花"),
            ("姚渡镇", "姚渡"),
            ("青白江区", "青白江"),
            ("成都市", "成都"),
            ("四川省", "四川"),
            ("如东县", "如东"),
            ("浆洗街街道", "浆洗街"),
            ("石湾镇街道", "石湾镇"),
            ("新坝村委会", "新坝"),
            ("古县村村委会", "古县"),
            ("县前街居委会", "县前街"),
            ("省三水劳教所虚拟社区", "省三水劳教所"),
            ("云勇林场虚拟生活区", "云勇林场"),
            ("西村", "西村"),
            ("西村村委会", "西村"),
            ("西村委会", "西村"),
            ("西村民委员会", "西村"),
            ("城区", "城区"),
            ("启东经济开发区", "启东经济开发区"),
            ("广州军区三水农场", "广州军区三水农场"),
            ("村", "村"),
            ("", ""),
            ("  芦稿村 ", "芦稿"),
        ];
        for (name, short) in cases {
            assert_eq!(short_name(name), short, "{name}");
        }
    }

    #[test]
    fn the_bare_name_keeps_the_type() {
        assert_eq!(bare_name("芦稿村村民委员会"), "芦稿村");
        assert_eq!(bare_name("杏花社区居民委员会"), "杏花社区");
        assert_eq!(bare_name("西村委会"), "西村");
        assert_eq!(bare_name("新坝村委会"), "新坝村");
        assert_eq!(bare_name("古县村村委会"), "古县村");
        assert_eq!(bare_name("姚渡镇"), "姚渡镇");
    }
}
