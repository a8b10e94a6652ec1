//! Event streams: however the network cuts what is sent, the client gets the same events. It reads
//! frames with sse-core, as this does.
#![no_main]

use std::num::NonZeroUsize;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sse_core::{SseDecoder, SseEvent};

fuzz_target!(|given: (u8, &[u8])| {
    let (piece, stream) = given;
    let whole = events([stream]);
    let pieces = events(stream.chunks(usize::from(piece).max(1)));
    assert_eq!(whole, pieces);
    if let Some((id, ..)) = whole.iter().rev().find_map(Option::as_ref) {
        assert!(id.as_ref().is_none_or(|id| !id.contains(['\n', '\r', '\0'])));
    }
});

/// Each event's id, type and data, or that it was too large.
fn events<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Option<(Option<String>, String, String)>> {
    let mut decoder = SseDecoder::with_limit(NonZeroUsize::new(1024).unwrap());
    let mut all = Vec::new();
    for piece in pieces {
        let mut arrived = Bytes::copy_from_slice(piece);
        while let Some(frame) = decoder.next(&mut arrived) {
            match frame {
                Ok(SseEvent::Message(message)) => {
                    let id = message.last_event_id.map(|id| id.to_string());
                    all.push(Some((id, message.event.into_owned(), message.data)));
                }
                Ok(SseEvent::Retry(_)) => {}
                // The client gives up here.
                Err(_) => {
                    all.push(None);
                    return all;
                }
            }
        }
    }
    all
}
