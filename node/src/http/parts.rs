//! `multipart/form-data` (RFC 7578), as much of it as a page that takes one file needs.
//!
//! The whole body is in memory and bounded before it comes here; a part that is not UTF-8 is refused, because
//! nothing a page takes is anything but text, but for one field that takes a workbook.

use base64::{Engine, prelude::BASE64_STANDARD};

/// The boundary a `Content-Type` names; `None` if it is of another type.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = rest.split(';').find_map(|p| p.trim().strip_prefix("boundary="))?;
    let named = named.trim().trim_matches('"');
    (1..=70).contains(&named.len()).then_some(named)
}

/// The one field whose value is a workbook and no text: it is handed on in base64, as programs send it.
const WORKBOOK: &str = "workbook";

/// Where `what` first stands.
fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

/// Before and after the first `what`.
fn split<'a>(bytes: &'a [u8], what: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (before, rest) = bytes.split_at_checked(find(bytes, what)?)?;
    Some((before, rest.get(what.len()..)?))
}

/// The fields of a body, in their order. A field that was sent empty is there and empty.
pub(super) fn read(bytes: &[u8], boundary: &str) -> Result<Vec<(String, String)>, &'static str> {
    let text = |bytes: &[u8]| {
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "the file is not a text in UTF-8")
    };
    let delimiter = format!("\r\n--{boundary}");
    let mut fields = Vec::new();
    // Before the first boundary stands nothing, after the last its two dashes.
    let mut rest =
        bytes.strip_prefix(delimiter.trim_start().as_bytes()).ok_or("the first part is missing")?;
    loop {
        if rest.starts_with(b"--") {
            return Ok(fields);
        }
        let part = rest.strip_prefix(b"\r\n").ok_or("a part does not begin on a line of its own")?;
        let (head, value) = split(part, b"\r\n\r\n").ok_or("a part has no value")?;
        // What follows an empty value begins right after the head.
        let (value, after) = split(value, delimiter.as_bytes()).ok_or("the last part is missing")?;
        let head = text(head)?;
        let name = head.split(['\r', '\n', ';']).find_map(|p| p.trim().strip_prefix("name="));
        let name = name.ok_or("a part has no name")?.trim_matches('"').to_owned();
        let value = if name == WORKBOOK { BASE64_STANDARD.encode(value) } else { text(value)? };
        fields.push((name, value));
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_a_file_is_read() {
        let kind = "multipart/form-data; boundary=\"x-1\"";
        assert_eq!(boundary(kind), Some("x-1"));
        assert_eq!(boundary("text/plain; boundary=x"), None);
        let body = "--x-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--x-1\r\n\
                    Content-Disposition: form-data; name=\"file\"; filename=\"四步.toml\"\r\nContent-Type: text/plain\r\n\r\n\
                    id = 1\n\r\n--x-1--\r\n";
        let fields = read(body.as_bytes(), "x-1").unwrap();
        let own = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(fields, [own("a", ""), own("file", "id = 1\n")]);
        for broken in ["", "--x-1", "--x-1\r\nno head", "--x-1\r\nContent-Disposition: x\r\n\r\nv\r\n--x-1--"]
        {
            assert!(read(broken.as_bytes(), "x-1").is_err(), "{broken}");
        }
        assert!(read(&[0xff], "x-1").is_err());
        let raw = |name: &str| {
            let mut body =
                format!("--x-1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes();
            body.extend([0xff, 0x00, b'\r', b'\n', b'-', b'-', 0xfe]);
            body.extend(b"\r\n--x-1--\r\n");
            read(&body, "x-1")
        };
        assert_eq!(raw("workbook").unwrap(), [own("workbook", "/wANCi0t/g==")]);
        assert!(raw("file").is_err(), "elsewhere only text is taken");
    }
}
