//! The language of a page or a message: Chinese unless the reader asks otherwise.

use axum::http::{HeaderMap, header};

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// 中文
    #[default]
    Zh,
    /// English
    En,
}

impl Lang {
    /// `?lang=` first, then `Accept-Language`, then what the node is configured for.
    pub(super) fn of_request(query: Option<&str>, headers: &HeaderMap, configured: Self) -> Self {
        query.and_then(Self::asked).unwrap_or_else(|| {
            let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
            accepted.and_then(Self::accepted).unwrap_or(configured)
        })
    }

    /// The language named by `lang=` in a query string.
    pub(super) fn asked(query: &str) -> Option<Self> {
        query.split('&').find_map(|pair| match pair {
            "lang=zh" => Some(Self::Zh),
            "lang=en" => Some(Self::En),
            _ => None,
        })
    }

    /// English only when it is preferred to Chinese: `zh-CN,zh;q=0.9,en;q=0.8` is Chinese.
    fn accepted(list: &str) -> Option<Self> {
        let mut best = (None, 0.0_f32);
        for part in list.split(',') {
            let mut bits = part.split(';');
            let tag = bits.next().unwrap_or("").trim().to_ascii_lowercase();
            let weight = bits
                .find_map(|b| b.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
            let lang = match tag.split('-').next() {
                Some("zh") => Self::Zh,
                Some("en") => Self::En,
                _ => continue,
            };
            if weight > best.1 {
                best = (Some(lang), weight);
            }
        }
        best.0
    }

    /// One of two texts.
    #[must_use]
    pub fn of<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// The language tag of the page.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.of("zh-CN", "en")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: Option<&str>, accept: Option<&str>, expected: Lang) {
        let mut headers = HeaderMap::new();
        if let Some(a) = accept {
            headers.insert(header::ACCEPT_LANGUAGE, a.parse().unwrap());
        }
        assert_eq!(Lang::of_request(query, &headers, Lang::Zh), expected, "{query:?} {accept:?}");
    }

    #[test]
    fn chinese_first() {
        check(None, None, Lang::Zh);
        check(None, Some("de"), Lang::Zh);
        check(None, Some("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Zh);
        check(None, Some("en-GB,en;q=0.9"), Lang::En);
        check(None, Some("en;q=0.5,zh"), Lang::Zh);
        check(Some("stage=closed&lang=en"), Some("zh"), Lang::En);
        check(Some("lang=zh"), Some("en"), Lang::Zh);
        check(Some("lang=xx"), None, Lang::Zh);
    }
}
