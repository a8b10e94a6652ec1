//! Transfers of money: through wasm, natively, and as a bare script.

use anyhow::{Context, Result, bail};
use futures_util::stream::{self, TryStreamExt};
use reef_api::{AgentId, KeyId};
use reef_domain::Money;
use reef_domain::access::Scopes;
use reef_domain::json::Json;
use reef_redis::Connection;
use reef_store::Store;
use reef_store::account::Deposit;
use reef_store::agent::{Register, Registered};
use reef_store::ledger::Moved;
use serde::Serialize;

use super::row::{Row, Sides};
use crate::call::Call;
use crate::options::Options;
use crate::redis::Redis;
use crate::servers::hub::{Hub, Liveness};
use crate::servers::native;
use crate::template::{NUMBER, Numbers, digits};

/// Pairs of an agent that pays and one that is paid.
const PAIRS: u64 = 5_000;
/// What each payer has at first, in units: enough for any measurement.
const FUNDS: i64 = 100_000;
/// How many scripts are under way at once while agents are made.
const IN_FLIGHT: usize = 128;

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Ledger {
    /// Redis' version.
    pub(crate) redis: String,
    /// How many agents there are.
    pub(crate) agents: u64,
    /// One for each number of connections and way.
    pub(crate) rows: Vec<Row>,
}

fn payer(number: &str) -> String {
    format!("payer-{number}")
}

fn payee(number: &str) -> String {
    format!("payee-{number}")
}

/// A transfer within any of the pairs.
fn transfer() -> Call {
    let body = format!(
        r#"{{"from_agent":"{}","to_agent":"{}","amount":"0.01","memo":"bench"}}"#,
        payer(NUMBER),
        payee(NUMBER),
    );
    let target = "/api/v1/transfer".to_owned();
    Call { method: "POST", target, body, numbers: Numbers { below: PAIRS } }
}

/// Measures.
pub(crate) async fn run(options: &Options) -> Result<Ledger> {
    let agents = 2 * PAIRS;
    eprintln!("ledger: starting a hub with {agents} agents, and the native server");
    let hub = Hub::start(options, Liveness::Usual).await?;
    make_agents(&hub.redis).await?;
    let native = native::start(&hub).await?;
    let mut rows = Vec::new();
    for connections in options.connections() {
        let sides = Sides {
            options,
            hub: &hub,
            native: &native,
            operation: "transfer",
            call: transfer(),
            connections,
            makes_nodes: false,
            pipelined: false,
            // Each agent pays for itself; the admin for all.
            key: hub.admin_key(),
        };
        rows.extend(sides.measure().await?);
    }
    Ok(Ledger { redis: hub.redis.version.clone(), agents, rows })
}

/// Makes the agents and gives the payers money, each by the script that a request would run.
async fn make_agents(redis: &Redis) -> Result<()> {
    let store = &redis.store();
    let funds = Money::from_micros(FUNDS * 1_000_000).context("too much money")?;
    stream::iter((0..PAIRS).map(|number| Ok(digits(number))))
        .try_for_each_concurrent(IN_FLIGHT, |number| async move {
            for agent_id in [payer(&number), payee(&number)] {
                register(store, &agent_id).await?;
            }
            let agent_id = payer(&number);
            match store
                .call(&Deposit {
                    agent_id: &AgentId::from(agent_id.as_str()),
                    amount: funds,
                    most: None,
                })
                .await?
            {
                Moved::Ok(_) => Ok(()),
                other => bail!("{agent_id} got no money: {other:?}"),
            }
        })
        .await
        .context("cannot make the agents")
}

async fn register(store: &Store<Connection>, agent_id: &str) -> Result<()> {
    let call = Register {
        agent_id: Some(&AgentId::from(agent_id)),
        generated_id: &AgentId::from(agent_id),
        wallet_address: None,
        display_name: None,
        metadata: &Json::empty_object(),
        key_id: &KeyId::from(agent_id),
        digest: agent_id,
        scopes: Scopes::OF_FIRST_KEY,
        key_name: "first",
        maker: None,
        invite_id: None,
        invite_digest: None,
    };
    match store.call(&call).await? {
        Registered::Ok { .. } => Ok(()),
        other => bail!("{agent_id} was not registered: {other:?}"),
    }
}
