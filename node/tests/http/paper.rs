//! Filling in the forms of pages, as a browser without scripts does.

use crate::client::{Client, Reply};

/// `a=b&c=d`, escaped.
pub(crate) fn encoded(pairs: &[(String, String)]) -> String {
    let escape = |text: &str| {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect::<String>()
    };
    pairs.iter().map(|(n, v)| format!("{}={}", escape(n), escape(v))).collect::<Vec<_>>().join("&")
}

/// A form of a page: where it goes and what its hidden fields hold.
#[derive(Debug, Clone)]
pub(crate) struct Paper {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) html: String,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    let plain =
        value.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
    Some(plain.replace("&#38;", "&"))
}

impl Paper {
    /// The first form after `mark`.
    #[track_caller]
    pub(crate) fn of(page: &str, mark: &str) -> Self {
        let from = page.find(mark).unwrap_or_else(|| panic!("{mark} is not on the page: {page}"));
        let rest = page.get(from..).unwrap();
        let start = rest.find("<form").unwrap_or_else(|| panic!("no form after {mark}"));
        let html = rest.get(start..).unwrap().split("</form>").next().unwrap().to_owned();
        let hidden = html.split("<input type=\"hidden\"").skip(1).map(|tag| tag.split('>').next().unwrap());
        let fields =
            hidden.map(|t| (attribute(t, "name").unwrap(), attribute(t, "value").unwrap())).collect();
        Self { action: attribute(html.split('>').next().unwrap(), "action").unwrap(), fields, html }
    }

    /// The form of an act on a matter's page.
    #[track_caller]
    pub(crate) fn act(page: &str, id: &str) -> Self {
        Self::of(page, &format!("id=\"act-{id}\""))
    }

    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn send(&self, browser: &Client) -> Reply {
        browser.clone().here().form(&self.action, &encoded(&self.fields)).await
    }
}
