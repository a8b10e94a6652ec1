//! The SpinKube manifests, held against the fields of the operator's and Kubernetes' own types; and
//! the monitor started with its arguments and its configuration.

use std::fs;

use serde_json::Value;

use super::{assert_knows, strings, yaml};
use crate::harness::{PATIENCE, Program, RedisServer, reef, registration, root};

/// Fields of `SpinApp.spec` (core.spinkube.dev/v1alpha1).
const SPIN_APP: &[&str] = &[
    "checks",
    "components",
    "deploymentAnnotations",
    "enableAutoscaling",
    "executor",
    "image",
    "imagePullSecrets",
    "invocationLimits",
    "podAnnotations",
    "podLabels",
    "replicas",
    "resources",
    "runtimeConfig",
    "serviceAccountName",
    "serviceAnnotations",
    "variables",
    "volumeMounts",
    "volumes",
];
/// Fields of a check of a SpinApp.
const CHECK: &[&str] = &[
    "failureThreshold",
    "httpGet",
    "initialDelaySeconds",
    "periodSeconds",
    "successThreshold",
    "timeoutSeconds",
];

fn manifest() -> toml::Value {
    toml::from_str(&fs::read_to_string(root().join("spin.toml")).unwrap()).unwrap()
}

/// The runtime configuration that the Secret holds.
fn runtime_config() -> String {
    let secret = yaml("spinkube/runtime-config.yaml").remove(0);
    assert_eq!((&secret["apiVersion"], &secret["kind"]), (&"v1".into(), &"Secret".into()));
    secret["stringData"]["runtime-config.toml"].as_str().unwrap().to_owned()
}

#[test]
fn the_spin_app_has_fields_that_the_operator_knows() {
    let app = yaml("spinkube/spinapp.yaml").remove(0);
    assert_eq!(app["apiVersion"], "core.spinkube.dev/v1alpha1");
    assert_eq!(app["kind"], "SpinApp");
    let spec = &app["spec"];
    assert_knows(spec, "a SpinApp", SPIN_APP);
    assert_knows(&spec["checks"], "checks", &["liveness", "readiness"]);
    for check in spec["checks"].as_object().unwrap().values() {
        assert_knows(check, "a check", CHECK);
        assert_knows(&check["httpGet"], "httpGet", &["path", "httpHeaders"]);
    }
    assert_knows(&spec["resources"], "resources", &["limits", "requests"]);
    let secret = yaml("spinkube/runtime-config.yaml").remove(0);
    assert_eq!(spec["runtimeConfig"]["loadFromSecret"], secret["metadata"]["name"]);

    // The shim knows HTTP triggers and no cron, so all components but those with a cron trigger
    // are deployed.
    let manifest = manifest();
    let cron: Vec<_> = manifest["trigger"]["cron"].as_array().unwrap().iter().collect();
    let cron: Vec<_> = cron.iter().map(|it| it["component"].as_str().unwrap()).collect();
    let mut wanted: Vec<_> = manifest["component"].as_table().unwrap().keys().collect();
    wanted.retain(|name| !cron.contains(&name.as_str()));
    let mut named = strings(&spec["components"]);
    named.sort_unstable();
    assert_eq!(named, wanted);
}

#[test]
fn the_secret_sets_variables_of_the_manifest() {
    let config: toml::Value = toml::from_str(&runtime_config()).unwrap();
    let provider = &config["variables_provider"][0];
    assert_eq!(provider["type"].as_str(), Some("static"));
    let manifest = manifest();
    for name in provider["values"].as_table().unwrap().keys() {
        assert!(manifest["variables"].get(name).is_some(), "{name}");
    }
}

#[test]
fn the_monitors_pods_and_service_fit_each_other() {
    let documents = yaml("spinkube/monitor.yaml");
    let [deployment, service] = &documents[..] else { panic!("{documents:?}") };
    assert_eq!(deployment["apiVersion"], "apps/v1");
    assert_eq!(deployment["kind"], "Deployment");
    assert_knows(&deployment["spec"], "the spec", &["replicas", "selector", "template"]);
    let template = &deployment["spec"]["template"];
    let labels = &template["metadata"]["labels"];
    assert_eq!(&deployment["spec"]["selector"]["matchLabels"], labels);
    let pod = &template["spec"];
    let fields = [
        "automountServiceAccountToken",
        "containers",
        "securityContext",
        "terminationGracePeriodSeconds",
        "volumes",
    ];
    assert_knows(pod, "the pod", &fields);
    let container = &pod["containers"][0];
    let fields = [
        "args",
        "command",
        "image",
        "livenessProbe",
        "name",
        "ports",
        "readinessProbe",
        "resources",
        "securityContext",
        "volumeMounts",
    ];
    assert_knows(container, "the container", &fields);
    let port = container["ports"][0]["name"].as_str().unwrap();
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], port, "{probe}");
    }
    assert_eq!(container["volumeMounts"][0]["name"], pod["volumes"][0]["name"]);
    let secret = yaml("spinkube/runtime-config.yaml").remove(0);
    assert_eq!(pod["volumes"][0]["secret"]["secretName"], secret["metadata"]["name"]);

    assert_eq!((&service["apiVersion"], &service["kind"]), (&"v1".into(), &"Service".into()));
    assert_knows(&service["spec"], "the Service", &["selector", "ports"]);
    assert_eq!(&service["spec"]["selector"], labels);
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port);
    let app = yaml("spinkube/spinapp.yaml").remove(0);
    let namespaces: Vec<&Value> = [deployment, service, &secret, &app]
        .into_iter()
        .map(|it| &it["metadata"]["namespace"])
        .collect();
    assert!(namespaces.iter().all(|it| *it == namespaces[0]), "{namespaces:?}");
}

#[test]
fn the_monitor_runs_with_its_arguments_and_the_secrets_configuration() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let config = runtime_config();
    let there = "redis://reef:CHANGE-ME@redis.reef.svc.cluster.local:6379/0";
    let allowed = "redis://redis.reef.svc.cluster.local:6379";
    assert!(config.contains(there) && config.contains(allowed), "{config}");
    let config = config.replace(there, &server.url()).replace(allowed, &server.url());
    let path = folder.path().join("runtime-config.toml");
    fs::write(&path, config).unwrap();

    let deployment = yaml("spinkube/monitor.yaml").remove(0);
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(strings(&container["command"]), ["reef"]);
    let mounted = container["volumeMounts"][0]["mountPath"].as_str().unwrap();
    let port = container["ports"][0]["containerPort"].as_u64().unwrap();
    let arguments = strings(&container["args"]).into_iter().map(|argument| {
        argument
            .replace(&format!("{mounted}/runtime-config.toml"), path.to_str().unwrap())
            .replace(&format!("0.0.0.0:{port}"), "127.0.0.1:0")
    });
    let monitor = Program::start(reef().args(arguments).current_dir(root()));
    let url = monitor
        .line(PATIENCE, |line| line.split_once("Serving ").map(|(_, url)| url.trim().to_owned()));
    let client = crate::harness::Client::new(&url);
    for probe in ["livenessProbe", "readinessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().unwrap();
        assert_eq!(client.get(&format!("/{path}")).status, 200, "{path}");
    }
    // The key of the Secret is the admin's.
    client.get("//metrics").problem(401, "unauthenticated");
    let metrics = client.with_key("CHANGE-ME").get("//metrics");
    assert_eq!(metrics.status, 200, "{metrics}");
    // It knows no component, which are the SpinApp's.
    let node = client.with_key("CHANGE-ME").post("/nodes/register", &registration("n"));
    node.problem(404, "not_found");
}
