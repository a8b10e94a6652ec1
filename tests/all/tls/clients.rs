//! Certificates of clients: who is let in, and who that is then.

use std::process::Command;

use serde_json::json;

use super::{Authority, Curl, Pair, path, serving};
use crate::harness::{Hub, PATIENCE, Program, reef};

const ALICE: &str = "spiffe://fleet.example/alice";

/// A hub, its authority, and the operator's certificate, which no key is bound to.
fn fleet(auth: &str) -> (Hub, Authority, Pair) {
    let authority = Authority::new();
    let pair = authority.hub("hub");
    let options = serving(&pair).arg("--tls-client-ca").arg(path(&authority.ca()));
    let hub = options.arg("--tls-client-auth").arg(auth).start();
    let operator = authority.issue("operator", &["operator.example"]);
    (hub, authority, operator)
}

fn command(hub: &Hub, authority: &Authority, pair: &Pair, args: &[&str]) -> Command {
    let mut command = reef();
    command.args(args).args(["--hub", hub.url(), "--ca", path(&authority.ca())]);
    command.args(["--client-cert", path(&pair.cert), "--client-key", path(&pair.key)]);
    command
}

#[test]
fn a_certificate_acts_as_the_agent_that_its_name_is_bound_to() {
    let (hub, authority, operator) = fleet("required");
    let admin = Curl::new(&hub, &authority).showing(&operator).with_key(&hub.admin_key());
    let registered = admin.post("/api/v1/agents/register", &json!({"agent_id": "alice"}));
    let alices_key = registered.json()["api_key"].as_str().unwrap().to_owned();
    let alice = authority.issue("alice", &[ALICE]);
    let by_certificate = || Curl::new(&hub, &authority).showing(&alice);
    let stranger = by_certificate().get("/api/v1/auth/me");
    assert_eq!(stranger.status, 401, "nothing is bound to it yet: {stranger:?}");

    // Who administers binds it, and nobody else.
    let squatting = by_certificate().with_key(&alices_key);
    let squatting = squatting.post("/api/v1/auth/keys", &json!({"certificate": ALICE}));
    assert_eq!(squatting.status, 403, "{squatting:?}");
    let binds = [
        "keys",
        "create",
        "--agent",
        "alice",
        "--certificate",
        ALICE,
        "--scope",
        "read",
        "--scope",
        "write",
    ];
    let mut bind = command(&hub, &authority, &operator, &binds);
    let bound = Program::run(bind.env("REEF_API_KEY", hub.admin_key()), PATIENCE);
    assert!(bound.stdout.contains("act by key_"), "{bound:?}");
    let body = json!({"agent_id": "alice", "certificate": ALICE});
    assert_eq!(admin.post("/api/v1/auth/keys", &body).status, 409);

    let me = by_certificate().get("/api/v1/auth/me");
    assert_eq!(me.json()["auth"]["agent_id"], "alice", "{me:?}");
    assert_eq!(me.json()["auth"]["scopes"], json!(["read", "write"]));
    let session = by_certificate().post("/api/v1/sessions", &json!({"user_id": "u"}));
    assert_eq!(session.status, 200, "{session:?}");
    let deposit = json!({"agent_id": "alice", "amount": "1"});
    assert_eq!(by_certificate().post("/api/v1/deposit", &deposit).status, 403);
    let mut shown = command(&hub, &authority, &alice, &["keys", "me", "--json"]);
    let shown = Program::run(&mut shown, PATIENCE);
    assert!(shown.stdout.contains("\"agent_id\":\"alice\""), "{shown:?}");

    // A key counts before a certificate, be it good or not.
    let wrong = by_certificate().with_key("reef_aB3dEf7h_0123456789abcdefABCDEF_-01234567");
    assert_eq!(wrong.get("/api/v1/auth/me").status, 401);
    let keyed = by_certificate().with_key(&hub.admin_key()).get("/api/v1/auth/me");
    assert_eq!(keyed.json()["auth"]["agent_id"], "@admin");

    let status = |status: &str| {
        let body = json!({"status": status}).to_string();
        let args = ["--request", "PATCH", "--json", &body];
        assert_eq!(admin.send(&args, "/api/v1/agents/alice").status, 200);
    };
    status("suspended");
    assert_eq!(by_certificate().get("/api/v1/auth/me").status, 403);
    status("active");
    assert_eq!(by_certificate().get("/api/v1/auth/me").status, 200);
    let key_id = me.json()["auth"]["key_id"].as_str().unwrap().to_owned();
    let revoked = admin.send(&["--request", "DELETE"], &format!("/api/v1/auth/keys/{key_id}"));
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(by_certificate().get("/api/v1/auth/me").status, 401);
}

#[test]
fn a_foreign_certificate_is_refused_and_so_is_none() {
    let (hub, authority, operator) = fleet("required");
    let foreign = Authority::new().issue("alice", &[ALICE]);
    for refused in [Curl::new(&hub, &authority), Curl::new(&hub, &authority).showing(&foreign)] {
        let got = refused.with_key(&hub.admin_key()).get("/healthz");
        assert!(got.status == 0 && got.code != 0, "{got:?}");
    }
    assert_eq!(Curl::new(&hub, &authority).showing(&operator).get("/healthz").status, 200);
}

#[test]
fn where_certificates_are_optional_a_key_does() {
    let (hub, authority, _) = fleet("optional");
    let keyed = Curl::new(&hub, &authority).with_key(&hub.admin_key()).get("/api/v1/auth/me");
    assert_eq!(keyed.status, 200, "{keyed:?}");
    let foreign = Authority::new().issue("alice", &[ALICE]);
    let got = Curl::new(&hub, &authority).showing(&foreign).get("/healthz");
    assert!(got.status == 0 && got.code != 0, "{got:?}");
}

#[test]
fn nobody_can_say_in_a_header_what_only_the_host_may() {
    let (hub, authority, _) = fleet("optional");
    let (key_id, digest) = reef_web::stand_in::key_of_certificate(ALICE);
    let admin = Curl::new(&hub, &authority).with_key(&hub.admin_key());
    admin.post("/api/v1/agents/register", &json!({"agent_id": "alice"}));
    let body = json!({"agent_id": "alice", "certificate": ALICE});
    assert_eq!(
        admin.post("/api/v1/auth/keys", &body).json()["key_info"]["key_id"],
        *key_id.as_str()
    );
    for made_with in ["", "admin", "another-key"] {
        let kind = reef_web::stand_in::Kind::Certificate;
        let forged = reef_web::stand_in::make(kind, made_with, &key_id, &digest);
        let got = Curl::new(&hub, &authority).with_key(&forged).get("/api/v1/auth/me");
        assert_eq!(got.status, 401, "{got:?}");
    }
}

#[test]
fn a_page_that_has_signed_in_acts_by_its_right_and_not_by_its_browsers_certificate() {
    let (hub, authority, _) = fleet("optional");
    let admin = Curl::new(&hub, &authority).with_key(&hub.admin_key());
    admin.post("/api/v1/agents/register", &json!({"agent_id": "alice"}));
    let body = json!({"agent_id": "alice", "certificate": ALICE, "scopes": ["read", "write"]});
    assert_eq!(admin.post("/api/v1/auth/keys", &body).status, 200);
    let alice = authority.issue("alice", &[ALICE]);
    let folder = tempfile::tempdir().unwrap();
    let jar = folder.path().join("cookies");
    let page_at = |origin: &str| {
        let browser = Curl::new(&hub, &authority).showing(&alice);
        let browser = browser.arg("--cookie").arg(path(&jar)).arg("--cookie-jar").arg(path(&jar));
        browser.arg("--header").arg(&format!("Origin: {origin}"))
    };
    let page = || page_at(hub.url());
    let makes = |page: Curl| page.post("/api/v1/sessions", &json!({}));
    assert_eq!(makes(page()).status, 200, "the certificate acts where nobody has signed in");
    let signed_in = page().with_key(&hub.admin_key()).send(&["--request", "POST"], "/ui/session");
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let refused = makes(page());
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("act_required")));

    let acts = page().post("/ui/act", &json!({"key": hub.admin_key()}));
    assert_eq!((acts.status, &acts.json()["agent_id"]), (200, &json!("@admin")), "{acts:?}");
    let cookies = std::fs::read_to_string(&jar).unwrap();
    assert!(cookies.contains("__Host-reef_act"), "{cookies}");
    let token = format!("X-Reef-Csrf: {}", acts.json()["csrf"].as_str().unwrap());
    let acting = |page: Curl| page.arg("--header").arg(&token);
    // What the certificate's key could not.
    let register = json!({"agent_id": "bob"});
    let registered = acting(page()).post("/api/v1/agents/register", &register);
    assert_eq!(registered.status, 200, "{registered:?}");
    // A page of the same name that did not come by HTTPS.
    let plain = acting(page_at(&hub.url().replace("https://", "http://")));
    let plain = plain.post("/api/v1/agents/register", &json!({"agent_id": "carol"}));
    assert_eq!(plain.status, 403, "{plain:?}");
    assert_eq!(admin.get("/api/v1/agents/carol").status, 404);
}
