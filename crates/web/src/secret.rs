//! The hub's secret, of which ids are made (`once`). It is in Redis, and an instance asks for it once
//! in a while.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use reef_domain::limits::SECRET_SECONDS;
use reef_store::cluster::AskSecret;
use reef_store::{Redis, Store};

use crate::once::hex;
use crate::problem::Problem;

/// What an instance knows of it: a cache that may vanish.
#[derive(Default)]
pub(crate) struct Secret(RefCell<Option<(Rc<str>, Instant)>>);

impl Secret {
    /// The secret; asks Redis if it was not asked for a while. Whoever empties or replaces the data
    /// under a running hub has all its instances of one mind again after that while.
    pub(crate) async fn ask<R: Redis>(&self, store: &Store<R>) -> Result<Rc<str>, Problem> {
        if let Some((secret, asked)) = &*self.0.borrow()
            && asked.elapsed() < Duration::from_secs(SECRET_SECONDS)
        {
            return Ok(Rc::clone(secret));
        }
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|error| Problem::internal(error.to_string()))?;
        let secret = store.call(&AskSecret { fresh: &hex(fresh) }).await?;
        let secret: Rc<str> = secret.into();
        self.0.replace(Some((Rc::clone(&secret), Instant::now())));
        Ok(secret)
    }
}
