//! The Redis behind the hub, as the host sees it: its address, its state, and, when none is
//! given, a server of our own.

pub(crate) mod address;
mod aof;
mod control;
pub(crate) mod durability;
pub(crate) mod inspect;
pub(crate) mod install;
pub(crate) mod layouts;
pub(crate) mod libraries;
pub(crate) mod memory;
pub(crate) mod private;
pub(crate) mod readiness;
pub(crate) mod repair;
pub(crate) mod server;
