//! Whether a form is filled in as its procedure asks.

use super::verdict::Violation;
use crate::{
    act::Filled,
    procedure::{FieldKind, FieldOf, Form, Ledger},
    value::{Key, Value},
};
use std::collections::BTreeMap;

/// The form's money, if all of it is as it should be.
pub(super) fn complete(form: &Form, filled: &Filled) -> Result<Option<(Ledger, i64)>, Violation> {
    let known = |id: &Key| form.fields.iter().any(|f| f.id == id.as_str());
    if !filled.0.keys().all(known) {
        return Err(Violation::UnknownField);
    }
    for field in &form.fields {
        match filled.0.get(&field.id) {
            None if field.required => return Err(Violation::FormIncomplete),
            Some(value) if !fits(field, value) => return Err(Violation::FormIncomplete),
            _ => {}
        }
    }
    let amount = match filled.0.get("amount") {
        Some(Value::Int(yuan)) => *yuan,
        _ => 0,
    };
    Ok(form.ledger.map(|ledger| (ledger, amount)))
}

/// What was chosen, by the fields of kind `choice`.
pub(super) fn chosen(form: &Form, filled: &Filled) -> BTreeMap<String, String> {
    let choices = form.fields.iter().filter(|f| f.kind == FieldKind::Choice);
    choices
        .filter_map(|f| match filled.0.get(&f.id) {
            Some(Value::Str(choice)) => Some((f.id.clone(), choice.to_string())),
            _ => None,
        })
        .collect()
}

fn fits(field: &FieldOf, value: &Value) -> bool {
    match (field.kind, value) {
        (FieldKind::Text, Value::Text(text)) => !field.required || !text.trim().is_empty(),
        (FieldKind::Line, Value::Str(line)) => !field.required || !line.trim().is_empty(),
        (FieldKind::Choice, Value::Str(choice)) => field.choices.iter().any(|c| c.id == *choice),
        (FieldKind::Money, Value::Int(yuan)) => *yuan >= 0,
        (FieldKind::Number | FieldKind::Day, Value::Int(_)) | (FieldKind::YesNo, Value::Bool(_)) => true,
        _ => false,
    }
}
