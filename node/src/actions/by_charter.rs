//! What the charter says about an act before it is written: who may decide, which units there are, who is a
//! member. What people leave out is filled in from it.
//!
//! A charter is another document than the matter (rule R5), so the fold does not read it: what a neighbour's
//! node let pass counts there as here, since a place vouches for its own people. Here it is refused at once.

use super::{ActionError, Actions, request::ActRequest};
use std::{collections::BTreeMap, sync::Arc};
use yishi_protocol::{
    calendar::Date,
    charter::{Articles, Asking, Category, Denied, InForce, Power},
    fold::Matter,
    procedure::Grade,
};

impl Actions {
    /// What binds at this place.
    pub(crate) fn in_force_here(&self) -> InForce {
        let world = self.world();
        world.charters.in_force(&world.directory, &world.me.place)
    }

    /// The scheme of categories in force, those from above first; empty where any word will do.
    #[must_use]
    pub fn categories(&self) -> Vec<Category> {
        self.in_force_here().categories().cloned().collect()
    }

    /// The articles of this place's charter.
    #[must_use]
    pub fn articles(&self) -> Arc<Articles> {
        let world = self.world();
        world.charters.articles(&world.me.place).cloned().unwrap_or_default()
    }

    /// Whether this place may decide something of a category.
    pub(super) fn may_decide(
        &self,
        power: Power,
        category: Option<&str>,
        yuan: Option<i64>,
    ) -> Result<(), ActionError> {
        let world = self.world();
        let Some(cert) = world.directory.get(&world.me.cert) else { return Ok(()) };
        let who = Asking { level: &cert.level, code: &cert.code };
        let in_force = world.charters.in_force(&world.directory, &world.me.place);
        in_force.may(who, power, category, yuan).map_err(|denied| {
            let by = self.viewer(&world).place(&denied.by).name;
            ActionError::NotDelegated { by, denied: Box::new(denied) }
        })
    }

    /// A category as the scheme in force names it. Without a scheme any word will do.
    pub(super) fn category(&self, said: Option<String>) -> Result<Option<String>, ActionError> {
        let in_force = self.in_force_here();
        let Some(said) = said else { return Ok(None) };
        if in_force.categories().next().is_none() {
            return Ok(Some(said));
        }
        match in_force.category_named(&said) {
            Some(category) => Ok(Some(category.id.clone())),
            None => {
                let known: Vec<&str> = in_force.categories().map(|c| c.id.as_str()).collect();
                let known = known.join("、");
                Err(ActionError::invalid(
                    "category",
                    format!(
                        "“{said}” is no category of the scheme in force. Nothing was saved. Choose one of: {known}."
                    ),
                    format!("现行分类里没有“{said}”，尚未保存。请从中选一个：{known}。"),
                ))
            }
        }
    }

    /// An act as the charter completes it.
    ///
    /// # Errors
    /// [`ActionError`] names what the charter does not allow.
    pub(super) fn by_charter(
        &self,
        mut request: ActRequest,
        matter: &Matter,
    ) -> Result<ActRequest, ActionError> {
        let today = Date::from_days(self.today()).unwrap_or(Date::MAX);
        let articles = self.articles();
        let category = matter.category.clone();
        let category = category.as_deref();
        match &mut request {
            ActRequest::Accept { grade: Some(grade), .. }
                if Grade::from_name(grade.trim()) == Some(Grade::Minor) =>
            {
                self.may_decide(Power::EndEarly, category, None)?;
            }
            ActRequest::Refuse { .. } => self.may_decide(Power::Refuse, category, None)?,
            ActRequest::Answer { .. } => self.may_decide(Power::Answer, category, None)?,
            ActRequest::Decide { budget_yuan, .. } => {
                self.may_decide(Power::Answer, category, None)?;
                if let Some(yuan) = budget_yuan.filter(|y| *y > 0) {
                    self.may_decide(Power::Spend, category, Some(yuan))?;
                }
            }
            ActRequest::Assign { unit, person, .. } if !articles.units.is_empty() => {
                assign(&articles, unit, person)?;
            }
            ActRequest::Correct { category, .. } => *category = self.category(category.take())?,
            ActRequest::Meet { body, day, eligible, present, remote, roll, tags, .. } => {
                let day = day.unwrap_or(today);
                *roll = by_id(&articles, std::mem::take(roll));
                if let Some(sitting) = articles.sitting(body, day) {
                    strangers(&articles, body, &sitting.members, roll.keys())?;
                    all_of(body, sitting.members.len(), eligible)?;
                }
                entitled(*eligible)?;
                if !roll.is_empty() {
                    let count =
                        |how: &str| i64::try_from(roll.values().filter(|h| *h == how).count()).unwrap_or(0);
                    if *present == 0 && *remote == 0 {
                        (*present, *remote) = (count("present"), count("remote"));
                    }
                    if tags.is_empty() {
                        let there =
                            roll.iter().filter(|(_, how)| *how != "absent").map(|(id, _)| id.as_str());
                        *tags = articles.tags_of(there);
                    }
                }
            }
            ActRequest::Ballot { body, eligible, votes, .. } => {
                *votes = by_id(&articles, std::mem::take(votes));
                if let Some(sitting) = articles.sitting(body, today) {
                    strangers(&articles, body, &sitting.members, votes.keys())?;
                    all_of(body, sitting.members.len(), eligible)?;
                }
                entitled(*eligible)?;
            }
            _ => {}
        }
        Ok(request)
    }
}

/// Acts name people by id: who is written by his name is found among the people.
fn by_id(articles: &Articles, said: BTreeMap<String, String>) -> BTreeMap<String, String> {
    said.into_iter()
        .map(|(who, how)| {
            if articles.person(&who).is_some() {
                return (who, how);
            }
            let mut called = articles.people.iter().filter(|p| p.name == who.trim());
            match (called.next(), called.next()) {
                (Some(only), None) => (only.id.clone(), how),
                _ => (who, how),
            }
        })
        .collect()
}

/// Only members are there and vote.
fn strangers<'a>(
    articles: &Articles,
    body: &str,
    members: &[String],
    named: impl Iterator<Item = &'a String>,
) -> Result<(), ActionError> {
    let strangers: Vec<&str> =
        named.filter(|who| !members.contains(who)).map(|who| articles.name(who)).collect();
    if strangers.is_empty() {
        return Ok(());
    }
    let (who, title) = (strangers.join("、"), title_of(articles, body));
    Err(ActionError::invalid(
        "members",
        format!(
            "Not a member of {body}: {who}. Nothing was saved. Take the name off the list, or issue the charter with the new member first."
        ),
        format!("不是{title}的成员：{who}。尚未保存。请从名单中去掉；如是新成员，请先在章程中登记。"),
    ))
}

/// Nobody meets or votes where nobody is entitled to.
fn entitled(eligible: i64) -> Result<(), ActionError> {
    if eligible == 0 { Err(ActionError::missing("eligible")) } else { Ok(()) }
}

/// Everybody is entitled: the charter knows how many there are.
fn all_of(body: &str, members: usize, eligible: &mut i64) -> Result<(), ActionError> {
    let members = i64::try_from(members).unwrap_or(i64::MAX);
    if *eligible == 0 {
        *eligible = members;
    }
    if *eligible == members {
        return Ok(());
    }
    let said = *eligible;
    Err(ActionError::invalid(
        "eligible",
        format!(
            "By the charter {body} has {members} members, not {said}. Nothing was saved. Leave the number out, or issue the charter as it is now."
        ),
        format!(
            "章程中该议事主体有 {members} 名成员，不是 {said} 名。尚未保存。可不填应到人数；如成员有变，请先更新章程。"
        ),
    ))
}

fn title_of(articles: &Articles, body: &str) -> String {
    articles.bodies.iter().find(|b| b.id == body).map_or_else(|| body.to_owned(), |b| b.title.zh.clone())
}

/// A unit of the charter, and somebody who handles work there.
fn assign(articles: &Articles, unit: &mut String, person: &mut Option<String>) -> Result<(), ActionError> {
    let Some(known) = articles.unit(unit) else {
        let all: Vec<&str> = articles.units.iter().map(|u| u.title.zh.as_str()).collect();
        let all = all.join("、");
        return Err(ActionError::invalid(
            "unit",
            format!("The charter has no unit “{unit}”. Nothing was saved. Choose one of: {all}."),
            format!("章程中没有“{unit}”这个单位，尚未保存。请从中选一个：{all}。"),
        ));
    };
    *unit = known.title.zh.clone();
    let said = person.take().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty());
    *person = match said {
        None => known.handlers.first().cloned(),
        Some(said) => {
            let found = articles.people.iter().find(|p| p.id == said || p.name == said);
            let found = found.map(|p| p.id.clone());
            if found.is_none() {
                return Err(ActionError::invalid(
                    "person",
                    format!(
                        "The charter knows nobody called “{said}”. Nothing was saved. Leave the name out: then the usual person is named."
                    ),
                    format!("章程人员名单里没有“{said}”，尚未保存。可不填，由该单位的经办人办理。"),
                ));
            }
            found
        }
    };
    Ok(())
}

/// Words for a refusal by the authority matrix.
pub(super) fn denied_words(by: &str, denied: &Denied) -> (String, String) {
    let levels = denied.levels.join(", ");
    let zh_levels: Vec<&str> = denied.levels.iter().map(|l| level_zh(l)).collect();
    let basis = denied.basis.as_ref().map_or(String::new(), |b| format!("（{b}）"));
    let (most_en, most_zh) = match denied.up_to_yuan {
        Some(most) => (format!("; here it is at most {most} yuan"), format!("，本级最多 {most} 元")),
        None => (String::new(), String::new()),
    };
    (
        format!(
            "By the charter of {by}{basis}, this is decided at the level {levels}{most_en}: {}. Nothing was saved. Escalate the matter instead.",
            denied.power.en()
        ),
        format!(
            "按{by}的章程{basis}，“{}”由{}决定{most_zh}。尚未保存。请改为上报。",
            denied.power.zh(),
            zh_levels.join("、")
        ),
    )
}

/// The label of a level, in Chinese.
pub(crate) fn level_zh(level: &str) -> &str {
    match level {
        "province" => "省级",
        "prefecture" => "市级",
        "district" => "区县级",
        "township" => "乡镇（街道）级",
        "village" => "村（社区）级",
        other => other,
    }
}
