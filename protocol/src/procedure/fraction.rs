//! Shares of people, compared in whole numbers: “two thirds” has no rounding.

use serde::{Serialize, Serializer};
use std::fmt;

/// A share, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fraction {
    /// Above the line.
    pub of: u32,
    /// Below it; at least 1.
    pub parts: u32,
}

impl Fraction {
    /// Reads `2/3`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (of, parts) = text.trim().split_once('/')?;
        let (of, parts) = (of.trim().parse().ok()?, parts.trim().parse().ok()?);
        Some(Self { of, parts }).filter(|f| f.parts >= 1)
    }

    /// Whether `some` of `all` is at least this share.
    #[must_use]
    pub fn reached(self, some: i64, all: i64) -> bool {
        i128::from(some) * i128::from(self.parts) >= i128::from(all) * i128::from(self.of)
    }

    /// Whether `some` of `all` is more than this share.
    #[must_use]
    pub fn exceeded(self, some: i64, all: i64) -> bool {
        i128::from(some) * i128::from(self.parts) > i128::from(all) * i128::from(self.of)
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.of, self.parts)
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// How many of those entitled must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quorum {
    /// The share.
    pub share: Fraction,
    /// Whether it must be exceeded; reaching it is enough otherwise.
    pub more: bool,
}

impl Quorum {
    /// Reads `2/3` and `more than 1/2`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (more, share) = match words.as_slice() {
            ["more", "than", share @ ..] => (true, share),
            share => (false, share),
        };
        Some(Self { share: Fraction::parse(&share.join(" "))?, more })
    }

    /// Whether `there` of `all` are enough.
    #[must_use]
    pub fn reached(self, there: i64, all: i64) -> bool {
        if self.more { self.share.exceeded(there, all) } else { self.share.reached(there, all) }
    }

    /// In Chinese.
    #[must_use]
    pub fn zh(self) -> String {
        format!("{}应到的 {}", if self.more { "超过" } else { "不少于" }, self.share)
    }

    /// In English.
    #[must_use]
    pub fn en(self) -> String {
        format!("{} {} of those entitled", if self.more { "more than" } else { "at least" }, self.share)
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.more { "more than " } else { "" };
        write!(f, "{more}{}", self.share)
    }
}

impl Serialize for Quorum {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// Of whom a majority is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// Those who are there.
    Present,
    /// All who are entitled.
    Eligible,
}

/// What a vote needs to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Majority {
    /// The share.
    pub share: Fraction,
    /// Whether it must be exceeded; reaching it is enough otherwise.
    pub more: bool,
    /// Of whom.
    pub base: Base,
}

impl Majority {
    /// Reads `more than 1/2 of present` and `at least 2/3 of eligible`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (more, share, base) = match *words.as_slice() {
            ["more", "than", share, "of", base] => (true, share, base),
            ["at", "least", share, "of", base] => (false, share, base),
            _ => return None,
        };
        let base = match base {
            "present" => Base::Present,
            "eligible" => Base::Eligible,
            _ => return None,
        };
        Some(Self { share: Fraction::parse(share)?, more, base })
    }

    /// Whether a vote passed.
    #[must_use]
    pub fn passed(self, in_favour: i64, present: i64, eligible: i64) -> bool {
        let all = match self.base {
            Base::Present => present,
            Base::Eligible => eligible,
        };
        if self.more { self.share.exceeded(in_favour, all) } else { self.share.reached(in_favour, all) }
    }

    /// In Chinese.
    #[must_use]
    pub fn zh(self) -> String {
        let of = match self.base {
            Base::Present => "到会人员",
            Base::Eligible => "应到人员",
        };
        let how = if self.more { "过" } else { "不少于" };
        format!("{of}{how}{}", self.share)
    }
}

impl fmt::Display for Majority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.more { "more than" } else { "at least" };
        let of = match self.base {
            Base::Present => "present",
            Base::Eligible => "eligible",
        };
        write!(f, "{how} {} of {of}", self.share)
    }
}

impl Serialize for Majority {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_is_reached_or_must_be_exceeded() {
        let (half, more) = (Quorum::parse("1/2").unwrap(), Quorum::parse("more than 1/2").unwrap());
        assert!(half.reached(406, 812) && !half.reached(405, 812));
        assert!(more.reached(407, 812) && !more.reached(406, 812));
        assert_eq!((half.to_string(), more.to_string()), ("1/2".into(), "more than 1/2".into()));
        assert_eq!((half.zh(), more.zh()), ("不少于应到的 1/2".into(), "超过应到的 1/2".into()));
        assert_eq!(Quorum::parse("more than half"), None);
    }

    #[test]
    fn shares_have_no_rounding() {
        let two_thirds = Fraction::parse("2/3").unwrap();
        assert!(two_thirds.reached(40, 60) && !two_thirds.reached(39, 60) && !two_thirds.exceeded(40, 60));
        assert_eq!(Fraction::parse("2/0"), None);
        let half = Majority::parse("more than 1/2 of present").unwrap();
        assert!(half.passed(21, 40, 60) && !half.passed(20, 40, 60));
        let all = Majority::parse("at least 2/3 of eligible").unwrap();
        assert!(all.passed(40, 41, 60) && !all.passed(39, 41, 60));
        assert_eq!(all.to_string(), "at least 2/3 of eligible");
        assert_eq!(Majority::parse("half of them"), None);
    }
}
