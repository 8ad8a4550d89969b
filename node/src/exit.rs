//! Exit statuses: one number per kind of trouble, so that scripts and service managers can tell them apart.

use crate::{
    backup::{BackupError, Cause},
    config::ConfigError,
    home::HomeError,
    http::BindError,
    link::{EndpointError, JoinError},
    root::RootError,
    run::RunError,
    setup::SetupError,
    standby::StandbyError,
    store::StoreError,
};
use yishi_protocol::invite::InviteError;

/// The table for `--help` and the manual.
pub const HELP: &str = "\
Exit status: 0 done · 1 the story or check did not hold · 10 configuration · 11 folder · 12 database in use ·
13 database damaged · 14 database read-only or disk full · 15 other database trouble · 16 port taken ·
17 socket · 20 invitation mistyped · 21 invitation used, unknown or expired · 22 parent not reached ·
23 certificate not valid or of another federation · 24 clock · 25 unknown place · 26 root key ·
27 a neighbour broke the protocol (doctor) · 30 a part of the node was lost ·
40 something signed does not hold (verify) · 41 only what can be made again does not (verify) ·
42 no whole backup · 43 the backup's file exists, or is older than the standby · 64 usage";

/// The exit status of an error.
#[must_use]
pub fn status_of(error: &anyhow::Error) -> u8 {
    error.chain().find_map(known).unwrap_or(1)
}

/// The exit status of trouble with the database.
#[must_use]
pub fn of_store(error: &StoreError) -> u8 {
    match error {
        // As for a folder without a node: there is nothing to look at.
        StoreError::Missing(_) => 11,
        StoreError::InUse(_) => 12,
        StoreError::Damaged(_) => 13,
        StoreError::ReadOnly | StoreError::DiskFull => 14,
        _ => 15,
    }
}

fn known(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if cause.is::<ConfigError>() {
        return Some(10);
    }
    if cause.is::<HomeError>() {
        return Some(11);
    }
    if let Some(e) = cause.downcast_ref::<StoreError>() {
        return Some(of_store(e));
    }
    if let Some(e) = cause.downcast_ref::<EndpointError>() {
        return Some(if matches!(e, EndpointError::PortTaken(_)) { 16 } else { 17 });
    }
    if let Some(e) = cause.downcast_ref::<BindError>() {
        return Some(if matches!(e, BindError::PortTaken(_)) { 16 } else { 17 });
    }
    if cause.is::<InviteError>() {
        return Some(20);
    }
    if let Some(e) = cause.downcast_ref::<JoinError>() {
        return Some(match e {
            JoinError::Refused { .. } | JoinError::Expired { .. } => 21,
            JoinError::Unreachable { .. } => 22,
            JoinError::Clock { .. } => 24,
            JoinError::Endpoint(inner) => return known(inner),
            JoinError::OtherKey { .. }
            | JoinError::Chain(_)
            | JoinError::Unreadable(_)
            | JoinError::OtherPlace => 23,
        });
    }
    if let Some(e) = cause.downcast_ref::<SetupError>() {
        // Transparent variants are their own cause: look inside.
        return match e {
            SetupError::Home(inner) => known(inner),
            SetupError::Store(inner) => known(inner),
            SetupError::Join(inner) => known(inner),
            SetupError::Root(inner) => known(inner),
            _ => Some(25),
        };
    }
    if let Some(e) = cause.downcast_ref::<StandbyError>() {
        return match e {
            StandbyError::Home(inner) => known(inner),
            StandbyError::Backup(inner) => known(inner),
            StandbyError::Setup(inner) | StandbyError::Refused { source: inner, .. } => known(inner),
            StandbyError::Store(inner) => known(inner),
            StandbyError::None(_) | StandbyError::Disk { .. } => Some(11),
            StandbyError::Older { .. } => Some(43),
            StandbyError::OtherPlace { .. } => Some(25),
        };
    }
    if let Some(e) = cause.downcast_ref::<RootError>() {
        return match e {
            RootError::Home(inner) => known(inner),
            RootError::Store(inner) => known(inner),
            _ => Some(26),
        };
    }
    if let Some(e) = cause.downcast_ref::<BackupError>() {
        return Some(match e {
            BackupError::Home(_) => 11,
            BackupError::Exists(_) => 43,
            BackupError::Database(e) => of_store(e),
            BackupError::Write { source: Cause::Database(e), .. } => of_store(e),
            BackupError::Write { source: Cause::System(e), .. } => match e.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::ReadOnlyFilesystem => 14,
                _ => 15,
            },
            BackupError::NotWhole { .. } => 42,
            BackupError::Altered { .. } => 40,
        });
    }
    if let Some(e) = cause.downcast_ref::<RunError>() {
        return match e {
            RunError::Home(inner) => known(inner),
            RunError::Store(inner) => known(inner),
            RunError::Endpoint(inner) => known(inner),
            RunError::Bind(inner) => known(inner),
            RunError::Actions(_) => Some(15),
            RunError::Lost(_) => Some(30),
        };
    }
    None
}
