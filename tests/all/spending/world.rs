//! The hub, as far as it is about money, and what programs do with it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use redis::Connection;
use reef_api::usage::{OnExceed, TaskCharge};
use reef_api::{AgentId, HoldId, KeyId, NodeId, TaskId, Token, Word as _};
use reef_domain::Money;
use reef_domain::access::Scopes;
use reef_domain::json::Json;
use reef_domain::task::{Submission, Wants};
use reef_domain::usage::{Bounds, Charge, Report};
use reef_store::account::Deposit;
use reef_store::hold;
use reef_store::ledger::Moved;
use reef_store::node::{Register, Registered, Writer};
use reef_store::settings::Settings;
use reef_store::task::{
    Begin, Cancel, Claim, Complete, Fail, GivenTask, Progress, Remove, Retry, Submit, Submitted,
    Written, reserve, settle_due, settle_end,
};
use reef_store::usage::roll_up;
use reef_store::{Store, agent};
use serde_json::json;

use crate::harness::node_with;
use crate::turns::{Turns, UnderWay, finish, poll, set_clock};

/// 2026-06-01, when no clock is set anywhere.
pub const BEGIN_MS: i64 = 1_780_272_000_000;
pub const OWNER: &str = "payer";
pub const WORKERS: [&str; 2] = ["w0", "w1"];
pub const MODELS: [&str; 3] = ["m0", "m1", "m2"];
pub const LEASE_MS: i64 = 10_000;

/// What a try has used of a model, as far as it was reported: the most of each number.
pub type Numbers = [i64; 6];

/// A task as it is known.
pub struct Known {
    pub id: TaskId,
    pub charge: TaskCharge,
    /// Who holds it: node and token.
    pub held: Option<(usize, Token)>,
    /// What is asked for its completion, once it has completed, and whose node has completed it.
    pub earned: Option<(i64, usize)>,
    /// By token and model.
    pub used: HashMap<(Token, usize), Numbers>,
    /// It is removed from the hub.
    pub is_gone: bool,
}

pub struct World<'a> {
    pub store: &'a Store<Turns>,
    pub settings: &'a Settings,
    pub redis: Connection,
    pub random: fastrand::Rng,
    pub now_ms: i64,
    pub tasks: Vec<Known>,
    /// Tasks whose submitters were told that there is no money for them.
    pub refused: Rc<RefCell<Vec<TaskId>>>,
    pub prices: [Option<[i64; 3]>; 3],
    pub deposited: i64,
    pub requests: Vec<UnderWay<'a, ()>>,
    pub monitor: Option<UnderWay<'a, ()>>,
    pub did: Vec<String>,
}

pub fn money(micros: i64) -> Money {
    Money::from_micros(micros).unwrap()
}

impl<'a> World<'a> {
    pub fn new(
        store: &'a Store<Turns>,
        settings: &'a Settings,
        redis: Connection,
        seed: u64,
    ) -> Self {
        let mut world = Self {
            store,
            settings,
            redis,
            random: fastrand::Rng::with_seed(seed),
            now_ms: BEGIN_MS,
            tasks: Vec::new(),
            refused: Rc::default(),
            prices: [None; 3],
            deposited: 0,
            requests: Vec::new(),
            monitor: None,
            did: Vec::new(),
        };
        set_clock(&mut world.redis, world.now_ms);
        for name in [OWNER, WORKERS[0], WORKERS[1]] {
            world.register_agent(name);
        }
        for name in WORKERS {
            world.register_node(name);
        }
        world.deposit(20_000_000);
        let call = reef_store::usage::budget::Put {
            owner: OWNER,
            scope: "owner",
            of_id: OWNER,
            cost: Some(1),
            tokens: None,
            period: "total",
            on_exceed: OnExceed::Flag.as_str(),
            note: "",
            by: "@admin",
        };
        finish(store.call(&call)).unwrap();
        world
    }

    fn register_agent(&self, name: &str) {
        let call = agent::Register {
            agent_id: Some(&AgentId::from(name)),
            generated_id: &AgentId::from(name),
            wallet_address: None,
            display_name: None,
            metadata: &Json::empty_object(),
            key_id: &KeyId::from(name),
            digest: name,
            scopes: Scopes::OF_FIRST_KEY,
            key_name: "first",
            maker: None,
            invite_id: None,
            invite_digest: None,
        };
        let registered = finish(self.store.call(&call)).unwrap();
        assert!(matches!(registered, agent::Registered::Ok { .. }), "{registered:?}");
    }

    fn register_node(&self, name: &str) {
        let registration = node_with(name, vec!["s".to_owned()]);
        let node_id = NodeId::from(name);
        let call = Register::new(&registration, &node_id, name, Writer::Owner(name));
        let registered = finish(self.store.call(&call)).unwrap();
        assert!(matches!(registered, Registered::Ok { .. }), "{registered:?}");
    }

    fn deposit(&mut self, micros: i64) {
        let call = Deposit { agent_id: &OWNER.into(), amount: money(micros), most: None };
        assert!(matches!(finish(self.store.call(&call)).unwrap(), Moved::Ok(_)));
        self.deposited += micros;
        self.did.push(format!("{micros} are deposited"));
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())]
    }

    /// Something that holds a task, if anything does.
    fn held(&mut self) -> Option<usize> {
        let held: Vec<usize> =
            (0..self.tasks.len()).filter(|n| self.tasks[*n].held.is_some()).collect();
        (!held.is_empty()).then(|| self.one_of(&held))
    }

    pub fn step(&mut self) {
        match self.random.u8(..34) {
            0..=3 => self.submit(),
            4..=7 => self.claim(),
            8..=12 => self.report(),
            13..=15 => self.complete(),
            16 => self.fail(),
            17 => self.cancel(),
            18..=22 => self.go_on(),
            23..=25 => self.monitor(),
            26 => self.kill(),
            27 => self.pass_time(),
            28 => self.deposit(1_000_000),
            29 => self.meddle(),
            30 => self.set_price(),
            31 => self.remove(),
            _ => self.add_up(),
        }
        self.check();
    }

    /// Money comes after a reservation was refused, before whoever asked for it goes on: the monitor finds a
    /// draft that could be paid for by now.
    pub fn refuse(&mut self) {
        self.submit_for(21_000_000);
        let mut request = self.requests.pop().unwrap();
        let refused = format!("reef:charge-refused:{}", self.tasks[0].charge.hold_id);
        while !redis::cmd("EXISTS").arg(&refused).query::<bool>(&mut self.redis).unwrap() {
            assert!(poll(request.as_mut()).is_none(), "nothing was refused");
        }
        self.deposit(1_000_000);
        self.now_ms += 20_000;
        set_clock(&mut self.redis, self.now_ms);
        finish(settle_due(self.store, self.settings)).unwrap();
        finish(request);
        assert_eq!(self.refused.borrow().len(), 1);
        self.check();
    }

    fn submit(&mut self) {
        let micros = self.random.i64(1..6_000_000);
        self.submit_for(micros);
    }

    /// A draft; what follows is a request that may be stopped.
    fn submit_for(&mut self, micros: i64) {
        let n = self.tasks.len();
        let charge = TaskCharge {
            max: money(micros),
            to: None,
            from: OWNER.into(),
            hold_id: HoldId::from(format!("hold_{n}")),
        };
        let id = TaskId::from(format!("t{n}"));
        let submission = Submission {
            name: "work".to_owned(),
            wants: Wants { required_skills: vec!["s".to_owned()], ..Wants::default() },
            max_retries: self.random.i64(0..3),
            budget: Some(Bounds { cost: Some(money(1)), tokens: None, on_exceed: OnExceed::Flag }),
            charge: Some(Charge::default()),
            ..Submission::default()
        };
        let nothing = Json::empty_object();
        let task = GivenTask {
            task_id: &id,
            submission: &submission,
            parameters: &nothing,
            metadata: &nothing,
            owner: OWNER,
            approval: None,
            follows_group: false,
            charge: Some(&charge),
        };
        let call = Submit { task, quotas: None };
        let submitted = finish(self.store.call(&call)).unwrap();
        assert!(matches!(submitted, Submitted::Draft { .. }), "{submitted:?}");
        self.did.push(format!("{id} for {}", charge.max));
        let (store, task_id, of) = (self.store, id.clone(), charge.clone());
        let refused = Rc::clone(&self.refused);
        self.requests.push(Box::pin(async move {
            if let Moved::Ok(_) = reserve(store, &task_id, &of, None).await.unwrap() {
                store.call(&Begin { task_id: &task_id }).await.unwrap();
            } else {
                refused.borrow_mut().push(task_id);
            }
        }));
        self.tasks.push(Known {
            id,
            charge,
            held: None,
            earned: None,
            used: HashMap::new(),
            is_gone: false,
        });
    }

    fn claim(&mut self) {
        let node = self.random.usize(..WORKERS.len());
        let call = Claim {
            node_id: &WORKERS[node].into(),
            writer: Writer::Owner(WORKERS[node]),
            limit: 1,
            spent_by: 0,
            lease_ms: LEASE_MS,
            task_id: None,
            random: "x",
        };
        let Written::Ok(claims) = finish(self.store.call(&call)).unwrap() else { panic!() };
        for claimed in claims.tasks {
            self.did.push(format!("{} has {}", WORKERS[node], claimed.task.task_id));
            let known = self.tasks.iter_mut().find(|it| it.id == claimed.task.task_id).unwrap();
            known.held = Some((node, claimed.token));
        }
    }

    /// What a report is, and what it comes to if it counts.
    fn usage(&mut self, n: usize, token: &Token) -> (String, Vec<(usize, Numbers)>) {
        let (mut reports, mut counts) = (Vec::new(), Vec::new());
        for (model, name) in MODELS.into_iter().enumerate() {
            if self.random.bool() {
                continue;
            }
            let most = self.one_of(&[10, 1000, 1_000_000_000]);
            let mut number = || self.random.i64(0..=most);
            let (input, output) = (number(), number());
            let (cached, reasoning, requests) =
                (number().min(input), number().min(output), number().min(100));
            let given = self.random.bool().then(|| self.random.i64(0..1_000_000_000));
            let report = Report(
                format!("/{name}"),
                name.to_owned(),
                input,
                output,
                cached,
                reasoning,
                requests,
                given.unwrap_or(-1),
            );
            reports.push(report);
            let known = &self.tasks[n].used;
            let mut used = known.get(&(token.clone(), model)).copied().unwrap_or_default();
            for (most, told) in used.iter_mut().zip([input, output, cached, reasoning, requests]) {
                *most = told.max(*most);
            }
            let cost = given.unwrap_or_else(|| cost_of(used, self.prices[model]));
            used[5] = used[5].max(cost);
            counts.push((model, used));
        }
        (json!(reports).to_string(), counts)
    }

    fn count(&mut self, n: usize, token: &Token, counts: Vec<(usize, Numbers)>) {
        for (model, used) in counts {
            self.tasks[n].used.insert((token.clone(), model), used);
        }
    }

    /// A report, and perhaps the same once more.
    fn report(&mut self) {
        let Some(n) = self.held() else { return };
        let (node, token) = self.tasks[n].held.clone().unwrap();
        let (usage, counts) = self.usage(n, &token);
        let id = self.tasks[n].id.clone();
        for _ in 0..self.random.usize(1..3) {
            let call = Progress {
                task_id: &id,
                writer: Writer::Owner(WORKERS[node]),
                token: &token,
                progress: None,
                lease_ms: None,
                usage: &usage,
                checkpoint: None,
            };
            let told = finish(self.store.call(&call)).unwrap();
            match told {
                Written::Ok(standing) if !standing.cancelled => {
                    self.count(n, &token, counts.clone());
                }
                _ => self.tasks[n].held = None,
            }
        }
        self.did.push(format!("{id} reports {usage}"));
    }

    /// The end of a task, to be paid for or released.
    fn settle_later(&mut self, task_id: &TaskId) {
        let (store, task_id) = (self.store, task_id.clone());
        self.requests.push(Box::pin(async move {
            settle_end(store, &task_id, 1000).await.unwrap();
        }));
    }

    fn complete(&mut self) {
        let Some(n) = self.held() else { return };
        let (node, token) = self.tasks[n].held.take().unwrap();
        let (usage, counts) = self.usage(n, &token);
        let (id, max) = (self.tasks[n].id.clone(), self.tasks[n].charge.max.micros());
        let amount = self.random.bool().then(|| self.random.i64(0..=max));
        let call = Complete {
            task_id: &id,
            writer: Writer::Owner(WORKERS[node]),
            token: &token,
            result: None,
            content: None,
            usage: &usage,
            amount,
        };
        if let Written::Ok(_) = finish(self.store.call(&call)).unwrap() {
            self.count(n, &token, counts);
            self.tasks[n].earned = Some((amount.unwrap_or(max), node));
            self.settle_later(&id);
        }
        self.did.push(format!("{id} completes for {amount:?}, {usage}"));
    }

    fn fail(&mut self) {
        let Some(n) = self.held() else { return };
        let (node, token) = self.tasks[n].held.take().unwrap();
        let (usage, counts) = self.usage(n, &token);
        let id = self.tasks[n].id.clone();
        let call = Fail {
            task_id: &id,
            writer: Writer::Owner(WORKERS[node]),
            token: &token,
            error: "x",
            retryable: true,
            retry_in_ms: Some(0),
            snooze: false,
            usage: &usage,
        };
        if let Written::Ok(ended) = finish(self.store.call(&call)).unwrap() {
            self.count(n, &token, counts);
            if ended.task.status.is_end() {
                self.settle_later(&id);
            }
        }
        self.did.push(format!("{id} fails, {usage}"));
    }

    fn cancel(&mut self) {
        if self.tasks.is_empty() {
            return;
        }
        let n = self.random.usize(..self.tasks.len());
        let id = self.tasks[n].id.clone();
        let call = Cancel { task_id: &id, writer: Writer::Owner(OWNER) };
        if let Written::Ok(_) = finish(self.store.call(&call)).unwrap() {
            self.settle_later(&id);
            self.did.push(format!("{id} is cancelled"));
        }
    }

    /// Some request goes on by one script.
    fn go_on(&mut self) {
        if self.requests.is_empty() {
            return;
        }
        let n = self.random.usize(..self.requests.len());
        if poll(self.requests[n].as_mut()).is_some() {
            drop(self.requests.swap_remove(n));
        }
        self.did.push("a request goes on".to_owned());
    }

    /// The monitor goes on by one script, or looks anew.
    fn monitor(&mut self) {
        let (store, settings) = (self.store, self.settings);
        let monitor = self.monitor.get_or_insert_with(|| {
            Box::pin(async move {
                settle_due(store, settings).await.unwrap();
                roll_up(store, 1).await.unwrap();
            })
        });
        if poll(monitor.as_mut()).is_some() {
            self.monitor = None;
        }
        self.did.push("the monitor goes on".to_owned());
    }

    /// What was used by now is added to the days.
    fn add_up(&mut self) {
        finish(roll_up(self.store, 1)).unwrap();
        self.did.push("what was used is added up".to_owned());
    }

    fn kill(&mut self) {
        if self.random.bool() || self.requests.is_empty() {
            self.monitor = None;
            self.did.push("the monitor is killed".to_owned());
        } else {
            let n = self.random.usize(..self.requests.len());
            drop(self.requests.swap_remove(n));
            self.did.push("a request is killed".to_owned());
        }
    }

    fn pass_time(&mut self) {
        let ms = self.one_of(&[1000, 5000, 16_000, 40_000, 86_400_000]);
        self.now_ms += ms;
        set_clock(&mut self.redis, self.now_ms);
        self.did.push(format!("{ms} ms pass"));
    }

    /// Whoever pays tries to get out of it.
    fn meddle(&mut self) {
        if self.tasks.is_empty() {
            return;
        }
        let n = self.random.usize(..self.tasks.len());
        let (id, hold_id) = (self.tasks[n].id.clone(), self.tasks[n].charge.hold_id.clone());
        let writer = Writer::Owner(OWNER);
        finish(self.store.call(&hold::Void { hold_id: &hold_id, writer, task_id: None })).unwrap();
        finish(self.store.call(&Retry { task_id: &id, writer })).unwrap();
        self.did.push(format!("somebody meddles with {id}"));
    }

    fn set_price(&mut self) {
        let model = self.random.usize(..MODELS.len());
        let most = self.one_of(&[3, 9_000_000_000]);
        let price = [(); 3].map(|()| self.random.i64(0..=most));
        self.prices[model] = Some(price);
        let [input, output, cached] = price;
        let call = reef_store::usage::price::Put {
            model: MODELS[model],
            price: &format!("{input}/{output}/{cached}"),
            by: "@admin",
        };
        finish(self.store.call(&call)).unwrap();
        self.did.push(format!("{} costs {price:?}", MODELS[model]));
    }

    fn remove(&mut self) {
        if self.tasks.is_empty() {
            return;
        }
        let n = self.random.usize(..self.tasks.len());
        let call = Remove { task_id: &self.tasks[n].id, writer: Writer::Owner(OWNER) };
        if let Written::Ok(_) = finish(self.store.call(&call)).unwrap() {
            self.tasks[n].is_gone = true;
            self.did.push(format!("{} is removed", self.tasks[n].id));
        }
    }
}

/// What tokens cost, by numbers that cannot overflow.
fn cost_of(used: Numbers, price: Option<[i64; 3]>) -> i64 {
    let Some([input, output, cached]) = price else { return 0 };
    let of = |tokens: i64, price: i64| i128::from(tokens) * i128::from(price);
    let all = of(used[0] - used[2], input) + of(used[1], output) + of(used[2], cached);
    i64::try_from((all + 999_999) / 1_000_000).unwrap()
}
