//! What is wrong in a file that people write: procedures, charters. Each problem has a line, a column, a stable
//! code, and words in both languages.

use crate::file_words;
use serde::Serialize;
use std::{fmt, ops::Range};
use toml::Spanned;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// It can, and somebody may be surprised.
    Warning,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad.
    pub severity: Severity,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Stable name.
    pub code: &'static str,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}:{}: {mark}: {}", self.line, self.column, self.en)
    }
}

/// The problems of one file, as they are found.
pub(crate) struct Problems<'a> {
    file: &'a str,
    found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    /// None yet.
    pub(crate) fn of(file: &'a str) -> Self {
        Self { file, found: Vec::new() }
    }

    /// Parses the file as TOML, strictly; an unknown key is a problem.
    pub(crate) fn parse<T: serde::de::DeserializeOwned>(&mut self, bytes_max: usize) -> Option<T> {
        let bytes = self.file.len();
        if bytes > bytes_max {
            self.error(
                0..0,
                "too_large",
                format!("the file has {bytes} bytes; {bytes_max} is the most"),
                format!("文件有 {bytes} 字节，最多 {bytes_max} 字节"),
            );
            return None;
        }
        match toml::from_str(self.file) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let at = error.span().unwrap_or(0..0);
                let there = self.file.get(at.clone()).unwrap_or("");
                let (en, zh) = file_words::words(error.message(), there);
                self.error(at, "not_readable", en, zh);
                None
            }
        }
    }

    pub(crate) fn error(&mut self, at: Range<usize>, code: &'static str, en: String, zh: String) {
        self.tell(Severity::Error, at, code, en, zh);
    }

    pub(crate) fn tell(
        &mut self,
        severity: Severity,
        at: Range<usize>,
        code: &'static str,
        en: String,
        zh: String,
    ) {
        let before = self.file.get(..at.start).unwrap_or(self.file);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        self.found.push(Problem { severity, line, column, code, en, zh });
    }

    /// Whether the file cannot be used.
    pub(crate) fn fatal(&self) -> bool {
        self.found.iter().any(|p| p.severity == Severity::Error)
    }

    /// All of them, in the order of the file.
    pub(crate) fn sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|p| (p.line, p.column));
        self.found
    }

    /// A word of a closed list.
    pub(crate) fn one_of<T>(
        &mut self,
        word: &Spanned<String>,
        find: impl Fn(&str) -> Option<T>,
        all: &[&'static str],
    ) -> Option<T> {
        let found = find(word.get_ref());
        if found.is_none() {
            let (said, all) = (word.get_ref(), all.join(", "));
            self.error(
                word.span(),
                "unknown_word",
                format!("“{said}” is none of: {all}"),
                format!("“{said}”不在可用的词之内：{all}"),
            );
        }
        found
    }

    /// A name for programs.
    pub(crate) fn id(&mut self, id: &Spanned<String>) -> String {
        let text = id.get_ref();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if text.is_empty() || text.len() > 40 || !text.chars().all(fits) {
            self.error(
                id.span(),
                "bad_id",
                format!("“{text}” is no name for programs: 1 to 40 of a–z, 0–9 and _"),
                format!("“{text}”不能作代号：须为 1 至 40 个小写字母、数字或下划线"),
            );
        }
        text.clone()
    }

    /// The format a file says it has.
    pub(crate) fn format(&mut self, format: &Spanned<u32>) {
        if *format.get_ref() != 1 {
            self.error(
                format.span(),
                "newer_format",
                "this program reads format 1 only; bring it up to date".into(),
                "本程序只读得懂 format = 1，请升级程序".into(),
            );
        }
    }

    /// A name that stands there twice.
    pub(crate) fn twice(&mut self, at: Range<usize>, id: &str) {
        self.error(at, "twice", format!("“{id}” is there twice"), format!("“{id}”重复"));
    }
}
