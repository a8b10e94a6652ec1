use std::process::Command;

use super::{Message, Written as _, assert_read_all, run};
use crate::harness::{Hub, Proxy, prepared, root};

#[test]
fn httpx_sse_reads_a_running_message_over_connections_that_break() {
    let hub = Hub::start();
    let client = hub.admin();
    let proxy = Proxy::start(client.address());
    proxy.cut_after(9_000);
    let message = Message::begin(&client);
    let writer = message.write_slowly(200);
    let python = prepared("target/clients/python/bin/python");
    let told = run(Command::new(python)
        .arg(root().join("tests/clients/read_stream.py"))
        .args([proxy.url() + &format!("/api/v1{}", message.stream()), hub.admin_key()]));
    writer.join().unwrap();
    assert_read_all(&told, &message);
    assert_eq!((told.cuts, told.status_at_end), (proxy.cuts(), Some(204)));
    assert!(told.cuts >= 5, "{}", told.cuts);
}
