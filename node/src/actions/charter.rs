//! The charter of this place: shown, tried, issued. Issuing is staged by the caller: shown first, then applied.

use super::{
    ActionError, Actions, By,
    author::Draft,
    matter_view::Viewer,
    procedures::problem_view,
    request::{ListQuery, NoticeRequest},
    views::{
        CharterView, CustodyView, DeclaredView, DutyView, EndingView, GrantedView, HandoverView, OpenView,
        StagedCharterView, StagedNoticeView, TodayView, YearView,
    },
};
use crate::store::SnapshotRow;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use yishi_protocol::{
    act::{Act, Charter},
    calendar::{self, Calendar, Date, DayKind, Weekday},
    charter::{Articles, Asking, InForce, read, read_issued, weekday},
    fold,
    ids::{Hash, PlaceId},
    kind::Kind,
    problem::Severity,
};

/// A term that ends within so many days is named.
const ENDING_DAYS: i64 = 60;
/// Open matters on a hand-over list.
const HANDOVER_MATTERS: u32 = 500;

impl Actions {
    /// The charter of a place; this one if none is named.
    ///
    /// # Errors
    /// [`ActionError::UnknownPlace`].
    pub async fn charter(&self, place: Option<&str>) -> Result<CharterView, ActionError> {
        let world = self.world();
        let viewer = self.viewer(&world);
        let place = place.map(|named| self.find_place(named)).transpose()?.unwrap_or(world.me.place);
        let snapshot = self.store().snapshot_of(&place).await?;
        let articles = Arc::new(articles_of(snapshot.as_ref()));
        let above = self.above(&place);
        let declared = |place: PlaceId, category: &_| DeclaredView {
            category: Clone::clone(category),
            by: viewer.place(&place),
        };
        let categories_above = above
            .layers
            .iter()
            .flat_map(|l| l.articles.categories.iter().map(move |c| (l.place, c)))
            .map(|(place, category)| declared(place, category))
            .collect();
        let powers_above = above
            .layers
            .iter()
            .flat_map(|l| l.articles.powers.iter().map(move |p| (l.place, p)))
            .map(|(place, line)| GrantedView { line: line.clone(), by: viewer.place(&place) })
            .collect();
        let today = self.today_date();
        Ok(CharterView {
            number: snapshot.as_ref().map_or(0, |s| s.number),
            hash: snapshot.as_ref().map(|s| s.hash.to_string()),
            issued_on: snapshot.and_then(|s| s.issued_on),
            categories_above,
            powers_above,
            today: today_view(&articles, today),
            ending: ending(&articles, today),
            calendar: self.years(&viewer, &place).await?,
            place: viewer.place(&place),
            articles,
        })
    }

    fn today_date(&self) -> Date {
        Date::from_days(self.today()).unwrap_or(Date::MAX)
    }

    /// What the places above one say.
    fn above(&self, place: &PlaceId) -> InForce {
        let world = self.world();
        let mut in_force = world.charters.in_force(&world.directory, place);
        in_force.layers.retain(|l| l.place != *place);
        in_force
    }

    /// The years of the calendar here, and whose notice each is.
    async fn years(&self, viewer: &Viewer<'_>, place: &PlaceId) -> Result<Vec<YearView>, ActionError> {
        let world = self.world();
        let mut years: BTreeMap<i32, YearView> = calendar::shipped()
            .into_iter()
            .map(|(year, _)| (year, YearView { year, by: None, issued_on: None }))
            .collect();
        let issued = self.store().issued_notices().await?;
        // The highest place's notice counts: it is written last.
        let mut path = world.directory.place_ancestors(place);
        path.insert(0, *place);
        for at in path {
            for n in issued.iter().filter(|n| n.place == at) {
                let (by, issued_on) = (Some(viewer.place(&at)), n.issued_on.clone());
                years.insert(n.year, YearView { year: n.year, by, issued_on });
            }
        }
        Ok(years.into_values().collect())
    }

    /// The file of a place's articles; for this place one to begin with, if it has none.
    ///
    /// # Errors
    /// [`ActionError::UnknownPlace`].
    pub async fn charter_file(&self, place: Option<&str>) -> Result<String, ActionError> {
        let place = place.map(|named| self.find_place(named)).transpose()?.unwrap_or(self.world().me.place);
        let snapshot = self.store().snapshot_of(&place).await?;
        Ok(snapshot.and_then(|s| s.articles).unwrap_or_else(|| BEGINNING.to_owned()))
    }

    /// What issuing articles would do.
    ///
    /// # Errors
    /// [`ActionError`] when the database cannot be read.
    pub async fn stage_charter(&self, file: &str) -> Result<StagedCharterView, ActionError> {
        let world = self.world();
        let me = world.me.place;
        let cert = world.directory.get(&world.me.cert);
        let cert = cert.ok_or(ActionError::Broken("this node's own certificate is not here"))?;
        let who = Asking { level: &cert.level, code: &cert.code };
        let snapshot = self.store().snapshot_of(&me).await?;
        let number = snapshot.as_ref().map_or(1, |s| s.number) + 1;
        match read(file, who, &self.above(&me)) {
            Err(problems) => Ok(StagedCharterView {
                problems: problems.iter().map(problem_view).collect(),
                articles: None,
                number,
                changes: Vec::new(),
                changes_en: Vec::new(),
            }),
            Ok((articles, warnings)) => {
                let before = articles_of(snapshot.as_ref());
                let (changes, changes_en) = differences(&before, &articles).into_iter().unzip();
                Ok(StagedCharterView {
                    problems: warnings.iter().map(problem_view).collect(),
                    articles: Some(Arc::new(articles)),
                    number,
                    changes,
                    changes_en,
                })
            }
        }
    }

    /// Issues articles in this place's charter: its next snapshot.
    ///
    /// # Errors
    /// [`ActionError::BadCharter`] names the first problem; the charter in force stays.
    pub async fn issue_charter(&self, by: By<'_>, file: &str) -> Result<StagedCharterView, ActionError> {
        let staged = self.stage_charter(file).await?;
        if let Some(p) = staged.problems.iter().find(|p| p.severity == Severity::Error) {
            let (why, zh) = (p.detail.clone(), p.detail_zh.clone());
            return Err(ActionError::BadCharter { line: p.line, column: p.column, why, zh });
        }
        self.write_charter(by, |draft, world_calendar| {
            let folded = draft.charter()?;
            let Some(last) = folded.in_force().filter(|_| folded.equivocation.is_none()) else {
                return Err(ActionError::invalid(
                    "charter",
                    "This place has said two things with one number; until the place above has spoken, no charter can be issued. Nothing was saved.",
                    "本单位的章程有两个同号版本，须先由上级裁定，暂不能发布。尚未保存。",
                ));
            };
            Ok(Charter::Snapshot {
                number: last.number + 1,
                previous: Some(last.hash),
                code: last.code.clone(),
                name: last.name.clone(),
                level: last.level.clone(),
                parent: last.parent,
                procedure: last.procedure,
                calendar: world_calendar,
                articles: Some(file.to_owned()),
            })
        })
        .await?;
        Ok(staged)
    }

    /// What issuing a holiday notice would change.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] names the line that cannot be read.
    pub async fn stage_notice(&self, request: &NoticeRequest) -> Result<StagedNoticeView, ActionError> {
        let NoticeRequest { year, notice } = request;
        let new = Calendar::from_notices([(*year, notice.as_str())]).map_err(|e| {
            ActionError::invalid(
                "notice",
                format!("The notice was not issued; the calendar in force stays. {e}."),
                format!("放假通知没有发布，现行日历不变。第 {} 行：{}。", e.line, e.reason),
            )
        })?;
        let now = self.calendar();
        let days = |from: Date| std::iter::successors(Some(from), |d| Some(d.plus_days(1)));
        let of_year = |d: &Date| d.year() <= *year + 1;
        let first = Date::from_ymd(year - 1, 12, 1).unwrap_or(Date::MIN);
        let mut changes = Vec::new();
        for day in days(first).take_while(of_year).take(430) {
            // Only days that the notice may speak of: its year, the December before, the January after.
            let (before, after) = (now.notice_of(day).map(|(k, _)| k), new.notice_of(day).map(|(k, _)| k));
            let own = day.year() == *year;
            if before == after || (!own && after.is_none()) {
                continue;
            }
            changes.push((
                day.to_string(),
                match after {
                    Some(DayKind::Holiday) => "free",
                    Some(DayKind::MakeupWorkday) => "worked",
                    None => "weekday",
                },
            ));
        }
        let open_matters = self.store().open_by_home().await?.values().sum();
        Ok(StagedNoticeView { year: *year, changes, open_matters })
    }

    /// Issues a holiday notice: it counts here and everywhere below, and every open deadline is counted anew.
    ///
    /// # Errors
    /// As [`Actions::stage_notice`].
    pub async fn issue_notice(
        &self,
        by: By<'_>,
        request: &NoticeRequest,
    ) -> Result<StagedNoticeView, ActionError> {
        let staged = self.stage_notice(request).await?;
        let (year, notice) = (i64::from(request.year), request.notice.clone());
        self.write_charter(by, |_, _| Ok(Charter::Holidays { year, notice })).await?;
        Ok(staged)
    }

    /// Writes one act into this place's charter.
    pub(super) async fn write_charter(
        &self,
        by: By<'_>,
        what: impl FnOnce(&Draft, Hash) -> Result<Charter, ActionError>,
    ) -> Result<(), ActionError> {
        let mine = self.store().docs_of_kind(Kind::Charter, Some(self.world().me.place)).await?;
        let locked = self.lock(mine.first().copied()).await;
        let mut draft = match mine.first() {
            Some(doc) => self.draft(doc).await?,
            None => self.new_charter()?,
        };
        let what = what(&draft, self.calendar().version())?;
        let mut batch = self.dated_batch()?;
        draft.act("snapshots", Act { prev: None, on: self.today(), by: by.map(str::to_owned), what })?;
        draft.into_batch(&mut batch);
        self.store().write(batch).await?;
        drop(locked);
        Ok(())
    }

    /// What is handed over at the end of a term: seals and books, open matters, who leaves.
    ///
    /// # Errors
    /// [`ActionError`] when the database cannot be read.
    pub async fn handover(&self) -> Result<HandoverView, ActionError> {
        let world = self.world();
        let me = world.me.place;
        let snapshot = self.store().snapshot_of(&me).await?;
        let articles = articles_of(snapshot.as_ref());
        let today = self.today_date();
        let ending_terms = articles.ending(today, ENDING_DAYS);
        let leaving: BTreeSet<&String> = ending_terms.iter().flat_map(|e| &e.people).collect();
        let custody = articles
            .custody
            .iter()
            .map(|k| CustodyView {
                what: k.what.clone(),
                by: articles.name(&k.by).to_owned(),
                leaves: leaving.contains(&k.by),
            })
            .collect();
        let query = ListQuery {
            open: Some(true),
            holder: Some("self".into()),
            sort: Some("deadline".into()),
            limit: Some(HANDOVER_MATTERS),
            ..ListQuery::default()
        };
        let page = self.matters(query).await?;
        let more = page.next_cursor.is_some();
        let matters = page
            .items
            .into_iter()
            .map(|m| OpenView {
                stage_en: fold::frame::Stage::from_name(&m.stage)
                    .map_or(m.stage.clone(), |s| s.en().to_owned()),
                number: m.number,
                title: m.title,
                stage: m.stage_zh,
                due: m.deadline.map(|d| d.date),
            })
            .collect();
        Ok(HandoverView {
            place: self.viewer(&world).place(&me),
            day: today.to_string(),
            ending: ending(&articles, today),
            custody,
            matters,
            more,
        })
    }
}

fn articles_of(snapshot: Option<&SnapshotRow>) -> Articles {
    let file = snapshot.and_then(|s| s.articles.as_deref());
    file.and_then(|file| read_issued(file).ok()).unwrap_or_default()
}

fn ending(articles: &Articles, today: Date) -> Vec<EndingView> {
    let view = |e: yishi_protocol::charter::Ending| {
        let body = e.body.as_ref().and_then(|id| articles.bodies.iter().find(|b| b.id == *id));
        EndingView {
            label: body.map_or("民情专递员".to_owned(), |b| b.title.zh.clone()),
            label_en: body.map_or("Collector".to_owned(), |b| b.title.en.clone()),
            people: e.people.iter().map(|p| articles.name(p).to_owned()).collect(),
            until: e.until.to_string(),
            over: e.until < today,
            body: e.body,
        }
    };
    articles.ending(today, ENDING_DAYS).into_iter().map(view).collect()
}

fn today_view(articles: &Articles, today: Date) -> TodayView {
    let names = |ids: &[String]| ids.iter().map(|id| articles.name(id).to_owned()).collect();
    let duty = articles.rotas.iter().filter_map(|r| {
        Some(DutyView {
            id: r.id.clone(),
            label: r.title.zh.clone(),
            label_en: r.title.en.clone(),
            hours: None,
            people: vec![articles.name(r.on(today)?).to_owned()],
        })
    });
    let stations = articles.stations.iter().filter(|s| s.open_on(today)).map(|s| DutyView {
        id: s.id.clone(),
        label: s.title.zh.clone(),
        label_en: s.title.en.clone(),
        hours: s.hours.clone(),
        people: names(&s.people),
    });
    TodayView { day: today.to_string(), duty: duty.collect(), stations: stations.collect() }
}

/// What changes between two charters, a line each in both languages.
fn differences(before: &Articles, after: &Articles) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let mut list = |zh: &str, en: &str, before: BTreeMap<String, String>, after: BTreeMap<String, String>| {
        for (id, said) in &after {
            match before.get(id) {
                None => lines.push((format!("新增{zh}：{said}"), format!("new {en}: {said}"))),
                Some(was) if was != said => {
                    lines
                        .push((format!("变更{zh}：{was} → {said}"), format!("changed {en}: {was} → {said}")));
                }
                Some(_) => {}
            }
        }
        for (_, was) in before.iter().filter(|(id, _)| !after.contains_key(*id)) {
            lines.push((format!("删去{zh}：{was}"), format!("removed {en}: {was}")));
        }
    };
    let people = |a: &Articles| {
        a.people
            .iter()
            .map(|p| {
                let tags: Vec<&str> = p.tags.iter().map(String::as_str).collect();
                let tags = if tags.is_empty() { String::new() } else { format!("（{}）", tags.join(", ")) };
                (p.id.clone(), format!("{}{tags}", p.name))
            })
            .collect()
    };
    list("人员", "person", people(before), people(after));
    let units = |a: &Articles| {
        a.units
            .iter()
            .map(|u| {
                let who: Vec<&str> = u.handlers.iter().map(|h| a.name(h)).collect();
                (u.id.clone(), format!("{}（{}）", u.title.zh, who.join("、")))
            })
            .collect()
    };
    list("单位", "unit", units(before), units(after));
    let bodies = |a: &Articles| {
        a.bodies
            .iter()
            .map(|b| {
                let until = b.term.until.map_or(String::new(), |d| format!("，任期至 {d}"));
                let who: Vec<&str> = b.members.iter().map(|m| a.name(m)).collect();
                let from = b.term.from.map_or(String::new(), |d| d.to_string());
                (format!("{} {from}", b.id), format!("{}{until}：{}", b.title.zh, who.join("、")))
            })
            .collect()
    };
    list("议事主体", "body", bodies(before), bodies(after));
    let collectors = |a: &Articles| {
        a.collectors
            .iter()
            .map(|c| {
                let until = c.term.until.map_or(String::new(), |d| format!("，聘至 {d}"));
                let from = c.term.from.map_or(String::new(), |d| d.to_string());
                (format!("{} {from}", c.person), format!("{}{until}", a.name(&c.person)))
            })
            .collect()
    };
    list("民情专递员", "collector", collectors(before), collectors(after));
    let stations = |a: &Articles| {
        a.stations
            .iter()
            .map(|s| {
                let days: Vec<&str> =
                    s.weekdays.iter().map(|d| weekday(d).map_or(*d, Weekday::chinese)).collect();
                (s.id.clone(), format!("{}（{}）", s.title.zh, days.join("、")))
            })
            .collect()
    };
    list("驻点", "station", stations(before), stations(after));
    let rotas = |a: &Articles| {
        a.rotas
            .iter()
            .map(|r| {
                let who: Vec<&str> = r.order.iter().map(|p| a.name(p)).collect();
                (r.id.clone(), format!("{}（{}）", r.title.zh, who.join("、")))
            })
            .collect()
    };
    list("值班", "rota", rotas(before), rotas(after));
    let categories = |a: &Articles| a.categories.iter().map(|c| (c.id.clone(), c.title.zh.clone())).collect();
    list("分类", "category", categories(before), categories(after));
    let powers = |a: &Articles| {
        a.powers
            .iter()
            .map(|p| {
                let category = p.category.as_deref().unwrap_or("全部");
                let most = p.up_to_yuan.map_or(String::new(), |y| format!(" ≤{y}"));
                let to = p.delegated_to.join("、");
                let said = format!(
                    "{} · {category} · {}{most} {to}",
                    p.power.zh(),
                    super::by_charter::level_zh(&p.level)
                );
                (format!("{} {category} {}", p.power.name(), p.level), said.trim_end().to_owned())
            })
            .collect()
    };
    list("权限", "power", powers(before), powers(after));
    let custody = |a: &Articles| {
        a.custody.iter().map(|k| (k.what.clone(), format!("{}（{}）", k.what, a.name(&k.by)))).collect()
    };
    list("保管物品", "thing kept", custody(before), custody(after));
    lines
}

/// A charter to begin with: every list once, as a comment.
const BEGINNING: &str = include_str!("../../assets/charter.toml");
