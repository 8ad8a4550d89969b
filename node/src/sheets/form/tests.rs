//! Forms as districts make them: written by a library, and by hand where files are odd or bad.

use super::*;
use calamine::{Data, Reader as _, Xlsx};
use rust_xlsxwriter::{Format, Formula, Workbook};
use std::io::{Cursor, Read as _, Write as _};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

fn figures() -> Figures {
    Figures::of([("raised", "登记事项总数", "Raised"), ("answered", "答复次数", "Replies")].into_iter())
}

/// A form with a style, words, a formula, a merged cell and a second sheet.
fn form(names: &[(&str, &str)]) -> Vec<u8> {
    let mut book = Workbook::new();
    let bold = Format::new().set_bold().set_background_color("#FFEEAA");
    let sheet = book.add_worksheet().set_name("季报 表'1").unwrap();
    sheet.write_string(0, 0, "登记").unwrap();
    sheet.write_string_with_format(1, 1, "待填", &bold).unwrap();
    sheet.write_formula(2, 1, Formula::new("=B2*2").set_result("0")).unwrap();
    sheet.merge_range(4, 1, 4, 3, "合并", &bold).unwrap();
    sheet.write_string(9, 0, "脚注").unwrap();
    book.add_worksheet().set_name("Other").unwrap();
    for (name, refers) in names {
        book.define_name(*name, refers).unwrap();
    }
    book.save_to_buffer().unwrap()
}

fn filled(bytes: &[u8]) -> Vec<u8> {
    fill(bytes, &figures(), |cell| match cell.figure {
        "place" => Some(Value::Text("芦稿村 <&\"".into())),
        "raised" if cell.matters => Some(Value::Number(7)),
        "raised" => Some(Value::Number(41)),
        _ => Some(Value::Number(-5)),
    })
    .unwrap()
}

fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut parts = BTreeMap::new();
    for at in 0..zip.len() {
        let mut part = zip.by_index(at).unwrap();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        parts.insert(part.name().unwrap().into_owned(), bytes);
    }
    parts
}

fn packed(parts: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        out.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn codes(bytes: &[u8]) -> Vec<&'static str> {
    look(bytes, &figures()).problems.iter().map(|p| p.code).collect()
}

#[test]
fn named_cells_are_filled_and_nothing_else_changes() {
    let bytes = form(&[
        ("yishi.raised.2026Q4", "='季报 表''1'!$B$2"),
        ("登记事项总数", "='季报 表''1'!$B$7"),
        ("Yishi.Raised.matters", "='季报 表''1'!$D$2"),
        ("answered", "='季报 表''1'!$B$5:$D$5"),
        ("yishi.place", "=Other!$C$3"),
        ("yishi.rased", "=Other!$A$1"),
        ("本区汇总", "=Other!$A$2"),
    ]);
    let found = look(&bytes, &figures());
    assert_eq!(found.problems, []);
    assert!(found.formulas);
    let cells: Vec<_> = found.cells.iter().map(|c| (c.cell.as_str(), c.figure, c.matters)).collect();
    for cell in [
        ("季报 表'1!B2", "raised", false),
        ("季报 表'1!B7", "raised", false),
        ("季报 表'1!D2", "raised", true),
        ("季报 表'1!B5:D5", "answered", false),
        ("Other!C3", "place", false),
    ] {
        assert!(cells.contains(&cell), "{cell:?} in {cells:?}");
    }
    let quarter = found.cells.iter().find_map(|c| c.period).unwrap();
    assert_eq!(quarter.to_string(), "2026-Q4");
    let mut unknown: Vec<_> = found.unknown.iter().map(|u| (u.name.as_str(), u.perhaps.as_deref())).collect();
    unknown.sort();
    assert_eq!(unknown, [("yishi.rased", Some("yishi.raised")), ("本区汇总", None)]);

    let out = filled(&bytes);
    let (before, after) = (parts(&bytes), parts(&out));
    let changed: Vec<&str> =
        before.iter().filter(|(name, b)| after.get(*name) != Some(b)).map(|(n, _)| n.as_str()).collect();
    assert_eq!(changed, ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"]);
    // That all is calculated anew stood in it already.
    assert_eq!(before.len(), after.len());
    // What was not changed travels as it was compressed, too.
    let raw = |bytes: &[u8], name: &str| {
        let mut zip = ZipArchive::new(Cursor::new(bytes.to_vec())).unwrap();
        let mut part = zip.by_name_raw(name.as_bytes()).unwrap();
        let mut raw = Vec::new();
        part.read_to_end(&mut raw).unwrap();
        raw
    };
    let style = "xl/styles.xml";
    assert_eq!(after.get(style), before.get(style));
    assert_eq!(raw(&out, style).len(), raw(&bytes, style).len());
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(out)).unwrap();
    let first = book.worksheet_range("季报 表'1").unwrap();
    let at = |row, column| first.get_value((row, column)).cloned().unwrap_or(Data::Empty);
    assert_eq!((at(1, 1), at(6, 1), at(1, 3)), (Data::Float(41.0), Data::Float(41.0), Data::Float(7.0)));
    assert_eq!(
        (at(4, 1), at(0, 0), at(9, 0)),
        (Data::Float(-5.0), Data::String("登记".into()), Data::String("脚注".into()))
    );
    assert_eq!(book.worksheet_formula("季报 表'1").unwrap().get_value((2, 1)), Some(&"B2*2".to_owned()));
    let other = book.worksheet_range("Other").unwrap();
    assert_eq!(other.get_value((2, 2)), Some(&Data::String("芦稿村 <&\"".into())));
    let text = |name: &str| String::from_utf8(after.get(name).unwrap().clone()).unwrap();
    assert!(text("xl/workbook.xml").contains("fullCalcOnLoad=\"1\""));
    let sheet = text("xl/worksheets/sheet1.xml");
    let style = sheet.split("r=\"B2\"").nth(1).unwrap();
    assert!(style.starts_with(" s=\"") && !style.starts_with(" t="), "it keeps its style: {style}");
    // Filled again it holds the new figures: a filled form is a form.
    assert_eq!(codes(&filled(&bytes)), [""; 0]);
}

#[test]
fn odd_files_are_filled_too() {
    // Elements with a prefix, rows and cells without numbers, an empty row, no calcPr.
    let mut odd = parts(&form(&[
        ("raised", "=Other!$B$2"),
        ("answered", "=Other!$A$4"),
        ("yishi.place", "=Other!$C$1"),
    ]));
    let sheet = "<?xml version=\"1.0\"?><x:worksheet xmlns:x=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">\
        <x:sheetData><x:row spans=\"1:1\"><x:c><x:v>1</x:v></x:c></x:row><x:row ht=\"30\"/>\
        <x:row r=\"9\"><x:c r=\"A9\"/></x:row></x:sheetData></x:worksheet>";
    odd.insert("xl/worksheets/sheet2.xml".into(), sheet.into());
    let book = String::from_utf8(odd.get("xl/workbook.xml").unwrap().clone()).unwrap();
    let cut = book.find("<calcPr").unwrap();
    let end = cut + book[cut..].find("/>").unwrap() + 2;
    odd.insert("xl/workbook.xml".into(), format!("{}{}", &book[..cut], &book[end..]).into());
    let after = parts(&filled(&packed(&odd)));
    let sheet = String::from_utf8(after.get("xl/worksheets/sheet2.xml").unwrap().clone()).unwrap();
    assert_eq!(
        sheet.split("<x:sheetData>").nth(1).unwrap(),
        "<x:row><x:c><x:v>1</x:v></x:c><x:c r=\"C1\" t=\"inlineStr\"><x:is><x:t xml:space=\"preserve\">芦稿村 &lt;&amp;&quot;</x:t></x:is></x:c></x:row>\
         <x:row ht=\"30\"><x:c r=\"B2\"><x:v>41</x:v></x:c></x:row>\
         <x:row r=\"4\"><x:c r=\"A4\"><x:v>-5</x:v></x:c></x:row>\
         <x:row r=\"9\"><x:c r=\"A9\"/></x:row></x:sheetData></x:worksheet>"
    );
    let book = String::from_utf8(after.get("xl/workbook.xml").unwrap().clone()).unwrap();
    assert!(book.contains("</definedNames><calcPr fullCalcOnLoad=\"1\"/>"), "{book}");
}

#[test]
fn bad_names_are_told_with_what_to_do() {
    let one = |refers: &str| codes(&form(&[("raised", refers)]));
    let sheet = "'季报 表''1'";
    assert_eq!(one(&format!("={sheet}!$A$1:$B$2")), ["range"]);
    assert_eq!(one(&format!("={sheet}!$C$5")), ["under_merged"]);
    assert_eq!(one(&format!("={sheet}!$B$3")), ["formula"]);
    assert_eq!(one("=Missing!$A$1"), ["no_such_sheet"]);
    assert_eq!(one("=Other!#REF!"), ["not_a_cell"]);
    assert_eq!(one("=1+1"), ["not_a_cell"]);
    assert_eq!(one("=[1]Other!$A$1"), ["other_file"]);
    assert_eq!(codes(&form(&[])), ["no_known_name"]);
    assert_eq!(codes(&form(&[("summary", "=Other!$A$1")])), ["no_known_name"]);
    let many: Vec<String> = (0..9).map(|n| format!("raised.{}Q1", 2020 + n)).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|n| (n.as_str(), "=Other!$A$1")).collect();
    assert_eq!(codes(&form(&many)), ["too_many_quarters"]);
    let found = look(&form(&[("raised", "=Other!$A$1:$A$3")]), &figures());
    let problem = found.problems.first().unwrap();
    assert!(problem.zh.contains("“raised”") && problem.en.contains("single cell"), "{problem:?}");
}

#[test]
fn bad_files_are_refused() {
    let good = form(&[("raised", "=Other!$A$1")]);
    assert_eq!(codes(b"a,b\n1,2\n"), ["not_a_workbook"]);
    assert_eq!(codes(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]), ["locked_or_old"]);
    assert_eq!(codes(b""), ["not_a_workbook"]);
    assert_eq!(codes(&good[..good.len() / 2]), ["not_readable"]);
    assert_eq!(codes(&vec![b'P'; FILE_BYTES_MAX + 1]), ["too_large"]);
    let with = |name: &str, bytes: &[u8]| {
        let mut parts = parts(&good);
        parts.insert(name.into(), bytes.to_vec());
        codes(&packed(&parts))
    };
    assert_eq!(with("xl/vbaProject.bin", b"x"), ["macros"]);
    assert_eq!(with("xl/externalLinks/externalLink1.xml", b"<x/>"), ["external_links"]);
    assert_eq!(with("xl/media/bomb.bin", &vec![0; 17 * 1024 * 1024]), ["inflates_too_much"]);
    assert_eq!(with("xl/workbook.xml", b"<!DOCTYPE x [<!ENTITY a \"b\">]><workbook/>"), ["not_readable"]);
    assert_eq!(with("xl/workbook.xml", &[0xff, 0xfe]), ["not_readable"]);
    assert_eq!(
        with("xl/worksheets/sheet2.xml", b"<worksheet><sheetData><row></worksheet>"),
        ["not_readable"]
    );
    assert_eq!(with("xl/worksheets/sheet2.xml", b"<worksheet/>"), ["not_readable"]);
    let macros = String::from_utf8(parts(&good).remove("[Content_Types].xml").unwrap()).unwrap();
    let macros = macros.replace("spreadsheetml.sheet.main", "macroEnabled.main");
    assert_eq!(with("[Content_Types].xml", macros.as_bytes()), ["macros"]);
    let many: BTreeMap<String, Vec<u8>> = (0..=PARTS_MAX).map(|n| (format!("p{n}"), Vec::new())).collect();
    assert_eq!(codes(&packed(&many)), ["inflates_too_much"]);
    // Every cut of a good file is told of, never a panic.
    for end in (0..good.len()).step_by(97) {
        assert!(!look(&good[..end], &figures()).problems.is_empty());
    }
}

#[test]
fn addresses_of_cells_are_read_as_excel_writes_them() {
    for (text, at) in
        [("B5", Some((5, 2))), ("$AA$10", Some((10, 27))), ("XFD1048576", Some((1_048_576, 16_384)))]
    {
        assert_eq!(cells::at(text), at, "{text}");
    }
    for text in ["", "5", "B", "B0", "XFE1", "AAAA1", "B5C", "é1", "B-1"] {
        assert_eq!(cells::at(text), None, "{text}");
    }
}
