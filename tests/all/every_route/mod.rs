//! What holds on each route that there is, whoever asks and whatever is sent. The cases are made
//! from `openapi.json`, so that a new route or field is among them without being named here.

pub mod document;
mod fields;
mod grounds;
mod principals;
mod reading;
mod values;
mod whatever;
mod who_may;
