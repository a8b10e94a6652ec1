//! A hub over HTTP, as programs beside it use it.
//!
//! ```no_run
//! # async fn example() -> Result<(), reef_client::Error> {
//! use futures_util::StreamExt;
//! use reef_client::{Hub, Received, Secret};
//!
//! let hub = Hub::new("http://127.0.0.1:8888", Some(Secret::new("reef_…")?))?;
//! // A POST that is sent again until it is answered, and has one effect.
//! let session = hub
//!     .post(["sessions"])
//!     .json(&serde_json::json!({"user_id": "ada"}))
//!     .once()
//!     .patient(std::time::Duration::from_secs(30))
//!     .fetch()
//!     .await?;
//! // The cluster's events, over restarts of the hub.
//! let mut events = hub.stream(["events", "stream"]).open();
//! while let Some(received) = events.next().await {
//!     if let Received::Event(event) = received? {
//!         println!("{} {}", event.event, event.data);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - [`Hub`]: an address and a key.
//! - [`Request`]: one request, and whether it may be repeated; its [`Answer`]. There is a method of
//!   [`Hub`] for each route, which says what both hold, and `get`, `post` and their like for others.
//! - [`Lenient`]: an answer of which a part cannot be read; [`Kept`]: a value beside its JSON.
//! - [`StreamRequest`], [`EventStream`]: events, with reconnection.
//! - [`Error`], [`Problem`]: what can go wrong, told apart by what a caller does next.
//! - [`Secret`]: a key that is not shown.
//! - [`Trust`]: whose certificates are believed, and which one is shown.

mod answer;
mod bulk_routes;
mod error;
mod events;
mod flow_routes;
mod history_routes;
mod hub;
mod kept;
mod lenient;
mod limit_routes;
mod lock_routes;
mod log_routes;
mod request;
mod routes;
mod schedule_routes;
mod secret;
mod trust;
mod usage_routes;

pub use answer::Answer;
pub use error::{Error, Problem};
pub use events::{Event, EventStream, Received, StreamRequest};
pub use hub::Hub;
pub use kept::Kept;
pub use lenient::{Lenient, Unreadable};
pub use request::Request;
pub use secret::Secret;
pub use trust::{Trust, tls};
