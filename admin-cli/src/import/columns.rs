//! Which column of a table is which: stated with `--map`, or guessed from the headers hotlines use.
//!
//! A guess is always shown before it is used. Where any column is stated, none is guessed: a person who
//! maps by hand means exactly what they wrote.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::clean;
use crate::both;
use crate::limits::HEADER_BYTES_MAX;
use crate::words::{Both, Lang};

/// What a column can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The source's number of the matter; with the system's name it is what makes an import repeatable.
    Number,
    /// One line that says what it is about.
    Title,
    /// What was said.
    Body,
    /// The day it was raised.
    RaisedAt,
    /// The reply already given.
    Answer,
    /// The day of the reply.
    AnsweredAt,
    /// The source's category.
    Category,
}

impl Field {
    /// All of them, in the order they are shown.
    pub const ALL: [Field; 7] = [
        Field::Number,
        Field::Title,
        Field::Body,
        Field::RaisedAt,
        Field::Answer,
        Field::AnsweredAt,
        Field::Category,
    ];

    /// The name used with `--map`.
    pub fn name(self) -> &'static str {
        match self {
            Field::Number => "number",
            Field::Title => "title",
            Field::Body => "body",
            Field::RaisedAt => "raised_at",
            Field::Answer => "answer",
            Field::AnsweredAt => "answered_at",
            Field::Category => "category",
        }
    }

    /// The name for people.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Field::Number => lang.of("编号", "number"),
            Field::Title => lang.of("标题", "title"),
            Field::Body => lang.of("内容", "text"),
            Field::RaisedAt => lang.of("提出时间", "raised"),
            Field::Answer => lang.of("答复", "answer"),
            Field::AnsweredAt => lang.of("答复时间", "answered"),
            Field::Category => lang.of("类别", "category"),
        }
    }

    /// Headers seen in tables of hotlines, message boards and letter offices. Earlier ones are surer.
    fn known_headers(self) -> &'static [&'static str] {
        match self {
            Field::Number => &[
                "留言编号",
                "工单编号",
                "诉求编号",
                "事项编号",
                "信件编号",
                "投诉编号",
                "来电编号",
                "受理编号",
                "办件编号",
                "问题编号",
                "工单号",
                "流水号",
                "受理单号",
                "编号",
                "单号",
                "number",
                "id",
            ],
            Field::Title => &[
                "留言主题",
                "留言标题",
                "工单标题",
                "诉求标题",
                "事项标题",
                "信件标题",
                "信件主题",
                "事项名称",
                "诉求主题",
                "问题标题",
                "标题",
                "主题",
                "题目",
                "title",
                "subject",
            ],
            Field::Body => &[
                "留言详情",
                "留言内容",
                "工单内容",
                "诉求内容",
                "事项内容",
                "信件内容",
                "投诉内容",
                "反映内容",
                "来电内容",
                "问题描述",
                "诉求描述",
                "事项描述",
                "主要内容",
                "具体内容",
                "反映问题",
                "详细内容",
                "详情",
                "内容",
                "描述",
                "正文",
                "body",
                "content",
                "text",
                "description",
            ],
            Field::RaisedAt => &[
                "留言时间",
                "留言日期",
                "诉求时间",
                "来电时间",
                "来信时间",
                "来信日期",
                "投诉时间",
                "反映时间",
                "提交时间",
                "提出时间",
                "登记时间",
                "登记日期",
                "受理时间",
                "工单时间",
                "创建时间",
                "发生时间",
                "来访时间",
                "时间",
                "日期",
                "raised_at",
                "raised_on",
                "created_at",
                "date",
            ],
            Field::Answer => &[
                "答复意见",
                "答复内容",
                "回复内容",
                "回复意见",
                "办理结果",
                "处理结果",
                "办理意见",
                "处理意见",
                "办理情况",
                "处理情况",
                "答复",
                "回复",
                "answer",
                "reply",
            ],
            Field::AnsweredAt => &[
                "答复时间",
                "答复日期",
                "回复时间",
                "回复日期",
                "办结时间",
                "办结日期",
                "处理时间",
                "办理时间",
                "反馈时间",
                "answered_at",
                "answered_on",
                "replied_at",
            ],
            Field::Category => &[
                "一级标签",
                "留言类别",
                "诉求类别",
                "诉求类型",
                "问题类别",
                "问题类型",
                "事项类别",
                "事项类型",
                "工单类型",
                "投诉类型",
                "信件类别",
                "一级分类",
                "分类",
                "类别",
                "类型",
                "category",
                "type",
            ],
        }
    }
}

impl FromStr for Field {
    type Err = Both;

    fn from_str(name: &str) -> Result<Self, Both> {
        let name = name.trim();
        Field::ALL.into_iter().find(|field| field.name() == name || field.label(Lang::Zh) == name).ok_or_else(
            || {
                let known = Field::ALL.map(Field::name).join(", ");
                both!(
                    "--map 不认识字段「{name}」，可用的有：{known}",
                    "--map does not know the field “{name}”; there are: {known}"
                )
            },
        )
    }
}

/// One `--map FIELD=HEADER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// What it is.
    pub field: Field,
    /// The header as given.
    pub header: String,
}

impl FromStr for Mapping {
    type Err = Both;

    fn from_str(text: &str) -> Result<Self, Both> {
        let (field, header) = text.split_once('=').ok_or_else(|| {
            both!(
                "--map 要写成「字段=表头」，例如 --map body=留言详情",
                "--map wants FIELD=HEADER, as in --map body=留言详情"
            )
        })?;
        Ok(Self { field: field.parse()?, header: header.trim().to_owned() })
    }
}

/// Where each field stands in a table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The row the headers are in, counted from 0.
    pub header_row: usize,
    /// Field → column, counted from 0.
    pub places: BTreeMap<Field, usize>,
    /// The headers as they stand in the file, cleaned.
    pub headers: Vec<String>,
    /// Whether nobody stated them.
    pub guessed: bool,
}

impl Columns {
    /// Finds the header among the first `rows` and each field's column in it.
    pub fn find(rows: &[Vec<String>], stated: &[Mapping]) -> Result<Self, Both> {
        let columns = if stated.is_empty() { Self::guess(rows)? } else { Self::stated(rows, stated)? };
        for field in [Field::Number, Field::Body, Field::RaisedAt] {
            if !columns.places.contains_key(&field) {
                let headers = columns.headers.join("、");
                let (zh, en, name) = (field.label(Lang::Zh), field.label(Lang::En), field.name());
                return Err(both!(
                    "表里没有找到「{zh}」这一列，什么都没有导入。请用 --map {name}=表头 指明。表头有：{headers}",
                    "No column for “{en}” was found; nothing was imported. Name it with --map {name}=HEADER. The headers are: {headers}"
                ));
            }
        }
        Ok(columns)
    }

    /// The column of a field.
    pub fn column(&self, field: Field) -> Option<usize> {
        self.places.get(&field).copied()
    }

    /// `字段 ← 表头` pairs for showing.
    pub fn pairs(&self) -> impl Iterator<Item = (Field, &str)> {
        self.places
            .iter()
            .map(|(field, column)| (*field, self.headers.get(*column).map_or("", String::as_str)))
    }

    fn guess(rows: &[Vec<String>]) -> Result<Self, Both> {
        let best =
            rows.iter().enumerate().map(|(at, row)| (guess_row(row), at)).max_by_key(|(places, at)| {
                // Of equally good rows the first is the header.
                (places.len(), usize::MAX - at)
            });
        match best {
            Some((places, header_row)) if places.len() >= 2 => {
                let headers =
                    rows.get(header_row).map(|row| row.iter().map(|cell| clean::line(cell)).collect());
                Ok(Self { header_row, places, headers: headers.unwrap_or_default(), guessed: true })
            }
            _ => {
                let first = rows.first().map(|row| row.join("、")).unwrap_or_default();
                Err(both!(
                    "认不出表头，什么都没有导入。请逐列指明，例如 --map number=编号 --map body=内容 --map raised_at=时间。第一行是：{first}",
                    "The headers were not recognised; nothing was imported. Name the columns, as in --map number=编号 --map body=内容 --map raised_at=时间. The first row is: {first}"
                ))
            }
        }
    }

    fn stated(rows: &[Vec<String>], stated: &[Mapping]) -> Result<Self, Both> {
        for (at, mapping) in stated.iter().enumerate() {
            if stated.iter().take(at).any(|earlier| earlier.field == mapping.field) {
                let name = mapping.field.name();
                return Err(both!("--map {name}= 写了两次", "--map {name}= was given twice"));
            }
        }
        let mut closest: Option<(usize, &str, &[String])> = None;
        for (header_row, row) in rows.iter().enumerate() {
            let bared: Vec<String> = row.iter().map(|cell| bare(cell)).collect();
            let find = |header: &str| position(&bared, header);
            let places: BTreeMap<Field, usize> =
                stated.iter().filter_map(|mapping| Some((mapping.field, find(&mapping.header)?))).collect();
            if places.len() == stated.len() {
                let headers = row.iter().map(|cell| clean::line(cell)).collect();
                return Ok(Self { header_row, places, headers, guessed: false });
            }
            let missing = stated.iter().find(|mapping| !places.contains_key(&mapping.field));
            if let Some(missing) = missing
                && closest.is_none_or(|(found, ..)| places.len() > found)
            {
                closest = Some((places.len(), &missing.header, row));
            }
        }
        let (_, missing, row) = closest.unwrap_or((0, "", &[]));
        let headers = row.iter().map(|cell| clean::line(cell)).collect::<Vec<_>>().join("、");
        Err(both!(
            "表里没有「{missing}」这个表头，什么都没有导入。表头有：{headers}",
            "There is no header “{missing}” in the table; nothing was imported. The headers are: {headers}"
        ))
    }
}

/// The fields a row's cells would be if it were the header.
fn guess_row(row: &[String]) -> BTreeMap<Field, usize> {
    let bared: Vec<String> = row.iter().map(|cell| bare(cell)).collect();
    let mut places = BTreeMap::new();
    for field in Field::ALL {
        let found = field.known_headers().iter().find_map(|header| position(&bared, header));
        if let Some(column) = found {
            places.insert(field, column);
        }
    }
    places
}

/// Where a header stands: the same letters; stars, brackets with remarks and blanks do not count.
fn position(bared: &[String], header: &str) -> Option<usize> {
    let header = bare(header);
    bared.iter().position(|cell| !cell.is_empty() && *cell == header)
}

/// A header's letters; nothing for a cell too long to be one.
fn bare(header: &str) -> String {
    if header.len() > HEADER_BYTES_MAX {
        return String::new();
    }
    let mut depth = 0usize;
    let narrowed = clean::code(header);
    let mut out = String::new();
    for c in narrowed.chars() {
        match c {
            '(' | '[' | '【' => depth += 1,
            ')' | ']' | '】' => depth = depth.saturating_sub(1),
            _ if depth > 0 || c.is_whitespace() || matches!(c, '*' | ':' | '"' | '\'') => {}
            _ => out.extend(c.to_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &[&str]) -> Vec<Vec<String>> {
        lines.iter().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    }

    fn shown(columns: &Columns) -> String {
        columns
            .pairs()
            .map(|(field, header)| format!("{}={header}", field.name()))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_hotlines_headers_are_recognised() {
        let table = rows(&["留言编号,留言用户,留言主题,留言时间,留言详情,答复意见,答复时间"]);
        assert_eq!(
            shown(&Columns::find(&table, &[]).unwrap()),
            "number=留言编号 title=留言主题 body=留言详情 raised_at=留言时间 answer=答复意见 answered_at=答复时间"
        );
    }

    #[test]
    fn a_title_above_the_header_and_marks_in_it_do_not_matter() {
        let table = rows(&[
            "姚渡镇热线工单,,,",
            ",,,",
            "序号,* 工单 编号,诉求内容（必填）,登记时间：",
            "1,A1,路灯,2020-1-2",
        ]);
        let columns = Columns::find(&table, &[]).unwrap();
        assert_eq!(columns.header_row, 2);
        assert_eq!(columns.column(Field::Number), Some(1));
        assert!(columns.guessed);
    }

    #[test]
    fn the_surer_header_wins() {
        let table = rows(&["编号,时间,内容,来电时间,工单编号"]);
        let columns = Columns::find(&table, &[]).unwrap();
        assert_eq!(columns.column(Field::Number), Some(4));
        assert_eq!(columns.column(Field::RaisedAt), Some(3));
    }

    #[test]
    fn what_is_stated_is_taken_and_nothing_else() {
        let table = rows(&["编号,标题,A,B"]);
        let stated: Vec<Mapping> =
            ["number=编号", "body=A", "raised_at=B"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(shown(&Columns::find(&table, &stated).unwrap()), "number=编号 body=A raised_at=B");
    }

    #[test]
    fn a_missing_column_is_named_with_the_headers_there_are() {
        let table = rows(&["编号,内容,时间"]);
        let stated: Vec<Mapping> = vec!["body=留言详情".parse().unwrap()];
        let why = Columns::find(&table, &stated).unwrap_err();
        assert!(why.zh.contains("「留言详情」") && why.zh.contains("编号、内容、时间"), "{}", why.zh);
        let why = Columns::find(&rows(&["编号,内容"]), &[]).unwrap_err();
        assert!(why.en.contains("--map raised_at=HEADER"), "{}", why.en);
        assert!(Columns::find(&rows(&["甲,乙"]), &[]).unwrap_err().zh.contains("甲、乙"));
        assert!(Columns::find(&[], &[]).is_err());
    }

    #[test]
    fn unknown_fields_and_doubles_are_usage_errors() {
        assert!("colour=红".parse::<Mapping>().unwrap_err().en.contains("raised_at"));
        assert!("body".parse::<Mapping>().is_err());
        let stated: Vec<Mapping> = vec!["body=内容".parse().unwrap(), "body=详情".parse().unwrap()];
        assert!(Columns::find(&rows(&["内容,详情"]), &stated).is_err());
    }
}
