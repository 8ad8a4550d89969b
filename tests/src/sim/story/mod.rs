//! Scripted scenarios: each makes certain the very situation one rule is about, so that whoever breaks the rule
//! is caught, and whoever keeps it is not. A story plays on a [`World`] of four places, then all checkers judge.
//!
//! A story asserts nothing itself: what it does is what people, lines and hostile neighbours do. It ends early
//! (`None`) where an act was not taken, which without a planted bug is a failure of the story.

mod disk;
mod hostile;
mod life;
mod link;
mod people;
mod steps;

use super::{Failure, Shape, World, alone};
use serde_json::Value;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
};
use yishi_protocol::{
    ids::{ActRef, DocId},
    planted::Bug,
};

/// What a story does: `None` if it could not be played to its end.
type Play = for<'a> fn(&'a mut World) -> Pin<Box<dyn Future<Output = Option<()>> + 'a>>;

/// One scenario.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// What is told of it.
    pub name: &'static str,
    /// The planted bugs it shows.
    pub shows: &'static [Bug],
    play: Play,
}

macro_rules! stories {
    ($($room:ident::$story:ident shows $($bug:ident),+;)*) => {
        /// All of them.
        pub const ALL: &[Story] = &[$(Story {
            name: concat!(stringify!($room), "::", stringify!($story)),
            shows: &[$(Bug::$bug),+],
            play: |world| Box::pin($room::$story(world)),
        }),*];
    };
}

stories! {
    disk::the_power_goes_after_a_yes shows AckBeforeSync;
    disk::a_full_disk_takes_nothing_in shows AckUnstored;
    link::a_village_works_and_its_town_hears_of_it shows SkipRow, PassOverRefused, Echo, WrongAudience, LevelUp;
    link::a_frame_is_swallowed shows GapAccepted;
    link::an_old_matter_is_shown_to_one_more shows WidenNewOnly;
    link::the_reader_is_slow shows NoFlightLimit;
    link::a_block_is_long_under_way shows StoredWhenSent;
    life::a_backup_is_put_back_and_work_goes_on shows SameLife;
    life::a_backup_is_put_back_and_nobody_says_so shows NoDigestCheck;
    life::two_steps_on_one shows UnsealedFirst;
    steps::one_place_goes_on_writing shows SameSeq;
    steps::a_reader_is_not_the_holder shows AnyHolder;
    steps::a_vote_comes_after_the_answer shows LateVote;
    steps::an_older_version_is_tried_again shows PinGoingBack;
    steps::two_clocks_run_ahead shows ClaimUnclamped;
    steps::a_stolen_key_is_revoked_early_and_late shows RevokedByTime;
    people::a_petitioner_is_sealed shows NameInClear, KeyInHistory;
    people::a_petitioner_is_forgotten shows ForgetsNothing;
    hostile::a_town_speaks_for_a_village shows AnyCover;
    hostile::a_town_signs_for_a_village shows AnyActor;
    hostile::a_town_makes_up_a_signature shows SignatureUnchecked;
    hostile::a_town_makes_up_a_matter shows AnyHome;
    hostile::a_town_shows_what_is_not_for_its_district shows TakesNotForUs;
    hostile::a_town_says_yes_and_signs_nothing shows AckOfNothing;
    hostile::a_town_leaves_a_change_out shows DependencyIgnored;
    hostile::a_village_shows_a_matter_to_its_neighbour shows WidenByAnyone;
    hostile::a_town_forges_its_district shows ReceiptUnchecked;
    hostile::a_village_says_two_things shows TwoSnapshots;
    hostile::a_town_writes_into_a_village_s_dossier shows AnyWriter;
    hostile::a_village_writes_into_its_neighbour_s_matter shows OutsiderWrites;
    hostile::a_village_certifies_its_neighbour shows AnyFounder;
}

/// Plays a story and judges what is left.
///
/// # Errors
/// The first [`Failure`]; one of `story` if it could not be played, and nobody noticed why.
pub fn tell(story: &Story, seed: u64) -> Result<(), Failure> {
    let played = catch_unwind(AssertUnwindSafe(|| alone(play(story, seed))));
    played.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(broken(said.unwrap_or_default()))
    })
}

fn broken(what: String) -> Failure {
    Failure { check: "story", what }
}

async fn play(story: &Story, seed: u64) -> Result<(), Failure> {
    let mut world = World::of(&Shape::four(), seed).await;
    let played = (story.play)(&mut world).await;
    if world.watch.failure.is_none() {
        judge(&mut world).await;
    }
    match (world.watch.failure.take(), played) {
        (Some(failure), _) => Err(failure),
        (None, None) => Err(broken("something was not taken that should have been".into())),
        (None, Some(())) => Ok(()),
    }
}

/// All lines and disks are mended and everything that waits goes its way; then all checkers judge.
async fn judge(world: &mut World) {
    for at in 0..world.nodes.len() {
        if world.nodes[at].failing {
            world.power_cut(at, &mut |_| 0).await;
        }
    }
    for child in 1..world.nodes.len() {
        let gone = world.gone.contains(&child);
        world.cut(child, gone);
    }
    world.hang_up_all();
    world.come_to_rest().await;
    let mut watch = std::mem::take(&mut world.watch);
    if watch.failure.is_none() {
        watch.end(world).await;
    }
    world.watch = watch;
}

/// Everything that waits goes its way over the lines there are.
async fn rest(world: &mut World) -> Option<()> {
    world.come_to_rest().await;
    world.watch.failure.is_none().then_some(())
}

/// All checkers that can look in the midst of things.
async fn look(world: &mut World) -> Option<()> {
    let mut watch = std::mem::take(&mut world.watch);
    watch.moment(world).await;
    world.watch = watch;
    world.watch.failure.is_none().then_some(())
}

/// A matter is raised, and the person is told so.
async fn raise(world: &mut World, at: usize, body: &str) -> Option<DocId> {
    let doc = world.nodes[at].try_raise(body, None).await?;
    let acts = world.nodes[at].acts(&doc).await;
    world.watch.acknowledged(at, doc, acts);
    Some(doc)
}

/// An act is done, and the person is told so.
async fn act(world: &mut World, at: usize, doc: &DocId, act: Value) -> Option<ActRef> {
    let done = world.nodes[at].act(doc, act).await?;
    world.watch.acknowledged(at, *doc, [done]);
    Some(done)
}
