//! Places in streams, instants and ids, as callers name them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reef_domain::time::UnixMillis;
use reef_domain::{id, message};
use reef_store::event;

fuzz_target!(|texts: (&str, &str)| {
    let (text, other) = texts;
    match message::Cursor::parse(text, other) {
        Ok(message::Cursor::Sequence(number)) => assert!(number >= 0),
        // Redis reads it as two numbers.
        Ok(message::Cursor::Stream(place)) => {
            let (ms, n) = place.split_once('-').unwrap();
            assert!(ms.parse::<u64>().is_ok() && n.parse::<u64>().is_ok());
        }
        _ => {}
    }
    if let Some(cursor) = event::Cursor::parse(text) {
        assert!(!cursor.is_behind(text) && !cursor.is_before(text));
        assert!(!(cursor.is_behind(other) && cursor.is_before(other)));
    }
    if let Some(instant) = UnixMillis::parse(text) {
        assert_eq!(instant.to_string(), text);
    }
    let made = id::of_new_node(text, 7);
    assert!(id::is_valid(made.as_str()));
    let _ = id::may_be_of(&made, other);
});
