//! The file as a zip: bounded while it is read, and every part that is not changed handed on as it came.

use super::{FILE_BYTES_MAX, INFLATED_BYTES_MAX, PARTS_MAX, Trouble};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Write},
};
use zip::{CompressionMethod, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

/// The first bytes of what Excel wrote before 2007, and of what a password locks.
const OLD: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0];

/// A form as a zip.
pub(super) struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// What may still be inflated, in bytes.
    left: u64,
}

fn too_large() -> Trouble {
    let (mib, parts) = (INFLATED_BYTES_MAX / 1024 / 1024, PARTS_MAX);
    Trouble::new(
        "inflates_too_much",
        format!(
            "文件解开后超过 {mib} MiB，或有 {parts} 个以上部件，不像一张表，没有收下。请只留要填的那张表再上传"
        ),
        format!(
            "Inflated, the file has more than {mib} MiB or {parts} parts, which is no form; it was not taken. Keep only the sheet to be filled and send it again"
        ),
    )
}

fn not_zip(error: &ZipError) -> Trouble {
    match error {
        ZipError::UnsupportedArchive(_) => locked(),
        other => Trouble::broken(other),
    }
}

fn locked() -> Trouble {
    Trouble::new(
        "locked_or_old",
        "文件加了密码，或是 2007 年以前的 .xls 格式。请去掉密码，另存为 .xlsx 再上传",
        "The file has a password, or is an .xls from before 2007. Take the password off, save it as .xlsx and send it again",
    )
}

impl<'a> Package<'a> {
    /// Opens it, and refuses what is no plain workbook.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Trouble> {
        if bytes.len() > FILE_BYTES_MAX {
            let (kib, most) = (bytes.len() / 1024, FILE_BYTES_MAX / 1024);
            return Err(Trouble::new(
                "too_large",
                format!("文件有 {kib} KiB，最多 {most} KiB。请去掉图片、只留要填的表再上传"),
                format!(
                    "The file has {kib} KiB; {most} is the most. Take pictures out, keep the sheet to be filled and send it again"
                ),
            ));
        }
        if bytes.starts_with(OLD) {
            return Err(locked());
        }
        if !bytes.starts_with(b"PK") {
            return Err(Trouble::new(
                "not_a_workbook",
                "这不是 Excel 的 .xlsx 文件。请用 Excel 或 WPS 另存为 .xlsx 再上传",
                "This is no .xlsx file. Save it as .xlsx in Excel or WPS and send it again",
            ));
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| not_zip(&e))?;
        if zip.len() > PARTS_MAX {
            return Err(too_large());
        }
        let mut package = Self { zip, left: INFLATED_BYTES_MAX };
        package.plain()?;
        Ok(package)
    }

    fn plain(&mut self) -> Result<(), Trouble> {
        let mut names = Vec::new();
        for name in self.zip.file_names() {
            names.push(name.map_err(|e| not_zip(&e))?.to_ascii_lowercase());
        }
        let types = self.text("[Content_Types].xml")?;
        if names.iter().any(|n| n.ends_with("vbaproject.bin")) || types.contains("macroEnabled") {
            return Err(Trouble::new(
                "macros",
                "文件带有宏，没有收下。请另存为不带宏的 .xlsx 再上传",
                "The file has macros and was not taken. Save it as an .xlsx without macros and send it again",
            ));
        }
        if names.iter().any(|n| n.contains("externallinks/")) {
            return Err(Trouble::new(
                "external_links",
                "表里引用了别的文件，填好后数会跟着别的文件变，没有收下。请在 Excel 的“数据 → 编辑链接”里断开链接再上传",
                "The form refers to other files, so its figures would change with them; it was not taken. Break the links in Excel (Data, Edit links) and send it again",
            ));
        }
        Ok(())
    }

    /// Inflates every part once, within bounds, so that nobody is handed a bomb later.
    pub(super) fn inflate_all(&mut self) -> Result<(), Trouble> {
        for at in 0..self.zip.len() {
            let part = self.zip.by_index(at).map_err(|e| not_zip(&e))?;
            let left = self.left;
            let read =
                std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(Trouble::broken)?;
            self.left = left.checked_sub(read).ok_or_else(too_large)?;
        }
        self.left = INFLATED_BYTES_MAX;
        Ok(())
    }

    /// A part as text.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Trouble> {
        let part = self.zip.by_name(name).map_err(|e| match e {
            ZipError::FileNotFound => Trouble::broken(format!("{name}?")),
            other => not_zip(&other),
        })?;
        let left = self.left;
        let mut bytes = Vec::new();
        part.take(left + 1).read_to_end(&mut bytes).map_err(Trouble::broken)?;
        let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = left.checked_sub(read).ok_or_else(too_large)?;
        String::from_utf8(bytes).map_err(|_| Trouble::broken(format!("{name}: UTF-8?")))
    }

    /// The file with some parts changed.
    pub(super) fn with(mut self, changed: &BTreeMap<String, String>) -> Result<Vec<u8>, Trouble> {
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        for at in 0..self.zip.len() {
            let part = self.zip.by_index_raw(at).map_err(|e| not_zip(&e))?;
            let name = part.name().map_err(|e| not_zip(&e))?.into_owned();
            let Some(text) = changed.get(&name) else {
                out.raw_copy_file(part).map_err(Trouble::broken)?;
                continue;
            };
            let mut options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
            if let Some(when) = part.last_modified() {
                options = options.last_modified_time(when);
            }
            drop(part);
            out.start_file(name, options).map_err(Trouble::broken)?;
            out.write_all(text.as_bytes()).map_err(Trouble::broken)?;
        }
        Ok(out.finish().map_err(Trouble::broken)?.into_inner())
    }
}
