//! `multipart/form-data` (RFC 7578) as it comes in, a few bytes at a time: what [`super::parts`] reads of a body that
//! is here whole, this reads of one that must never be.
//!
//! Bytes go in by [`Parts::push`], what can be said of them comes out by [`Parts::next`]. Held back are only those that
//! may be the beginning of a boundary.

use super::limits::PART_HEAD_BYTES_MAX;

/// What comes out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A field begins.
    Begin {
        /// Its name.
        name: String,
        /// What the file is called, if it is one.
        file: Option<String>,
    },
    /// Some of its bytes.
    Data(Vec<u8>),
    /// It has ended.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the first boundary.
    Start,
    /// Right behind a boundary.
    Behind,
    Head,
    Body,
    Done,
}

/// A body as it comes in.
#[derive(Debug)]
pub(super) struct Parts {
    delimiter: Vec<u8>,
    held: Vec<u8>,
    at: At,
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    // Most bytes of a picture are not the first of the boundary.
    let first = *what.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|b| *b == first) {
        if bytes.get(from + at..)?.starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

impl Parts {
    pub(super) fn new(boundary: &str) -> Self {
        // The first boundary has no line before it.
        Self { delimiter: format!("\r\n--{boundary}").into_bytes(), held: b"\r\n".to_vec(), at: At::Start }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.at != At::Done {
            self.held.extend_from_slice(bytes);
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at == At::Done
    }

    fn drop_first(&mut self, n: usize) {
        self.held.drain(..n.min(self.held.len()));
    }

    /// What can be said of what came; `None` if more must come first.
    pub(super) fn next(&mut self) -> Result<Option<Part>, &'static str> {
        loop {
            match self.at {
                At::Done => return Ok(None),
                At::Start => {
                    if self.held.len() < self.delimiter.len() {
                        return Ok(None);
                    }
                    if !self.held.starts_with(&self.delimiter) {
                        return Err("the first part is missing");
                    }
                    self.drop_first(self.delimiter.len());
                    self.at = At::Behind;
                }
                At::Behind => match self.held.get(..2) {
                    None => return Ok(None),
                    Some(b"--") => {
                        self.held.clear();
                        self.at = At::Done;
                    }
                    Some(b"\r\n") => {
                        self.drop_first(2);
                        self.at = At::Head;
                    }
                    Some(_) => return Err("a part does not begin on a line of its own"),
                },
                At::Head => {
                    let Some(end) = find(&self.held, b"\r\n\r\n") else {
                        return if self.held.len() > PART_HEAD_BYTES_MAX {
                            Err("a part has no value")
                        } else {
                            Ok(None)
                        };
                    };
                    if end > PART_HEAD_BYTES_MAX {
                        return Err("a part has no value");
                    }
                    let head = self.held.get(..end).and_then(|h| std::str::from_utf8(h).ok());
                    let begin = head.and_then(begun).ok_or("a part has no name")?;
                    self.drop_first(end + 4);
                    self.at = At::Body;
                    return Ok(Some(begin));
                }
                At::Body => {
                    if let Some(end) = find(&self.held, &self.delimiter) {
                        if end > 0 {
                            return Ok(Some(Part::Data(self.held.drain(..end).collect())));
                        }
                        self.drop_first(self.delimiter.len());
                        self.at = At::Behind;
                        return Ok(Some(Part::End));
                    }
                    let sure = (self.held.len() + 1).saturating_sub(self.delimiter.len());
                    let data = |held: &mut Vec<u8>| Part::Data(held.drain(..sure).collect());
                    return Ok((sure > 0).then(|| data(&mut self.held)));
                }
            }
        }
    }
}

/// The name of a part, and that of its file, as its head says.
fn begun(head: &str) -> Option<Part> {
    let disposition = head.split("\r\n").find(|line| {
        line.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))
    })?;
    let (mut name, mut file) = (None, None);
    let mut rest = disposition;
    while let Some((_, more)) = rest.split_once(';') {
        let Some((key, value)) = more.trim_start().split_once('=') else { break };
        // Browsers write a quote within as %22.
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => name = Some(value.to_owned()),
            "filename" => file = Some(value.replace("%22", "\"")),
            _ => {}
        }
        rest = after;
    }
    Some(Part::Begin { name: name?, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(photo: &[u8]) -> Vec<u8> {
        let mut body = b"--x-1\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\n\r\n--x-1\r\n\
            Content-Disposition: form-data; name=\"photos\"; filename=\"a;b=%22.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
            .to_vec();
        body.extend(photo);
        body.extend(b"\r\n--x-1--\r\n");
        body
    }

    /// Its name, the file's name, its bytes.
    type Field = (String, Option<String>, Vec<u8>);

    /// Fields with all their bytes, read so many bytes at a time.
    fn read(bytes: &[u8], step: usize) -> Result<Vec<Field>, &'static str> {
        let (mut parts, mut out) = (Parts::new("x-1"), Vec::new());
        for some in bytes.chunks(step) {
            parts.push(some);
            while let Some(part) = parts.next()? {
                match part {
                    Part::Begin { name, file } => out.push((name, file, Vec::new())),
                    Part::Data(data) => out.last_mut().unwrap().2.extend(data),
                    Part::End => {}
                }
            }
            assert!(parts.held.len() <= step + "\r\n--x-1".len() + 200, "{}", parts.held.len());
        }
        if parts.is_done() { Ok(out) } else { Err("not done") }
    }

    #[test]
    fn the_same_however_it_is_cut() {
        let photo = b"\xff\xd8\r\n--x-\r\n--x\r\n\r\n--\x00\xff\xd9";
        for step in 1..80 {
            let fields = read(&body(photo), step).unwrap();
            assert_eq!(fields[0], ("body".into(), None, Vec::new()), "{step}");
            assert_eq!(fields[1], ("photos".into(), Some("a;b=\".jpg".into()), photo.to_vec()), "{step}");
        }
    }

    #[test]
    fn broken_ones_are_refused() {
        for broken in
            ["--y\r\n\r\n", "--x-1xx", "--x-1\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x-1--"]
        {
            assert!(read(broken.as_bytes(), 7).is_err(), "{broken}");
        }
        let whole = body(b"photo");
        let end = whole.len() - 4;
        assert!((0..end).all(|len| read(&whole[..len], 9).is_err()));
        let endless = [b"--x-1\r\n".to_vec(), vec![b'a'; 3 * PART_HEAD_BYTES_MAX]].concat();
        let mut parts = Parts::new("x-1");
        parts.push(&endless);
        assert!(parts.next().is_err());
    }
}
