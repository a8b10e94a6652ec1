//! The native Redis connection: one multiplexed connection per server and process, one more for what
//! is large, and one that listens to channels, for whoever needs that.
//!
//! It behaves towards a component as Spin's outbound Redis does (flat replies, any command, errors
//! as text), and adds what a long-running host needs: a bound on every wait, reconnection, scripts
//! whose text travels once, and the refusal of commands that would spoil a connection shared by
//! everybody.
//!
//! - [`Connection`]: what callers see. `server`: one server and what is sent to it; `lane`: the link
//!   for each kind of traffic; `link`, `tls`: how that is opened. `scripts`, `refusal`, `reply`: what goes over it.
//! - `greeting`: what is said first over each of these.
//! - `durable`: how safe what was written is, and the wait for more.
//! - `cluster`: the nodes of a Redis Cluster, and which of them has a key.
//! - `sentinel`: which server Sentinels name.
//! - `subscription`: channels. `replication`: bytes, for who speaks that protocol.

mod address;
mod cluster;
mod connection;
mod durable;
mod error;
mod greeting;
mod lane;
mod link;
mod probe;
mod refusal;
mod replication;
mod reply;
mod scripts;
mod sentinel;
mod server;
mod subscription;
mod tls;

pub use address::AddressError;
pub use connection::{Connection, Connections, Timeouts};
pub use durable::{Ability, Facts, Reached, Touched, together};
pub use error::{Error, is_about_access};
pub use greeting::{Done, Greeted, Greeting};
pub use probe::{Fault, probe};
pub use refusal::refusal;
pub use replication::ByteStream;
pub use reply::REPLY_BYTES_MAX;
pub use subscription::{Announcements, Message, Messages, Subscriber};
