//! Places as the outside world names them: official codes, levels, lists of divisions.
//!
//! A place *is* its immutable `PlaceId` (rule R1). What is here are attributes that change: places merge,
//! split and are re-coded. So the invariant of this module: **the tree is the stated one**. A parent is
//! read from a column or a charter, never cut out of the digits of a code; what the digits suggest is
//! called a hint, and nothing may depend on a hint.

mod divisions;
mod short_name;

pub use divisions::{
    Division, DivisionError, DivisionReason, Divisions, Found, ShippedError, TreeError, parse_divisions,
    shipped_divisions,
};
pub use short_name::{bare_name, short_name};

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// The text is not a division code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PlaceCodeError {
    /// Not exactly twelve ASCII digits.
    #[error("a place code has exactly 12 digits")]
    NotTwelveDigits,
    /// No province has the number 00.
    #[error("a place code does not begin with 00")]
    NoProvince,
}

/// The official 12-digit statistical division code of a place, for example `510113106204` (芦稿村).
///
/// Any twelve digits that name a province are valid: 8,780 villages of the 2023 list have village digits
/// outside 001–399, and four prefectures have townships and no county (441900003000).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlaceCode(u64);

impl PlaceCode {
    /// How many digits a code has.
    pub const DIGITS: usize = 12;

    fn part(self, below: u32, digits: u32) -> u16 {
        // At most three digits: always fits.
        (self.0 / 10u64.pow(below) % 10u64.pow(digits)) as u16
    }

    /// Digits 1–2.
    #[must_use]
    pub fn province(self) -> u16 {
        self.part(10, 2)
    }

    /// Digits 3–4, 0 when the code names a province.
    #[must_use]
    pub fn prefecture(self) -> u16 {
        self.part(8, 2)
    }

    /// Digits 5–6, 0 above county and where a prefecture has no counties.
    #[must_use]
    pub fn county(self) -> u16 {
        self.part(6, 2)
    }

    /// Digits 7–9, 0 above township.
    #[must_use]
    pub fn township(self) -> u16 {
        self.part(3, 3)
    }

    /// Digits 10–12, 0 above village.
    #[must_use]
    pub fn village(self) -> u16 {
        self.part(0, 3)
    }

    /// The level the digits *suggest*: the lowest part that is not zero.
    #[must_use]
    pub fn level_hint(self) -> Level {
        match (self.village(), self.township(), self.county(), self.prefecture()) {
            (0, 0, 0, 0) => Level::Province,
            (0, 0, 0, _) => Level::Prefecture,
            (0, 0, _, _) => Level::District,
            (0, _, _, _) => Level::Township,
            _ => Level::Village,
        }
    }

    /// The type the digits *suggest*.
    #[must_use]
    pub fn type_hint(self) -> TypeHint {
        match (self.township(), self.village()) {
            (_, 1..=199) => TypeHint::ResidentsCommittee,
            (_, 200..=399) => TypeHint::VillageCommittee,
            (1..=99, 0) => TypeHint::Street,
            (100..=199, 0) => TypeHint::Town,
            (200..=399, 0) => TypeHint::Township,
            _ => TypeHint::Unusual,
        }
    }
}

impl fmt::Display for PlaceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl FromStr for PlaceCode {
    type Err = PlaceCodeError;
    fn from_str(s: &str) -> Result<Self, PlaceCodeError> {
        if s.len() != Self::DIGITS || !s.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PlaceCodeError::NotTwelveDigits);
        }
        let code = Self(s.parse().map_err(|_| PlaceCodeError::NotTwelveDigits)?);
        if code.province() == 0 { Err(PlaceCodeError::NoProvince) } else { Ok(code) }
    }
}

impl TryFrom<String> for PlaceCode {
    type Error = PlaceCodeError;
    fn try_from(s: String) -> Result<Self, PlaceCodeError> {
        s.parse()
    }
}

impl From<PlaceCode> for String {
    fn from(code: PlaceCode) -> Self {
        code.to_string()
    }
}

/// What sort of place a code's type digits suggest. A hint for icons and default words, nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TypeHint {
    /// Village digits 001–199: 居委会.
    ResidentsCommittee,
    /// Village digits 200–399: 村委会.
    VillageCommittee,
    /// Township digits 001–099: 街道.
    Street,
    /// Township digits 100–199: 镇.
    Town,
    /// Township digits 200–399: 乡.
    Township,
    /// Everything else, all of it valid: parks 400–, prisons and farms 498 and 598, counties and above.
    Unusual,
}

impl TypeHint {
    /// The Chinese word, where there is one.
    #[must_use]
    pub fn chinese(self) -> Option<&'static str> {
        match self {
            Self::ResidentsCommittee => Some("居委会"),
            Self::VillageCommittee => Some("村委会"),
            Self::Street => Some("街道"),
            Self::Town => Some("镇"),
            Self::Township => Some("乡"),
            Self::Unusual => None,
        }
    }
}

/// A label on a place: what people call its level.
///
/// The program does the same at every level and never counts levels; this is an open set, so that a
/// federation can have, say, a park committee between township and village. The order is from the country
/// downwards, labels of one's own after all others; the tree itself is stated by parents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Level {
    /// 国家
    Country,
    /// 省、自治区、直辖市
    Province,
    /// 地级市、州、盟
    Prefecture,
    /// 区、县、县级市
    District,
    /// 乡、镇、街道
    Township,
    /// 村、社区
    Village,
    /// 村民小组
    Group,
    /// Any other label, shown as it is. Made by [`Level::from_name`], so that it never repeats a known one.
    Other(String),
}

impl Level {
    /// The known levels, from the top.
    pub const KNOWN: [Self; 7] = [
        Self::Country,
        Self::Province,
        Self::Prefecture,
        Self::District,
        Self::Township,
        Self::Village,
        Self::Group,
    ];

    /// The level with this stable name; any other text is a label of its own.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self::KNOWN.into_iter().find(|l| l.name() == name).unwrap_or_else(|| Self::Other(name.to_owned()))
    }

    /// The stable name in documents, files and the API.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Country => "country",
            Self::Province => "province",
            Self::Prefecture => "prefecture",
            Self::District => "district",
            Self::Township => "township",
            Self::Village => "village",
            Self::Group => "group",
            Self::Other(label) => label,
        }
    }

    /// The Chinese word people read; a label of one's own is shown as it is.
    #[must_use]
    pub fn chinese(&self) -> &str {
        match self {
            Self::Country => "国家",
            Self::Province => "省",
            Self::Prefecture => "市",
            Self::District => "区县",
            Self::Township => "乡镇街道",
            Self::Village => "村社区",
            Self::Group => "村民小组",
            Self::Other(label) => label,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<String> for Level {
    fn from(name: String) -> Self {
        Self::from_name(&name)
    }
}

impl From<Level> for String {
    fn from(level: Level) -> Self {
        level.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(s: &str) -> PlaceCode {
        s.parse().unwrap()
    }

    #[test]
    fn a_code_shows_its_parts() {
        let c = code("510113106204");
        assert_eq!(
            (c.province(), c.prefecture(), c.county(), c.township(), c.village()),
            (51, 1, 13, 106, 204)
        );
        assert_eq!(c.to_string(), "510113106204");
        assert_eq!(serde_json::to_string(&c).unwrap(), "\"510113106204\"");
        assert_eq!(serde_json::from_str::<PlaceCode>("\"510113106204\"").unwrap(), c);
        assert!(serde_json::from_str::<PlaceCode>("510113106204").is_err(), "a code is text, not a number");
    }

    #[test]
    fn twelve_digits_and_nothing_else() {
        for bad in
            ["", "51011310620", "5101131062040", "51011310620x", "+51011310620", "５１０１", "51011310620４"]
        {
            assert_eq!(bad.parse::<PlaceCode>(), Err(PlaceCodeError::NotTwelveDigits), "{bad}");
        }
        assert_eq!("000000000000".parse::<PlaceCode>(), Err(PlaceCodeError::NoProvince));
        assert_eq!("000113106204".parse::<PlaceCode>(), Err(PlaceCodeError::NoProvince));
    }

    #[test]
    fn digits_hint_at_level_and_type() {
        let cases = [
            ("510000000000", Level::Province, TypeHint::Unusual),
            ("510100000000", Level::Prefecture, TypeHint::Unusual),
            ("510113000000", Level::District, TypeHint::Unusual),
            ("510113002000", Level::Township, TypeHint::Street),
            ("510113106000", Level::Township, TypeHint::Town),
            ("510113206000", Level::Township, TypeHint::Township),
            ("320685400000", Level::Township, TypeHint::Unusual),
            ("510113111003", Level::Village, TypeHint::ResidentsCommittee),
            ("510113106204", Level::Village, TypeHint::VillageCommittee),
            ("440607400498", Level::Village, TypeHint::Unusual),
            // A prefecture without counties.
            ("441900003000", Level::Township, TypeHint::Street),
        ];
        for (text, level, kind) in cases {
            assert_eq!((code(text).level_hint(), code(text).type_hint()), (level, kind), "{text}");
        }
    }

    #[test]
    fn levels_are_an_ordered_open_set() {
        assert!(Level::KNOWN.is_sorted());
        for level in Level::KNOWN {
            assert_eq!(Level::from_name(level.name()), level);
            assert_eq!(serde_json::to_string(&level).unwrap(), format!("\"{level}\""));
        }
        let own: Level = serde_json::from_str("\"园区\"").unwrap();
        assert_eq!((own.name(), own.chinese()), ("园区", "园区"));
        assert!(own > Level::Group);
    }
}
