//! `yishi`, the operators' command line: nouns then verbs over a node's HTTP API.
//!
//! A command is read ([`args`]), a connection is made when it is first needed ([`target`], [`client`], [`pin`]),
//! one verb runs ([`verbs`]) and speaks through one [`console`]. Tables from hotlines are read in [`import`] and
//! written in [`export`]. The CLI knows the API and nothing of the node's inside; what the node says in its
//! problem documents is passed on in the user's language ([`trouble`]).

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::args::Cli;
use crate::console::Console;
use crate::trouble::{Trouble, exit};
use crate::verbs::Desk;
use crate::words::Lang;

pub mod args;
pub mod client;
pub mod console;
pub mod export;
pub mod import;
pub mod limits;
pub mod pin;
pub mod table;
pub mod target;
pub mod trouble;
pub mod verbs;
pub mod words;

/// The whole command line as `clap` knows it, for whoever checks that every verb is in the manual.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs one command line and returns the exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let surroundings = Lang::from_surroundings(|name| std::env::var(name).ok());
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &args, surroundings),
    };
    let lang = cli.global.lang.unwrap_or(surroundings);
    let no_color = cli.global.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let console = Console::new(lang, cli.global.json, no_color);
    match answer(cli, console) {
        Ok(()) => exit::OK,
        Err(trouble) => {
            let words = trouble.say(lang);
            if !words.is_empty() {
                console.note(&words);
            }
            if console.json
                && let Some(document) = trouble.document()
            {
                // Its reader may have gone; the exit status still tells.
                let _ = console.document(&document);
            }
            trouble.exit_status()
        }
    }
}

fn answer(cli: Cli, console: Console) -> Result<(), Trouble> {
    // One thread: a command is one conversation, and a village's box has little memory.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|why| {
        Trouble::Usage(both!(
            "程序起不来（{why}），什么都没有改动。请检查系统资源。",
            "The program cannot start ({why}); nothing was changed. Check the system's resources."
        ))
    })?;
    runtime.block_on(verbs::run(cli.noun, &mut Desk::new(cli.global, console)))
}

/// Help and version are answers; everything else `clap` says is a wrong command line.
fn usage(error: &clap::Error, args: &[OsString], lang: Lang) -> u8 {
    let wanted = |flag: &str| args.iter().any(|arg| arg == flag);
    if error.use_stderr() && wanted("--json") {
        let text = error.to_string();
        let document = serde_json::json!({"error": {"code": "usage", "detail": text, "detail_zh": text}});
        let _ = Console::new(lang, true, true).document(&document);
    }
    // `clap` speaks English; the first line says in Chinese what that is about.
    let only_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if error.use_stderr() && lang == Lang::Zh && !only_help {
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            "命令写得不对，什么都没有改动。详情：\n".as_bytes(),
        );
    }
    let _ = error.print();
    if error.use_stderr() { exit::USAGE } else { exit::OK }
}
