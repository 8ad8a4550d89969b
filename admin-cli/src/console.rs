//! The person (or program) in front: answers on standard output, everything said about them on standard error.
//!
//! With `--json` standard output carries exactly one JSON document, also when a command fails.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use serde_json::Value;

use crate::both;
use crate::limits::READING_WIDTH_MAX;
use crate::table::{Paint, Table, folded};
use crate::trouble::Trouble;
use crate::words::Lang;

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    /// The language.
    pub lang: Lang,
    /// Whether a program listens.
    pub json: bool,
    /// Whether there is colour.
    pub colour: bool,
    /// The terminal's width in columns, if standard output is one.
    pub width: Option<usize>,
}

impl Console {
    /// Looks at the surroundings once.
    pub fn new(lang: Lang, json: bool, no_color: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let width =
            terminal.then(|| terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0)));
        Self { lang, json, colour: terminal && !no_color && !json, width }
    }

    /// One or more lines of the answer.
    pub fn say(&self, text: &str) -> Result<(), Trouble> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(no_reader)
    }

    /// The answer for a program.
    pub fn document(&self, document: &Value) -> Result<(), Trouble> {
        let text = if self.width.is_some() { format!("{document:#}") } else { document.to_string() };
        self.say(&text)
    }

    /// Bytes of a file on standard output.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Trouble> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(no_reader)
    }

    /// A table.
    pub fn table(&self, table: &Table) -> Result<(), Trouble> {
        self.say(&table.lines(self.width, self.colour).join("\n"))
    }

    /// Something to read, folded and indented.
    pub fn paragraph(&self, text: &str, indent: &str) -> Result<(), Trouble> {
        let width = self.width.unwrap_or(READING_WIDTH_MAX).min(READING_WIDTH_MAX);
        self.say(&folded(text, indent, width).join("\n"))
    }

    /// Text in a colour, where there is colour.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        paint.on(text, self.colour)
    }

    /// A remark beside the answer, on standard error. Its loss is no reason to stop.
    pub fn note(&self, text: &str) {
        let lines = match self.width {
            Some(width) if io::stderr().is_terminal() => folded(text, "", width).join("\n"),
            _ => text.to_owned(),
        };
        let _ = writeln!(io::stderr().lock(), "{lines}");
    }

    /// Whether somebody can be asked.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Shows what will happen and asks. Without anybody to ask, only `yes` goes on.
    pub fn confirm(&self, consequence: &str, yes: bool) -> Result<(), Trouble> {
        if yes {
            return Ok(());
        }
        self.note(consequence);
        if !self.can_ask() {
            return Err(Trouble::Usage(both!(
                "这件事要先确认，什么都没有改动。看过上面的后果后，加 --yes 再执行。",
                "This wants a confirmation; nothing was changed. Having read the consequence above, run it with --yes."
            )));
        }
        let question = self.lang.of("确定吗？输入 yes 或「是」：", "Sure? Type yes: ");
        let _ = write!(io::stderr().lock(), "{question}");
        let _ = io::stderr().lock().flush();
        let mut answer = String::new();
        let _ = io::stdin().lock().read_line(&mut answer);
        match answer.trim() {
            "yes" | "y" | "Y" | "YES" | "是" | "确定" => Ok(()),
            _ => Err(Trouble::Usage(both!("已取消，什么都没有改动。", "Cancelled; nothing was changed."))),
        }
    }

    /// Text given on the command line, or read from standard input for `-`.
    pub fn text(&self, given: &str) -> Result<String, Trouble> {
        if given != "-" {
            return Ok(given.to_owned());
        }
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).map_err(|why| {
            Trouble::Usage(both!(
                "读不到输入的文字（{why}），什么都没有改动。",
                "The text cannot be read ({why}); nothing was changed."
            ))
        })?;
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Err(Trouble::Usage(both!(
                "没有读到文字，什么都没有改动。用 - 时，请从标准输入送入内容。",
                "There was no text; nothing was changed. With - the text comes from standard input."
            )));
        }
        Ok(text)
    }
}

fn no_reader(why: io::Error) -> Trouble {
    match why.kind() {
        io::ErrorKind::BrokenPipe => Trouble::ReaderGone,
        _ => Trouble::Usage(both!(
            "结果写不出去（{why}）。已经办成的不受影响，请换个地方输出后再看一次。",
            "The output cannot be written ({why}). What was done stays done; look again with another output."
        )),
    }
}
