//! Outcomes, registers, charters, notices.

use super::{
    super::{FoldChange, FoldInput, Verdict, Violation, charter, notice, outcome, register as registers},
    world::*,
};
use crate::{
    act::{Charter, Decision, Heard, Progress, Stub, Stubs, Text, Word},
    ids::{ActRef, ChangeHash, DocId, Hash},
    kind::Kind,
};

fn input<'a>(w: &'a World, changes: &'a [FoldChange]) -> FoldInput<'a> {
    FoldInput { header: &w.header, changes, authors: &w.authors, procedures: &w.procedures }
}

/// A document of another kind, homed at the village.
fn world(kind: Kind) -> World {
    let mut w = World::new();
    w.header.kind = kind;
    w
}

fn decision(title: &str) -> Decision {
    Decision::Decide {
        title: title.into(),
        text: text("汛期前完工"),
        proposals: vec![cited(1), cited(2)],
        unit: Some("水务站".into()),
        budget_yuan: Some(120_000),
        due: Some(20_500),
    }
}

fn progress(percent: i64) -> Progress {
    Progress::Progress { text: text("已开工"), percent: Some(percent) }
}

#[test]
fn an_outcome_holds_one_decision_and_what_became_of_it() {
    let mut w = world(Kind::Outcome);
    let early = w.add(TOWN, 1, progress(10));
    let decided = w.add(VILLAGE, 0, decision("整修涵洞"));
    let again = w.add(VILLAGE, 0, decision("又一个"));
    w.share();
    let foreign = w.add(TOWN, 0, Decision::Answer { text: text("镇里说") });
    let reply = w.add(VILLAGE, 0, Decision::Answer { text: text("十月前修好") });
    w.share();
    w.add(TOWN, 1, progress(60));
    let over = w.add(TOWN, 1, progress(160));
    let o = outcome::fold(&input(&w, &w.changes));
    let of = |act: ActRef| o.timeline.iter().find(|e| e.act == act).unwrap().verdict;
    let decision = o.decision.clone().unwrap();
    assert_eq!((decision.act, decision.title.as_str(), decision.proposals.len()), (decided, "整修涵洞", 2));
    assert_eq!((o.answers.len(), o.answers[0].act), (1, reply));
    assert_eq!((o.progress.len(), o.progress[0].percent, o.progress[0].place), (1, Some(60), T));
    assert_eq!(of(early), Verdict::Violation(Violation::NotDecided));
    assert_eq!(of(again), Verdict::Violation(Violation::AlreadyDecided));
    assert_eq!(of(foreign), Verdict::Violation(Violation::NotHome));
    assert_eq!(of(over), Verdict::Violation(Violation::PercentOutOfRange));
    assert_eq!(o.violations.len(), 4);
    let mut reversed = w.changes.clone();
    reversed.reverse();
    assert_eq!(outcome::fold(&input(&w, &reversed)).digest(), o.digest());
}

#[test]
fn of_two_decisions_at_once_the_lower_hash_stands() {
    let mut w = world(Kind::Outcome);
    let copy = w.copy_machine(VILLAGE);
    w.next_hash = Some(2);
    w.add(VILLAGE, 0, decision("甲"));
    w.next_hash = Some(1);
    w.add(copy, 0, decision("乙"));
    let o = outcome::fold(&input(&w, &w.changes));
    assert_eq!(o.decision.as_ref().unwrap().title, "乙");
    let mut verdicts: Vec<_> = o.timeline.iter().map(|e| (e.hash.0[0], e.verdict)).collect();
    verdicts.sort_unstable_by_key(|(h, _)| *h);
    assert_eq!(verdicts, [(1, Verdict::Counted), (2, Verdict::Superseded)]);
}

fn stub(doc: u8, stage: &str) -> Stub {
    Stub {
        doc: DocId([doc; 32]),
        home: V,
        number: format!("芦稿-2026-{doc:04}"),
        category: None,
        raised: 20_000,
        stage: stage.into(),
        moved: 20_001,
        answered: None,
        refused: None,
        holder: Some(V),
        due: None,
        violations: 0,
    }
}

#[test]
fn a_register_shows_the_newest_stub_of_each_matter() {
    let mut w = world(Kind::Register);
    w.add(VILLAGE, 0, Stubs::Stubs { rows: vec![stub(1, "registered"), stub(2, "registered")] });
    let newer = w.add(VILLAGE, 0, Stubs::Stubs { rows: vec![stub(1, "accepted")] });
    w.share();
    let foreign = w.add(TOWN, 0, Stubs::Stubs { rows: vec![stub(2, "closed")] });
    let r = registers::fold(&input(&w, &w.changes));
    assert_eq!(r.stubs.len(), 2);
    assert_eq!((r.stubs[&DocId([1; 32])].stage.as_str(), r.stubs[&DocId([1; 32])].act), ("accepted", newer));
    assert_eq!(r.stubs[&DocId([2; 32])].stage, "registered");
    assert_eq!(r.violations, [foreign]);
    let mut reversed = w.changes.clone();
    reversed.reverse();
    assert_eq!(registers::fold(&input(&w, &reversed)).digest(), r.digest());
    // The key is revoked after the first act.
    let village = w.nodes[VILLAGE].actor;
    w.authors.get_mut(&village).unwrap().cut = Some([w.changes[1].hash].into());
    let r = registers::fold(&input(&w, &w.changes));
    assert_eq!(
        (r.stubs[&DocId([1; 32])].stage.as_str(), r.revoked.as_slice()),
        ("registered", [newer].as_slice())
    );
}

#[test]
fn a_register_tells_who_was_heard_from_and_the_later_day_stands() {
    let mut w = world(Kind::Register);
    let said = |day| Stubs::Heard { rows: vec![Heard { place: V, day }] };
    w.add(VILLAGE, 0, said(Some(20_010)));
    w.add(VILLAGE, 0, said(Some(20_003)));
    w.add(VILLAGE, 0, said(None));
    w.share();
    let foreign = w.add(TOWN, 0, said(Some(20_900)));
    let r = registers::fold(&input(&w, &w.changes));
    assert_eq!(r.heard.into_iter().collect::<Vec<_>>(), [(V, Some(20_010))]);
    assert_eq!(r.violations, [foreign]);
    assert!(r.stubs.is_empty());
}

fn snapshot(number: i64, previous: Option<ChangeHash>, name: &str) -> Charter {
    Charter::Snapshot {
        number,
        previous: previous.map(|h| charter::snapshot_hash(&h)),
        code: "510113106204".into(),
        name: name.into(),
        level: "village".into(),
        parent: Some(T),
        procedure: crate::fold::frame::BUILT_IN,
        calendar: Hash([7; 32]),
        articles: Some("format = 1\npeople = [{ id = \"u1\", name = \"李\" }]\n".into()),
    }
}

#[test]
fn a_charter_is_a_numbered_linked_chain() {
    let mut w = world(Kind::Charter);
    let first = w.add(VILLAGE, 0, snapshot(1, None, "芦稿村"));
    let skipped = w.add(VILLAGE, 0, snapshot(3, Some(w.hash_of(first)), "跳号"));
    let unlinked = w.add(VILLAGE, 0, snapshot(2, None, "无前版"));
    let second = w.add(VILLAGE, 0, snapshot(2, Some(w.hash_of(first)), "芦稿社区"));
    w.share();
    let foreign = w.add(TOWN, 0, snapshot(3, Some(w.hash_of(second)), "代写"));
    let c = charter::fold(&input(&w, &w.changes));
    let broken = Verdict::Violation(Violation::BrokenSnapshotChain);
    let expected = [
        (first, Verdict::Counted),
        (skipped, broken),
        (unlinked, broken),
        (second, Verdict::Counted),
        (foreign, Verdict::Violation(Violation::NotHome)),
    ];
    assert_eq!(c.acts, expected);
    assert_eq!(c.in_force().map(|s| (s.number, s.name.as_str())), Some((2, "芦稿社区")));
    assert!(c.pinned(&charter::snapshot_hash(&w.hash_of(first))).is_some());
    assert_eq!(c.equivocation, None);
}

#[test]
fn two_snapshots_with_one_number_wait_for_the_parent() {
    let mut w = world(Kind::Charter);
    let first = w.add(VILLAGE, 0, snapshot(1, None, "芦稿村"));
    let copy = w.copy_machine(VILLAGE);
    w.add(VILLAGE, 0, snapshot(2, Some(w.hash_of(first)), "甲"));
    w.add(copy, 0, snapshot(2, Some(w.hash_of(first)), "乙"));
    let c = charter::fold(&input(&w, &w.changes));
    assert_eq!(c.in_force().map(|s| s.number), Some(1));
    assert_eq!(c.equivocation.as_ref().map(|e| (e.number, e.snapshots.len())), Some((2, 2)));
    let mut reversed = w.changes.clone();
    reversed.reverse();
    assert_eq!(charter::fold(&input(&w, &reversed)), c);
}

#[test]
fn a_notice_says_its_last_word_until_it_is_recalled_and_openings_stand() {
    let mut w = world(Kind::Notice);
    let say = |sort: &str, title: &str| Word::Announce {
        sort: sort.into(),
        title: title.into(),
        text: Text("农田水利补助".into()),
        category: Some("water".into()),
        until: Some(20_100),
    };
    let recall = |why: &str| Word::Recall { reason: Text(why.into()) };
    let early = w.add(VILLAGE, 0, recall("还没有发"));
    w.add(VILLAGE, 0, say("resource", "第一稿"));
    let second = w.add(VILLAGE, 0, say("resource", "第二稿"));
    let odd = w.add(VILLAGE, 0, say("rumour", "不是通知"));
    let open = Word::Open {
        matter: DocId([1; 32]),
        number: "芦稿-2026-AS-0187".into(),
        reason: Text("督查".into()),
    };
    let opened = w.add(VILLAGE, 0, open);
    w.share();
    let foreign = w.add(TOWN, 0, say("directive", "代发"));
    let n = notice::fold(&input(&w, &w.changes));
    assert_eq!(n.in_force().map(|a| (a.act, a.title.as_str())), Some((second, "第二稿")));
    assert_eq!((n.announced.len(), n.malformed.as_slice()), (2, [odd].as_slice()));
    assert_eq!(n.violations, [early, foreign]);
    assert_eq!(n.opened.iter().map(|o| o.act).collect::<Vec<_>>(), [opened]);
    let mut reversed = w.changes.clone();
    reversed.reverse();
    assert_eq!(notice::fold(&input(&w, &reversed)).digest(), n.digest());
    w.add(VILLAGE, 0, recall("补助办法改了"));
    let n = notice::fold(&input(&w, &w.changes));
    assert_eq!(
        (n.in_force(), n.recalled.as_ref().map(|r| r.reason.clone())),
        (None, Some("补助办法改了".to_owned()))
    );
    assert_eq!(n.opened.len(), 1);
}
