//! The last lines of the log, in memory and bounded.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most lines that are kept, their bytes together, and most bytes of one.
const LINES: usize = 1000;
const BYTES: usize = 512 << 10;
const LINE_BYTES: usize = 4096;

/// The last lines.
#[derive(Debug)]
pub(super) struct Recent(Mutex<Lines>);

#[derive(Debug)]
struct Lines {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Recent {
    /// None yet.
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Lines { lines: VecDeque::new(), bytes: 0 }))
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a line, and forgets those for which there is no more room.
    pub(super) fn note(&self, line: &[u8]) {
        let line = plain(&String::from_utf8_lossy(line));
        let mut kept = self.lock();
        kept.bytes += line.len();
        kept.lines.push_back(line);
        while kept.lines.len() > LINES || kept.bytes > BYTES {
            let Some(oldest) = kept.lines.pop_front() else { return };
            kept.bytes -= oldest.len();
        }
    }

    /// All of them, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lock().lines.iter().cloned().collect()
    }
}

/// A line without its end and without colours, and not too long.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.trim_end();
    while let Some((before, escape)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        rest = escape.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        // The letter that ends it.
        rest = rest.get(1..).unwrap_or_default();
    }
    text.push_str(rest);
    if text.len() > LINE_BYTES {
        text.truncate(text.floor_char_boundary(LINE_BYTES));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_within_their_bounds() {
        let recent = Recent::new();
        for n in 0..LINES + 5 {
            recent.note(format!("line {n}\n").as_bytes());
        }
        let lines = recent.lines();
        assert_eq!((lines.len(), lines.first().unwrap().as_str()), (LINES, "line 5"));
        for _ in 0..LINES {
            recent.note(&[b'x'; 2 * LINE_BYTES]);
        }
        let lines = recent.lines();
        let bytes: usize = lines.iter().map(String::len).sum();
        assert!(bytes <= BYTES && lines.len() > 100, "{bytes}");
        assert!(lines.iter().all(|line| line.ends_with('…')));
    }

    #[test]
    fn colours_are_left_out() {
        let coloured = "\u{1b}[2m2026\u{1b}[0m \u{1b}[1;32m INFO\u{1b}[0m hello\n";
        assert_eq!(plain(coloured), "2026  INFO hello");
        assert_eq!(plain("\u{1b}["), "");
        assert_eq!(plain("\u{1b}[ä"), "");
    }
}
