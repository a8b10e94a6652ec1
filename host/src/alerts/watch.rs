//! The cluster's events as alerts. Events tell of a change whoever has made it: a monitor, the cron
//! component, a request.

use reef_domain::limits::ROWS_AT_ONCE;
use reef_redis::Connection;
use reef_store::event::{Cursor, Event, EventType, Latest, List};
use reef_store::{Store, StoreError};
use serde_json::{Value, json};

use super::Alerts;

/// Events that one look reads.
const PAGE: i64 = ROWS_AT_ONCE;
/// Pages that one look reads: as much as the log keeps, and the monitor has more to do.
const PAGES: usize = 100;

/// How far the events were read.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    cursor: Option<Cursor>,
}

impl Watch {
    /// Whoever is no longer the monitor forgets its place; its successor begins at the end.
    pub(crate) fn forget(&mut self) {
        self.cursor = None;
    }

    /// Raises alerts for what has happened since the last look. The first one only finds the end.
    ///
    /// # Errors
    /// [`StoreError`]; the next look reads on from where this one came.
    pub(crate) async fn look(
        &mut self,
        store: &Store<Connection>,
        alerts: &Alerts,
    ) -> Result<(), StoreError> {
        let Some(cursor) = &mut self.cursor else {
            self.cursor = Cursor::parse(&store.call(&Latest).await?);
            return Ok(());
        };
        for _ in 0..PAGES {
            let after = cursor.clone();
            let found = store.call(&List { after, limit: PAGE, filled: 0 }).await?;
            for event in &found.events {
                if let Some(kind) = EventType::find(&event.event_type).and_then(|entry| entry.alert)
                {
                    alerts.raise(kind, &data_of(event));
                }
            }
            let last = found.events.last().and_then(|event| Cursor::parse(&event.event_id));
            match last {
                Some(last) => *cursor = last,
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

/// The event's payload, with its place and time.
fn data_of(event: &Event) -> Value {
    let payload: Value = serde_json::from_str(event.payload.get()).unwrap_or_default();
    let mut data = payload.as_object().cloned().unwrap_or_default();
    data.insert("event_id".to_owned(), json!(event.event_id));
    data.insert("at".to_owned(), json!(event.timestamp));
    Value::Object(data)
}
