//! Whether articles stay within what the places above say.

use super::{Articles, Asking, InForce};

/// What it is about, counted in the file from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// A category.
    Category(usize),
    /// A line of the authority matrix.
    Power(usize),
}

/// Something a place may not say, because a place above has said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beyond {
    pub(super) at: At,
    pub(super) code: &'static str,
    pub(super) en: String,
    pub(super) zh: String,
}

/// What in a place's articles goes beyond those above it.
pub(super) fn beyond(own: &Articles, who: Asking<'_>, above: &InForce) -> Vec<Beyond> {
    let mut found = Vec::new();
    let owned_above = above.categories().next().is_some();
    for (n, category) in own.categories.iter().enumerate() {
        let id = &category.id;
        if above.category(id).is_some() {
            found.push(Beyond {
                at: At::Category(n),
                code: "category_above",
                en: format!(
                    "the category “{id}” is declared by a place above; refer to it, do not declare it anew"
                ),
                zh: format!("分类“{id}”上级已经定了，不必也不能另定"),
            });
        } else if owned_above && category.under.is_none() {
            found.push(Beyond {
                at: At::Category(n),
                code: "category_alone",
                en: format!(
                    "the scheme of categories comes from above: “{id}” must belong to one of its categories (under = …)"
                ),
                zh: format!("分类由上级统一制定：“{id}”须写明 under，归在上级的某一类之下"),
            });
        }
        if let Some(under) = &category.under
            && above.category(under).is_none()
            && own.categories.iter().all(|c| c.id != *under)
        {
            found.push(Beyond {
                at: At::Category(n),
                code: "no_such_category",
                en: format!(
                    "the category “{id}” is said to be under “{under}”, which is neither here nor above"
                ),
                zh: format!("分类“{id}”归在“{under}”之下，而“{under}”本级和上级都没有"),
            });
        }
    }
    for (n, line) in own.powers.iter().enumerate() {
        let power = line.power;
        if let Some(category) = &line.category
            && above.category(category).is_none()
            && own.categories.iter().all(|c| c.id != *category)
        {
            found.push(Beyond {
                at: At::Power(n),
                code: "no_such_category",
                en: format!("a power names the category “{category}”, which is neither here nor above"),
                zh: format!("权限写了分类“{category}”，本级和上级都没有"),
            });
        }
        // What it gives its own level or places below, it must have itself.
        if let Err(denied) = above.may_along(
            who,
            power,
            &above.widening(line.category.as_deref(), &own.categories),
            line.up_to_yuan,
        ) {
            let levels = denied.levels.join(", ");
            let (most_en, most_zh) = match denied.up_to_yuan {
                Some(most) => (format!(", here up to {most} yuan"), format!("，本级至多 {most} 元")),
                None => (String::new(), String::new()),
            };
            found.push(Beyond {
                at: At::Power(n),
                code: "power_not_delegated",
                en: format!(
                    "“{}” is for {levels} by the charter above{most_en}; it cannot be granted here",
                    power.en()
                ),
                zh: format!("上级章程规定“{}”属于 {levels}{most_zh}，本级不能另行授予", power.zh()),
            });
        }
    }
    found
}
