//! What `openapi.json` says of these routes.

use reef_web::openapi::Api;

/// Describes the routes.
pub fn describe(_: &mut Api) {}
