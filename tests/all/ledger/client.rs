//! What one of many clients does: random things to what all of them have made so far.

use std::sync::Mutex;

use reef_domain::limits::MONEY_MAX;
use reef_store::Once;

use super::driver::{Driver, Record};
use super::operation::{Operation, Request};
use super::{AGENTS, ASSETS};

/// What any client may touch: ids of the latest things, and requests that may be sent again.
#[derive(Default)]
pub struct Shared {
    holds: Mutex<Vec<String>>,
    intents: Mutex<Vec<String>>,
    positions: Mutex<Vec<String>>,
    requests: Mutex<Vec<Request>>,
}

/// How many of each are remembered: few, so that clients meet.
const REMEMBERED: usize = 40;

fn remember<T>(random: &mut fastrand::Rng, list: &Mutex<Vec<T>>, thing: T) {
    let mut list = list.lock().unwrap();
    if list.len() < REMEMBERED {
        list.push(thing);
    } else {
        let at = random.usize(..REMEMBERED);
        list[at] = thing;
    }
}

pub struct Client<'a> {
    random: fastrand::Rng,
    driver: Driver,
    shared: &'a Shared,
    /// Sets its ids apart from all others.
    name: String,
    made: usize,
}

impl<'a> Client<'a> {
    pub fn new(seed: u64, name: String, driver: Driver, shared: &'a Shared) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), driver, shared, name, made: 0 }
    }

    pub fn go(&mut self, operations: usize) -> Vec<Record> {
        (0..operations).map(|_| self.step()).collect()
    }

    fn step(&mut self) -> Record {
        let again = match self.random.u8(0..100) {
            0..12 => self.known_request(),
            _ => None,
        };
        let request = again.unwrap_or_else(|| self.new_request());
        self.driver.perform(request)
    }

    /// A request that was sent before, or is being sent just now: the same again, under its key
    /// with another content, or without its key.
    fn known_request(&mut self) -> Option<Request> {
        let requests = self.shared.requests.lock().unwrap();
        let mut request = self.random.choice(requests.iter())?.clone();
        match self.random.u8(0..8) {
            0 => request.once.as_mut()?.fingerprint.push('x'),
            1 => request.once = None,
            _ => {}
        }
        Some(request)
    }

    fn new_request(&mut self) -> Request {
        let operation = self.operation();
        let is_write = !matches!(
            operation,
            Operation::Balance { .. } | Operation::Pass { .. } | Operation::Settle
        );
        let once = (is_write && self.random.u8(0..10) < 4).then(|| {
            let digest = self.id("once");
            Once { digest, fingerprint: "f".to_owned() }
        });
        let request = Request { operation, once };
        if request.once.is_some() {
            remember(&mut self.random, &self.shared.requests, request.clone());
        }
        request
    }

    fn id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}_{}_{}", self.name, self.made)
    }

    /// Now and then one that is not there.
    fn agent(&mut self) -> String {
        match self.random.usize(..AGENTS * 20) {
            0 => "nobody".to_owned(),
            n => format!("a{}", n % AGENTS),
        }
    }

    /// Who asks: mostly somebody who may.
    fn owner(&mut self) -> String {
        if self.random.u8(0..4) == 0 { self.agent() } else { String::new() }
    }

    /// Of any magnitude.
    fn amount(&mut self) -> i64 {
        let most = 10_i64.pow(self.random.u32(1..16)).min(MONEY_MAX);
        self.random.i64(1..=most)
    }

    fn price(&mut self) -> i64 {
        if self.random.bool() { self.random.i64(900_000..1_100_000) } else { self.amount() }
    }

    fn known(&mut self, list: &Mutex<Vec<String>>) -> String {
        let list = list.lock().unwrap();
        self.random.choice(list.iter()).cloned().unwrap_or_else(|| "none".to_owned())
    }

    fn operation(&mut self) -> Operation {
        match self.random.u8(0..100) {
            0..12 => Operation::Deposit { agent: self.agent(), amount: self.amount() },
            12..20 => Operation::Withdraw { agent: self.agent(), amount: self.amount() },
            20..38 => self.transfer(),
            38..48 => self.place(),
            48..54 => {
                let id = self.known(&self.shared.holds);
                let amount = self.random.bool().then(|| self.amount());
                Operation::Post { id, owner: self.owner(), amount, to: self.agent() }
            }
            54..57 => Operation::Void { id: self.known(&self.shared.holds), owner: self.owner() },
            57..70 => self.submit(),
            70..73 => {
                Operation::Cancel { id: self.known(&self.shared.intents), owner: self.owner() }
            }
            73..84 => self.make_match(),
            84..88 => {
                let id = self.known(&self.shared.positions);
                let price = self.random.bool().then(|| self.price());
                Operation::Close { id, owner: self.owner(), price }
            }
            88..94 => {
                Operation::Mark { id: self.known(&self.shared.positions), price: self.price() }
            }
            94..98 => Operation::Balance { agent: self.agent() },
            98 => Operation::Pass { steps: self.random.i64(1..3) },
            _ => Operation::Settle,
        }
    }

    fn transfer(&mut self) -> Operation {
        let from = self.agent();
        let mut to = self.agent();
        while to == from {
            to = self.agent();
        }
        Operation::Transfer { id: self.id("set"), from, to, amount: self.amount() }
    }

    fn place(&mut self) -> Operation {
        let id = self.id("hold");
        remember(&mut self.random, &self.shared.holds, id.clone());
        let steps = self.random.bool().then(|| self.random.i64(0..4));
        Operation::Place { id, agent: self.agent(), amount: self.amount(), steps }
    }

    fn submit(&mut self) -> Operation {
        let id = self.id("int");
        remember(&mut self.random, &self.shared.intents, id.clone());
        let asset = usize::from(self.random.u8(0..8) == 0);
        assert!(asset < ASSETS.len());
        let (long, leverage) = (self.random.bool(), self.random.i64(1..=20));
        Operation::Submit { id, agent: self.agent(), long, asset, size: self.amount(), leverage }
    }

    fn make_match(&mut self) -> Operation {
        let intents = [self.known(&self.shared.intents), self.known(&self.shared.intents)];
        let positions = [self.id("pos"), self.id("pos")];
        for position in &positions {
            remember(&mut self.random, &self.shared.positions, position.clone());
        }
        Operation::Match { id: self.id("match"), intents, price: self.price(), positions }
    }
}
