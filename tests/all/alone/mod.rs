//! The contract where a test must have the hub to itself.

mod accord;
mod admin_keys;
mod agents_keys;
mod alerts;
mod backups;
mod carried;
mod clocks;
mod cluster_backups;
mod command_line;
mod edge;
mod expiry;
mod exports;
mod half_accepted;
mod half_done;
mod host_routes;
pub mod layout;
mod leadership;
mod leases_of_leaders;
mod libraries;
mod old_names;
mod open_mode;
mod restored;
mod retention;
mod sign_in_links;
mod stream_ends;
mod streams;
mod tasks;
