//! What is local to one machine: a small TOML file, unknown keys refused.
//!
//! Policy that places must agree on is never configured here; it is replicated.

use serde::Deserialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};
use thiserror::Error;

/// The port of links.
pub const LINK_PORT: u16 = 4710;
/// The port of pages on this machine.
pub const HTTP_PORT: u16 = 4780;

/// Why a configuration is not accepted.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {source}. Nothing was started")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what is expected; the message names line and column.
    #[error(
        "the configuration {path} is not right: {message}\nNothing was started. Every key is explained in the examples under deploy/config"
    )]
    Parse {
        /// Which.
        path: PathBuf,
        /// Line, column and what is wrong.
        message: String,
    },
}

/// A node's local configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The node's folder.
    pub data_dir: PathBuf,
    /// Links.
    pub link: LinkSection,
    /// Pages and API.
    pub http: HttpSection,
    /// Logs.
    pub log: LogSection,
}

/// `[link]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkSection {
    /// UDP address children dial; without it any free port is used, which is enough for a village.
    pub listen: Option<SocketAddr>,
    /// Overrides the parent's address from the invitation.
    pub parent: Option<String>,
    /// Silence in milliseconds after which a link counts as down.
    pub idle_ms: u64,
    /// How often a child says that it is still there, in milliseconds.
    pub keep_alive_ms: u64,
    /// The longest pause between two attempts to reach the parent, in milliseconds.
    pub retry_max_ms: u64,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSection {
    /// Plain HTTP for browsers on this machine.
    pub listen: Option<SocketAddr>,
    /// HTTPS for everybody else.
    pub tls_listen: Option<SocketAddr>,
    /// Names and addresses phones reach the HTTPS door at; they stand in its certificate.
    pub names: Vec<String>,
    /// The pages' first language, `zh` or `en`.
    pub lang: Lang,
    /// Shows the public board without sign-in: notices, and of other matters number, category, stage and days.
    pub open_board: bool,
}

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// `text` for people, `json` for collectors.
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("yishi-data"),
            link: LinkSection::default(),
            http: HttpSection::default(),
            log: LogSection::default(),
        }
    }
}

impl Default for LinkSection {
    fn default() -> Self {
        let timing = crate::link::Timing::default();
        let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        Self {
            listen: None,
            parent: None,
            idle_ms: ms(timing.idle),
            keep_alive_ms: ms(timing.keep_alive),
            retry_max_ms: ms(timing.retry_max),
        }
    }
}

impl LinkSection {
    /// The timing for the links.
    #[must_use]
    pub fn timing(&self) -> crate::link::Timing {
        crate::link::Timing {
            idle: Duration::from_millis(self.idle_ms),
            keep_alive: Duration::from_millis(self.keep_alive_ms),
            retry_max: Duration::from_millis(self.retry_max_ms),
        }
    }
}

impl Default for HttpSection {
    fn default() -> Self {
        Self {
            listen: Some((Ipv4Addr::LOCALHOST, HTTP_PORT).into()),
            tls_listen: None,
            names: Vec::new(),
            lang: Lang::Zh,
            open_board: false,
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, and for a wrong key its line and column.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|e| ConfigError::Parse { path: path.to_owned(), message: e.to_string() })
    }

    /// The file named, or the one in a node's folder if there is one, or the defaults for that folder.
    ///
    /// # Errors
    /// [`ConfigError`] if a file is there and not right.
    pub fn find(file: Option<&Path>, dir: Option<&Path>) -> Result<Self, ConfigError> {
        let in_dir = dir.map(|d| d.join("node.toml")).filter(|p| p.exists());
        let mut config = match file.or(in_dir.as_deref()) {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        if let Some(dir) = dir {
            config.data_dir = dir.to_owned();
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.toml");
        std::fs::write(&path, "data_dir = \"x\"\n[link]\nlisten_on = \"0.0.0.0:1\"\n").unwrap();
        let message = Config::read(&path).unwrap_err().to_string();
        assert!(message.contains("line 3") && message.contains("listen_on"), "{message}");
    }

    #[test]
    fn the_examples_are_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config");
        let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
        assert!(files.len() >= 3);
        for file in files {
            Config::read(&file).unwrap();
        }
    }
}
