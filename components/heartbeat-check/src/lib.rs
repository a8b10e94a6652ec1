//! The cron-triggered check: does what `POST /api/v1/cluster/check-heartbeat` does, and the rest
//! of the monitor's tick, so that a hub under Spin without a host stays right.
//!
//! Spin's cron trigger offers the older, synchronous interfaces only, so this component is made
//! with wit-bindgen and not with the SDK (`docs/adr/0001-sdk-and-wasi.md`).

#[cfg(target_family = "wasm")]
mod entry;
