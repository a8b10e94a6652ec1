//! What makes a component of a route table: the adapters to Spin and to the Reef host.
//!
//! A component answers through two exports. Spin calls `wasi:http/handler` ([`spin`]); the host
//! calls `reef:hub/handler` ([`direct`]), which costs a fraction. Both end in [`App::answer`].

pub mod direct;
pub mod spin;

use reef_store::{Redis, RedisError, Reply, Store};

use crate::config::Config;
use crate::route::{App, Route};

/// Redis, as whoever runs the component offers it.
pub enum Platform {
    /// By Spin's interface.
    Spin(spin::SpinRedis),
    /// By returning to the host.
    Host(direct::HostRedis),
}

impl Redis for Platform {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        match self {
            Self::Spin(redis) => redis.execute(command, args).await,
            Self::Host(redis) => redis.execute(command, args).await,
        }
    }
}

/// A component's route table.
pub type Routes = fn() -> Vec<Route<Platform>>;

/// Makes the app of what the variables say; an unknown one has its default.
fn load(
    routes: Routes,
    variable: impl Fn(&str) -> String,
    redis: fn(String) -> Platform,
) -> Result<App<Platform>, Box<dyn std::error::Error>> {
    let config = Config::read(variable)?;
    let store = Store::new(redis(config.settings.redis_url.clone()), config.settings.keys.clone());
    Ok(App::new(store, config, routes())?)
}

/// Makes a component of a function that returns its route table: both exports.
#[macro_export]
macro_rules! component {
    ($routes:path) => {
        #[cfg(target_family = "wasm")]
        #[allow(
            unsafe_code,
            missing_docs,
            unreachable_pub,
            clippy::all,
            reason = "made by wit-bindgen"
        )]
        mod entry {
            use $crate::component::{direct, spin};

            mod bindings {
                ::spin_sdk::wit_bindgen::generate!({
                    path: "../../wit",
                    world: "direct",
                    runtime_path: "::spin_sdk::wit_bindgen::rt",
                });
                pub struct Component;
                export!(Component);
            }
            use bindings::exports::reef::hub::handler::{
                ByteStrings, Command, Failure, Guest, Response, Step,
            };

            impl Guest for bindings::Component {
                fn start(variables: Vec<(String, String)>) {
                    direct::start($routes, variables);
                }

                fn handle(head: ByteStrings, body: Vec<u8>) -> Step {
                    step(direct::handle(head, body))
                }

                fn resume(replies: Vec<Result<ByteStrings, Failure>>) -> Step {
                    let known = |failure| match failure {
                        Failure::NotAllowed => direct::Failure::NotAllowed,
                        Failure::Other(text) => direct::Failure::Other(text),
                    };
                    step(direct::resume(replies.into_iter().map(|reply| reply.map_err(known))))
                }
            }

            fn step(step: direct::Step) -> Step {
                match step {
                    direct::Step::Answer($crate::Response { status, headers, body }) => {
                        let headers = headers.into_packed().into_bytes();
                        Step::Answer(Response { status, headers, body })
                    }
                    direct::Step::Ask(commands) => {
                        let packed = |direct::Command { address, words }| Command {
                            address,
                            words: words.into_bytes(),
                        };
                        Step::Ask(commands.into_iter().map(packed).collect())
                    }
                }
            }

            #[::spin_sdk::http_service]
            async fn serve(
                request: ::spin_sdk::http::Request,
            ) -> impl ::spin_sdk::http::IntoResponse {
                spin::answer($routes, request).await
            }
        }
    };
}
