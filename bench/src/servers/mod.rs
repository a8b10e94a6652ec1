//! The servers that are measured, as processes of their own.

pub(crate) mod bare_redis;
pub(crate) mod child;
pub(crate) mod hub;
pub(crate) mod native;
pub(crate) mod native_server;
pub(crate) mod shards;
