//! What holds on each route that there is, whoever asks. The cases are made from `openapi.json`, so
//! that a new route cannot be forgotten.

mod document;
mod grounds;
mod principals;
mod who_may;
