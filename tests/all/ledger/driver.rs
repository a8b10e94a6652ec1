//! One client of the ledger's scripts. Each request is sent in one transaction with the drawing of a
//! number, so that of requests from many clients it is known in which order they took effect.

use reef_api::{AgentId, HoldId, IntentId, MatchId, PositionId};
use std::sync::Mutex;

use reef_api::ledger::Side;
use reef_domain::Money;
use reef_store::account::{Deposit, Show, Transfer, Withdraw};
use reef_store::hold::{Ended, Place, Post, Void, settle_due};
use reef_store::intent::{Cancel, Cancelled, Match, Matched, Submit};
use reef_store::ledger::Moved;
use reef_store::node::Writer;
use reef_store::position::{Close, Closed, Mark, Marked};
use reef_store::script::Call;
use reef_store::variables::Given;
use reef_store::{Answered, Keys, Once, Quotas, Redis, RedisError, Reply, Store, StoreError};

use super::operation::{Operation, Outcome, Request};
use super::{ASSETS, STEP};
use crate::harness::{flatten, now};

/// A connection that numbers what is done over it.
pub struct Numbered {
    connection: Mutex<redis::Connection>,
    /// The number of the last request, and how long the journal was after it.
    last: Mutex<(i64, i64)>,
}

impl Redis for Numbered {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let mut pipe = redis::pipe();
        pipe.atomic().cmd(command).arg(args);
        pipe.cmd("INCR").arg("test:order").cmd("HGET").arg("reef:ledger").arg("entries");
        let answer = pipe.query(&mut *self.connection.lock().unwrap());
        let (reply, number, entries): (redis::Value, i64, Option<i64>) =
            answer.map_err(|error| RedisError::from_text(&error.to_string()))?;
        *self.last.lock().unwrap() = (number, entries.unwrap_or(0));
        let mut flat = Vec::new();
        flatten(reply, &mut flat);
        Ok(flat)
    }
}

/// What was done, in which place, and what came of it.
pub struct Record {
    pub request: Request,
    pub number: i64,
    /// How many entries the journal had afterwards.
    pub entries: i64,
    pub outcome: Outcome,
    pub replayed: bool,
}

pub struct Driver {
    store: Store<Numbered>,
    quotas: Quotas,
}

fn money(micros: i64) -> Money {
    Money::from_micros(micros).unwrap()
}

fn writer(owner: &str) -> Writer<'_> {
    if owner.is_empty() { Writer::Any } else { Writer::Owner(owner) }
}

impl Driver {
    pub fn new(connection: redis::Connection) -> Self {
        let numbered = Numbered { connection: Mutex::new(connection), last: Mutex::default() };
        Self {
            store: Store::new(numbered, Keys::default()),
            quotas: Quotas::read(&Given::new(|_| String::new())).unwrap(),
        }
    }

    pub fn perform(&self, request: Request) -> Record {
        let once = request.once.as_ref();
        let done = self.operate(&request.operation, once);
        let (number, entries) = *self.store.redis().last.lock().unwrap();
        let (outcome, replayed) = match done {
            Ok(answered) => (answered.value, answered.replayed),
            Err(StoreError::IdempotencyMismatch) => (Outcome::Mismatch, false),
            Err(error) => panic!("{request:?}: {error}"),
        };
        Record { request, number, entries, outcome, replayed }
    }

    fn call<C: Call>(
        &self,
        call: &C,
        once: Option<&Once>,
        outcome: impl Fn(C::Reply) -> Outcome,
    ) -> Result<Answered<Outcome>, StoreError> {
        let Answered { value, replayed } = now(self.store.call_once(call, once))?;
        Ok(Answered { value: outcome(value), replayed })
    }

    fn operate(
        &self,
        operation: &Operation,
        once: Option<&Once>,
    ) -> Result<Answered<Outcome>, StoreError> {
        match operation {
            Operation::Deposit { agent, amount } => {
                let call = Deposit {
                    agent_id: &AgentId::from(agent.as_str()),
                    amount: money(*amount),
                    most: None,
                };
                self.call(&call, once, |it| moved(it, |it| has(&it.balance)))
            }
            Operation::Withdraw { agent, amount } => {
                let call =
                    Withdraw { agent_id: &AgentId::from(agent.as_str()), amount: money(*amount) };
                self.call(&call, once, |it| moved(it, |it| has(&it.balance)))
            }
            Operation::Transfer { id, from, to, amount } => {
                let (amount, memo) = (money(*amount), "für „x“");
                let call = Transfer {
                    settlement_id: id,
                    from_agent: &AgentId::from(from.as_str()),
                    to_agent: &AgentId::from(to.as_str()),
                    amount,
                    memo,
                };
                self.call(&call, once, |it| moved(it, |_| Outcome::Done))
            }
            Operation::Balance { agent } => {
                let call = Show { agent_id: &AgentId::from(agent.as_str()) };
                self.call(&call, None, |it| it.map_or(Outcome::Refused("agent"), |it| has(&it)))
            }
            Operation::Pass { steps } => {
                let args = ["reef:ledger".to_owned(), "clock".into(), (steps * STEP).to_string()];
                let args = args.map(String::into_bytes).to_vec();
                now(self.store.redis().execute("HINCRBY", args))?;
                Ok(Answered { value: Outcome::Done, replayed: false })
            }
            Operation::Settle => {
                now(settle_due(&self.store, 1000))?;
                Ok(Answered { value: Outcome::Done, replayed: false })
            }
            Operation::Place { .. } | Operation::Post { .. } | Operation::Void { .. } => {
                self.deal_with_hold(operation, once)
            }
            _ => self.trade(operation, once),
        }
    }

    fn deal_with_hold(
        &self,
        operation: &Operation,
        once: Option<&Once>,
    ) -> Result<Answered<Outcome>, StoreError> {
        match operation {
            Operation::Place { id, agent, amount, steps } => {
                let expires_in_ms = steps.map(|steps| steps * STEP + STEP / 2);
                let amount = money(*amount);
                let most = Some(self.quotas.holds);
                let call = Place {
                    hold_id: &HoldId::from(id.as_str()),
                    agent_id: &AgentId::from(agent.as_str()),
                    amount,
                    expires_in_ms,
                    most,
                    task_id: None,
                };
                self.call(&call, once, |it| moved(it, |it| hold(&it)))
            }
            Operation::Post { id, owner, amount, to } => {
                let (writer, amount) = (writer(owner), amount.map(money));
                let call = Post {
                    hold_id: &HoldId::from(id.as_str()),
                    writer,
                    amount,
                    to_agent: &AgentId::from(to.as_str()),
                    task_id: None,
                };
                self.call(&call, once, ended)
            }
            Operation::Void { id, owner } => self.call(
                &Void { hold_id: &HoldId::from(id.as_str()), writer: writer(owner), task_id: None },
                once,
                ended,
            ),
            other => panic!("{other:?} is about no hold"),
        }
    }

    fn trade(
        &self,
        operation: &Operation,
        once: Option<&Once>,
    ) -> Result<Answered<Outcome>, StoreError> {
        match operation {
            Operation::Submit { id, agent, long, asset, size, leverage } => {
                let call = Submit {
                    intent_id: &IntentId::from(id.as_str()),
                    agent_id: &AgentId::from(agent.as_str()),
                    side: if *long { Side::Long } else { Side::Short },
                    asset: ASSETS[*asset],
                    size: money(*size),
                    leverage: *leverage,
                    max_slippage: money(5_000),
                    reason: "",
                    most: Some(self.quotas.intents),
                };
                self.call(&call, once, |it| moved(it, |it| show_intent(&it)))
            }
            Operation::Cancel { id, owner } => {
                let call =
                    Cancel { intent_id: &IntentId::from(id.as_str()), writer: writer(owner) };
                self.call(&call, once, |it| match it {
                    Cancelled::Ok(intent) => show_intent(&intent),
                    Cancelled::NotFound => Outcome::Refused("unknown"),
                    Cancelled::Forbidden => Outcome::Refused("foreign"),
                    Cancelled::State(status) => Outcome::Refused(word(&status)),
                })
            }
            Operation::Match { id, intents: [a, b], price, positions: [pa, pb] } => {
                let call = Match {
                    intent_a: &IntentId::from(a.as_str()),
                    intent_b: &IntentId::from(b.as_str()),
                    price: money(*price),
                    match_id: &MatchId::from(id.as_str()),
                    position_a: &PositionId::from(pa.as_str()),
                    position_b: &PositionId::from(pb.as_str()),
                };
                self.call(&call, once, matched)
            }
            Operation::Close { id, owner, price } => {
                let (writer, price) = (writer(owner), price.map(money));
                let call = Close { position_id: &PositionId::from(id.as_str()), writer, price };
                self.call(&call, once, |it| match it {
                    Closed::Ok(position) => Outcome::Closed(position.realized_pnl.micros()),
                    Closed::NotFound => Outcome::Refused("unknown"),
                    Closed::Forbidden => Outcome::Refused("foreign"),
                    Closed::State(status) => Outcome::Refused(word(&status)),
                    Closed::Price(_) => Outcome::Refused("mark"),
                })
            }
            Operation::Mark { id, price } => {
                let call =
                    Mark { position_id: &PositionId::from(id.as_str()), price: money(*price) };
                self.call(&call, once, |it| match it {
                    Marked::Ok { liquidated, position } => Outcome::Marked(
                        liquidated,
                        position.unrealized_pnl.micros(),
                        position.realized_pnl.micros(),
                    ),
                    Marked::NotFound => Outcome::Refused("unknown"),
                    Marked::State(status) => Outcome::Refused(word(&status)),
                })
            }
            other => panic!("{other:?} is no trade"),
        }
    }
}

fn moved<T>(outcome: Moved<T>, ok: impl Fn(T) -> Outcome) -> Outcome {
    match outcome {
        Moved::Ok(value) => ok(value),
        Moved::UnknownAgent(_) => Outcome::Refused("agent"),
        Moved::Insufficient { available, .. } => Outcome::Insufficient(available.micros()),
        Moved::Full => Outcome::Refused("full"),
        Moved::Exists => Outcome::Refused("exists"),
    }
}

fn has(balance: &reef_store::account::Balance) -> Outcome {
    Outcome::Has(balance.balance.micros(), balance.locked.micros())
}

fn hold(hold: &reef_store::hold::Hold) -> Outcome {
    Outcome::Hold(word(hold.status.as_str()), hold.posted.micros())
}

fn ended(outcome: Ended) -> Outcome {
    match outcome {
        Ended::Ok(it) => hold(&it),
        Ended::NotFound => Outcome::Refused("unknown"),
        Ended::UnknownAgent => Outcome::Refused("agent"),
        Ended::Forbidden => Outcome::Refused("foreign"),
        Ended::State(status) => Outcome::Refused(word(&status)),
        Ended::Itself => Outcome::Refused("self"),
        Ended::Over(_) => Outcome::Refused("over"),
        Ended::Task(_) => Outcome::Refused("task"),
    }
}

fn show_intent(intent: &reef_store::intent::Intent) -> Outcome {
    assert_eq!(intent.remaining.micros(), intent.size.micros() - intent.filled.micros());
    Outcome::Intent(word(intent.status.as_str()), intent.filled.micros(), intent.margin.micros())
}

fn matched(outcome: Matched) -> Outcome {
    match outcome {
        Matched::Ok(made) => {
            let margins = [0, 1].map(|at| made.positions[at].margin.micros());
            Outcome::Matched(made.size.micros(), margins)
        }
        Matched::NotFound(_) => Outcome::Refused("unknown"),
        Matched::State { status, .. } => Outcome::Refused(word(&status)),
        Matched::Agent => Outcome::Refused("same agent"),
        Matched::Asset => Outcome::Refused("other asset"),
        Matched::Side => Outcome::Refused("same side"),
        Matched::Exists => Outcome::Refused("exists"),
    }
}

/// A status, as the model knows it.
pub fn word(status: &str) -> &'static str {
    const WORDS: [&str; 9] = [
        "pending",
        "posted",
        "voided",
        "expired",
        "open",
        "matched",
        "cancelled",
        "closed",
        "liquidated",
    ];
    WORDS.into_iter().find(|word| *word == status).unwrap_or_else(|| panic!("status {status:?}"))
}
