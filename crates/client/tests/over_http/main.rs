//! The client against servers that answer badly, late, half, or not at all.
//!
//! What it does with a real hub is tested beside the command line, in `tests/all/commands`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod requests;
mod server;
mod streams;
