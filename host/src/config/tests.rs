use std::net::SocketAddr;

use reef_settings::SettingsArgs;

use super::*;
use crate::cli::Fsync;

const TUNING: Tuning = Tuning { fsync: Fsync::Always, memory: None };

const MANIFEST: &str = r#"
    spin_manifest_version = 2
    [application]
    name = "t"
    [variables]
    redis_url = { default = "redis://manifest:6379/0" }
    redis_allow = { default = "redis://manifest:6379" }
    auth_mode = { default = "keys" }
    admin_key = { default = "", secret = true }
"#;

fn manifest() -> Manifest {
    Manifest::parse(MANIFEST, Path::new("")).unwrap()
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn layers(typed: &[&str], environment: &[(&str, &str)]) -> Layers {
    let mut layers = Layers::default();
    layers.type_in(&typed.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>()).unwrap();
    layers.take_environment(environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    layers
}

/// What `choose_redis` does to the two variables.
fn chosen(
    flag: Option<&str>,
    shared: Option<&str>,
    private: Option<Tuning>,
    mut layers: Layers,
) -> (RedisChoice, Option<String>, Option<String>) {
    let manifest = manifest();
    let [flag, shared] = [flag, shared].map(|value| value.map(str::to_owned));
    let choice = choose_redis(flag, shared, private, &manifest, &mut layers).unwrap();
    let value = |name| layers.given(name).map(str::to_owned);
    (choice, value("redis_url"), value("redis_allow"))
}

#[test]
fn up_without_an_address_gets_a_redis_of_its_own() {
    let (choice, url, allow) = chosen(None, None, Some(TUNING), layers(&[], &[]));
    assert_eq!((choice, url, allow), (RedisChoice::Private(TUNING), None, None));
}

#[test]
fn serve_without_an_address_takes_the_manifests() {
    let (choice, _, _) = chosen(None, None, None, layers(&[], &[]));
    assert_eq!(choice, RedisChoice::Given("redis://manifest:6379/0".into()));
}

#[test]
fn the_flag_sets_what_the_components_see() {
    let environment = [("SPIN_VARIABLE_REDIS_ALLOW", "redis://old:6379")];
    let (choice, url, allow) = chosen(
        Some("redis://u:p@h/2"),
        text("redis://x").as_deref(),
        None,
        layers(&[], &environment),
    );
    assert_eq!(choice, RedisChoice::Given("redis://u:p@h/2".into()));
    assert_eq!(url, text("redis://u:p@h/2"));
    assert_eq!(allow, text("redis://h:6379"));
}

#[test]
fn spin_variables_win_over_the_shared_variable_and_keep_their_allow_entry() {
    let environment = [
        ("SPIN_VARIABLE_REDIS_URL", "redis://spin:1"),
        ("SPIN_VARIABLE_REDIS_ALLOW", "redis://*:1"),
    ];
    let (choice, _, allow) =
        chosen(None, Some("redis://shared"), Some(TUNING), layers(&[], &environment));
    assert_eq!(choice, RedisChoice::Given("redis://spin:1".into()));
    assert_eq!(allow, text("redis://*:1"));
    let (choice, ..) = chosen(None, Some("redis://shared"), Some(TUNING), layers(&[], &[]));
    assert_eq!(choice, RedisChoice::Given("redis://shared".into()));
}

#[test]
fn a_flag_and_a_variable_must_agree() {
    let mut layers = layers(&["redis_url=redis://a"], &[]);
    let flag = text("redis://b");
    assert!(choose_redis(flag, None, None, &manifest(), &mut layers).is_err());
}

fn serving(
    mode: Option<AuthMode>,
    listen: &str,
    insecure: bool,
    file: Option<&str>,
    mut layers: Layers,
) -> anyhow::Result<Serving> {
    let args = ServingArgs {
        state_dir: ".reef".into(),
        auth_mode: mode,
        admin_key_file: file.map(Into::into),
        insecure,
        request_timeout: 1.0,
        no_direct: false,
    };
    let listen: SocketAddr = listen.parse().unwrap();
    check_serving(args, &manifest(), &mut layers, &[listen], true)
}

#[test]
fn open_is_refused_where_others_can_reach_it() {
    let open = Some(AuthMode::Open);
    let none = || layers(&[], &[]);
    assert!(serving(open, "127.0.0.1:1", false, None, none()).is_ok());
    assert!(serving(open, "[::1]:1", false, None, none()).is_ok());
    let error = serving(open, "0.0.0.0:1", false, None, none()).unwrap_err().to_string();
    assert!(error.contains("--insecure"), "{error}");
    assert!(serving(open, "0.0.0.0:1", true, None, none()).is_ok());
    assert!(serving(Some(AuthMode::Keys), "0.0.0.0:1", false, None, none()).is_ok());
    let by_variable = layers(&[], &[("SPIN_VARIABLE_AUTH_MODE", "open")]);
    assert!(serving(None, "10.0.0.1:1", false, None, by_variable).is_err());
    let unknown = layers(&["auth_mode=maybe"], &[]);
    assert!(serving(None, "127.0.0.1:1", false, None, unknown).is_err());
}

#[test]
fn the_admin_key_is_made_only_when_nobody_gives_one() {
    let source = |file, layers| {
        serving(None, "127.0.0.1:1", false, file, layers).map(|serving| serving.admin_key)
    };
    assert_eq!(source(None, layers(&[], &[])).unwrap(), AdminKey::StateDir);
    assert_eq!(source(None, layers(&["admin_key=k"], &[])).unwrap(), AdminKey::Variable);
    let environment = [("SPIN_VARIABLE_ADMIN_KEY", "k")];
    assert_eq!(source(None, layers(&[], &environment)).unwrap(), AdminKey::Variable);
    assert_eq!(source(Some("f"), layers(&[], &[])).unwrap(), AdminKey::File("f".into()));
    assert!(source(Some("f"), layers(&["admin_key=k"], &[])).is_err());
}

#[test]
fn times_are_checked() {
    assert!(seconds("--x", 0.0).is_err());
    assert!(seconds("--x", -1.0).is_err());
    assert!(seconds("--x", f64::NAN).is_err());
    assert_eq!(seconds("--x", 0.25).unwrap(), Duration::from_millis(250));
    assert!(check_tick(0).is_err());
    assert!(check_tick(u64::MAX).is_err());
    assert!(resolve("127.0.0.1").is_err());
    assert!(resolve("127.0.0.1:0").is_ok());
}

#[test]
fn the_files_of_the_configuration_are_weaker_than_whatever_names_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("secrets.json", r#"{"redis": {"host": "filehost", "password": "p"}}"#);
    write("config.json", r#"{"node": {"heartbeat_ttl": 45}}"#);
    let args = SettingsArgs { config: None, config_dir: Some(folder.path().to_owned()) };
    let settings = Settings::read(&args, &[]).unwrap();
    let shared = settings.redis().unwrap().map(|address| address.url);
    let (choice, url, allow) = chosen(None, shared.as_deref(), Some(TUNING), layers(&[], &[]));
    assert_eq!(choice, RedisChoice::Given("redis://:p@filehost:6379/0".into()));
    assert_eq!((url, allow), (text("redis://:p@filehost:6379/0"), text("redis://filehost:6379")));

    let mut from_files = layers(&[], &[]);
    take_files(&settings, &mut from_files);
    assert_eq!(from_files.given("heartbeat_ttl_seconds"), Some("45"));
    let mut named = layers(&[], &[("SPIN_VARIABLE_HEARTBEAT_TTL_SECONDS", "10")]);
    take_files(&settings, &mut named);
    assert_eq!(named.given("heartbeat_ttl_seconds"), Some("10"));
}
