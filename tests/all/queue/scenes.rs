//! What random steps seldom come to: short scenes, compared with the model like everything else.

use super::flow::{Kind, Wait};
use super::group::{Member, Tasks};
use super::model::{ANSWERED, LEASES, STEP, TIMEOUTS, Wants};
use super::{Driver, Model, NODES, Run};

/// What it is about, and what is done.
type Scene = (&'static str, fn(&mut Run));

pub const SCENES: &[Scene] = &[
    ("a signal comes before its wait", |run| {
        run.submit_one("a", &[], None);
        let token = run.hold("a");
        for _ in 0..2 {
            run.both(|queue| queue.signal("a", "s"), |model| model.signal("a", "s").to_owned());
        }
        run.wait_for("a", &token, "w1", Kind::Signal("s".to_owned()));
        run.wait_for("a", &token, "w2", Kind::Signal("s".to_owned()));
        run.wait_for("a", &token, "w3", Kind::Signal("s".to_owned()));
    }),
    ("what was decided is answered again", |run| {
        run.submit_one("a", &[], Some("w"));
        for by in ["one", "other"] {
            run.both(|queue| queue.answer("w", by, "approve"), |model| model.answer("w"));
        }
    }),
    ("what has ended ends again, and one follows it and something else", |run| {
        run.submit_one("a", &[], None);
        run.submit_one("b", &[], None);
        run.submit_one("c", &[("a", "ended"), ("b", "ended")], None);
        run.fail("a");
        run.both(|queue| queue.retry("a"), |model| model.retry("a").to_owned());
        run.fail("a");
        run.complete("b");
    }),
    ("a group that has ended goes on before anybody has heard", |run| {
        run.batch_of(&["a"], "g", None);
        run.submit_one("b", &[("group:g", "ended")], None);
        run.fail("a");
        run.cut(true);
        run.both(|queue| queue.change_group("g", false), |model| model.change_group("g", false));
        run.both(|queue| queue.change_group("g", true), |model| model.change_group("g", true));
        run.cut(false);
        run.complete("a");
    }),
    ("a group that takes further tasks goes with its last", |run| {
        run.batch_of(&["a"], "g", None);
        run.submit_one("b", &[("group:g", "ended")], None);
        run.complete("a");
        run.both(|queue| queue.remove_task("a"), |model| model.remove_task("a").to_owned());
        run.both(|queue| queue.settle(), Model::settle);
    }),
    ("a parent is removed before its group has heard", |run| {
        run.submit_one("p", &[], None);
        let token = run.hold("p");
        run.batch_of(&["a"], "g", Some(("p", &token)));
        run.complete("a");
        run.submit_one("b", &[("group:g", "ended")], None);
        run.cut(true);
        run.complete_under("p", &token);
        run.both(|queue| queue.remove_task("p"), |model| model.remove_task("p").to_owned());
        run.both(|queue| queue.settle(), Model::settle);
        run.both(|queue| queue.remove_task("p"), |model| model.remove_task("p").to_owned());
    }),
    ("a first failure comes when its watcher waits for something else", |run| {
        run.batch_of(&["a", "b"], "g", None);
        run.submit_one("c", &[], None);
        run.submit_one("p", &[], None);
        let token = run.hold("p");
        let all = ["group:g", "c"].map(|what| (what.to_owned(), None));
        run.wait_for("p", &token, "w1", Kind::Tasks("any", all.into()));
        run.complete("c");
        let token = run.hold("p");
        run.wait_for("p", &token, "w2", Kind::Signal("s".to_owned()));
        run.fail("a");
    }),
    ("somebody waits for a first failure", |run| {
        run.batch_of(&["a", "b"], "g", None);
        run.submit_one("p", &[], None);
        let token = run.hold("p");
        let group = [("group:g".to_owned(), None)];
        run.wait_for("p", &token, "w", Kind::Tasks("completed", group.into()));
        run.fail("a");
        run.fail("b");
    }),
    ("a doomed task is cancelled, and tried again once it is not", |run| {
        run.submit_one("a", &[], None);
        run.fail("a");
        run.cut(true);
        run.submit_one("b", &[("a", "completed")], None);
        run.both(|queue| queue.cancel("b"), |model| model.cancel("b").to_owned());
        run.both(|queue| queue.retry("a"), |model| model.retry("a").to_owned());
        run.both(|queue| queue.retry("b"), |model| model.retry("b").to_owned());
        run.both(|queue| queue.settle(), Model::settle);
    }),
    ("a task is tried again, and its group's end is told that is no more", |run| {
        run.batch_of(&["a"], "g", None);
        run.submit_one("c", &[], None);
        run.submit_one("b", &[("group:g", "ended"), ("c", "ended")], None);
        run.complete("a");
        run.both(|queue| queue.cancel("b"), |model| model.cancel("b").to_owned());
        run.cut(true);
        run.both(|queue| queue.remove_task("a"), |model| model.remove_task("a").to_owned());
        run.both(|queue| queue.retry("b"), |model| model.retry("b").to_owned());
        run.cut(false);
        run.both(|queue| queue.settle(), Model::settle);
        run.complete("c");
        run.complete("b");
    }),
    ("one that was to be approved is cancelled and tried again", |run| {
        run.submit_one("a", &[], Some("w"));
        run.both(|queue| queue.cancel("a"), |model| model.cancel("a").to_owned());
        run.both(|queue| queue.retry("a"), |model| model.retry("a").to_owned());
    }),
    ("a group is sealed after its last task has ended", |run| {
        run.batch_of(&["a"], "g", None);
        run.complete("a");
        run.both(|queue| queue.change_group("g", false), |model| model.change_group("g", false));
    }),
    ("one runs under a limit, and the next once it has ended", |run| {
        run.put("one", false);
        run.submit_under("a", "one");
        run.submit_under("b", "one");
        let first = run.claim_any();
        assert_eq!(run.claim_any(), None);
        let (id, token) = first.unwrap();
        run.complete_under(&id, &token);
        run.claim_any().unwrap();
    }),
    ("a limit that is paused is resumed, and one is removed", |run| {
        run.put("two", true);
        run.submit_under("a", "two");
        assert_eq!(run.claim_any(), None);
        run.put("two", false);
        run.claim_any().unwrap();
        run.put("two", true);
        run.submit_under("b", "two");
        assert_eq!(run.claim_any(), None);
        run.drop_limit("two");
        run.claim_any().unwrap();
    }),
    ("a rate lets two begin, and a third in time", |run| {
        run.put("paced", false);
        for id in ["a", "b", "c"] {
            run.submit_under(id, "paced");
        }
        run.claim_any().unwrap();
        run.claim_any().unwrap();
        assert_eq!(run.claim_any(), None);
        run.pass(2);
        run.claim_any().unwrap();
    }),
    ("a provider refuses, and is asked again in time", |run| {
        run.put("own", false);
        run.put_most("own", 3);
        run.submit_under("a", "own");
        run.submit_under("b", "own");
        let (id, token) = run.claim_any().unwrap();
        run.shut("own", &id, &token);
        assert_eq!(run.claim_any(), None);
        run.pass(2);
        let (id, token) = run.claim_any().unwrap();
        run.complete_under(&id, &token);
    }),
    ("more classes wait for a limit than open at once", |run| {
        run.put("two", true);
        for n in 0..6 {
            let mut member = Run::plain_member(&format!("t{n}"), &[], None);
            member.wants.tags = vec![format!("tag-{n}")];
            member.wants.limits = vec![("two", "")];
            run.submit_member(member, 0, None);
        }
        assert_eq!(run.claim_any(), None);
        run.put_most("two", 9);
        for _ in 0..6 {
            run.claim_any().unwrap();
        }
    }),
];

impl Run {
    /// Plays a scene before a hub with a node that may run all of it.
    pub fn play(&mut self, (name, scene): Scene) {
        for node in NODES {
            self.register(node);
        }
        self.queue.register("n0", &["rust".to_owned()], &[], 20);
        self.model.register("n0", vec!["rust".to_owned()], Vec::new(), 20);
        scene(self);
        self.compare(name);
        self.queue.assert_history_is(&self.model);
    }

    fn compare(&mut self, done: &str) {
        self.model.adopt_first_failures(|group| self.queue.first_failure(group));
        self.queue.assert_is(&self.model, done);
    }

    fn cut(&mut self, is_cut: bool) {
        self.queue.is_cut.set(is_cut);
        self.model.is_cut = is_cut;
    }

    /// Does something to the queue and to the model.
    fn both<T: PartialEq + std::fmt::Debug>(
        &mut self,
        queue: impl Fn(&Driver) -> T,
        model: impl Fn(&mut Model) -> T,
    ) {
        self.model.has_released = false;
        assert_eq!(queue(&self.queue), model(&mut self.model));
        self.compare("it");
    }

    fn plain_member(id: &str, after: &[(&str, &'static str)], asks: Option<&str>) -> Member {
        Member {
            id: id.to_owned(),
            wants: Wants::default(),
            priority: 2,
            retries: 0,
            timeout_ms: TIMEOUTS[1],
            after: after.iter().map(|(what, on)| ((*what).to_owned(), *on)).collect(),
            asks: asks.map(str::to_owned),
            follows_group: false,
        }
    }

    fn submit_one(&mut self, id: &str, after: &[(&str, &'static str)], asks: Option<&str>) {
        self.submit_member(Self::plain_member(id, after, asks), 0, None);
        self.compare("a submission");
    }

    fn batch_of(&mut self, ids: &[&str], group: &str, parent: Option<(&str, &str)>) {
        let members = ids.iter().map(|id| Self::plain_member(id, &[], None)).collect();
        let parent = parent.map(|(id, token)| (id.to_owned(), token.to_owned()));
        self.take_batch(Tasks { members, group: Some(group.to_owned()), seals: false, parent });
        self.compare("a batch");
    }

    fn submit_under(&mut self, id: &str, limit: &'static str) {
        let mut member = Self::plain_member(id, &[], None);
        member.wants.limits = vec![(limit, "")];
        self.submit_member(member, 0, None);
        self.compare("a submission");
    }

    /// The task that a node gets that asks for any, and its token.
    fn claim_any(&mut self) -> Option<(String, String)> {
        self.queue.open_limits();
        let reported = self.queue.reported("n0");
        let expected = self.model.claim("n0", None, 1, reported, &[]).unwrap();
        let claimed = self.queue.claim("n0", None, 1, LEASES[1]).unwrap();
        assert_eq!(
            claimed.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>()
        );
        for (id, token) in &claimed {
            self.model.hold(id, "n0", token, LEASES[1]);
        }
        self.compare("a claim");
        claimed.into_iter().next()
    }

    fn pass(&mut self, steps: i64) {
        self.queue.pass_time(steps * STEP);
        self.model.clock += steps * STEP;
    }

    /// Its token.
    fn hold(&mut self, id: &str) -> String {
        let reported = self.queue.reported("n0");
        let expected = self.model.claim("n0", Some(id), 1, reported, &[]).unwrap();
        let claimed = self.queue.claim("n0", Some(id), 1, LEASES[1]).unwrap();
        assert_eq!(
            claimed.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>()
        );
        let token = claimed[0].1.clone();
        self.model.hold(id, "n0", &token, LEASES[1]);
        self.compare("a claim");
        token
    }

    fn complete_under(&mut self, id: &str, token: &str) {
        self.both(|queue| queue.complete(id, token), |model| model.complete(id, token).to_owned());
    }

    fn complete(&mut self, id: &str) {
        let token = self.hold(id);
        self.complete_under(id, &token);
    }

    fn fail(&mut self, id: &str) {
        let token = self.hold(id);
        self.both(
            |queue| queue.fail(id, &token, false),
            |model| model.fail(id, &token, false).to_owned(),
        );
    }

    fn wait_for(&mut self, id: &str, token: &str, wait: &str, kind: Kind) {
        let wait = Wait { id: wait.to_owned(), kind, due: None };
        let outcome = self.queue.wait(id, token, &wait, false);
        assert_eq!(outcome, self.model.wait(id, token, wait, false));
        assert!(["ready", ANSWERED].contains(&outcome.as_str()), "{id}: {outcome}");
        self.compare("a wait");
    }
}

#[test]
fn scenes_leave_what_a_plain_model_expects() {
    let server = crate::harness::RedisServer::start();
    server.keep_nothing();
    for scene in SCENES {
        eprintln!("{}", scene.0);
        Run::new(0, &server, None).play(*scene);
    }
}
