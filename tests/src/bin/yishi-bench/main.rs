//! `yishi-bench`: speed, bytes and memory of the running product, beside what they are to be.
//!
//! For `link`, `pages`, `similar` and `village` nodes are real processes of the `yishi-node` that lies beside this
//! program, and nothing is measured from within them but what their own API tells. `fleet` runs nodes in processes of
//! this program, as `yishi-node run` runs them. `gate`, `fold`, `overdue`, `reconcile` and `relay` call the product's own code
//! in this process.

mod federation;
mod fleet;
mod fold;
mod gate;
mod link;
mod overdue;
mod pages;
mod peers;
mod plot;
mod process;
mod reconcile;
mod relay;
mod report;
mod scale;
mod similar;
mod store;
mod texts;
mod verify;
mod village;

use clap::{Parser, Subcommand};

/// Measures speed, bytes and memory.
#[derive(Debug, Parser)]
#[command(name = "yishi-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A child brings its documents to a fresh parent; then a reconnection, then a catch-up.
    Link(link::LinkRequest),
    /// A prefecture's villages, townships and district on one machine: matters up, outcomes back, a power cut.
    Fleet(fleet::FleetRequest),
    /// One process of a fleet.
    #[command(hide = true)]
    FleetPart(fleet::WorkerRequest),
    /// How many commits the gate judges in a second.
    Gate(gate::GateRequest),
    /// A matter of forty acts folded from its stored changes.
    Fold(fold::FoldRequest),
    /// What is overdue among many open matters.
    Overdue(overdue::OverdueRequest),
    /// A link of many documents after a restore: round trips and bytes until both agree.
    Reconcile(reconcile::ReconcileRequest),
    /// How many commits a place between two others takes in and passes on, on one core.
    Relay(relay::RelayRequest),
    /// The same documents carried by samod and by PouchDB in the same run.
    Peers(peers::PeersRequest),
    /// What a change costs with more and more children and documents.
    Scale(scale::ScaleRequest),
    /// Changes a second that the store takes, beside the floor of SQLite itself.
    Store(store::StoreRequest),
    /// One node's database verified from end to end: time and memory.
    Verify(verify::VerifyRequest),
    /// How long the matters like a text take to be found among tens of thousands.
    Similar(similar::SimilarRequest),
    /// How long the pages of a district take over a hundred thousand matters.
    Pages(pages::PagesRequest),
    /// A village's node with years of matters: memory and time to the first page.
    Village(village::VillageRequest),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Link(request) => link::run(request).await,
        Command::Fleet(request) => fleet::run(request).await,
        Command::FleetPart(request) => fleet::serve(request).await,
        Command::Gate(request) => gate::run(&request),
        Command::Fold(request) => fold::run(&request),
        Command::Overdue(request) => overdue::run(request).await,
        Command::Reconcile(request) => reconcile::run(request).await,
        Command::Relay(request) => relay::run(request).await,
        Command::Peers(request) => peers::run(request).await,
        Command::Scale(request) => scale::run(request).await,
        Command::Store(request) => store::run(request).await,
        Command::Verify(request) => verify::run(request).await,
        Command::Similar(request) => similar::run(request).await,
        Command::Pages(request) => pages::run(request).await,
        Command::Village(request) => village::run(request).await,
    }
}
