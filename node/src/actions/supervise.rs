//! 督办: what is late raises itself. A place looks after those directly below it: it names on record who is over
//! his time, and raises what stays so or goes in circles. Who is not heard from is not late: that is a third thing.
//!
//! The day is this node's own, and so is the word (rule R7): nothing here changes what the fold says of a deadline,
//! and a village whose clock is wrong neither excuses nor accuses anyone but itself.

use super::{
    ActionError, Actions, Sketch, day_text, instant_text,
    matter_view::Viewer,
    request::ListQuery,
    views::{HeldView, SilentView, SupervisedView, SupervisionView},
};
use crate::{
    clock::day_of_ms,
    store::{LinkState, World},
};
use std::collections::BTreeMap;
use yishi_protocol::{
    act::Voice,
    calendar::{Calendar, Date},
    charter::Supervision,
    fold::{Matter, SymbolicDeadline, TimelineEntry, Urged, Verdict},
    ids::{ActRef, DocId, PlaceId},
};

/// Overdue matters looked at in one pass; what is left out comes next time, since what was urged is skipped.
const PASS_MATTERS: u32 = 500;

/// What is owed to a matter by the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owed {
    degree: &'static str,
    ground: &'static str,
    since: Option<ActRef>,
    due: Option<i64>,
}

/// How many working days a deadline is over on a day; 0 or less if it is not.
fn days_over(deadline: &SymbolicDeadline, today: i64, calendar: &Calendar) -> Option<(i64, i64)> {
    let from = Date::from_days(deadline.from_day)?;
    let due = calendar.add_working_days(from, u32::from(deadline.working_days)).0;
    let today = Date::from_days(today)?;
    // The day itself is still in time.
    let over = if today > due { calendar.working_days_between(due, today).max(1) } else { 0 };
    Some((due.days(), over))
}

/// What counts since the matter was last answered: a reopened one begins its rounds anew.
fn since_answer(matter: &Matter) -> Vec<&TimelineEntry> {
    let counted: Vec<_> = matter.timeline.iter().filter(|e| e.verdict == Verdict::Counted).collect();
    let first = counted.iter().rposition(|e| e.kind == "answer").map_or(0, |at| at + 1);
    counted.into_iter().skip(first).collect()
}

/// What the rule asks for now, if it has not been said yet.
fn owed(
    matter: &Matter,
    today: i64,
    calendar: &Calendar,
    rule: &Supervision,
    heard: Option<i64>,
) -> Option<Owed> {
    let recent = since_answer(matter);
    for (ground, kind) in [("returned", "return"), ("forwarded", "escalate")] {
        let times = recent.iter().filter(|e| e.kind == kind).count() / usize::from(rule.rounds.max(1));
        let said = matter.urges.iter().filter(|u| u.ground == ground);
        if times > said.filter(|u| recent.iter().any(|e| e.act == u.act)).count() {
            return Some(Owed { degree: "raised", ground, since: None, due: None });
        }
    }
    let deadline = matter.deadline.as_ref()?;
    let (due, over) = days_over(deadline, today, calendar)?;
    // Who was not heard from since that day may have answered long ago.
    if heard? <= due {
        return None;
    }
    let since = Some(deadline.since);
    let degree = match over {
        _ if over >= i64::from(rule.raise_after) => "raised",
        _ if over >= i64::from(rule.name_after) => "urged",
        _ => return None,
    };
    let said = |u: &Urged| u.degree == degree && u.ground == "overdue" && u.since == since;
    let already = matter.urges.iter().any(said);
    (!already).then_some(Owed { degree, ground: "overdue", since, due: Some(due) })
}

/// Open matters that are late, or soon due, the earliest first.
fn due(which: &str, after: Option<String>) -> ListQuery {
    ListQuery {
        due: Some(which.into()),
        open: Some(true),
        sort: Some("deadline".into()),
        limit: Some(PASS_MATTERS),
        cursor: after,
        ..ListQuery::default()
    }
}

/// When a place was last heard from: something came, or both sides had everything.
fn last_heard(link: &LinkState) -> Option<u64> {
    link.last_contact_ms.max(link.last_in_step_ms)
}

impl Actions {
    /// The day each place directly below was last heard from; today, if its link is up.
    pub(super) async fn heard_from(
        &self,
        links: &[LinkState],
    ) -> Result<BTreeMap<PlaceId, i64>, ActionError> {
        let mut heard = BTreeMap::new();
        for link in links.iter().filter(|l| !l.up && !l.closed) {
            let up = self.link_now(link).await?.state == "up";
            let day = if up { Some(self.today()) } else { last_heard(link).map(day_of_ms) };
            heard.extend(day.map(|day| (link.peer, day)));
        }
        Ok(heard)
    }

    /// The rule of supervision in force here.
    fn supervision_rule(&self) -> Supervision {
        self.in_force_here().supervision()
    }

    /// Whether this place looks after the one that holds a matter: it is directly below.
    fn looks_after(world: &World, holder: Option<&PlaceId>) -> bool {
        holder.is_some_and(|h| world.directory.parent(h) == Some(world.me.place))
    }

    /// Says of every matter held directly below what the rule asks for; returns how many were urged.
    ///
    /// # Errors
    /// [`ActionError`] when something could not be read or written; what was said before stays.
    pub async fn supervise(&self) -> Result<usize, ActionError> {
        let world = self.world();
        if !world.is_active() {
            return Ok(0);
        }
        let heard = self.heard_from(&self.store().link_states().await?).await?;
        self.write_heard(&heard).await?;
        let today = day_text(self.today());
        let (mut urged, mut after) = (0, None);
        loop {
            let (page, next) = self.store().overdue(&today, after, PASS_MATTERS).await?;
            for (doc, holder) in &page {
                // Lists show whoever acts for the holder now.
                let Some(holder) = holder else { continue };
                if Self::looks_after(&world, Some(holder)) && heard.contains_key(holder) {
                    urged += self.urge_if_owed(doc).await?;
                }
            }
            after = next;
            if after.is_none() {
                return Ok(urged);
            }
        }
    }

    /// Urges in one matter what the rule asks for, if it was not said yet; returns how many acts that took.
    pub(crate) async fn urge_if_owed(&self, doc: &DocId) -> Result<usize, ActionError> {
        let world = self.world();
        let locked = self.lock([*doc]).await;
        let mut draft = self.draft(doc).await?;
        let mut matter = draft.matter()?;
        if !Self::looks_after(&world, matter.holder.as_ref()) {
            return Ok(0);
        }
        matter.witness(|act| draft.stored_on(act));
        let heard = self.heard_from(&self.store().link_states().await?).await?;
        let heard = matter.holder.and_then(|h| heard.get(&h).copied());
        let Some(Owed { degree, ground, since, due }) =
            owed(&matter, self.today(), &self.calendar(), &self.supervision_rule(), heard)
        else {
            return Ok(0);
        };
        let urge = Voice::Urge { degree: degree.into(), ground: ground.into(), since, due, note: None };
        let mut batch = self.dated_batch()?;
        match draft.voice(None, self.today(), urge) {
            Ok(_) => {}
            // It was moved elsewhere, or waits for something: nothing is to be said from here.
            Err(ActionError::NotLegal(_) | ActionError::MovedAway(_)) => return Ok(0),
            Err(other) => return Err(other),
        }
        draft.into_batch(&mut batch);
        self.store().write(batch).await?;
        drop(locked);
        Ok(1)
    }

    /// Whether a matter has gone in circles often enough for somebody to say so: asked when it is folded.
    pub(crate) fn goes_in_circles(&self, world: &World, matter: &Matter) -> bool {
        if matter.stage.is_ended() || !Self::looks_after(world, matter.holder.as_ref()) {
            return false;
        }
        let rule = world.charters.in_force(&world.directory, &world.me.place).supervision();
        owed(matter, self.today(), &world.charters.calendar, &rule, None).is_some()
    }

    /// What is late, who is not heard from, and what arrived late: three different things.
    ///
    /// # Errors
    /// [`ActionError`] when the database cannot be read.
    pub async fn supervision(&self) -> Result<SupervisionView, ActionError> {
        let world = self.world();
        let viewer = self.viewer(&world);
        let calendar = self.calendar();
        let rule = self.supervision_rule();
        let today = Date::from_days(self.today()).unwrap_or(Date::MAX);
        let links = self.store().link_states().await?;
        let heard = self.heard_from(&links).await?;
        let mut view = SupervisionView {
            day: today.to_string(),
            rule: rule.clone(),
            raised: Vec::new(),
            named: Vec::new(),
            soon: Vec::new(),
            not_heard: Vec::new(),
            late: Vec::new(),
            looked_at_most: None,
        };
        let mut unknown: BTreeMap<PlaceId, u64> = BTreeMap::new();
        for which in ["overdue", "soon"] {
            let page = self.store().matters(&self.matter_query(due(which, None))?).await?;
            if which == "overdue" && page.next.is_some() {
                view.looked_at_most = Some(PASS_MATTERS);
            }
            for row in page.rows {
                let Ok(sketch) = serde_json::from_str::<Sketch>(&row.detail) else { continue };
                let due_day = row.due_day.as_deref().and_then(|d| d.parse::<Date>().ok());
                let over = due_day
                    .filter(|d| *d < today)
                    .map_or(0, |d| calendar.working_days_between(d, today).max(1));
                let silent = row.holder.is_some_and(|h| {
                    Self::looks_after(&world, Some(&h))
                        && heard.get(&h).is_none_or(|day| due_day.is_some_and(|d| *day <= d.days()))
                });
                if over > 0 && silent {
                    *unknown.entry(row.holder.unwrap_or(row.home)).or_default() += 1;
                    continue;
                }
                let one = supervised(&viewer, row.doc, &sketch, row.due_day, over);
                match over {
                    0 => view.soon.push(one),
                    n if n >= i64::from(rule.raise_after) => view.raised.push(one),
                    _ => view.named.push(one),
                }
            }
        }
        // What a place below holds of its own, of which only stubs are seen here.
        let stubs = self.store().overdue_stubs(&today.to_string(), PASS_MATTERS).await?;
        if stubs.len() as u64 == u64::from(PASS_MATTERS) {
            view.looked_at_most = Some(PASS_MATTERS);
        }
        for stub in stubs {
            let Some(due) = stub.due_day.as_deref().and_then(|d| d.parse::<Date>().ok()) else { continue };
            let over = calendar.working_days_between(due, today).max(1);
            let one = SupervisedView {
                id: stub.matter,
                number: stub.number.unwrap_or_default(),
                title: None,
                holder: stub.holder.map(|h| viewer.place(&h)),
                due: stub.due_day,
                days_over: over,
                urged: None,
                ground: None,
            };
            if over >= i64::from(rule.raise_after) { view.raised.push(one) } else { view.named.push(one) }
        }
        for link in links.iter().filter(|l| !l.up && !l.closed) {
            let open = unknown.remove(&link.peer).unwrap_or(0);
            let quiet = heard.get(&link.peer).is_none_or(|day| *day < self.today() - 1);
            if open > 0 || quiet {
                let last_contact = last_heard(link).map(instant_text);
                view.not_heard.push(SilentView {
                    place: viewer.place(&link.peer),
                    last_contact,
                    matters: open,
                });
            }
        }
        for row in self.store().matters_with_late(PASS_MATTERS).await? {
            let Ok(sketch) = serde_json::from_str::<Sketch>(&row.detail) else { continue };
            let place = sketch.holder.map(|h| viewer.place(&h));
            view.late.push(HeldView {
                id: row.doc,
                number: sketch.number.clone(),
                title: sketch.title.clone(),
                holder: place,
                acts: sketch.late.len(),
            });
        }
        for list in [&mut view.raised, &mut view.named] {
            list.sort_by_key(|s| std::cmp::Reverse(s.days_over));
        }
        Ok(view)
    }
}

fn supervised(
    viewer: &Viewer<'_>,
    doc: DocId,
    sketch: &Sketch,
    due: Option<String>,
    days_over: i64,
) -> SupervisedView {
    SupervisedView {
        id: doc,
        number: sketch.number.clone(),
        title: Some(sketch.title.clone()),
        holder: sketch.holder.map(|h| viewer.place(&h)),
        due,
        days_over,
        urged: sketch.urged.as_ref().map(|u| u.on).map(day_text),
        ground: sketch.urged.as_ref().map(|u| u.ground.clone()),
    }
}
