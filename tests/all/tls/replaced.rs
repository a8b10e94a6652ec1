//! A certificate that is replaced while the hub runs.

use std::fs;

use super::{Authority, Curl, Events, Pair, serving, shown};
use crate::harness::{Hub, PATIENCE, eventually, registration};

const STREAMS: usize = 100;

fn until_shown(hub: &Hub, authority: &Authority, pair: &Pair) {
    let wanted = pair.der();
    eventually("the new certificate", PATIENCE, || (shown(hub, authority) == wanted).then_some(()));
}

#[test]
fn streams_run_on_and_new_connections_get_the_new_certificate() {
    let authority = Authority::new();
    let used = authority.hub("used");
    let hub = serving(&used).start();
    let mut streams: Vec<_> = (0..STREAMS).map(|_| Events::open(&hub, &authority)).collect();
    let new = authority.hub("new");
    let (cert, key) = new.text();
    fs::write(&used.cert, cert).unwrap();
    fs::write(&used.key, key).unwrap();
    until_shown(&hub, &authority, &new);
    let admin = Curl::new(&hub, &authority).with_key(&hub.admin_key());
    let registered = admin.post("/api/v1/nodes/register", &registration("after-the-change"));
    assert_eq!(registered.status, 200, "{registered:?}");
    for stream in &mut streams {
        stream.until("after-the-change");
    }
}

#[test]
fn a_pair_that_is_half_written_or_does_not_fit_leaves_the_one_before() {
    let authority = Authority::new();
    let used = authority.hub("used");
    let first = used.der();
    let hub = serving(&used).start();
    let told = |what: &str| {
        let sentence = "the certificate in use is kept";
        eventually(what, PATIENCE, || {
            let log = hub.log();
            log.lines().any(|it| it.contains(sentence) && it.contains(what)).then_some(())
        });
        assert_eq!(shown(&hub, &authority), first);
    };
    let new = authority.hub("new");
    let (cert, key) = new.text();
    fs::write(&used.cert, &cert[..cert.len() / 2]).unwrap();
    told("cannot be read");
    fs::write(&used.cert, &cert).unwrap();
    told("is not the key of");
    fs::remove_file(&used.key).unwrap();
    told("cannot read");
    fs::write(&used.key, &key).unwrap();
    until_shown(&hub, &authority, &new);
}

#[test]
fn a_hangup_has_the_files_read_and_ends_nothing() {
    let authority = Authority::new();
    let used = authority.hub("used");
    let hub = serving(&used).start();
    let count = || hub.log().matches("new connections get the certificate in").count();
    hub.reload();
    eventually("that it is read", PATIENCE, || (count() == 1).then_some(()));
    assert_eq!(Curl::new(&hub, &authority).get("/healthz").status, 200);
}
