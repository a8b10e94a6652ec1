//! One server: the link that is open to it, dropped when it breaks, opened again.

use crate::address::Address;
use crate::connection::{Call, Timeouts};
use crate::durable::Durable;
use crate::greeting::{Done, Greeted, Greeting};
use crate::link::{self, Opened};
use crate::replication::{self, ByteStream};
use crate::scripts::{self, Scripts};
use crate::sentinel::Sentinels;
use crate::{Error, reply};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::Value;
use redis::aio::MultiplexedConnection;
use reef_store::Reply;
use reef_store::packed::Items;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::task::AbortHandle;
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
    /// Which link it went over.
    link: Option<u64>,
    asking: bool,
    /// It depends on which process of Redis answers.
    is_script: bool,
}

/// One server: where it is, and the link that is open to it at the moment.
pub(crate) struct Server {
    origin: Origin,
    timeouts: Timeouts,
    state: RwLock<State>,
    /// The attempt under way, which all callers that find no link share.
    opening: Mutex<Option<Opening>>,
    scripts: Scripts,
    greeting: OnceLock<Arc<dyn Greeting>>,
    /// Held by whoever greets, whom the others wait for.
    greets: tokio::sync::Mutex<()>,
    durable: Durable,
}

/// A link's number, the link, and whether over it all was said that comes first.
type LiveLink = (u64, MultiplexedConnection, bool);

type Opening = Shared<BoxFuture<'static, Result<LiveLink, Error>>>;

#[derive(Default)]
struct State {
    /// Counts the links, so that a late failure of an old one does not take the new one down.
    number: u64,
    link: Option<Link>,
    /// Changes whenever all has to be said that comes first over a link, and for which of these times
    /// it was.
    greeting_due: u64,
    greeted: u64,
}

/// An open connection, and the task that reads and writes it.
struct Link {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Server {
    pub(crate) fn new(origin: Origin, timeouts: Timeouts) -> Self {
        Self {
            origin,
            timeouts,
            state: RwLock::default(),
            opening: Mutex::default(),
            scripts: Scripts::default(),
            greeting: OnceLock::new(),
            greets: tokio::sync::Mutex::default(),
            durable: Durable::default(),
        }
    }

    /// As [`Connection::greet_with`](crate::Connection::greet_with).
    pub(crate) fn greet_with(&self, greeting: Arc<dyn Greeting>) {
        let _ = self.greeting.set(greeting);
    }

    /// Has it greeted again, over the link that is open: it may be asked for what it was not before.
    pub(crate) fn greet_again(&self) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).greeting_due += 1;
    }

    /// As [`Connection::execute`](crate::Connection::execute), of commands that were looked at.
    /// The arguments are afterwards what they were.
    pub(crate) async fn execute(
        self: &Arc<Self>,
        command: &str,
        args: &mut [Vec<u8>],
        call: Call<'_>,
    ) -> Result<Vec<Reply>, Error> {
        let is_script = scripts::is_script(command);
        let mut underway = Underway { link: None, asking: call.asking, is_script };
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
        let mut underway = Underway { link: None, asking: call.asking, is_script: true };
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
        if let Some(number) = underway.link {
            self.discard(number);
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

    /// The open link's number: different for each.
    pub(crate) fn link_number(&self) -> Option<u64> {
        self.live().map(|(number, ..)| number)
    }

    /// Sends one command; the reply as it came, and the link that it went over. It waits for as long
    /// as the caller does.
    pub(crate) async fn exchange_anew(
        self: &Arc<Self>,
        command: &redis::Cmd,
    ) -> Result<(u64, Value), Error> {
        let mut underway = Underway { link: None, asking: false, is_script: false };
        let reply = self.exchange(command, &mut underway).await?;
        Ok((underway.link.unwrap_or_default(), reply))
    }

    /// Opens a connection beside the link, for who must not stand in others' way.
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
        let mut underway = Underway { link: None, asking: false, is_script: false };
        let reply = self.exchange(&command, &mut underway).await?;
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
        let (number, mut connection, is_greeted) = self.link().await?;
        underway.link = Some(number);
        if underway.is_script
            && !is_greeted
            && let Some(greeting) = self.greeting.get()
        {
            Box::pin(self.greet(greeting, number, &connection)).await?;
        }
        let sent = if underway.asking {
            Box::pin(ask_for(&mut connection, command)).await
        } else {
            connection.send_packed_command(command).await
        };
        sent.map_err(|error| {
            let error = Error::from_client(&error);
            if matches!(error, Error::Unavailable(_)) {
                self.discard(number);
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
        self.live().is_some()
    }

    /// Takes the open link out of use: something else than a failure says that it is no good.
    pub(crate) fn cut(&self) {
        if let Some((number, ..)) = self.live() {
            self.discard(number);
        }
    }

    /// The open link, or a new one.
    async fn link(self: &Arc<Self>) -> Result<LiveLink, Error> {
        match self.live() {
            Some(live) => Ok(live),
            None => Box::pin(self.opening()).await,
        }
    }

    /// The open link, and whether over it all was said that comes first.
    fn live(&self) -> Option<LiveLink> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let link = state.link.as_ref()?;
        Some((state.number, link.connection.clone(), state.greeted == state.greeting_due))
    }

    /// Says what comes first over a link, unless somebody else has meanwhile.
    async fn greet(
        &self,
        greeting: &Arc<dyn Greeting>,
        number: u64,
        connection: &MultiplexedConnection,
    ) -> Result<(), Error> {
        let _one = self.greets.lock().await;
        let due = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            // The link is broken already: so is what waits for it.
            if state.number != number || state.greeted == state.greeting_due {
                return Ok(());
            }
            state.greeting_due
        };
        if greeting.greet(Greeted(connection.clone())).await? == Done::Now {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            if state.number == number {
                state.greeted = due;
            }
        }
        Ok(())
    }

    /// Joins the attempt under way or starts one. It runs as a task of its own, so that it goes on
    /// when the callers that wait for it give up.
    fn opening(self: &Arc<Self>) -> Opening {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has ended and is still here has ended in a fault.
        if let Some(opening) = opening.as_ref().filter(|attempt| attempt.peek().is_none()) {
            return opening.clone();
        }
        if let Some(live) = self.live() {
            return std::future::ready(Ok(live)).boxed().shared();
        }
        let attempt = tokio::spawn(Arc::clone(self).open());
        let ended = |_| Err(Error::Unavailable("the connection attempt was cut off".to_owned()));
        let attempt = attempt.map(move |result| result.unwrap_or_else(ended)).boxed().shared();
        *opening = Some(attempt.clone());
        attempt
    }

    async fn open(self: Arc<Self>) -> Result<LiveLink, Error> {
        let result = self.open_another().await;
        if let (Origin::Announced(sentinels), Ok(_)) = (&self.origin, &result) {
            sentinels.watch(&self);
        }
        // Nobody starts another attempt between the two steps: the lock is held for both.
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        *opening = None;
        let opened = result.inspect_err(|error| tracing::debug!(%error, "redis connect failed"))?;
        let installed = self.install(opened);
        drop(opening);
        if self.durable.is_watched() {
            self.look_soon(Duration::ZERO);
        }
        Ok(installed)
    }

    fn install(self: &Arc<Self>, opened: Opened) -> LiveLink {
        let Opened { connection, driver } = opened;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.number += 1;
        let number = state.number;
        let server: Weak<Self> = Arc::downgrade(self);
        let driver = tokio::spawn(async move {
            driver.await;
            // The server closed the connection: the next command need not find that out.
            if let Some(server) = server.upgrade() {
                server.discard(number);
            }
        });
        state.link = Some(Link { connection: connection.clone(), driver: driver.abort_handle() });
        state.greeting_due += 1;
        (number, connection, false)
    }

    /// Takes a broken link out of use at once. Commands on their way keep it until they end or
    /// give up; then it is cut, whatever the server does.
    fn discard(&self, number: u64) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.number != number {
            return;
        }
        if let Some(link) = state.link.take() {
            drop(state);
            let grace = self.timeouts.call;
            tokio::spawn(async move {
                tokio::time::sleep(grace).await;
                link.driver.abort();
            });
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
