//! `reef page`: where a browser finds the hub's page, and a link that signs it in.

use clap::Args;
use serde_json::{Value, json};

use crate::Context;
use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::text;

/// Shown above its `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef page                  where the page is
  reef page --sign-in-link   a link that signs a browser in, once and within a minute
";

/// `reef page`.
#[derive(Debug, Args)]
pub struct Page {
    #[command(flatten)]
    pub(crate) hub: HubArgs,

    /// With a code that stands for the key, once and for a minute: who has the link can read all that
    /// the key can
    #[arg(long)]
    sign_in_link: bool,
}

impl Page {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let mut page = format!("{}/", cx.hub.address());
        if self.sign_in_link {
            let path = ["ui", "sign-in-links"];
            let made: Value = cx.hub.post_own(path).repeatable().send().await?.json()?;
            // A fragment, which a browser sends to nobody.
            page.push_str(&format!("#sign-in={}", text(&made, "code")));
        }
        let json = json!({ "page": page }).to_string();
        Ok(cx.out.line(if cx.out.is_json() { &json } else { &page })?)
    }
}
