//! The native baseline as a process: this program again.

use std::process::Command;

use anyhow::Result;

use super::child::Server;
use super::hub::Hub;

/// Starts the native server on a hub's Redis.
pub(crate) async fn start(hub: &Hub) -> Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["native-server", "--redis-url", &hub.redis_url()]);
    for (name, value) in hub.variables() {
        command.arg("--variable").arg(format!("{name}={value}"));
    }
    // A secret has no place among the arguments, which every user of the machine can list.
    Server::start(command, Some(format!("{}\n", hub.admin_key()).as_bytes())).await
}
