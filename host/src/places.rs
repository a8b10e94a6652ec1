//! Places that callers take, so many each and so many in all, until they let go.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many places are taken, by who has them.
#[derive(Debug)]
pub(crate) struct Places<K> {
    taken: Mutex<HashMap<K, usize>>,
    each: usize,
    all: usize,
}

/// A place, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place<K: Eq + Hash> {
    places: Arc<Places<K>>,
    of: K,
}

impl<K: Eq + Hash + Clone> Places<K> {
    /// Nobody may have more than `each`, nor all together more than `all`.
    pub(crate) fn new(each: usize, all: usize) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::default(), each, all })
    }

    /// A place for somebody; `None` where there are as many as may be.
    pub(crate) fn take(self: &Arc<Self>, of: K) -> Option<Place<K>> {
        let mut taken = self.table();
        let own = taken.get(&of).copied().unwrap_or_default();
        if own >= self.each || taken.values().sum::<usize>() >= self.all {
            return None;
        }
        taken.insert(of.clone(), own + 1);
        drop(taken);
        Some(Place { places: Arc::clone(self), of })
    }
}

impl<K> Places<K> {
    fn table(&self) -> MutexGuard<'_, HashMap<K, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.places.table();
        match taken.get_mut(&self.of) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.of)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_more_than_its_own_nor_all_more_than_there_are() {
        let places = Places::new(2, 3);
        let first = [places.take("a"), places.take("a")];
        assert!(first.iter().all(Option::is_some) && places.take("a").is_none());
        let other = places.take("b");
        assert!(other.is_some() && places.take("b").is_none() && places.take("c").is_none());
        drop(first);
        // Whoever has none is not remembered.
        assert_eq!(places.table().len(), 1);
        assert!(places.take("c").is_some());
        drop(other);
        assert!(places.table().is_empty());
    }
}
