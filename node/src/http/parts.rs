//! `multipart/form-data` (RFC 7578), as much of it as a page that takes one text file needs.
//!
//! The whole body is in memory and bounded before it comes here; a part that is not UTF-8 is refused, because
//! nothing a page takes is anything but text.

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

/// The fields of a body, in their order. A field that was sent empty is there and empty.
pub(super) fn read(bytes: &[u8], boundary: &str) -> Result<Vec<(String, String)>, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is not a text in UTF-8")?;
    let line = format!("--{boundary}");
    let mut fields = Vec::new();
    // Before the first boundary stands nothing, after the last its two dashes.
    for part in text.split(&line).skip(1) {
        if part.starts_with("--") {
            return Ok(fields);
        }
        let part = part.strip_prefix("\r\n").ok_or("a part does not begin on a line of its own")?;
        let (head, value) = part.split_once("\r\n\r\n").ok_or("a part has no value")?;
        let value = value.strip_suffix("\r\n").ok_or("a part does not end with its line")?;
        let name = head.split(['\r', '\n', ';']).find_map(|p| p.trim().strip_prefix("name="));
        let name = name.ok_or("a part has no name")?.trim_matches('"');
        fields.push((name.to_owned(), value.to_owned()));
    }
    Err("the last part is missing")
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
    }
}
