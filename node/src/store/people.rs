//! People of this node, their sessions, and tokens of programs.
//!
//! Secrets are kept as hashes only: of a pass word by Argon2id (made above), of a session or token by
//! SHA-256 of random bytes. Nothing here reads the clock: `now_ms` is an argument.

use super::{
    Store,
    columns::{optional_unsigned, small, unsigned},
    error::StoreError,
};
use sqlx::{Row, sqlite::SqliteRow};
use std::fmt;

/// SHA-256 of a secret.
pub type SecretHash = [u8; 32];

/// Somebody who signs in here.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Counts people; shown as `u1`.
    pub id: i64,
    /// What they type to sign in.
    pub name: String,
    /// What others read.
    pub display_name: String,
    /// Roles by stable name.
    pub roles: Vec<String>,
    /// The pass word's Argon2id string.
    pub password: String,
    /// Whether they may sign in.
    pub active: bool,
    /// Wrong pass words since the last right one.
    pub failed: u32,
    /// Until when signing in is locked.
    pub locked_until_ms: u64,
    /// When they were entered.
    pub created_at_ms: u64,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("roles", &self.roles)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// A person to enter.
#[derive(Clone)]
pub struct NewPerson {
    /// Unique here.
    pub name: String,
    /// What others read.
    pub display_name: String,
    /// Roles by stable name.
    pub roles: Vec<String>,
    /// The pass word's Argon2id string.
    pub password: String,
    /// When.
    pub at_ms: u64,
}

impl fmt::Debug for NewPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPerson").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What changes about a person; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct PersonChange {
    /// What others read.
    pub display_name: Option<String>,
    /// Roles by stable name.
    pub roles: Option<Vec<String>>,
    /// The new pass word's Argon2id string; ends all sessions.
    pub password: Option<String>,
    /// Whether they may sign in; `false` ends all sessions.
    pub active: Option<bool>,
}

/// A program's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Counts tokens.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// What it may do, by stable name.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at_ms: u64,
    /// Until when it holds.
    pub expires_at_ms: Option<u64>,
    /// When it was last used, to the minute.
    pub last_used_ms: Option<u64>,
}

/// A use is written down at most this often.
const USE_NOTED_EVERY_MS: u64 = 60_000;

const PERSON_COLUMNS: &str = "p.id, p.name, p.display_name, p.roles, p.password, p.active, p.failed,
    p.locked_until_ms, p.created_at_ms";

fn person(row: &SqliteRow) -> Result<Person, StoreError> {
    Ok(Person {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        display_name: row.try_get(2)?,
        roles: words(row.try_get(3)?),
        password: row.try_get(4)?,
        active: row.try_get(5)?,
        failed: small(row, 6)?,
        locked_until_ms: unsigned(row, 7)?,
        created_at_ms: unsigned(row, 8)?,
    })
}

fn token(row: &SqliteRow) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        scopes: words(row.try_get(2)?),
        created_by: row.try_get(3)?,
        created_at_ms: unsigned(row, 4)?,
        expires_at_ms: optional_unsigned(row, 5)?,
        last_used_ms: optional_unsigned(row, 6)?,
    })
}

/// Stable names have no spaces.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl Store {
    /// Enters a person.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the name is used.
    pub async fn add_person(&self, new: NewPerson) -> Result<i64, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO people (name, display_name, roles, password, active, created_at_ms)
                           VALUES (?1, ?2, ?3, ?4, 1, ?5) RETURNING id";
                let row = sqlx::query(sql)
                    .bind(new.name)
                    .bind(new.display_name)
                    .bind(new.roles.join(" "))
                    .bind(new.password)
                    .bind(new.at_ms.cast_signed())
                    .fetch_one(&mut tx.conn)
                    .await?;
                Ok(row.try_get(0)?)
            })
        })
        .await
    }

    /// Everybody, in the order they were entered.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        let sql = format!("SELECT {PERSON_COLUMNS} FROM people p ORDER BY p.id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(self.readers()).await?;
        rows.iter().map(person).collect()
    }

    /// The person with this name.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn person_named(&self, name: &str) -> Result<Option<Person>, StoreError> {
        let sql = format!("SELECT {PERSON_COLUMNS} FROM people p WHERE p.name = ?1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(self.readers()).await?;
        row.as_ref().map(person).transpose()
    }

    /// Changes a person; returns whether there is one.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn change_person(&self, id: i64, change: PersonChange) -> Result<bool, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let ends = change.password.is_some() || change.active == Some(false);
                let sql = "UPDATE people SET display_name = coalesce(?2, display_name), roles = coalesce(?3, roles),
                           password = coalesce(?4, password), active = coalesce(?5, active),
                           failed = CASE WHEN ?4 IS NULL THEN failed ELSE 0 END,
                           locked_until_ms = CASE WHEN ?4 IS NULL THEN locked_until_ms ELSE 0 END WHERE id = ?1";
                let done = sqlx::query(sql)
                    .bind(id)
                    .bind(change.display_name)
                    .bind(change.roles.map(|r| r.join(" ")))
                    .bind(change.password)
                    .bind(change.active)
                    .execute(&mut tx.conn)
                    .await?;
                if ends {
                    sqlx::query("DELETE FROM sessions WHERE person = ?1").bind(id).execute(&mut tx.conn).await?;
                }
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }

    /// Counts a wrong pass word, and locks signing in once `failures_max` are reached.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn sign_in_failed(
        &self,
        id: i64,
        failures_max: u32,
        locked_until_ms: u64,
    ) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE people SET
                           locked_until_ms = CASE WHEN failed + 1 >= ?2 THEN ?3 ELSE locked_until_ms END,
                           failed = CASE WHEN failed + 1 >= ?2 THEN 0 ELSE failed + 1 END WHERE id = ?1";
                sqlx::query(sql)
                    .bind(id)
                    .bind(i64::from(failures_max))
                    .bind(locked_until_ms.cast_signed())
                    .execute(&mut tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Begins a session and forgets old ones and wrong pass words.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn begin_session(
        &self,
        secret: SecretHash,
        person: i64,
        now_ms: u64,
        expires_at_ms: u64,
    ) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let now = now_ms.cast_signed();
                sqlx::query("DELETE FROM sessions WHERE expires_at_ms <= ?1")
                    .bind(now)
                    .execute(&mut tx.conn)
                    .await?;
                sqlx::query("UPDATE people SET failed = 0, locked_until_ms = 0 WHERE id = ?1")
                    .bind(person)
                    .execute(&mut tx.conn)
                    .await?;
                let sql = "INSERT INTO sessions (secret, person, created_at_ms, expires_at_ms)
                           VALUES (?1, ?2, ?3, ?4)";
                sqlx::query(sql)
                    .bind(secret.to_vec())
                    .bind(person)
                    .bind(now)
                    .bind(expires_at_ms.cast_signed())
                    .execute(&mut tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Whose session it is, if it holds.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn session(&self, secret: &SecretHash, now_ms: u64) -> Result<Option<Person>, StoreError> {
        let sql = format!(
            "SELECT {PERSON_COLUMNS} FROM sessions s JOIN people p ON p.id = s.person
             WHERE s.secret = ?1 AND s.expires_at_ms > ?2 AND p.active = 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(secret.to_vec())
            .bind(now_ms.cast_signed())
            .fetch_optional(self.readers())
            .await?;
        row.as_ref().map(person).transpose()
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn end_session(&self, secret: SecretHash) -> Result<(), StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                sqlx::query("DELETE FROM sessions WHERE secret = ?1")
                    .bind(secret.to_vec())
                    .execute(&mut tx.conn)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Keeps a new token. Its `id` and `last_used_ms` are not looked at; the new id is returned.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn add_token(&self, secret: SecretHash, new: Token) -> Result<i64, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let sql =
                    "INSERT INTO tokens (name, scopes, secret, created_by, created_at_ms, expires_at_ms)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id";
                let row = sqlx::query(sql)
                    .bind(new.name)
                    .bind(new.scopes.join(" "))
                    .bind(secret.to_vec())
                    .bind(new.created_by)
                    .bind(new.created_at_ms.cast_signed())
                    .bind(new.expires_at_ms.map(u64::cast_signed))
                    .fetch_one(&mut tx.conn)
                    .await?;
                Ok(row.try_get(0)?)
            })
        })
        .await
    }

    /// All tokens, without their secrets.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let sql = "SELECT id, name, scopes, created_by, created_at_ms, expires_at_ms, last_used_ms
                   FROM tokens ORDER BY id";
        let rows = sqlx::query(sql).fetch_all(self.readers()).await?;
        rows.iter().map(token).collect()
    }

    /// The token with this secret, if it holds.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn token(&self, secret: &SecretHash, now_ms: u64) -> Result<Option<Token>, StoreError> {
        let sql = "SELECT id, name, scopes, created_by, created_at_ms, expires_at_ms, last_used_ms
                   FROM tokens WHERE secret = ?1 AND (expires_at_ms IS NULL OR expires_at_ms > ?2)";
        let row = sqlx::query(sql)
            .bind(secret.to_vec())
            .bind(now_ms.cast_signed())
            .fetch_optional(self.readers())
            .await?;
        let Some(found) = row.as_ref().map(token).transpose()? else { return Ok(None) };
        if found.last_used_ms.is_none_or(|at| at + USE_NOTED_EVERY_MS <= now_ms) {
            let id = found.id;
            self.submit(move |tx| {
                Box::pin(async move {
                    sqlx::query("UPDATE tokens SET last_used_ms = ?2 WHERE id = ?1")
                        .bind(id)
                        .bind(now_ms.cast_signed())
                        .execute(&mut tx.conn)
                        .await?;
                    Ok(())
                })
            })
            .await?;
        }
        Ok(Some(found))
    }

    /// Ends a token; returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`] when it was not stored.
    pub async fn delete_token(&self, id: i64) -> Result<bool, StoreError> {
        self.submit(move |tx| {
            Box::pin(async move {
                let done =
                    sqlx::query("DELETE FROM tokens WHERE id = ?1").bind(id).execute(&mut tx.conn).await?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await
    }
}
