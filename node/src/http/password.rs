//! Passwords: Argon2id, one computation at a time.
//!
//! A computation takes 19 MiB; a village's whole process has 64. So one runs at a time, a few wait, and more
//! are turned away before they cost anything. A name that does not exist is computed against a decoy, so that
//! the time says nothing about which names exist.

use super::{
    limits,
    problem::{Answer, Problem},
};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Computes and checks passwords.
#[derive(Debug, Clone)]
pub(super) struct Passwords {
    turn: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    decoy: Arc<str>,
}

/// The right to compute: there is one. What must not happen beside a computation (counting failures) is done
/// while it is held.
#[derive(Debug)]
pub(super) struct Turn {
    decoy: Arc<str>,
    _permit: OwnedSemaphorePermit,
    _queued: Queued,
}

#[derive(Debug)]
struct Queued(Arc<AtomicUsize>);

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Passwords {
    /// Ready to compute. Costs nothing: the decoy is a fixed string with our parameters.
    #[must_use]
    pub(super) fn new() -> Self {
        let decoy = format!(
            "$argon2id$v=19$m={},t={},p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            limits::PASSWORD_MEMORY_KIB,
            limits::PASSWORD_PASSES
        );
        Self { turn: Arc::new(Semaphore::new(1)), waiting: Arc::default(), decoy: decoy.into() }
    }

    /// Waits for the turn; refuses when too many wait already.
    pub(super) async fn turn(&self) -> Answer<Turn> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let queued = Queued(Arc::clone(&self.waiting));
        if before >= limits::SIGN_INS_WAITING_MAX {
            return Err(Problem::busy());
        }
        let permit = Arc::clone(&self.turn).acquire_owned().await.map_err(Problem::fault)?;
        Ok(Turn { decoy: Arc::clone(&self.decoy), _permit: permit, _queued: queued })
    }
}

impl Turn {
    /// What is stored of a password (PHC string).
    pub(super) async fn hash(self, password: String) -> Answer<(String, Self)> {
        self.compute(move |_| {
            let hashed = hasher()?.hash_password(password.as_bytes()).map_err(Problem::fault)?;
            Ok(hashed.to_string())
        })
        .await
    }

    /// Whether `password` is the one `stored` was made from; `None` stands for a name that does not exist.
    pub(super) async fn verify(self, password: String, stored: Option<String>) -> Answer<(bool, Self)> {
        self.compute(move |decoy| {
            let parsed = PasswordHash::new(stored.as_deref().unwrap_or(decoy)).map_err(Problem::fault)?;
            Ok(hasher()?.verify_password(password.as_bytes(), &parsed).is_ok() && stored.is_some())
        })
        .await
    }

    /// The turn goes into the computation: a client that hangs up does not let a second one start beside it.
    async fn compute<T: Send + 'static>(
        self,
        work: impl FnOnce(&str) -> Answer<T> + Send + 'static,
    ) -> Answer<(T, Self)> {
        let done = tokio::task::spawn_blocking(move || {
            let made = work(&self.decoy)?;
            Ok((made, self))
        });
        done.await.map_err(Problem::fault)?
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

fn hasher() -> Answer<Argon2<'static>> {
    let params = Params::new(limits::PASSWORD_MEMORY_KIB, limits::PASSWORD_PASSES, 1, None);
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(Problem::fault)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[tokio::test]
    async fn right_wrong_and_nobody() {
        let passwords = Passwords::new();
        let (stored, mut turn) =
            passwords.turn().await.unwrap().hash("芦稿村-2026".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let mut spent = Vec::new();
        for (word, known, expected) in [
            ("芦稿村-2026", Some(stored.clone()), true),
            ("芦稿村-2025", Some(stored.clone()), false),
            ("芦稿村-2026", None, false),
        ] {
            let started = Instant::now();
            let (right, back) = turn.verify(word.to_owned(), known).await.unwrap();
            turn = back;
            assert_eq!(right, expected);
            spent.push(started.elapsed());
        }
        // A name that does not exist costs a computation too (generous: other work shares the machine).
        assert!(spent[2] * 5 > spent[1], "{spent:?}");
    }

    #[tokio::test]
    async fn a_crowd_is_turned_away() {
        let passwords = Passwords::new();
        let held = passwords.turn().await.unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 1..limits::SIGN_INS_WAITING_MAX {
            let p = passwords.clone();
            waiting.spawn(async move { p.turn().await.map(drop) });
        }
        while passwords.waiting.load(Ordering::Relaxed) < limits::SIGN_INS_WAITING_MAX {
            tokio::task::yield_now().await;
        }
        let refused = passwords.turn().await.unwrap_err();
        assert_eq!(refused.code(), "busy");
        waiting.abort_all();
        drop(held);
    }
}
