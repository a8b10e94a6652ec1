//! The private Redis' data is altered: nothing that was acknowledged goes without a word.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::harness::{
    Hub, PATIENCE, Program, Signal, eventually, free_port, prepared, reef, root, signal,
};

/// A start that is refused takes no longer, whatever else the machine does.
const START: Duration = Duration::from_secs(60);

fn increment(hub: &Hub) -> PathBuf {
    let folder = hub.state_dir().join("redis/appendonlydir");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.extension().is_some_and(|it| it == "aof"));
    files.next().unwrap()
}

/// A hub with some nodes that was stopped in order.
fn stopped() -> (Hub, Vec<String>) {
    let mut hub = Hub::start();
    let client = hub.admin();
    let nodes = (0..20).map(|_| client.new_node("kept")).collect();
    hub.terminate();
    assert!(hub.wait().success());
    (hub, nodes)
}

fn start(hub: &Hub) -> crate::harness::Output {
    Program::run(&mut Hub::options().command(hub.state_dir()), START)
}

fn repair(hub: &Hub, args: &[&str]) -> crate::harness::Output {
    let mut command = reef();
    command.args(["doctor", "--repair"]).args(args).env("REEF_STATE_DIR", hub.state_dir());
    Program::run(&mut command, START)
}

#[test]
fn a_flipped_bit_is_refused_and_mended_only_by_who_agrees() {
    let (mut hub, nodes) = stopped();
    let file = increment(&hub);
    let good = std::fs::read(&file).unwrap();
    let mut bad = good.clone();
    let middle = good.len() / 2;
    let at = middle + good[middle..].windows(3).position(|it| it == b"\r\n*").unwrap() + 2;
    bad[at] = b'+';
    std::fs::write(&file, &bad).unwrap();

    let output = start(&hub);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.contains("reef doctor --repair"), "{output:?}");
    assert!(output.stderr.contains(&format!("byte {at}")), "{output:?}");
    assert_eq!(std::fs::read(&file).unwrap(), bad, "nothing may be changed");

    // Nobody can be asked.
    let output = repair(&hub, &[]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stderr.contains("--yes") && output.stderr.contains("bytes"), "{output:?}");
    assert_eq!(std::fs::read(&file).unwrap(), bad);

    let output = repair(&hub, &["--yes"]);
    assert!(output.status.success(), "{output:?}");
    let kept = std::fs::read_dir(hub.state_dir().join("redis")).unwrap();
    let mut kept = kept.map(|entry| entry.unwrap().path());
    let kept = kept.find(|path| path.to_string_lossy().contains("damaged-")).unwrap();
    assert_eq!(std::fs::read(kept.join(file.file_name().unwrap())).unwrap(), bad);
    hub.start_again();
    assert_eq!(hub.admin().node(&nodes[0])["node_id"], nodes[0].as_str());
}

#[test]
fn whatever_byte_is_altered_or_missing_after_an_orderly_end_is_noticed() {
    let (hub, _) = stopped();
    let file = increment(&hub);
    let good = std::fs::read(&file).unwrap();
    // Values as well as what stands between them.
    for n in 0..12 {
        let at = n * good.len() / 12 + n;
        let mut bad = good.clone();
        bad[at] ^= 1 << (n % 8);
        std::fs::write(&file, &bad).unwrap();
        let output = start(&hub);
        assert_eq!(output.status.code(), Some(1), "byte {at}: {output:?}");
        assert!(output.stderr.contains("is damaged"), "byte {at}: {output:?}");
    }
    std::fs::write(&file, &good[..good.len() - 1]).unwrap();
    let output = start(&hub);
    assert!(output.stderr.contains("lacks"), "{output:?}");
    std::fs::remove_file(&file).unwrap();
    let output = start(&hub);
    assert!(output.stderr.contains("is missing"), "{output:?}");
}

#[test]
fn an_unfinished_last_write_is_cut_kept_and_told_of() {
    let (mut hub, nodes) = stopped();
    let file = increment(&hub);
    let good = std::fs::read(&file).unwrap();
    let unfinished = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$9\r\nun";
    std::fs::write(&file, [&good[..], unfinished].concat()).unwrap();
    hub.start_again();
    for id in &nodes {
        assert_eq!(hub.admin().node(id)["node_id"], id.as_str());
    }
    let log = hub.log();
    let told = log.lines().find(|line| line.contains("cut off and kept")).expect(&log);
    assert!(told.contains("WARN") && told.contains(&format!("bytes={}", unfinished.len())));
    assert!(told.contains(&format!("offset={}", good.len())), "{told}");
    let (_, copy) = told.split_once("copy=").unwrap();
    let copy = copy.split_whitespace().next().unwrap();
    assert_eq!(std::fs::read(copy).unwrap(), unfinished);
}

/// Starts Redis only after a while.
fn slow_redis(folder: &std::path::Path) {
    let script = folder.join("redis-server");
    std::fs::write(&script, "#!/bin/sh\nsleep 3\nexec \"$REAL_REDIS\" \"$@\"\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Processes whose command line names the socket of this hub.
fn servers(hub: &Hub) -> usize {
    let mark = hub.state_dir().join("redis.sock").display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines
        .filter(|line| {
            let line = String::from_utf8_lossy(line).into_owned();
            line.contains("redis-server") && line.contains(&mark)
        })
        .count()
}

#[test]
fn a_server_that_does_not_listen_yet_is_waited_for() {
    let path = std::env::var_os("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|it| it.join("redis-server"));
    let Some(real) = real.into_iter().find(|it| it.is_file()) else { return };
    let tools = tempfile::tempdir().unwrap();
    slow_redis(tools.path());
    let slow = format!("{}:{}", tools.path().display(), path.to_string_lossy());
    let options = Hub::options().env("PATH", &slow).env("REAL_REDIS", &real.to_string_lossy());
    let mut hub = options.start();
    let id = hub.admin().new_node("kept");
    for _ in 0..3 {
        signal(hub.private_redis_pid(), Signal::Kill);
        // Killed with its successor to Redis under way, or before.
        eventually("a successor", PATIENCE, || (servers(&hub) == 1).then_some(()));
        hub.kill();
        hub.start_again();
        assert_eq!(servers(&hub), 1);
        assert_eq!(hub.admin().node(&id)["node_id"], id.as_str());
    }
}

#[test]
fn a_state_directory_that_others_can_write_is_refused() {
    let (hub, _) = stopped();
    let open = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(hub.state_dir(), open).unwrap();
    let output = start(&hub);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.contains("chmod go-w"), "{output:?}");
    let closed = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(hub.state_dir(), closed).unwrap();
    let cache = hub.state_dir().join("cache");
    std::fs::remove_file(&cache).unwrap();
    std::fs::write(&cache, "").unwrap();
    let output = start(&hub);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stderr.contains("cache is no directory"), "{output:?}");
}

#[test]
fn altered_compiled_code_is_compiled_anew() {
    // A component that the program does not carry under this name.
    let folder = tempfile::tempdir().unwrap();
    let wasm = folder.path().join("own.wasm");
    let register = "target/wasm32-wasip2/component/register.wasm";
    std::fs::copy(prepared(register), &wasm).unwrap();
    let manifest = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    let manifest = manifest
        .replace("source = \"", &format!("source = \"{}/", root().display()))
        .replace(prepared(register).to_str().unwrap(), wasm.to_str().unwrap());
    std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
    let mut hub = Hub::options().spin_file(&folder.path().join("spin.toml")).start();
    hub.terminate();
    assert!(hub.wait().success());

    let cache = hub.state_dir().join("cache");
    let shared = cache.canonicalize().unwrap();
    std::fs::remove_file(&cache).unwrap();
    std::fs::create_dir(&cache).unwrap();
    for entry in std::fs::read_dir(shared).unwrap().flatten() {
        if entry.path().extension().is_some_and(|it| it == "code") {
            let mut code = std::fs::read(entry.path()).unwrap();
            let at = code.len() / 2;
            code[at] ^= 4;
            std::fs::write(cache.join(entry.file_name()), code).unwrap();
        }
    }
    hub.start_again();
    hub.admin().new_node("served");
    assert!(hub.log().contains("compiled anew"), "{}", hub.log());
}

/// A hub whose output goes where `redirection` says, in the words of a shell.
fn with_output(before: &str, redirection: &str) -> (Program, tempfile::TempDir, u16) {
    let state = tempfile::tempdir().unwrap();
    let shared = root().join("target/fixtures/compiled");
    std::os::unix::fs::symlink(shared, state.path().join("cache")).unwrap();
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let hub = Hub::options().command(state.path());
    let words: Vec<_> = hub.get_args().map(|it| it.to_string_lossy().into_owned()).collect();
    let program = hub.get_program().to_string_lossy().into_owned();
    let words = words.iter().map(|it| if it == "127.0.0.1:0" { &listen } else { it });
    let words: Vec<_> = words.map(|word| format!("'{word}'")).collect();
    let line = format!("{before} exec '{program}' {} {redirection}", words.join(" "));
    (Program::start(Command::new("bash").args(["-c", &line])), state, port)
}

fn is_ready(client: &crate::harness::Client, port: u16) -> Option<()> {
    std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    (client.send("GET", "//readyz", None).status == 200).then_some(())
}

fn redis_pid(state_dir: &std::path::Path) -> Option<u32> {
    let socket = state_dir.join("redis.sock");
    let server = redis::Client::open(format!("unix://{}", socket.display())).ok()?;
    let mut server = server.get_connection().ok()?;
    let info: String = redis::cmd("INFO").arg("server").query(&mut server).ok()?;
    info.lines().find_map(|it| it.strip_prefix("process_id:"))?.trim().parse().ok()
}

#[test]
fn a_log_that_nobody_can_read_stops_nothing() {
    // A reader that is gone, a full disk, and one who never reads.
    for redirection in ["2> >(head -n 1)", "2>/dev/full", "2> >(sleep 60)", ">&- 2>&-"] {
        let (mut program, state, port) = with_output("export REEF_LOG=trace;", redirection);
        let client = crate::harness::Client::new(&format!("http://127.0.0.1:{port}"));
        eventually("a hub", Duration::from_secs(120), || is_ready(&client, port));
        for _ in 0..300 {
            client.get("//healthz").ok();
        }
        let first = redis_pid(state.path()).unwrap();
        signal(first, Signal::Kill);
        eventually("another Redis", PATIENCE, || redis_pid(state.path()).filter(|it| *it != first));
        eventually("a ready hub", PATIENCE, || is_ready(&client, port));
        program.signal(Signal::Terminate);
        assert!(program.wait(PATIENCE).success(), "{redirection}");
    }
}

#[test]
fn idle_connections_do_not_keep_redis_from_being_started_again() {
    let (mut program, state, port) = with_output("ulimit -n 256;", "");
    let limits = |name: &str| {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.pid())).unwrap();
        let files = limits.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        files.split_whitespace().nth(3).unwrap().parse::<u64>().unwrap()
    };
    let client = crate::harness::Client::new(&format!("http://127.0.0.1:{port}"));
    eventually("a hub", Duration::from_secs(120), || is_ready(&client, port));
    assert_eq!(limits("Max open files"), 256);
    let idle: Vec<_> =
        (0..300).map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    let first = redis_pid(state.path()).unwrap();
    signal(first, Signal::Kill);
    eventually("another Redis", PATIENCE, || redis_pid(state.path()).filter(|it| *it != first));
    drop(idle);
    eventually("a ready hub", PATIENCE, || is_ready(&client, port));
    program.signal(Signal::Terminate);
    assert!(program.wait(PATIENCE).success());
    // The soft limit is raised as far as the hard one lets it.
    let (program, _state, port) = with_output("ulimit -Sn 256; ulimit -Hn 1000;", "");
    let client = crate::harness::Client::new(&format!("http://127.0.0.1:{port}"));
    eventually("a hub", Duration::from_secs(120), || is_ready(&client, port));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.pid())).unwrap();
    assert!(limits.lines().any(|it| it.starts_with("Max open files") && it.contains(" 1000 ")));
    program.signal(Signal::Terminate);
}
