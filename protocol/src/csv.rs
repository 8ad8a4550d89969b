//! A small reader of comma-separated tables (RFC 4180) as offices produce them.
//!
//! It takes a byte-order mark, either line ending, quoted fields with line breaks in them, and blank
//! lines; everything else that is unusual is an error that names the line a person would look at. It
//! never guesses: a row with a missing or an extra field is an error, not a shifted row.

use thiserror::Error;

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CsvReason {
    /// There is not even a header.
    #[error("the table is empty")]
    Empty,
    /// A quoted field is never closed.
    #[error("a quotation mark is never closed")]
    OpenQuote,
    /// Text follows a closing quotation mark.
    #[error("there is text after a closing quotation mark")]
    AfterQuote,
    /// The row has more or fewer fields than the header.
    #[error("the row has {found} fields, the header has {expected}")]
    FieldCount {
        /// Fields in this row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
}

/// A table could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub struct CsvError {
    /// Line in the text, from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: CsvReason,
}

/// One row and the line it starts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line in the text, from 1.
    pub line: usize,
    /// The fields, trimmed unless they were quoted.
    pub fields: Vec<String>,
}

impl Row {
    /// The field at `column`, empty when there is none.
    #[must_use]
    pub fn field(&self, column: usize) -> &str {
        self.fields.get(column).map_or("", String::as_str)
    }
}

/// A header and the rows under it, each with as many fields as the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub header: Row,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// Reads a whole table.
    ///
    /// # Errors
    /// [`CsvError`] for the first line that cannot be read.
    pub fn read(text: &str) -> Result<Self, CsvError> {
        let mut rows = rows(text)?.into_iter();
        let header = rows.next().ok_or(CsvError { line: 1, reason: CsvReason::Empty })?;
        let expected = header.fields.len();
        let rows = rows
            .map(|row| match row.fields.len() {
                found if found == expected => Ok(row),
                found => Err(CsvError { line: row.line, reason: CsvReason::FieldCount { found, expected } }),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { header, rows })
    }

    /// Where the column called `name` is.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.fields.iter().position(|f| f == name)
    }
}

fn rows(text: &str) -> Result<Vec<Row>, CsvError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut chars = text.chars().peekable();
    let mut rows = Vec::new();
    let mut line = 1;
    while chars.peek().is_some() {
        let first_line = line;
        let mut fields = Vec::new();
        loop {
            let mut field = String::new();
            while chars.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
            if chars.next_if_eq(&'"').is_some() {
                let opened = line;
                loop {
                    match chars.next() {
                        None => return Err(CsvError { line: opened, reason: CsvReason::OpenQuote }),
                        Some('"') if chars.next_if_eq(&'"').is_some() => field.push('"'),
                        Some('"') => break,
                        Some(c) => {
                            line += usize::from(c == '\n');
                            field.push(c);
                        }
                    }
                }
                while chars.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
                if chars.peek().is_some_and(|c| !matches!(c, ',' | '\r' | '\n')) {
                    return Err(CsvError { line, reason: CsvReason::AfterQuote });
                }
            } else {
                while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\r' | '\n')) {
                    field.push(c);
                }
                field.truncate(field.trim_end().len());
            }
            fields.push(field);
            match chars.next() {
                Some(',') => {}
                Some('\r') => {
                    let _ = chars.next_if_eq(&'\n');
                    break;
                }
                _ => break,
            }
        }
        line += 1;
        if fields.iter().any(|f| !f.is_empty()) {
            rows.push(Row { line: first_line, fields });
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(usize, Vec<String>)> {
        Table::read(text).unwrap().rows.into_iter().map(|r| (r.line, r.fields)).collect()
    }

    #[test]
    fn what_offices_produce_is_read() {
        let rows = read("\u{feff}a,b\r\n1, 村口 \r\n\r\n\"x,\"\"y\"\"\n2\",\"\"\r\n3,4");
        assert_eq!(
            rows,
            [
                (2, vec!["1".to_owned(), "村口".to_owned()]),
                (4, vec!["x,\"y\"\n2".to_owned(), String::new()]),
                (6, vec!["3".to_owned(), "4".to_owned()]),
            ]
        );
        assert_eq!(read("a\r1\r2").len(), 2, "old line endings");
    }

    #[test]
    fn mistakes_name_their_line() {
        let fail = |t: &str| Table::read(t).unwrap_err();
        assert_eq!(fail(" \n"), CsvError { line: 1, reason: CsvReason::Empty });
        assert_eq!(
            fail("a,b\n1,2\n3\n"),
            CsvError { line: 3, reason: CsvReason::FieldCount { found: 1, expected: 2 } }
        );
        assert_eq!(fail("a\n\"1\n2\n"), CsvError { line: 2, reason: CsvReason::OpenQuote });
        assert_eq!(fail("a\n\"1\"2\n"), CsvError { line: 2, reason: CsvReason::AfterQuote });
    }
}
