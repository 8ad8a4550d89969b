//! Signing in: people, sessions, tokens, and what is counted against guessing.
//!
//! Invariants: a secret is compared by its hash only; nothing a caller can measure tells whether a name
//! exists (same computation, same lock-out); failures are counted while the one computation's turn is held,
//! so that many guesses at once count one by one.

use super::{
    House,
    caller::{Caller, LOCAL, Proof},
    limits, permit,
    problem::{Answer, Problem},
    secret,
};
use crate::store::{GivenAnswer, Person};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError, atomic::Ordering},
};

/// What every token begins with, so that a scanner of leaked secrets knows one.
pub(super) const TOKEN_PREFIX: &str = "yst_";

/// Names that do not exist and were tried: they lock out like real ones.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<BTreeMap<String, Tries>>);

#[derive(Debug, Clone, Copy, Default)]
struct Tries {
    failed: u32,
    locked_until_ms: u64,
    last_ms: u64,
}

impl Strangers {
    fn locked_until(&self, name: &str) -> u64 {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.get(name).map_or(0, |t| t.locked_until_ms)
    }

    fn failed(&self, name: &str, now_ms: u64) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= limits::STRANGERS_MAX && !tries.contains_key(name) {
            let oldest = tries.iter().min_by_key(|(_, t)| t.last_ms).map(|(n, _)| n.clone());
            oldest.map(|n| tries.remove(&n));
        }
        let entry = tries.entry(name.to_owned()).or_default();
        entry.last_ms = now_ms;
        entry.failed += 1;
        if entry.failed >= limits::SIGN_IN_FAILURES_MAX {
            *entry = Tries { failed: 0, locked_until_ms: now_ms + limits::LOCK_OUT_MS, last_ms: now_ms };
        }
    }
}

/// People and programs known to this node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accounts<'a>(pub(super) &'a House);

impl Accounts<'_> {
    /// Signs in; gives the secret for the cookie.
    pub(super) async fn sign_in(self, name: &str, password: String) -> Answer<String> {
        let house = self.0;
        let name = name.trim();
        let plausible = password.len() <= limits::PASSWORD_BYTES_MAX
            && (1..=limits::USER_NAME_CHARS_MAX).contains(&name.chars().count());
        if !plausible {
            return Err(Problem::wrong_password());
        }
        let turn = house.passwords.turn().await?;
        let now = house.clock.now_ms();
        let person = house.store().person_named(name).await.map_err(Problem::store)?;
        let until = person.as_ref().map_or_else(|| house.strangers.locked_until(name), |p| p.locked_until_ms);
        if until > now {
            let left = (until - now).div_ceil(1000);
            house.counts.locked_out.fetch_add(1, Ordering::Relaxed);
            return Err(Problem::locked_out(left));
        }
        let known = person.filter(|p| p.active);
        let (right, turn) = turn.verify(password, known.as_ref().map(|p| p.password.clone())).await?;
        let Some(person) = known.as_ref().filter(|_| right) else {
            self.count_failure(name, known.as_ref(), now).await?;
            return Err(Problem::wrong_password());
        };
        let secret = secret::fresh();
        let until = now + limits::SESSION_MS;
        let begun = house.store().begin_session(secret::stored(&secret), person.id, now, until).await;
        begun.map_err(Problem::store)?;
        drop(turn);
        house.counts.signed_in.fetch_add(1, Ordering::Relaxed);
        Ok(secret)
    }

    async fn count_failure(self, name: &str, person: Option<&Person>, now: u64) -> Answer<()> {
        self.0.counts.sign_in_failed.fetch_add(1, Ordering::Relaxed);
        let Some(person) = person else {
            self.0.strangers.failed(name, now);
            return Ok(());
        };
        let until = now + limits::LOCK_OUT_MS;
        let counted = self.0.store().sign_in_failed(person.id, limits::SIGN_IN_FAILURES_MAX, until).await;
        counted.map_err(Problem::store)
    }

    /// Ends a session.
    pub(super) async fn sign_out(self, secret: &str) -> Answer<()> {
        self.0.store().end_session(secret::stored(secret)).await.map_err(Problem::store)
    }

    /// Whose session this is.
    pub(super) async fn by_session(self, secret: &str) -> Answer<Option<Caller>> {
        let now = self.0.clock.now_ms();
        let found = self.0.store().session(&secret::stored(secret), now).await.map_err(Problem::store)?;
        Ok(found.map(|person| {
            let permits = permit::of_roles(person.roles.iter().map(String::as_str));
            let proof = Proof::Session { secret: secret.to_owned() };
            Caller::new(member_id(person.id), person.display_name, proof, permits)
        }))
    }

    /// Whose token this is. Its rights are its scopes', and never more than its maker still has.
    pub(super) async fn by_token(self, token: &str) -> Answer<Option<Caller>> {
        let house = self.0;
        if !token.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let found = house.store().token(&secret::stored(token), house.clock.now_ms()).await;
        let Some(found) = found.map_err(Problem::store)? else {
            return Ok(None);
        };
        let mut permits = permit::of_scopes(found.scopes.iter().map(String::as_str));
        if found.created_by != LOCAL {
            let people = house.store().people().await.map_err(Problem::store)?;
            let Some(maker) = people.iter().find(|p| p.active && member_id(p.id) == found.created_by) else {
                return Ok(None);
            };
            let rights = permit::of_roles(maker.roles.iter().map(String::as_str));
            permits.retain(|p| rights.contains(p));
        }
        Ok(Some(Caller::new(found.created_by, found.name, Proof::Token, permits)))
    }

    /// The answer given before to this key.
    pub(super) async fn given_before(self, who: &str, key: &str) -> Answer<Option<GivenAnswer>> {
        self.0.store().given_answer(who, key).await.map_err(Problem::store)
    }

    /// Keeps an answer for its key.
    pub(super) async fn keep_answer(self, who: String, key: String, answer: GivenAnswer) -> Answer<()> {
        let now = self.0.clock.now_ms();
        self.0.store().keep_answer(who, key, answer, now).await.map_err(Problem::store)
    }
}

/// The charter member id of a person.
pub(super) fn member_id(person: i64) -> String {
    format!("u{person}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_lock_out_like_people_and_stay_bounded() {
        let strangers = Strangers::default();
        for _ in 1..limits::SIGN_IN_FAILURES_MAX {
            strangers.failed("nobody", 1_000);
            assert_eq!(strangers.locked_until("nobody"), 0);
        }
        strangers.failed("nobody", 1_000);
        assert_eq!(strangers.locked_until("nobody"), 1_000 + limits::LOCK_OUT_MS);
        for i in 0..2 * limits::STRANGERS_MAX {
            strangers.failed(&format!("n{i}"), 2_000 + u64::try_from(i).unwrap());
        }
        assert_eq!(strangers.0.lock().unwrap().len(), limits::STRANGERS_MAX);
    }
}
