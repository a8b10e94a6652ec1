//! The nodes of a Redis Cluster: a command goes to the primary that has its key.
//!
//! The map of the slots is read from any node, and again when a node says that a key is elsewhere,
//! when one does not answer, and every half minute. What a node refuses because another has the key
//! was not carried out, so it is sent on, twice at most. Anything else is the caller's answer:
//! what may have been carried out is never sent again (docs/adr/0008-cluster.md).

mod routing;
mod topology;

use crate::address::Address;
use crate::connection::{Call, Timeouts};
use crate::greeting::Greeting;
use crate::server::{Origin, Server};
use crate::{Error, scripts};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, join_all};
use reef_store::Reply;
use routing::Target;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

pub(crate) use routing::{SLOTS, hash_tag, slot_of};

/// How often a command is sent on. One redirection follows a move of its slot; a second one, a move
/// while the first was followed.
const REDIRECTIONS_MAX: usize = 2;
/// How long one node is asked for the map. One that hangs must leave time to ask another.
const ASK_LIMIT: Duration = Duration::from_millis(300);
/// How long one node may take to load what each of them needs.
const LOAD_LIMIT: Duration = Duration::from_millis(500);
/// The map is read again when it is older.
const MAP_AGE_MAX: Duration = Duration::from_secs(30);
/// And never sooner: while a primary is away, each call would ask.
const MAP_AGE_MIN: Duration = Duration::from_millis(100);
/// Stands for no node among the owners of slots.
const NOBODY: u16 = u16::MAX;

/// A cluster, as far as it is known.
pub(crate) struct Cluster {
    seeds: Vec<Address>,
    timeouts: Timeouts,
    map: RwLock<Map>,
    /// The question under way, which all who need the answer share.
    reading: Mutex<Option<Reading>>,
    greeting: OnceLock<Arc<dyn Greeting>>,
}

type Reading = Shared<BoxFuture<'static, Result<(), Error>>>;

/// A node that takes writes.
pub(crate) struct Node {
    pub(crate) address: Address,
    pub(crate) server: Arc<Server>,
}

#[derive(Default)]
struct Map {
    nodes: Vec<Arc<Node>>,
    /// For each slot, which of the nodes.
    owners: Vec<u16>,
    /// Changes with the owners.
    generation: u64,
    read_at: Option<Instant>,
}

impl Cluster {
    pub(crate) fn new(seeds: Vec<Address>, timeouts: Timeouts) -> Self {
        let (map, reading, greeting) = (RwLock::default(), Mutex::default(), OnceLock::new());
        Self { seeds, timeouts, map, reading, greeting }
    }

    /// As [`Connection::greet_with`](crate::Connection::greet_with).
    pub(crate) fn greet_with(&self, greeting: &Arc<dyn Greeting>) {
        let _ = self.greeting.set(Arc::clone(greeting));
        for node in &self.map.read().unwrap_or_else(PoisonError::into_inner).nodes {
            node.server.greet_with(Arc::clone(greeting));
        }
    }

    /// As [`Connection::execute`](crate::Connection::execute), of commands that were looked at.
    pub(crate) async fn execute(
        self: &Arc<Self>,
        command: &str,
        args: Vec<Vec<u8>>,
        call: Call<'_>,
    ) -> Result<Vec<Reply>, Error> {
        match Target::of(command, &args) {
            Target::Slot(slot) => self.execute_at(slot, command, args, call).await,
            Target::Any => self.execute_anywhere(command, args, call).await,
            Target::Each => self.execute_everywhere(command, &args, call).await,
            Target::Refused(reason) => Err(Error::Refused(reason)),
        }
    }

    /// The servers that take writes.
    pub(crate) async fn primaries(self: &Arc<Self>) -> Result<Vec<Arc<Server>>, Error> {
        let nodes = self.nodes().await?;
        Ok(nodes.iter().map(|node| Arc::clone(&node.server)).collect())
    }

    /// Where its own map says that they are; nothing while no node gives one.
    pub(crate) async fn announced(self: &Arc<Self>) -> Vec<Address> {
        let nodes = self.nodes().await.unwrap_or_default();
        nodes.iter().map(|node| node.address.clone()).collect()
    }

    /// The node that has a slot.
    pub(crate) async fn owner(self: &Arc<Self>, slot: u16) -> Result<Arc<Node>, Error> {
        if let Some(node) = self.known_owner(slot) {
            return Ok(node);
        }
        let is_fresh = self.age().is_some_and(|age| age < MAP_AGE_MIN);
        if !is_fresh {
            self.read_map(None).await?;
        }
        let nobody = "no node of the Redis Cluster has this part of the keys at the moment";
        self.known_owner(slot).ok_or_else(|| Error::Unavailable(nobody.to_owned()))
    }

    /// A number that changes when slots move, after a look at the map if that is older than `age`.
    pub(crate) async fn generation(self: &Arc<Self>, age: Duration) -> Result<u64, Error> {
        if self.age().is_none_or(|is| is > age) {
            self.read_map(None).await?;
        }
        Ok(self.map.read().unwrap_or_else(PoisonError::into_inner).generation)
    }

    /// Has the map read again, since a node does not answer.
    pub(crate) fn suspect(self: &Arc<Self>, node: &Node) {
        self.read_map_soon(Some(node));
    }

    async fn execute_at(
        self: &Arc<Self>,
        slot: u16,
        command: &str,
        mut args: Vec<Vec<u8>>,
        mut call: Call<'_>,
    ) -> Result<Vec<Reply>, Error> {
        let mut node = within(call, self.owner(slot)).await?;
        for _ in 0..=REDIRECTIONS_MAX {
            let error = match node.server.execute(command, &mut args, call).await {
                Err(error) => error,
                done => return done,
            };
            let Some(redirection) = error.redirection() else {
                if is_about_the_cluster(&error) {
                    self.read_map_soon(Some(&node));
                }
                return Err(error);
            };
            // A script would find a part of its keys there, and do half of what it should.
            if redirection.asking && scripts::is_script(command) {
                return Err(error);
            }
            let asked = node.address.place().0;
            let host = if redirection.host.is_empty() { asked } else { redirection.host };
            let next = self.node_at(&node.address.elsewhere(host, redirection.port));
            call.asking = redirection.asking;
            if !redirection.asking {
                self.note_owner(slot, &next);
                self.read_map_soon(None);
            }
            node = next;
        }
        let words = "the nodes of the Redis Cluster do not agree on who has this part of the keys";
        Err(Error::Unavailable(words.to_owned()))
    }

    async fn execute_anywhere(
        self: &Arc<Self>,
        command: &str,
        mut args: Vec<Vec<u8>>,
        call: Call<'_>,
    ) -> Result<Vec<Reply>, Error> {
        let nodes = within(call, self.nodes()).await?;
        let live = nodes.iter().find(|node| node.server.is_open()).or(nodes.first());
        let Some(node) = live else { return Err(no_primary()) };
        let result = node.server.execute(command, &mut args, call).await;
        if result.as_ref().is_err_and(is_about_the_cluster) {
            self.read_map_soon(Some(node));
        }
        result
    }

    /// A node that does not answer is left out, since those that do must go on. It learns what it
    /// lacks when it is asked for it.
    async fn execute_everywhere(
        self: &Arc<Self>,
        command: &str,
        args: &[Vec<u8>],
        call: Call<'_>,
    ) -> Result<Vec<Reply>, Error> {
        let nodes = within(call, self.nodes()).await?;
        let deadline = call.deadline.min(Instant::now() + LOAD_LIMIT);
        let call = Call { limit: LOAD_LIMIT, deadline, ..call };
        let answers = nodes.iter().map(|node| async move {
            node.server.execute(command, &mut args.to_vec(), call).await
        });
        let mut failed = None;
        for answer in join_all(answers).await {
            match answer {
                Ok(reply) => return Ok(reply),
                // What a server says tells more than that another says nothing.
                Err(error @ Error::Server(_)) => failed = Some(error),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.unwrap_or_else(no_primary))
    }

    async fn nodes(self: &Arc<Self>) -> Result<Vec<Arc<Node>>, Error> {
        let known = || self.map.read().unwrap_or_else(PoisonError::into_inner).nodes.clone();
        let nodes = known();
        if !nodes.is_empty() {
            self.keep_map_young();
            return Ok(nodes);
        }
        self.read_map(None).await?;
        Ok(known())
    }

    fn known_owner(self: &Arc<Self>, slot: u16) -> Option<Arc<Node>> {
        self.keep_map_young();
        self.map.read().unwrap_or_else(PoisonError::into_inner).owner(slot)
    }

    fn note_owner(&self, slot: u16, node: &Arc<Node>) {
        self.map.write().unwrap_or_else(PoisonError::into_inner).note_owner(slot, node);
    }

    /// The node at an address: the known one, with its link, or a new one.
    fn node_at(&self, address: &Address) -> Arc<Node> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.nodes.iter().find(|node| node.is_at(address)).map(Arc::clone).unwrap_or_else(|| {
            let origin = Origin::Fixed(address.clone());
            let server = Arc::new(Server::new(origin, self.timeouts));
            if let Some(greeting) = self.greeting.get() {
                server.greet_with(Arc::clone(greeting));
            }
            Arc::new(Node { address: address.clone(), server })
        })
    }

    fn age(&self) -> Option<Duration> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.read_at.map(|read_at| read_at.elapsed())
    }

    fn keep_map_young(self: &Arc<Self>) {
        if self.age().is_some_and(|age| age > MAP_AGE_MAX) {
            self.read_map_soon(None);
        }
    }

    fn read_map_soon(self: &Arc<Self>, suspect: Option<&Node>) {
        if self.age().is_none_or(|age| age >= MAP_AGE_MIN) {
            drop(self.read_map(suspect));
        }
    }

    /// Joins the question under way or asks. It runs as a task of its own, so that it goes on when
    /// those that wait for it give up.
    fn read_map(self: &Arc<Self>, suspect: Option<&Node>) -> Reading {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = reading.as_ref().filter(|it| it.peek().is_none()) {
            return under_way.clone();
        }
        let suspect = suspect.map(|node| node.address.clone());
        let cluster = Arc::clone(self);
        let asked = tokio::spawn(async move {
            let result = cluster.ask_for_map(suspect).await;
            // Nobody may be waiting for it, so that it would not be seen to have ended.
            *cluster.reading.lock().unwrap_or_else(PoisonError::into_inner) = None;
            result
        });
        let ended = |_| Err(Error::Unavailable("the question was cut off".to_owned()));
        let asked = asked.map(move |result| result.unwrap_or_else(ended)).boxed().shared();
        *reading = Some(asked.clone());
        asked
    }

    /// Asks one node after the other, the `suspect` last: it may be cut off from the others and not
    /// know it.
    async fn ask_for_map(&self, suspect: Option<Address>) -> Result<(), Error> {
        let known = self.map.read().unwrap_or_else(PoisonError::into_inner).nodes.clone();
        let known = known.iter().map(|node| node.address.clone());
        let mut places = HashSet::new();
        let mut asked: Vec<Address> = known.chain(self.seeds.iter().cloned()).collect();
        asked.retain(|address| {
            let (host, port) = address.place();
            places.insert((host.to_owned(), port))
        });
        let is_suspect = |address: &Address| {
            suspect.as_ref().is_some_and(|suspect| suspect.place() == address.place())
        };
        asked.sort_by_key(is_suspect);
        let mut failed = None;
        for address in asked {
            let node = self.node_at(&address);
            let answer = timeout(ASK_LIMIT, node.server.ask(&["CLUSTER", "SHARDS"])).await;
            let (host, with_tls) = (address.place().0, address.is_tls());
            match answer {
                Ok(Ok(reply)) => match topology::read(reply, host, with_tls) {
                    Some(found) => {
                        self.take_in(&node, found);
                        return Ok(());
                    }
                    None => failed = failed.or_else(|| Some(no_primary())),
                },
                Ok(Err(error @ Error::Server(_))) => failed = Some(error),
                Ok(Err(error)) => failed = failed.or(Some(error)),
                Err(_) => {}
            }
        }
        let silent = || Error::Unavailable("no node of the Redis Cluster answers".to_owned());
        Err(failed.unwrap_or_else(silent))
    }

    fn take_in(&self, asked: &Node, found: Vec<topology::Primary>) {
        let mut nodes = Vec::with_capacity(found.len());
        let mut owners = vec![NOBODY; usize::from(SLOTS)];
        for (index, primary) in (0..NOBODY).zip(&found) {
            nodes.push(self.node_at(&asked.address.elsewhere(&primary.host, primary.port)));
            for (first, last) in &primary.slots {
                let range = usize::from(*first)..=usize::from(*last);
                for owner in owners.get_mut(range).into_iter().flatten() {
                    *owner = index;
                }
            }
        }
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let is_same = map.has_same_owners(&nodes, &owners);
        map.generation += u64::from(!is_same);
        if !is_same {
            // A node that was a replica is asked for keys now over a link from before.
            for node in &nodes {
                node.server.greet_again();
            }
        }
        (map.nodes, map.owners, map.read_at) = (nodes, owners, Some(Instant::now()));
    }
}

impl Map {
    fn owner(&self, slot: u16) -> Option<Arc<Node>> {
        let index = self.owners.get(usize::from(slot))?;
        self.nodes.get(usize::from(*index)).map(Arc::clone)
    }

    fn note_owner(&mut self, slot: u16, node: &Arc<Node>) {
        let known = self.nodes.iter().position(|it| it.is_at(&node.address));
        let index = known.unwrap_or_else(|| {
            self.nodes.push(Arc::clone(node));
            self.nodes.len() - 1
        });
        if let (Some(owner), Ok(index)) =
            (self.owners.get_mut(usize::from(slot)), u16::try_from(index))
            && *owner != index
        {
            *owner = index;
            self.generation += 1;
            node.server.greet_again();
        }
    }

    fn has_same_owners(&self, nodes: &[Arc<Node>], owners: &[u16]) -> bool {
        let same = |(ours, theirs): (&u16, &u16)| match (
            self.nodes.get(usize::from(*ours)),
            nodes.get(usize::from(*theirs)),
        ) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        };
        self.owners.len() == owners.len() && self.owners.iter().zip(owners).all(same)
    }
}

impl Node {
    fn is_at(&self, address: &Address) -> bool {
        self.address.place() == address.place()
    }
}

async fn within<T>(
    call: Call<'_>,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = |_| Error::Unavailable(format!("no answer within {:?}", call.limit));
    timeout_at(call.deadline, step).await.map_err(late)?
}

/// Whether an error says that the map may have changed.
fn is_about_the_cluster(error: &Error) -> bool {
    match error {
        Error::Unavailable(_) => true,
        Error::Server(text) => {
            ["ClusterDown", "MasterDown", "ReadOnly"].iter().any(|code| text.starts_with(code))
        }
        _ => false,
    }
}

fn no_primary() -> Error {
    Error::Unavailable("the Redis Cluster has no primary at the moment".to_owned())
}
