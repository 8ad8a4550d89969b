//! What people do at a place, on real databases: alone, and between a district, a town and two villages.

mod alone;
mod federation;
mod import;
mod projector;
mod several;
mod speed;
