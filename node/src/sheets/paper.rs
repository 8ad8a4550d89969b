//! What sheets have in common in putting things into words: places, days, choices, forms as they were filled in.

use super::{Cell, Sheet, both};
use crate::actions::{Actions, day_text, fixed_words};
use yishi_protocol::{
    fold::{Filling, Matter, Recorded},
    ids::{DocId, PlaceId},
    place::bare_name,
    procedure::{FieldKind, FieldOf, Form},
};

/// A place as people call it.
pub(super) fn place(actions: &Actions, place: &PlaceId) -> String {
    let world = actions.world();
    bare_name(&actions.viewer(&world).place(place).name).to_owned()
}

/// One of the fixed words of sources, channels and ways, or as it was written.
pub(super) fn fixed(name: &str) -> Cell {
    fixed_words(name).map_or_else(|| Cell::text(name), |(zh, en)| Cell::words(zh, en))
}

/// A day.
pub(super) fn day(day: i64) -> Cell {
    Cell::Text(day_text(day))
}

/// What stands in a field: a choice by its title, a day as a day.
pub(super) fn filled(value: &Filling, field: Option<&FieldOf>) -> Cell {
    match (value, field.map(|f| f.kind)) {
        (Filling::YesNo(true), _) => Cell::words("是", "yes"),
        (Filling::YesNo(false), _) => Cell::words("否", "no"),
        (Filling::Number(n), Some(FieldKind::Day)) => day(*n),
        (Filling::Number(n), _) => Cell::Number(*n),
        (Filling::Words(said), _) => {
            let choice = field.and_then(|f| f.choices.iter().find(|c| c.id == *said));
            choice.map_or_else(|| Cell::text(said), |c| Cell::Words(c.title.clone()))
        }
    }
}

/// A form of the procedure a matter is bound to.
pub(super) fn form<'a>(matter: &'a Matter, id: &str) -> Option<&'a Form> {
    matter.procedure_file().and_then(|p| p.form(id))
}

/// Who wrote something down, and when.
pub(super) fn noted(actions: &Actions, by: &PlaceId, on: i64) -> Cell {
    Cell::Text(format!("{} {}", place(actions, by), day_text(on)))
}

/// A sheet of one matter, line by line: what, what it says, who wrote it down.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    pub(super) actions: &'a Actions,
    pub(super) doc: DocId,
    pub(super) sheet: Sheet,
}

impl Lines<'_> {
    /// A line; nothing on record makes an empty one, which shows on paper what is missing.
    pub(super) fn add(&mut self, zh: &str, en: &str, says: Cell, noted: Cell) {
        self.sheet.row(vec![Cell::words(zh, en), says, noted], vec![self.doc]);
    }

    /// Every field of a form as it was filled in.
    pub(super) fn record(&mut self, matter: &Matter, record: &Recorded) {
        let form = form(matter, &record.form);
        let noted = noted(self.actions, &record.place, record.on);
        let titled = |id: &str| form.and_then(|f| f.fields.iter().find(|x| x.id == id));
        let mut fields: Vec<_> = record.fields.iter().collect();
        fields.sort_by_key(|(id, _)| form.and_then(|f| f.fields.iter().position(|x| x.id == **id)));
        for (id, value) in fields {
            let field = titled(id);
            let title = field.map_or_else(|| both(id.as_str(), id.as_str()), |f| f.title.clone());
            let cells = vec![Cell::Words(title), filled(value, field), noted.clone()];
            self.sheet.row(cells, vec![self.doc]);
        }
    }
}
