//! Headless Chromium, driven over its DevTools protocol.
//!
//! The protocol is JSON over a WebSocket, and the tests say some fifteen words of it; the crates
//! that speak all of it take longer to compile than the hub.

use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use super::process::Program;
use super::{PATIENCE, eventually, root};

/// Names that Chromium has on the PATH.
const PROGRAMS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "chrome"];
/// When set, screenshots are written to `target/screenshots`.
const SCREENSHOTS: &str = "REEF_TEST_SCREENSHOTS";

/// A browser with a profile of its own. Dropping it ends it.
pub struct Browser {
    program: Program,
    /// `127.0.0.1:<port>`
    address: String,
    control: DevTools,
    /// Removed last.
    _profile: tempfile::TempDir,
}

impl Browser {
    pub fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let program = Program::start(
            Command::new(binary())
                // The sandbox needs rights that root in a container lacks; the pages are our own.
                .args(["--headless=new", "--no-sandbox", "--disable-gpu"])
                .args(["--disable-dev-shm-usage", "--no-first-run", "--disable-extensions"])
                .args(["--disable-background-networking", "--disable-component-update"])
                .args(["--remote-debugging-port=0", "--no-proxy-server", "--log-level=3"])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .arg("about:blank"),
        );
        let (port, path) = endpoint(profile.path());
        let address = format!("127.0.0.1:{port}");
        let control = DevTools::connect(&address, &path);
        Self { program, address, control, _profile: profile }
    }

    /// Opens a tab, which records what it asks for and complains of.
    pub fn open(&mut self, url: &str) -> Page {
        let target = self.control.call("Target.createTarget", json!({"url": "about:blank"}));
        let id = target["targetId"].as_str().unwrap();
        let mut page =
            Page { tools: DevTools::connect(&self.address, &format!("/devtools/page/{id}")) };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.tools.call(&format!("{domain}.enable"), json!({}));
        }
        // They take room from the page in some pictures and not in others.
        page.tools.call("Emulation.setScrollbarsHidden", json!({"hidden": true}));
        page.resize(1280, 900);
        page.go(url);
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to, it ends its helpers first, which would write to the profile that is removed.
        if !std::thread::panicking() {
            self.control.call("Browser.close", json!({}));
            self.program.wait(PATIENCE);
        }
    }
}

/// Where the browser listens: it writes that into its profile.
fn endpoint(profile: &Path) -> (u16, String) {
    eventually("a browser", PATIENCE, || {
        let text = std::fs::read_to_string(profile.join("DevToolsActivePort")).ok()?;
        let (port, path) = text.split_once('\n')?;
        let path = path.trim();
        (!path.is_empty()).then(|| (port.parse().unwrap(), path.to_owned()))
    })
}

fn binary() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |name: &&&str| std::env::split_paths(&path).any(|it| it.join(name).is_file());
    PROGRAMS.iter().find(is_here).expect("no Chromium: run `cargo xtask test`, which installs it")
}

/// A tab.
pub struct Page {
    tools: DevTools,
}

impl Page {
    /// Goes to an address and waits until that is loaded.
    #[track_caller]
    pub fn go(&mut self, url: &str) {
        let answer = self.tools.call("Page.navigate", json!({"url": url}));
        assert_eq!(answer["errorText"], Value::Null, "{url}");
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// What an expression comes to; a promise is waited for.
    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        self.try_eval(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// Waits until an expression is true. It may not make sense before that, nor while the page
    /// is loaded.
    #[track_caller]
    pub fn wait_for(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.try_eval(expression);
            if value == Ok(Value::Bool(true)) {
                return;
            }
            if Instant::now() > deadline {
                let text = self.try_eval("document.body.innerText");
                panic!(
                    "not within {PATIENCE:?}: {expression} is {value:?}; the page says {text:?}"
                );
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What an expression comes to, or how it fails.
    fn try_eval(&mut self, expression: &str) -> Result<Value, String> {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.tools.try_call("Runtime.evaluate", params)?;
        match &answer["exceptionDetails"] {
            Value::Null => Ok(answer["result"]["value"].take()),
            thrown => Err(thrown.to_string()),
        }
    }

    /// The text of the element with this id, as it is in the document.
    #[track_caller]
    pub fn text(&mut self, id: &str) -> String {
        self.eval(&format!("document.getElementById('{id}').textContent")).as_str().unwrap().into()
    }

    /// Types into whatever has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.tools.call("Input.insertText", json!({"text": text}));
    }

    /// Presses a key: a letter or a sign, `Tab`, `Enter`, `Escape` or `Space`.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "Space" => (32, " "),
            sign if sign.chars().count() == 1 => {
                (u32::from(sign.to_uppercase().chars().next().unwrap()), sign)
            }
            other => panic!("no key {other}"),
        };
        let name = if key == "Space" { " " } else { key };
        let event = |kind: &str| {
            json!({"type": kind, "key": name, "code": key, "text": text,
                   "windowsVirtualKeyCode": code})
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        self.tools.call("Input.dispatchKeyEvent", event(down));
        self.tools.call("Input.dispatchKeyEvent", event("keyUp"));
    }

    /// Clicks with the mouse, as often as is said, in the middle of the first element that an
    /// expression finds, once it is there and stands still.
    ///
    /// A view may be drawn anew between the look and the click. A first click that would arrive
    /// anywhere else is kept from the page and made again.
    #[track_caller]
    pub fn click_times(&mut self, element: &str, times: u32) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(why) = self.try_click(element, times) {
            assert!(Instant::now() < deadline, "no click arrives at {element}: {why}");
        }
    }

    /// Looks for an element and clicks there; why not, if the click has not arrived.
    fn try_click(&mut self, element: &str, times: u32) -> Result<(), String> {
        // What comes into a dialog moves its buttons.
        let aimed = self.try_eval(&format!(
            "new Promise((done) => {{
                const find = () => {element};
                const aim = () => {{
                    globalThis.aim?.abort();
                    globalThis.aim = new AbortController();
                    globalThis.hasMissed = true;
                    let it, isLost = false;
                    const check = (event) => {{
                        if (!globalThis.hasMissed || !event.isTrusted) return;
                        if (event.type === 'pointerdown') it = find();
                        isLost ||= !event.composedPath().includes(it);
                        if (!isLost) {{
                            if (event.type === 'click') globalThis.hasMissed = false;
                        }} else {{
                            event.preventDefault();
                            event.stopImmediatePropagation();
                        }}
                    }};
                    const how = {{capture: true, signal: globalThis.aim.signal}};
                    for (const type of ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click'])
                        addEventListener(type, check, how);
                }};
                let last, frames = 0;
                const look = () => {{
                    const it = find();
                    if (!last) it?.scrollIntoView({{block: 'center'}});
                    const at = it?.getBoundingClientRect();
                    const place = at && [at.left + at.width / 2, at.top + at.height / 2];
                    if (place && String(place) === String(last)) {{ aim(); return done(place); }}
                    if (++frames > 60) return done(null);
                    last = place;
                    requestAnimationFrame(look);
                }};
                look();
            }})"
        ));
        let place = match aimed {
            Ok(place @ Value::Array(_)) => place,
            found => return Err(format!("its place is {found:?}")),
        };
        let press = |kind: &str, count: u32| {
            json!({"type": kind, "x": place[0], "y": place[1], "button": "left",
                   "clickCount": count})
        };
        for count in 1..=times {
            self.tools.call("Input.dispatchMouseEvent", press("mousePressed", count));
            self.tools.call("Input.dispatchMouseEvent", press("mouseReleased", count));
        }
        // A page that the click has led to knows of no aim.
        let missed = self.try_eval("globalThis.aim?.abort(), globalThis.hasMissed === true");
        if missed == Ok(Value::Bool(true)) { Err("something else is there".into()) } else { Ok(()) }
    }

    /// Clicks once.
    #[track_caller]
    pub fn click(&mut self, element: &str) {
        self.click_times(element, 1);
    }

    /// Sets which language the person prefers, for pages that are opened from then on.
    pub fn speak(&mut self, language: &str) {
        let agent = self.eval("navigator.userAgent");
        let override_ = json!({"userAgent": agent, "acceptLanguage": language});
        self.tools.call("Emulation.setUserAgentOverride", override_);
    }

    /// Tells the page that nobody looks at it, or that somebody does again.
    pub fn hide(&mut self, is_hidden: bool) {
        self.eval(&format!(
            "Object.defineProperty(document, 'hidden', {{value: {is_hidden}, configurable: true}});
             document.dispatchEvent(new Event('visibilitychange')); 0"
        ));
    }

    /// The requests so far as `(method, path, body)`.
    pub fn sent(&mut self) -> Vec<(String, String, String)> {
        self.eval("0");
        let events = self.tools.events.iter();
        let events = events.filter(|event| event["method"] == "Network.requestWillBeSent");
        let sent = |event: &Value| {
            let request = &event["params"]["request"];
            let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
            (text("method"), text("url"), text("postData"))
        };
        events.map(sent).collect()
    }

    /// How long the page has worked so far, in seconds of the processor: however busy the machine is.
    pub fn worked(&mut self) -> f64 {
        self.metric("TaskDuration")
    }

    /// What the page's scripts hold in memory, in bytes, after what they do not use any more is let go.
    pub fn holds(&mut self) -> f64 {
        self.tools.call("HeapProfiler.collectGarbage", json!({}));
        self.metric("JSHeapUsedSize")
    }

    fn metric(&mut self, name: &str) -> f64 {
        self.tools.call("Performance.enable", json!({"timeDomain": "threadTicks"}));
        let metrics = self.tools.call("Performance.getMetrics", json!({}));
        let mut metrics = metrics["metrics"].as_array().unwrap().iter();
        metrics.find(|it| it["name"] == name).unwrap()["value"].as_f64().unwrap()
    }

    /// From now on answers to what fits this pattern (`*` stands for anything) are held back, once the
    /// hub has given them.
    pub fn hold_answers(&mut self, pattern: &str) {
        let patterns = json!([{"urlPattern": pattern, "requestStage": "Response"}]);
        self.tools.call("Fetch.enable", json!({"patterns": patterns}));
    }

    /// Waits for an answer to a write that is held back and loses it, as a connection that breaks does;
    /// after that none is held back. Answers to reads go on meanwhile.
    #[track_caller]
    pub fn lose_answer(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        let id = loop {
            self.eval("0");
            let is_held = |event: &mut Value| event["method"] == "Fetch.requestPaused";
            let held: Vec<_> = self.tools.events.extract_if(.., is_held).collect();
            let id = |event: &Value| event["params"]["requestId"].clone();
            let (reads, writes): (Vec<_>, Vec<_>) =
                held.iter().partition(|event| event["params"]["request"]["method"] == "GET");
            for read in reads {
                // The page may have given it up by now.
                let _ =
                    self.tools.try_call("Fetch.continueRequest", json!({"requestId": id(read)}));
            }
            if let Some(write) = writes.first() {
                break id(write);
            }
            assert!(Instant::now() < deadline, "nothing was asked");
            std::thread::sleep(Duration::from_millis(10));
        };
        let lost = json!({"requestId": id, "errorReason": "ConnectionReset"});
        self.tools.call("Fetch.failRequest", lost);
        self.tools.call("Fetch.disable", json!({}));
        self.tools.events.retain(|event| event["method"] != "Fetch.requestPaused");
    }

    /// Sets the size of the window, in CSS pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.tools.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets what the person prefers: `light` or `dark`.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.tools.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// What a screen reader is told of: `(role, name)` of each thing that can be used.
    pub fn controls(&mut self) -> Vec<(String, String)> {
        const USED: &[&str] = &["button", "textbox", "combobox", "link", "table", "list", "region"];
        let tree = self.tools.call("Accessibility.getFullAXTree", json!({}));
        let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        let nodes = tree["nodes"].as_array().unwrap().iter();
        let nodes = nodes.filter(|node| node["ignored"] == false);
        let nodes = nodes.map(|node| (text(&node["role"]), text(&node["name"])));
        nodes.filter(|(role, _)| USED.contains(&role.as_str())).collect()
    }

    /// What the page has logged as a warning or worse so far, with what the browser itself has.
    pub fn complaints(&mut self) -> Vec<String> {
        self.eval("0");
        let events = self.tools.events.iter();
        let complaint = |event: &Value| {
            let params = &event["params"];
            let text = match event["method"].as_str()? {
                "Runtime.exceptionThrown" => params["exceptionDetails"].to_string(),
                "Runtime.consoleAPICalled" => params.to_string(),
                "Log.entryAdded" if params["entry"]["level"] != "verbose" => {
                    let entry = &params["entry"];
                    format!("{} {}", entry["text"].as_str()?, entry["url"].as_str().unwrap_or(""))
                }
                _ => return None,
            };
            Some(text)
        };
        events.filter_map(complaint).collect()
    }

    /// The addresses that the page has asked for so far.
    pub fn requests(&mut self) -> Vec<String> {
        self.eval("0");
        let events = self.tools.events.iter();
        let events = events.filter(|event| event["method"] == "Network.requestWillBeSent");
        let url = |event: &Value| event["params"]["request"]["url"].as_str().unwrap().to_owned();
        events.map(url).collect()
    }

    /// Writes what the page looks like to `target/screenshots`, if the environment asks for it.
    pub fn screenshot(&mut self, name: &str) {
        if std::env::var_os(SCREENSHOTS).is_none() {
            return;
        }
        let shot =
            self.tools.call("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
        let folder = root().join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let image = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), image).unwrap();
    }
}

/// A connection to the browser or one of its tabs.
struct DevTools {
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
    calls: u64,
    /// What it has told by itself.
    events: Vec<Value>,
}

impl DevTools {
    fn connect(address: &str, path: &str) -> Self {
        let (socket, _) = tungstenite::connect(format!("ws://{address}{path}")).unwrap();
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        Self { socket, calls: 0, events: Vec::new() }
    }

    /// Calls a method and returns its result; what comes in between is kept.
    #[track_caller]
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    #[track_caller]
    fn try_call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.calls += 1;
        let call = json!({"id": self.calls, "method": method, "params": params});
        self.socket.send(Message::text(call.to_string())).unwrap();
        loop {
            let message = self.socket.read().unwrap_or_else(|error| panic!("{method}: {error}"));
            let Message::Text(text) = message else { continue };
            let mut message: Value = serde_json::from_str(&text).unwrap();
            if message["id"] == self.calls {
                return match &message["error"] {
                    Value::Null => Ok(message["result"].take()),
                    error => Err(error.to_string()),
                };
            }
            self.events.push(message);
        }
    }
}
