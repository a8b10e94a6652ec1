//! `reef agent` and `reef heartbeat`: this machine as a node of a real hub.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Running, Shell};
use crate::harness::{Hub, PATIENCE, Signal, eventually, signal, unique};

/// A command that writes its process' id into a file and stays, and says when it is told to end.
pub(super) fn stays(file: &Path) -> String {
    let file = file.display();
    format!(
        "echo $$ $REEF_TERM $REEF_NODE_ID > {file}.new; mv {file}.new {file}; trap 'rm -f {file}; exit 0' TERM; while :; do sleep 0.05; done"
    )
}

/// Whether a process runs (a dead one that nobody has waited for does not).
pub(super) fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().next());
    !matches!(state, None | Some("Z" | "X"))
}

/// What the command has written: its process, its term, its node.
pub(super) fn written(file: &Path) -> Option<(u32, u64, String)> {
    let text = fs::read_to_string(file).ok()?;
    let mut words = text.split_whitespace();
    let pid = words.next()?.parse().ok()?;
    Some((pid, words.next()?.parse().ok()?, words.next()?.to_owned()))
}

fn node(hub: &Hub, id: &str) -> Value {
    hub.admin().get(&format!("/nodes/{id}")).json()
}

pub(super) fn leader(hub: &Hub) -> Value {
    hub.admin().get("/cluster/leader").json()
}

/// The node's id, once it has registered.
pub(super) fn registered(agent: &Running) -> String {
    eventually("the agent registers", PATIENCE, || {
        let said = agent.stderr();
        let line = said.lines().find(|line| line.contains("registered node="))?.to_owned();
        let id = line.split("node=").nth(1)?.split_whitespace().next()?;
        Some(id.trim_matches('"').to_owned())
    })
}

#[test]
fn a_machine_is_registered_with_its_figures_and_says_good_bye() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let name = &unique("host");
    let args = ["agent", "--hostname", name, "--skill", "gpu", "--tag", "lab", "--interval", "0.1"];
    let agent = shell.start(&args);
    let id = registered(&agent);
    let seen = eventually("real figures", PATIENCE, || {
        let node = node(&hub, &id);
        (node["memory_usage"].as_f64() > Some(0.0)).then_some(node)
    });
    assert_eq!(seen["hostname"], **name);
    assert_eq!((&seen["available_skills"], &seen["tags"]), (&json!(["gpu"]), &json!(["lab"])));
    assert_eq!(seen["status"], "online");

    // The hub forgets it: it is back under the same id.
    hub.admin().send("DELETE", &format!("/nodes/{id}"), None).ok();
    eventually("it registers again", PATIENCE, || {
        (node(&hub, &id)["status"] == "online").then_some(())
    });

    agent.signal(Signal::Terminate);
    let ended = agent.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(node(&hub, &id)["status"], "offline");

    // The id was kept, and another process under the same name is refused.
    let again = shell.start(&args);
    assert_eq!(registered(&again), id);
    let other = shell.run(&args);
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(other.stderr.contains("--hostname"), "{other:?}");
}

#[test]
fn an_id_and_a_pace_can_be_configured() {
    let hub = Hub::start();
    let (name, id) = (unique("host"), unique("configured"));
    let shell = Shell::of(&hub).with("NAME", &id);
    let folder = shell.folder.path().join("config");
    fs::create_dir(&folder).unwrap();
    let config = r#"{"node": {"id": "${NAME}", "heartbeat_interval": 0.1}}"#;
    fs::write(folder.join("config.json"), config).unwrap();
    let agent = shell.start(&["agent", "--hostname", &name]);
    assert_eq!(registered(&agent), id);
    let beats = || node(&hub, &id)["last_heartbeat"].as_str().unwrap().to_owned();
    let (first, started) = (beats(), Instant::now());
    eventually("the next heartbeats", PATIENCE, || (beats() != first).then_some(()));
    // The hub would have asked for one in five seconds.
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());

    let ended = shell.run(&["agent", "--hostname", "other", "--interval", "0"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn one_heartbeat_is_sent_for_cron() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let name = &unique("host");
    let once = ["heartbeat", "--once", "--hostname", name];
    let first = shell.json(&once);
    let id = first["node_id"].as_str().unwrap();
    assert!(node(&hub, id)["memory_usage"].as_f64() > Some(0.0));
    let said = shell.ok(&once);
    assert_eq!(said, format!("{id} is alive; nobody leads; 0 mail\n"));
    // It was registered once: what the second one found was its id.
    assert_eq!(node(&hub, id)["incarnation"], 1);
    hub.admin().send("DELETE", &format!("/nodes/{id}"), None).ok();
    assert_eq!(shell.json(&once)["node_id"], id);

    let nowhere = Shell::at("http://127.0.0.1:1");
    let quick = ["--retries", "1", "--retry-delay", "0.05"];
    let ended = nowhere.run(&[&once[..], &quick].concat());
    assert_eq!(ended.code, Some(3), "{ended:?}");
}

#[test]
fn one_agent_leads_and_another_takes_over_when_it_leaves() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let file = |name: &str| shell.folder.path().join(name);
    let start = |name: &str| {
        let (file, lost) = (file(name), file(&format!("{name}.lost")));
        let lost = format!("echo $REEF_TERM > {}", lost.display());
        shell.start(&[
            "agent",
            "--campaign",
            "--leader-ttl",
            "2",
            "--hostname",
            &unique(name),
            "--on-elected",
            &stays(&file),
            "--on-lost",
            &lost,
        ])
    };
    let first = start("first");
    let id = registered(&first);
    let (pid, term, of) = eventually("the command", PATIENCE, || written(&file("first")));
    assert_eq!((leader(&hub)["leader"].as_str(), of.as_str()), (Some(&*id), &*id));
    assert_eq!(leader(&hub)["term"], term);
    let second = start("second");
    let second_id = registered(&second);
    second.until_said(&format!("leader=\"{id}\""));
    assert!(written(&file("second")).is_none() && is_alive(pid));

    // In maintenance it does not lead.
    shell.ok(&["nodes", "drain", &id]);
    let (_, next_term, _) =
        eventually("the other's command", PATIENCE, || written(&file("second")));
    assert!(next_term > term && !is_alive(pid));
    assert_eq!(leader(&hub)["leader"], second_id);
    assert_eq!(fs::read_to_string(file("first.lost")).unwrap().trim(), term.to_string());
    shell.ok(&["nodes", "resume", &id]);

    // Whoever leaves hands the leadership back: nobody waits for the lease.
    second.signal(Signal::Terminate);
    let ended = second.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("resigned"), "{ended:?}");
    let (_, last_term, _) = eventually("the first again", PATIENCE, || {
        written(&file("first")).filter(|(_, term, _)| *term > next_term)
    });
    assert_eq!(leader(&hub)["term"], last_term);
    assert!(written(&file("second")).is_none(), "its command was told to end");
}

#[test]
fn the_command_is_over_before_the_lease_of_a_leader_that_cannot_renew_it() {
    let mut hub = Hub::start();
    let shell = Shell::of(&hub);
    let file = shell.folder.path().join("elected");
    // It does not listen to SIGTERM.
    let stubborn = format!("{}; ", stays(&file)).replace("rm -f", ": ").replace("exit 0", ":");
    let ttl = Duration::from_secs(4);
    let agent = shell.start(&[
        "agent",
        "--campaign",
        "--leader-ttl",
        "4",
        "--hostname",
        &unique("h"),
        "--on-elected",
        &stubborn,
    ]);
    let (pid, ..) = eventually("the command", PATIENCE, || written(&file));
    hub.kill();
    let killed = Instant::now();
    eventually("the command's end", PATIENCE, || (!is_alive(pid)).then_some(()));
    // The last renewal was asked for before the hub was killed.
    assert!(killed.elapsed() < ttl, "{:?}", killed.elapsed());
    agent.until_said("why=LeaseEnding");
}

#[test]
fn the_command_dies_with_an_agent_that_is_killed_or_paused() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let file = shell.folder.path().join("elected");
    let start = || {
        shell.start(&[
            "agent",
            "--campaign",
            "--leader-ttl",
            "2",
            "--hostname",
            &unique("h"),
            "--on-elected",
            &stays(&file),
        ])
    };
    let mut last = 0;
    for how in [Signal::Kill, Signal::Stop] {
        let agent = start();
        let (pid, term, _) = eventually("the command", PATIENCE, || {
            written(&file).filter(|(_, term, _)| *term > last)
        });
        last = term;
        agent.signal(how);
        let done = Instant::now();
        eventually("the command's end", PATIENCE, || (!is_alive(pid)).then_some(()));
        assert!(done.elapsed() < Duration::from_secs(2), "{how:?}: {:?}", done.elapsed());
    }
}

#[test]
fn a_command_that_fails_gives_the_leadership_up() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let campaign = ["agent", "--campaign", "--leader-ttl", "1", "--hostname"];
    let agent = shell.start(&[&campaign[..], &[&unique("h"), "--on-elected", "exit 3"]].concat());
    agent.until_said("resigned");
    let history = hub.admin().get("/cluster/leader/history").json();
    assert_eq!(history[0]["event"], "resigned", "{history}");
    drop(agent);
    // One that is done with its work goes on leading.
    let agent = shell.start(&[&campaign[..], &[&unique("h"), "--on-elected", "exit 0"]].concat());
    agent.until_said("is done");
    let id = registered(&agent);
    assert_eq!(leader(&hub)["leader"], id);
}

#[test]
fn an_agent_waits_for_its_hub_and_ends_when_it_is_replaced() {
    let mut hub = Hub::start();
    let shell = Shell::of(&hub);
    let name = &unique("host");
    hub.kill();
    let agent = shell.start(&["agent", "--hostname", name, "--interval", "0.1"]);
    agent.until_said("not registered yet");
    hub.start_again_there();
    let id = registered(&agent);
    // A stranger with the same name on another machine.
    let stranger =
        json!({"hostname": name, "platform": "linux", "arch": "x64", "available_skills": ["x"]});
    hub.admin().post("/nodes/register", &stranger).ok();
    let ended = agent.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("somebody else has registered as this node"), "{ended:?}");
    // And it does not sign the stranger off.
    assert_eq!(node(&hub, &id)["status"], "online");
}

#[test]
fn a_second_signal_ends_an_agent_at_once() {
    let hub = Hub::start();
    let shell = Shell::of(&hub);
    let file = shell.folder.path().join("elected");
    let stubborn = stays(&file).replace("rm -f", ": ").replace("exit 0", ":");
    let agent = shell.start(&[
        "agent",
        "--campaign",
        "--leader-ttl",
        "60",
        "--hostname",
        &unique("h"),
        "--on-elected",
        &stubborn,
    ]);
    let (pid, ..) = eventually("the command", PATIENCE, || written(&file));
    agent.signal(Signal::Terminate);
    agent.until_said("leaves at once");
    signal(agent.child.id(), Signal::Terminate);
    let ended = agent.wait();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    eventually("the command's end", PATIENCE, || (!is_alive(pid)).then_some(()));
}
