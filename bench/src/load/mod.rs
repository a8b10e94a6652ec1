//! The load generator. It runs on one thread and shares the machine with what it measures, so it
//! does as little as it can for each request: the bytes to send are ready, and of an answer it
//! reads the status, the length and not more.

pub(crate) mod closed;
pub(crate) mod connection;
pub(crate) mod each;
pub(crate) mod paced;
pub(crate) mod reader;
