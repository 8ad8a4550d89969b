//! The web server as browsers and programs meet it: real sockets, real TLS, a real store behind.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_debug_implementations,
    reason = "a test that stops says where"
)]

mod charter;
mod client;
mod house;
mod lost_answer;
mod paper;

mod acts;
mod api;
mod board;
mod collect;
mod dashboard;
mod desk;
mod desks;
mod doors;
mod forms;
mod inbox;
mod live;
mod notices;
mod openapi;
mod pages;
mod people;
mod photos;
mod rights;
mod sheets;
mod similar;
