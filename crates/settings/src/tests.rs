use std::fs;
use std::path::Path;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn folder(secrets: &str, config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("secrets.json", secrets), ("config.json", config)] {
        if !text.is_empty() {
            fs::write(folder.path().join(name), text).unwrap();
        }
    }
    folder
}

fn within(folder: &Path) -> SettingsArgs {
    SettingsArgs { config: None, config_dir: Some(folder.to_owned()) }
}

fn read(folder: &tempfile::TempDir, pairs: &[(&str, &str)]) -> Settings {
    Settings::read(&within(folder.path()), &environment(pairs)).unwrap()
}

const SECRETS: &str =
    r#"{"redis": {"host": "filehost", "port": 11877, "password": "p@${SECRET}", "db": 2}}"#;

#[test]
fn a_flag_wins_over_the_environment_over_the_files_over_the_default() {
    let folder = folder(SECRETS, r#"{"node": {"id": "n1", "retry_count": 5}}"#);
    let secret = ("SECRET", "x/y");
    let files = read(&folder, &[secret]);
    assert_eq!(files.redis().unwrap().unwrap().url, "redis://:p%40x%2Fy@filehost:11877/2");
    assert_eq!(files.given("node.id").unwrap().text, "n1");
    assert_eq!(files.parsed::<u32>("node.retry_count", "a number").unwrap(), Some(5));
    assert_eq!(files.value("node.retry_delay").unwrap().origin, Origin::Default);

    let pieces = read(&folder, &[secret, ("REDIS_HOST", "envhost"), ("REDIS_DB", "")]);
    let address = pieces.redis().unwrap().unwrap();
    assert_eq!(address.url, "redis://:p%40x%2Fy@envhost:11877/2");
    assert_eq!(address.origin, Origin::Environment("REDIS_HOST"));

    let whole = read(&folder, &[secret, ("REDIS_HOST", "h"), ("REDIS_URL", "redis://whole")]);
    assert_eq!(whole.redis().unwrap().unwrap().url, "redis://whole");
    let typed = whole.typed("redis.url", "--redis-url", Some("redis://typed".to_owned()));
    let address = typed.redis().unwrap().unwrap();
    assert_eq!(
        (address.url.as_str(), address.origin),
        ("redis://typed", Origin::Flag("--redis-url"))
    );
}

#[test]
fn reef_toml_stands_between_the_environment_and_the_files() {
    let folder = folder(SECRETS, r#"{"node": {"id": "n1"}, "logging": {"level": "warn"}}"#);
    let file = folder.path().join("reef.toml");
    fs::write(&file, "redis_url = 'redis://toml'\n[node]\nid = 'n2'\n[redis]\nport = 7\n").unwrap();
    let args = SettingsArgs { config: Some(file.clone()), ..within(folder.path()) };
    let read = |pairs: &[(&str, &str)]| {
        let pairs = [&[("SECRET", "s")], pairs].concat();
        Settings::read(&args, &environment(&pairs)).unwrap()
    };
    let settings = read(&[]);
    let node = settings.given("node.id").unwrap();
    assert_eq!((node.text.as_str(), node.origin.clone()), ("n2", Origin::Line(file.clone(), 3)));
    assert_eq!(settings.given("logging.level").unwrap().text, "warn");
    // A host that a weaker place names does not count beside the address.
    assert_eq!(settings.redis().unwrap().unwrap().url, "redis://toml");
    let stronger = read(&[("REDIS_HOST", "h"), ("REEF_NODE_ID", "n3")]);
    assert_eq!(stronger.redis().unwrap().unwrap().url, "redis://:p%40s@h:7/2");
    assert_eq!(stronger.given("node.id").unwrap().text, "n3");
    let missing = SettingsArgs { config: Some("/no/such/reef.toml".into()), config_dir: None };
    assert!(Settings::read(&missing, &[]).unwrap_err().to_string().contains("/no/such/reef.toml"));
}

#[test]
fn an_address_needs_a_host_and_takes_what_people_write() {
    let none = folder("", "");
    let url = |pairs: &[(&str, &str)]| {
        read(&none, pairs).redis().map(|address| address.map(|address| address.url))
    };
    assert_eq!(url(&[("REDIS_PORT", "1"), ("REDIS_PASSWORD", "p")]), Ok(None));
    assert_eq!(url(&[("REDIS_HOST", "::1")]), Ok(Some("redis://[::1]:6379/0".to_owned())));
    let tls = [("REDIS_HOST", "h"), ("REDIS_TLS", "true"), ("REDIS_USERNAME", "ann")];
    assert_eq!(url(&tls), Ok(Some("rediss://ann@h:6379/0".to_owned())));
    // What Kubernetes sets for a service of that name.
    let service = [("REDIS_HOST", "h"), ("REDIS_PORT", "tcp://10.0.0.1:6379")];
    assert_eq!(url(&service), Ok(Some("redis://h:6379/0".to_owned())));
    for (pair, named) in [
        (("REDIS_PORT", "http"), "redis.port"),
        (("REDIS_DB", "-1"), "redis.db"),
        (("REDIS_TLS", "maybe"), "redis.tls"),
    ] {
        let error = url(&[("REDIS_HOST", "h"), pair]).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains(pair.0), "{error}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_without_its_secrets() {
    for (secrets, said) in [
        ("{\"redis\": {\"password\": \"sesame\"", "line 1"),
        (r#"["sesame"]"#, "JSON object"),
        (r#"{"redis": {"password": "sesame${NOPE}"}}"#, "${NOPE}"),
        (r#"{"redis": {"password": ["sesame"]}}"#, "a text or a number"),
    ] {
        let folder = folder(secrets, "");
        let error = Settings::read(&within(folder.path()), &[]).unwrap_err().to_string();
        assert!(error.contains(said) && error.contains("secrets.json"), "{error}");
        assert!(!error.contains("sesame"), "{error}");
    }
    let missing = Settings::read(&within(Path::new("/no/such/folder")), &[]).unwrap_err();
    assert!(missing.to_string().contains("/no/such/folder"));
}

#[test]
fn members_without_a_meaning_are_named() {
    let folder = folder("", r#"{"logging": {"max_bytes": 1}, "nod": {"id": "x"}, "x": 1}"#);
    let notes = read(&folder, &[]).notes().join("|");
    for said in ["logging.max_bytes has no effect", "nod.id is not known", "x is not known"] {
        assert!(notes.contains(said), "{notes}");
    }
    // A secret may only stand in the file for secrets.
    let misplaced = self::folder("", r#"{"redis": {"password": "p"}}"#);
    assert!(read(&misplaced, &[]).given("redis.password").is_none());
}

#[test]
fn secrets_are_never_shown() {
    for (url, shown) in [
        ("redis://h:1/2", "redis://h:1/2"),
        ("redis://ann:sesame@h", "redis://ann:********@h"),
        ("redis://:ses@me@h/1", "redis://:********@h/1"),
        ("redis+unix:///s?pass=sesame", "redis+unix:///s?********"),
        ("sesame", "********"),
    ] {
        assert_eq!(redis::masked(url), shown);
    }
    let password = KNOWN.iter().find(|known| known.name == "redis.password").unwrap();
    assert_eq!(password.shown("sesame"), "********");
    let debug = format!("{:?}", read(&folder(SECRETS, ""), &[("SECRET", "sesame")]));
    assert!(!debug.contains("sesame"), "{debug}");
}
