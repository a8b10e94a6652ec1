//! The right of a page to act: what a browser may be made to send, and what of it changes something.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use reef_web::stand_in::{self, Kind};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Answer, Client, Hub, NewAgent, RedisServer, is_timestamp, raw, unique};

/// A page that has signed in and may act.
struct Page {
    /// What it sends with each request, but the token.
    client: Client,
    /// The cookies, as a browser sends them.
    cookies: String,
    csrf: String,
}

/// The pair of a cookie that an answer sets.
#[track_caller]
fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let set = answer.headers.iter().filter(|(known, _)| known == "set-cookie");
    let mut pairs = set.map(|(_, value)| value.split(';').next().unwrap().to_owned());
    pairs.find(|pair| pair.starts_with(&format!("{name}=")))
}

/// A page of this hub, as its browser lets it ask.
fn page_of(hub: &Hub) -> Client {
    let client = hub.anonymous().with("origin", hub.url());
    client.with("sec-fetch-site", "same-origin")
}

impl Page {
    #[track_caller]
    fn of(hub: &Hub, key: &str) -> Self {
        let page = page_of(hub);
        let signed_in = page.with_key(key).post_empty("//ui/session");
        let session = cookie(&signed_in, "reef_session").unwrap();
        let acts = page.with("cookie", &session).post("//ui/act", &json!({ "key": key }));
        let told = acts.ok();
        let cookies = format!("{session}; {}", cookie(&acts, "reef_act").unwrap());
        let csrf = told["csrf"].as_str().unwrap().to_owned();
        Self { client: page.with("cookie", &cookies), cookies, csrf }
    }

    /// The page, when it acts.
    fn acting(&self) -> Client {
        self.client.with("x-reef-csrf", &self.csrf)
    }
}

fn agent(hub: &Hub) -> NewAgent {
    hub.admin().new_agent()
}

/// The key's id and its SHA-256.
fn key_of(agent: &NewAgent) -> (String, String) {
    let me = agent.client.get("/auth/me").ok();
    let digest = Sha256::digest(&agent.key);
    let digest = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    (me["auth"]["key_id"].as_str().unwrap().to_owned(), digest)
}

fn mac(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

/// Cookie and token of a right that the holder of the admin key makes up.
fn made_up(hub: &Hub, agent: &NewAgent, born: u64, expires: u64) -> (String, String) {
    let ((key_id, digest), secret) = (key_of(agent), hub.admin_key());
    let of = format!("{born} nonce {key_id} {digest}");
    let code = mac(&secret, &format!("reef ui act a1 {expires} {of}"));
    let cookie = format!("reef_act=a1.{born}.{expires}.nonce.{key_id}.{digest}.{code}");
    (cookie, mac(&secret, &format!("reef ui csrf a1 {of}")))
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

#[track_caller]
fn refused(answer: &Answer, code: &str, why: &str) {
    let detail = answer.problem(403, code)["detail"].to_string();
    assert!(detail.contains(why), "{detail}");
}

fn sessions(agent: &NewAgent) -> usize {
    agent.client.get("/sessions").list().len()
}

#[test]
fn a_page_acts_by_its_cookie_and_its_token() {
    let hub = Hub::start();
    let alice = agent(&hub);
    let page = Page::of(&hub, &alice.key);
    assert!(!page.cookies.contains(&alice.key[10..]), "{}", page.cookies);
    assert_eq!(page.client.get("/auth/me").ok()["auth"]["agent_id"], *alice.id);
    let made = page.acting().post("/sessions", &json!({})).ok();
    assert_eq!(sessions(&alice), 1);
    // It is the agent's.
    let path = format!("/sessions/{}", made["session_id"].as_str().unwrap());
    alice.client.get(&path).ok();
    page.acting().delete(&path).ok();
    assert_eq!(alice.client.get(&path).ok()["status"], "closed");

    // What it is told, and told again.
    let shown = page.client.get("//ui/act");
    let told = shown.ok();
    assert_eq!(told["csrf"], *page.csrf);
    assert_eq!((&told["acting"], &told["agent_id"]), (&json!(true), &json!(alice.id)));
    assert_eq!(told["scopes"], json!(["read", "write", "trade"]));
    assert!(is_timestamp(&told["expires_at"]) && is_timestamp(&told["ends_at"]), "{told}");
    assert!(shown.header("cache-control") == Some("no-store"));
    assert_eq!(page_of(&hub).get("//ui/act").ok(), json!({"success": true, "acting": false}));

    // By the admin's key it is the admin.
    let admin = Page::of(&hub, &hub.admin_key());
    assert!(!admin.cookies.contains(&hub.admin_key()));
    assert_eq!(admin.client.get("//ui/act").ok()["agent_id"], "@admin");
    admin.acting().post("/agents/register", &json!({"agent_id": unique("new")})).ok();
}

#[test]
fn without_the_hubs_own_page_or_its_token_nothing_is_done() {
    let hub = Hub::start();
    let alice = agent(&hub);
    let page = Page::of(&hub, &alice.key);
    let other = Page::of(&hub, &alice.key);
    let bobs = Page::of(&hub, &agent(&hub).key);
    let with = |origin: &str, site: &str, csrf: &str| {
        let mut client = hub.anonymous().with("cookie", &page.cookies);
        let said = [("origin", origin), ("sec-fetch-site", site), ("x-reef-csrf", csrf)];
        for (name, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
            client = client.with(name, value);
        }
        client
    };
    let (own, csrf) = (hub.url(), &*page.csrf);
    let sibling = own.replace("127.0.0.1", "localhost");
    let neighbour = "http://127.0.0.1:1";
    for (origin, site, csrf, why) in [
        // A page of somebody else's, whatever its browser says of it.
        ("https://evil.example", "cross-site", csrf, "another origin"),
        ("https://evil.example", "", csrf, "another origin"),
        ("null", "", csrf, "another origin"),
        (&sibling, "", csrf, "another origin"),
        (neighbour, "", csrf, "another origin"),
        (own, "same-site", csrf, "another origin"),
        (own, "cross-site", csrf, "another origin"),
        ("", "same-site", csrf, "another origin"),
        // Typed into the address, or of a browser's extension.
        (own, "none", csrf, "Sec-Fetch-Site"),
        ("", "same-origin", csrf, "Origin is missing"),
        ("", "", csrf, "Origin is missing"),
        (own, "same-origin", "", "X-Reef-Csrf is missing"),
        (own, "", "", "X-Reef-Csrf is missing"),
        (own, "same-origin", "wrong", "X-Reef-Csrf is not"),
        (own, "same-origin", &other.csrf, "X-Reef-Csrf is not"),
        (own, "same-origin", &bobs.csrf, "X-Reef-Csrf is not"),
    ] {
        let client = with(origin, site, csrf);
        refused(&client.post("/sessions", &json!({})), "forbidden", why);
        refused(&client.send("POST", "/sessions", None), "forbidden", why);
        refused(&client.delete("/nodes/x"), "forbidden", why);
    }
    // Older browsers, and those that reach a hub without TLS, say less.
    with(own, "", csrf).post("/sessions", &json!({})).ok();
    assert_eq!(sessions(&alice), 1);

    // A form, as any page can send one: its cookies come along, where they are not strict.
    let address = hub.anonymous().address().to_owned();
    let body = r#"{"key":"="}"#;
    for lines in
        ["Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n", "Origin: null\r\n", ""]
    {
        for path in ["/api/v1/sessions", "/ui/act"] {
            let request = format!(
                "POST {path} HTTP/1.1\r\nHost: {address}\r\n{lines}Content-Type: text/plain\r\n\
                 Cookie: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                page.cookies,
                body.len()
            );
            let answer = raw(&address, request.as_bytes());
            assert!(matches!(answer.status, 403 | 415), "{path} {lines}: {answer}");
            assert!(answer.header("set-cookie").is_none(), "{answer}");
        }
    }
    assert_eq!(sessions(&alice), 1);
}

#[test]
fn what_reads_never_writes_and_what_writes_never_reads() {
    let hub = Hub::start();
    let alice = agent(&hub);
    let page = Page::of(&hub, &alice.key);
    let (session, act) = page.cookies.split_once("; ").unwrap();
    let with = |cookie: &str| page_of(&hub).with("cookie", cookie).with("x-reef-csrf", &page.csrf);
    // The one for reading, even if it goes by the other's name.
    let as_act = session.replace("reef_session", "reef_act");
    for cookie in [session.to_owned(), as_act.clone(), format!("{session}; {as_act}")] {
        let answer = with(&cookie).post("/sessions", &json!({}));
        refused(&answer, "act_required", "POST /ui/act");
    }
    // And the other way round.
    for cookie in [act.to_owned(), act.replace("reef_act", "reef_session")] {
        with(&cookie).get("/sessions").problem(401, "unauthenticated");
        with(&cookie).get("/events/stream").problem(401, "unauthenticated");
    }
    // A method that changes nothing changes nothing.
    for method in ["GET", "HEAD"] {
        let answer = page.acting().send(method, "/tasks/claim", None);
        assert!((400..500).contains(&answer.status), "{answer}");
    }
    for path in ["//ui/session", "//ui/sign-in-links"] {
        page.acting().get(path).problem(405, "method_not_allowed");
    }
    // Elsewhere the cookies are nobody: they make no links, nor do they speak MCP.
    page.acting().post_empty("//ui/sign-in-links").problem(401, "unauthenticated");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(page.acting().send_json("POST", "//mcp", &ping).status, 401);
    assert_eq!(sessions(&alice), 0);
}

#[test]
fn a_right_ends_with_its_hour_its_day_and_its_key() {
    let hub = Hub::start();
    let alice = agent(&hub);
    let acts = |(cookie, csrf): &(String, String)| {
        let page = page_of(&hub).with("cookie", cookie).with("x-reef-csrf", csrf);
        page.post("/sessions", &json!({}))
    };
    let now = now();
    let fresh = acts(&made_up(&hub, &alice, now, now + 3600));
    fresh.ok();
    assert!(cookie(&fresh, "reef_act").is_none(), "{:?}", fresh.headers);
    for (born, expires) in [
        (now - 3601, now - 1),
        // Renewed for as long as it may be, and longer.
        (now - 43_201, now + 3000),
        (now, now + 43_300),
    ] {
        let lapsed = made_up(&hub, &alice, born, expires);
        refused(&acts(&lapsed), "act_required", "over");
        let shown = page_of(&hub).with("cookie", &lapsed.0).get("//ui/act").ok();
        assert_eq!(shown["acting"], false);
    }
    let (forged, csrf) = made_up(&hub, &alice, now, now + 3600);
    refused(&acts(&(forged.replace(".nonce.", ".n."), csrf)), "act_required", "no right");
    assert_eq!(sessions(&alice), 1);

    // Use renews it, and its token stays.
    let old = made_up(&hub, &alice, now - 3000, now + 600);
    let renewed = acts(&old);
    renewed.ok();
    let renewed = cookie(&renewed, "reef_act").unwrap();
    assert_ne!(renewed, old.0);
    acts(&(renewed, old.1.clone())).ok();
    acts(&old).ok();
    // To look at it does not, nor does what is refused.
    let looked = page_of(&hub).with("cookie", &old.0).get("//ui/act");
    assert_eq!((cookie(&looked, "reef_act"), &looked.ok()["acting"]), (None, &json!(true)));
    let page = page_of(&hub).with("cookie", &old.0).with("x-reef-csrf", &old.1);
    let refusal = page.post("/invites", &json!({}));
    refusal.problem(403, "forbidden");
    assert!(cookie(&refusal, "reef_act").is_none());
    assert_eq!(sessions(&alice), 4);
}

#[test]
fn a_key_that_is_revoked_or_suspended_or_only_reads_acts_no_more() {
    let server = RedisServer::start();
    let hub = Hub::options().redis(&server).start();
    let admin = hub.admin();

    let alice = agent(&hub);
    let page = Page::of(&hub, &alice.key);
    let path = format!("/agents/{}", alice.id);
    admin.patch(&path, &json!({"status": "suspended"})).ok();
    refused(&page.acting().post("/sessions", &json!({})), "forbidden", "suspended");
    let shown = page.client.get("//ui/act");
    assert_eq!(shown.ok()["acting"], false);
    assert!(cookie(&shown, "reef_act") == Some("reef_act=".to_owned()), "{:?}", shown.headers);
    let again = page_of(&hub).post("//ui/act", &json!({"key": alice.key}));
    refused(&again, "forbidden", "suspended");
    admin.patch(&path, &json!({"status": "active"})).ok();
    page.acting().post("/sessions", &json!({})).ok();
    admin.delete(&format!("/auth/keys/{}", key_of(&alice).0)).ok();
    page.acting().post("/sessions", &json!({})).problem(401, "unauthenticated");
    assert_eq!(page.client.get("//ui/act").ok()["acting"], false);

    // A key that only reads is told so at once, and by the components, should it come so far.
    let bob = agent(&hub);
    let body = json!({"agent_id": bob.id, "scopes": ["read"]});
    let made = admin.post("/auth/keys", &body).ok();
    let key = made["api_key"].as_str().unwrap().to_owned();
    refused(&page_of(&hub).post("//ui/act", &json!({"key": key})), "forbidden", "read alone");
    let reader = NewAgent { id: bob.id, client: hub.anonymous().with_key(&key), key };
    let (cookie, csrf) = made_up(&hub, &reader, now(), now() + 3600);
    let page = page_of(&hub).with("cookie", &cookie).with("x-reef-csrf", &csrf);
    refused(&page.post("/sessions", &json!({})), "forbidden", "scope write");

    for (body, status, code) in [
        (json!({"key": "nonsense"}), 401, "unauthenticated"),
        (json!({"key": "reef_abcdefgh_0123456789abcdef0123456789abcdef"}), 401, "unauthenticated"),
        (json!({"key": "a\u{0}b"}), 401, "unauthenticated"),
        (json!({"key": ""}), 401, "unauthenticated"),
        (json!({}), 401, "unauthenticated"),
        (json!({"key": 5}), 422, "validation_failed"),
        (json!([]), 422, "validation_failed"),
        (json!({"key": "x".repeat(5000)}), 413, "payload_too_large"),
    ] {
        let answer = page_of(&hub).post("//ui/act", &body);
        answer.problem(status, code);
        assert!(answer.header("set-cookie").is_none());
    }
}

#[test]
fn what_only_a_host_may_say_is_no_good_from_outside() {
    let hub = Hub::start();
    let alice = agent(&hub);
    let (key_id, digest) = key_of(&alice);
    // Even from one who has the admin key, and could act by that.
    for kind in [Kind::Cookie, Kind::Act, Kind::Certificate] {
        let stand_in = stand_in::make(kind, &hub.admin_key(), &key_id.as_str().into(), &digest);
        let outside = hub.anonymous().with_key(&stand_in);
        outside.get("/sessions").problem(401, "unauthenticated");
        outside.post("/sessions", &json!({})).problem(401, "unauthenticated");
        let page = page_of(&hub).post("//ui/act", &json!({"key": stand_in}));
        page.problem(401, "unauthenticated");
        let header = hub.anonymous().with("x-api-key", &stand_in);
        header.post("/sessions", &json!({})).problem(401, "unauthenticated");
    }
    assert_eq!(sessions(&alice), 0);
}

#[test]
fn what_is_clicked_twice_is_done_once() {
    let hub = Hub::start();
    let alice = agent(&hub);
    let page = Page::of(&hub, &alice.key);
    let once = page.acting().with("idempotency-key", "dialog-1");
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let clicks = [(); 8].map(|()| scope.spawn(|| once.post("/sessions", &json!({}))));
        clicks.map(|click| click.join().unwrap()).into()
    });
    let made = answers.iter().filter(|answer| answer.status == 200);
    let ids: std::collections::BTreeSet<String> =
        made.map(|answer| answer.json()["session_id"].to_string()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.problem(409, "in_progress");
    }
    // The same click by the key itself is the same click.
    let again = alice.client.with("idempotency-key", "dialog-1").post("/sessions", &json!({}));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(sessions(&alice), 1);
}

#[test]
fn a_sign_in_link_lets_act_as_well_and_once() {
    let hub = Hub::start();
    let alice = agent(&hub);
    let code = |client: &Client| {
        let made = client.post_empty("//ui/sign-in-links").ok();
        made["code"].as_str().unwrap().to_owned()
    };
    let first = code(&alice.client);
    let acts = page_of(&hub).post("//ui/act", &json!({"key": first}));
    let csrf = acts.ok()["csrf"].as_str().unwrap().to_owned();
    let page = page_of(&hub).with("cookie", &cookie(&acts, "reef_act").unwrap());
    page.with("x-reef-csrf", &csrf).post("/sessions", &json!({})).ok();
    let again = page_of(&hub).post("//ui/act", &json!({"key": first}));
    again.problem(401, "unauthenticated");
    // Or in the header.
    let second = code(&hub.admin());
    assert_eq!(page_of(&hub).with_key(&second).post_empty("//ui/act").ok()["agent_id"], "@admin");
}

#[test]
fn who_signs_out_or_lets_go_acts_no_more() {
    let hub = Hub::start();
    let page = Page::of(&hub, &agent(&hub).key);
    for path in ["//ui/act", "//ui/session"] {
        let ended = page.client.delete(path);
        ended.ok();
        assert_eq!(cookie(&ended, "reef_act").as_deref(), Some("reef_act="), "{path}");
        let set = ended.headers.iter().filter(|(name, _)| name == "set-cookie");
        assert!(set.clone().all(|(_, value)| value.contains("; Max-Age=0")), "{set:?}");
    }
    refused(
        &hub.anonymous().with("origin", "http://evil.example").delete("//ui/act"),
        "forbidden",
        "another origin",
    );
    page.client.put("//ui/act", &json!({})).problem(405, "method_not_allowed");
}

#[test]
fn behind_a_proxy_that_ends_tls_the_cookie_is_for_this_host_alone() {
    let hub = Hub::options().variable("public_url", "https://hub.example").start();
    let alice = agent(&hub);
    let at = |origin: &str| {
        let client = hub.anonymous().with("origin", origin).with("sec-fetch-site", "same-origin");
        client.with("x-forwarded-proto", "https")
    };
    let acts = at("https://hub.example").post("//ui/act", &json!({"key": alice.key}));
    let csrf = acts.ok()["csrf"].as_str().unwrap().to_owned();
    let set = acts.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-reef_act=") && set.ends_with("; Secure"), "{set}");
    assert!(set.contains("; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600"), "{set}");
    let pair = cookie(&acts, "__Host-reef_act").unwrap();
    let send = |origin: &str, pair: &str| {
        let page = at(origin).with("cookie", pair).with("x-reef-csrf", &csrf);
        page.post("/sessions", &json!({}))
    };
    send("https://hub.example", &pair).ok();
    // A page at the same name that did not come by TLS may have been put there by anybody.
    send("http://hub.example", &pair).problem(403, "forbidden");
    // Nor is the name that siblings can set taken there.
    let plain = pair.replace("__Host-reef_act", "reef_act");
    refused(&send("https://hub.example", &plain), "act_required", "may only read");
    assert_eq!(sessions(&alice), 1);
}

#[test]
fn where_nobody_needs_a_key_the_page_needs_no_right_but_for_what_is_somebodys() {
    let hub = Hub::options().open().start();
    let alice = agent(&hub);
    let signed_in = page_of(&hub).with_key(&alice.key).post_empty("//ui/session");
    let page = page_of(&hub).with("cookie", &cookie(&signed_in, "reef_session").unwrap());
    page.post("/sessions", &json!({})).ok();
    let deposit = json!({"agent_id": alice.id, "amount": "5"});
    page.post("/deposit", &deposit).problem(401, "unauthenticated");
    let page = Page::of(&hub, &alice.key);
    page.acting().post("/deposit", &deposit).ok();
    refused(&page.client.post("/deposit", &deposit), "forbidden", "X-Reef-Csrf is missing");
    let balance: Value = alice.client.get(&format!("/balance/{}", alice.id)).ok();
    assert_eq!(balance["balance"], "5", "{balance}");
}
