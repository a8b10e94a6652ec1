//! The server is killed after each answer, on a disk that forgets what was not synced: how many
//! answered writes are gone afterwards, and whether any of them had been promised to the disk.
//!
//! `REEF_KILLS=N` kills so often for each setting.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::server::Server;
use super::{deposit, reached, valkey};
use crate::harness::{Hub, NewAgent, PATIENCE, eventually, redis_binary, root};

/// How often the server is killed where nobody says: a kill takes a tenth of a second.
const KILLS: usize = 12;

/// How many kills pass until the file is written anew, so that loading it stays quick.
const REWRITE_EVERY: usize = 400;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    kills: usize,
    /// Answers that promised the disk, and how many of those writes were gone.
    promised: usize,
    promised_lost: usize,
    /// Answers that promised no more than memory, and how many of those writes were gone.
    others: usize,
    others_lost: usize,
}

/// The library that forgets.
fn power(folder: &Path) -> PathBuf {
    let library = folder.join("power.so");
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library);
    cc.arg(root().join("tests/all/resilience/durability/power.c")).args(["-ldl", "-lpthread"]);
    let output = cc.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

fn balance(agent: &NewAgent) -> Option<u64> {
    let answer = agent.client.get(&format!("/balance/{}", agent.id));
    if answer.status == 503 {
        return None;
    }
    let balance = answer.ok()["balance"].to_string();
    let whole = balance.trim_matches('"').split('.').next().unwrap();
    Some(whole.parse().unwrap())
}

fn rewrite(server: &Server) {
    let mut redis = server.connect();
    redis::cmd("BGREWRITEAOF").query::<()>(&mut redis).unwrap();
    eventually("the file written anew", PATIENCE, || {
        let info: String = redis::cmd("INFO").arg("persistence").query(&mut redis).unwrap();
        let is_done =
            info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0");
        is_done.then_some(())
    });
}

/// Kills a server that syncs like this, after each answer to a write that wants this.
fn kill_after_each_answer(binary: &Path, sync: &str, prefer: &str) -> Tally {
    let count = std::env::var("REEF_KILLS").map_or(KILLS, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let library = Some(power(folder.path()));
    let mut server = Server::prepare(binary, &["--appendfsync", "always"], library);
    server.start_again();
    let hub = Hub::options().redis_at(&server.url()).start();
    let agent = hub.admin().new_agent();
    deposit(&agent, "").ok();
    server.set_args(&["--appendfsync", sync]);
    restart(&mut server);
    let mut there = eventually("the hub again", PATIENCE, || balance(&agent));
    assert_eq!(there, 1);
    let mut tally = Tally::default();
    let begun = Instant::now();
    while tally.kills < count {
        let answer = deposit(&agent, prefer);
        let is_promised = reached(&answer) == "disk";
        restart(&mut server);
        let now = eventually("the hub again", PATIENCE, || balance(&agent));
        assert!(now == there || now == there + 1, "{now} after {there}");
        tally.note(is_promised, now == there);
        there = now;
        if tally.kills.is_multiple_of(REWRITE_EVERY) {
            rewrite(&server);
            println!("appendfsync {sync}, {prefer:?}: {tally:?}, {:?}", begun.elapsed());
        }
    }
    println!("appendfsync {sync}, {prefer:?}: {tally:?} in {:?}", begun.elapsed());
    tally
}

fn restart(server: &mut Server) {
    server.kill();
    server.start_again();
}

impl Tally {
    fn note(&mut self, is_promised: bool, is_lost: bool) {
        self.kills += 1;
        let (answers, lost) = match is_promised {
            true => (&mut self.promised, &mut self.promised_lost),
            false => (&mut self.others, &mut self.others_lost),
        };
        *answers += 1;
        *lost += usize::from(is_lost);
    }
}

/// Nothing but memory is promised, and nothing is left.
#[test]
fn what_is_never_synced_is_lost_and_was_not_promised() {
    let tally = kill_after_each_answer(Path::new(redis_binary()), "no", "durability=disk");
    assert_eq!((tally.promised, tally.others_lost), (0, tally.kills), "{tally:?}");
}

/// What happened to be synced is left.
#[test]
fn what_is_synced_each_second_was_not_promised() {
    let tally = kill_after_each_answer(Path::new(redis_binary()), "everysec", "durability=disk");
    assert!(tally.others_lost > 0, "the disk forgets nothing: {tally:?}");
    assert_eq!(tally.promised_lost, 0, "{tally:?}");
}

#[test]
fn what_is_synced_before_each_answer_is_there() {
    let tally = kill_after_each_answer(Path::new(redis_binary()), "always", "durability=disk");
    assert_eq!((tally.promised, tally.promised_lost), (tally.kills, 0), "{tally:?}");
}

/// It confirms by `WAITAOF` what is lost.
#[test]
fn what_a_newer_server_confirms_too_early_was_not_promised() {
    let tally = kill_after_each_answer(&valkey(), "everysec", "durability=disk");
    assert!(tally.others_lost > 0, "the disk forgets nothing: {tally:?}");
    assert_eq!(tally.promised_lost, 0, "{tally:?}");
}
