use std::process::Command;

use super::{Message, Written as _, assert_read_all, run};
use crate::harness::{Hub, Proxy, prepared, root};

#[test]
fn eventsource_reads_a_running_message_over_connections_that_break() {
    let hub = Hub::start();
    let client = hub.admin();
    let proxy = Proxy::start(client.address());
    // It waits for a second after each of them, as the stream says.
    proxy.cut_after(25_000);
    let message = Message::begin(&client);
    let writer = message.write_slowly(200);
    let told = run(Command::new("node")
        .arg(root().join("tests/clients/read_stream.mjs"))
        .args([proxy.url() + &format!("/api/v1{}", message.stream()), hub.admin_key()])
        .arg(prepared("target/clients/node")));
    writer.join().unwrap();
    assert_read_all(&told, &message);
    assert_eq!(told.status_at_end, Some(204));
    assert!(proxy.cuts() >= 2 && told.cuts >= proxy.cuts(), "{} {}", proxy.cuts(), told.cuts);
}
