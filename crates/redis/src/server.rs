//! One server, and what is sent to it over the links that are open.

use crate::address::Address;
use crate::connection::{Call, Timeouts};
use crate::durable::Durable;
use crate::greeting::Greeting;
use crate::lane::{Lane, LinkId, Live, Traffic};
use crate::link::{self, Opened};
use crate::replication::{self, ByteStream};
use crate::scripts::{self, Scripts};
use crate::sentinel::Sentinels;
use crate::{Error, reply};
use redis::Value;
use redis::aio::MultiplexedConnection;
use reef_store::Reply;
use reef_store::packed::Items;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::{timeout, timeout_at};

/// What calls a function. Such a command is neither refused nor sent in another form.
pub(crate) const FUNCTION_CALL: &str = "FCALL";

/// Where a server is found.
pub(crate) enum Origin {
    /// At an address that was given.
    Fixed(Address),
    /// Wherever Sentinels say, looked up for each link.
    Announced(Arc<Sentinels>),
}

/// What is known of a command while it is under way.
struct Underway {
    traffic: Traffic,
    /// Which link it went over.
    link: Option<LinkId>,
    asking: bool,
    /// It depends on which process of Redis answers.
    is_script: bool,
}

impl Underway {
    /// Of a command of so many bytes, that is no script.
    fn new(command: &str, call: &Call<'_>, bytes: usize) -> Self {
        let traffic = Traffic::of(command, bytes);
        Self { traffic, link: None, asking: call.asking, is_script: false }
    }
}

/// One server: where it is, and the ways to it.
pub(crate) struct Server {
    origin: Origin,
    timeouts: Timeouts,
    interactive: Arc<Lane>,
    bulk: Arc<Lane>,
    scripts: Scripts,
    greeting: OnceLock<Arc<dyn Greeting>>,
    durable: Durable,
}

impl Server {
    pub(crate) fn new(origin: Origin, timeouts: Timeouts) -> Self {
        Self {
            origin,
            timeouts,
            interactive: Lane::new(Traffic::Interactive, timeouts.call),
            bulk: Lane::new(Traffic::Bulk, timeouts.call),
            scripts: Scripts::default(),
            greeting: OnceLock::new(),
            durable: Durable::default(),
        }
    }

    /// As [`Connection::greet_with`](crate::Connection::greet_with).
    pub(crate) fn greet_with(&self, greeting: Arc<dyn Greeting>) {
        let _ = self.greeting.set(greeting);
    }

    /// Has it greeted again, over the links that are open: it may be asked for what it was not before.
    pub(crate) fn greet_again(&self) {
        self.lanes().iter().for_each(|lane| lane.greet_again());
    }

    /// The way for one kind of traffic.
    pub(crate) fn lane(&self, traffic: Traffic) -> &Arc<Lane> {
        match traffic {
            Traffic::Interactive => &self.interactive,
            Traffic::Bulk => &self.bulk,
        }
    }

    /// All ways to it.
    pub(crate) fn lanes(&self) -> [&Arc<Lane>; 2] {
        [&self.interactive, &self.bulk]
    }

    /// As [`Connection::execute`](crate::Connection::execute), of commands that were looked at.
    /// The arguments are afterwards what they were.
    pub(crate) async fn execute(
        self: &Arc<Self>,
        command: &str,
        args: &mut [Vec<u8>],
        call: Call<'_>,
    ) -> Result<Vec<Reply>, Error> {
        let bytes = command.len() + args.iter().map(Vec::len).sum::<usize>();
        let is_script = scripts::is_script(command);
        let mut underway = Underway { is_script, ..Underway::new(command, &call, bytes) };
        match timeout_at(call.deadline, self.dispatch(command, args, &mut underway)).await {
            Ok(result) => {
                if let (Some(touched), Some(link)) = (call.touched, underway.link) {
                    touched.note(self, link, command, args);
                }
                result
            }
            Err(_) => Err(self.given_up(&underway, &call)),
        }
    }

    /// The same for [`FUNCTION_CALL`], by its arguments as they lie in a buffer.
    pub(crate) async fn call_function(
        self: &Arc<Self>,
        args: Items<'_>,
        call: Call<'_>,
    ) -> Result<Vec<Reply>, Error> {
        let (count, bytes) = args
            .clone()
            .fold((1, FUNCTION_CALL.len()), |(count, bytes), arg| (count + 1, bytes + arg.len()));
        let mut packed = redis::Cmd::with_capacity(count, bytes);
        packed.arg(FUNCTION_CALL);
        for arg in args.clone() {
            packed.arg(arg);
        }
        let mut underway =
            Underway { is_script: true, ..Underway::new(FUNCTION_CALL, &call, bytes) };
        match timeout_at(call.deadline, self.send(packed, &mut underway)).await {
            Ok(result) => {
                if let (Some(touched), Some(link)) = (call.touched, underway.link) {
                    touched.note_function(self, link, args);
                }
                result
            }
            Err(_) => Err(self.given_up(&underway, &call)),
        }
    }

    /// What hangs is more likely the connection than the command: nothing that blocks is ever sent.
    fn given_up(&self, underway: &Underway, call: &Call<'_>) -> Error {
        if let Some(link) = underway.link {
            self.suspect(link);
        }
        Error::Unavailable(format!("no answer within {:?}", call.limit))
    }

    /// What is known of where its writes go.
    pub(crate) fn durable(&self) -> &Durable {
        &self.durable
    }

    /// How long callers wait.
    pub(crate) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Sends one command; the reply as it came, and the link that it went over. It waits for as long
    /// as the caller does.
    pub(crate) async fn exchange_over(
        self: &Arc<Self>,
        traffic: Traffic,
        command: &redis::Cmd,
    ) -> Result<(LinkId, Value), Error> {
        let live = self.lane(traffic).link(self).await?;
        let id = live.id;
        Ok((id, self.exchange_by(live, command, false).await?))
    }

    /// Opens a connection beside the links, for who must not stand in others' way.
    pub(crate) async fn open_another(&self) -> Result<Opened, Error> {
        let limit = self.timeouts.connect;
        match &self.origin {
            Origin::Fixed(address) => link::open(address, limit).await,
            Origin::Announced(sentinels) => sentinels.open(limit).await,
        }
    }

    /// As [`Connection::open_bytes`](crate::Connection::open_bytes).
    pub(crate) async fn open_bytes(&self) -> Result<Box<dyn ByteStream>, Error> {
        let limit = self.timeouts.connect;
        let opening = async {
            match &self.origin {
                Origin::Fixed(address) => replication::open(address).await,
                Origin::Announced(sentinels) => {
                    replication::open(&sentinels.primary().await?).await
                }
            }
        };
        let late = |_| Error::Unavailable(format!("no connection within {limit:?}"));
        timeout(limit, opening).await.map_err(late)?
    }

    /// The number of the database that the address names.
    pub(crate) fn database(&self) -> i64 {
        match &self.origin {
            Origin::Fixed(address) => address.handshake.db(),
            Origin::Announced(sentinels) => sentinels.database(),
        }
    }

    /// Where another server is, with the same user and password.
    pub(crate) fn elsewhere(&self, host: &str, port: u16) -> Address {
        match &self.origin {
            Origin::Fixed(address) => address.elsewhere(host, port),
            Origin::Announced(sentinels) => sentinels.elsewhere(host, port),
        }
    }

    /// Sends one command and gives the reply as it came. It waits for as long as the caller does.
    pub(crate) async fn ask(self: &Arc<Self>, words: &[&str]) -> Result<Value, Error> {
        let mut command = redis::Cmd::new();
        command.arg(words);
        let (_, reply) = self.exchange_over(Traffic::Interactive, &command).await?;
        reply::accepted(reply)
    }

    async fn dispatch(
        self: &Arc<Self>,
        command: &str,
        args: &mut [Vec<u8>],
        underway: &mut Underway,
    ) -> Result<Vec<Reply>, Error> {
        if let Some(library) = scripts::library(command, args) {
            let entry = self.scripts.entry(&scripts::sha1(library));
            return Box::pin(self.load_library(command, args, &entry, underway)).await;
        }
        match scripts::by_hash(command) {
            None => self.send(pack(command, args), underway).await,
            // Boxed because it is rare: it would make the future of every command twice as large.
            Some(by_hash) => Box::pin(self.run_script(command, by_hash, args, underway)).await,
        }
    }

    /// Loads a library, unless somebody is about to: then that is waited for.
    async fn load_library(
        self: &Arc<Self>,
        command: &str,
        args: &[Vec<u8>],
        entry: &scripts::Entry,
        underway: &mut Underway,
    ) -> Result<Vec<Reply>, Error> {
        if let Ok(mut sent) = entry.try_lock() {
            let result = self.send(pack(command, args), underway).await;
            *sent += 1;
            return result;
        }
        drop(entry.lock().await);
        // Where it failed the caller learns that from the server, which still lacks the function.
        Ok(vec![Reply::Status("OK".to_owned())])
    }

    /// Runs a script whose text is given, and sends the text only if the server lacks it and
    /// nobody else is about to send it.
    async fn run_script(
        self: &Arc<Self>,
        with_text: &str,
        by_hash: &str,
        args: &mut [Vec<u8>],
        underway: &mut Underway,
    ) -> Result<Vec<Reply>, Error> {
        let Some(first) = args.first_mut() else {
            return self.send(pack(with_text, args), underway).await;
        };
        let sha = scripts::sha1(first);
        let text = std::mem::replace(first, sha.clone().into_bytes());

        let entry = self.scripts.entry(&sha);
        let sent_before = *entry.lock().await;
        let mut result = self.send(pack(by_hash, args), underway).await;
        let mut sending = None;
        if is_no_script(&result) {
            let sent = entry.lock().await;
            if *sent != sent_before {
                result = self.send(pack(by_hash, args), underway).await;
            }
            sending = Some(sent);
        }
        if let Some(first) = args.first_mut() {
            *first = text;
        }
        match sending {
            Some(mut sent) if is_no_script(&result) => {
                result = self.send(pack(with_text, args), underway).await;
                *sent += 1;
            }
            _ => {}
        }
        result
    }

    /// Sends one command as it is, and flattens the reply.
    async fn send(
        self: &Arc<Self>,
        command: redis::Cmd,
        underway: &mut Underway,
    ) -> Result<Vec<Reply>, Error> {
        let result = self.exchange(&command, underway).await.and_then(reply::flatten);
        if let Err(error) = &result
            && self.is_demoted(error)
        {
            self.cut();
        }
        result
    }

    /// Sends one command as it is. Notes which link it went over.
    async fn exchange(
        self: &Arc<Self>,
        command: &redis::Cmd,
        underway: &mut Underway,
    ) -> Result<Value, Error> {
        let lane = self.lane(underway.traffic);
        let live = lane.link(self).await?;
        underway.link = Some(live.id);
        if underway.is_script
            && !live.is_greeted
            && let Some(greeting) = self.greeting.get()
        {
            Box::pin(lane.greet(greeting, &live)).await?;
        }
        self.exchange_by(live, command, underway.asking).await
    }

    async fn exchange_by(
        &self,
        live: Live,
        command: &redis::Cmd,
        asking: bool,
    ) -> Result<Value, Error> {
        let Live { id, mut connection, .. } = live;
        let sent = if asking {
            Box::pin(ask_for(&mut connection, command)).await
        } else {
            connection.send_packed_command(command).await
        };
        sent.map_err(|error| {
            let error = Error::from_client(&error);
            if matches!(error, Error::Unavailable(_)) {
                self.suspect(id);
            }
            error
        })
    }

    /// Whether an error says that this is no longer the server that Sentinels named.
    fn is_demoted(&self, error: &Error) -> bool {
        self.is_announced() && error.is_read_only()
    }

    /// Whether Sentinels say where it is.
    pub(crate) fn is_announced(&self) -> bool {
        matches!(self.origin, Origin::Announced(_))
    }

    /// Whether there is a link at the moment.
    pub(crate) fn is_open(&self) -> bool {
        self.lanes().iter().any(|lane| lane.live().is_some())
    }

    /// Takes the open links out of use: something else than a failure says that they are no good.
    pub(crate) fn cut(&self) {
        self.lanes().iter().for_each(|lane| lane.cut());
    }

    /// Takes a link out of use over which a command has failed, and the other with it: that may lead to
    /// where nobody answers any more, or to what is no longer the same server.
    fn suspect(&self, link: LinkId) {
        let lane = self.lane(link.traffic);
        if lane.live().is_some_and(|live| live.id == link) {
            self.cut();
        }
    }

    /// Takes in that a link has been opened.
    pub(crate) fn note_opened(self: &Arc<Self>, traffic: Traffic) {
        if let Origin::Announced(sentinels) = &self.origin {
            sentinels.watch(self);
        }
        if self.durable.is_watched() {
            self.look_soon(traffic, Duration::ZERO);
        }
    }
}

fn pack(command: &str, args: &[Vec<u8>]) -> redis::Cmd {
    let size = args.iter().map(Vec::len).sum::<usize>() + command.len();
    let mut packed = redis::Cmd::with_capacity(args.len() + 1, size);
    packed.arg(command);
    for arg in args {
        packed.arg(arg.as_slice());
    }
    packed
}

/// Sends a command to a server that is about to get the command's key. One write for both, so that
/// nobody else's command comes between.
async fn ask_for(
    connection: &mut MultiplexedConnection,
    command: &redis::Cmd,
) -> redis::RedisResult<Value> {
    let mut both = redis::pipe();
    both.cmd("ASKING").add_command(command.clone());
    Ok(Value::Array(connection.send_packed_commands(&both, 1, 1).await?))
}

fn is_no_script(result: &Result<Vec<Reply>, Error>) -> bool {
    matches!(result, Err(error) if error.is_no_script())
}
