//! Lines for standard error or standard output, written by a thread of their own.
//!
//! Whoever reads them may be slow, stop reading, or be gone, and a disk behind them may be full.
//! None of that may reach those who have something to say: a line is queued, or counted and
//! dropped, and nobody waits or fails.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that wait to be written. At ordinary loads that is an hour of log; when nobody reads, the
/// newest lines are the ones that are lost, because the first ones say how it began.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// Most bytes handed to the system at once.
const BATCH_BYTES: usize = 32 << 10;
/// The pause after a write that failed, and between two looks at a pipe that takes nothing now.
const PAUSE: Duration = Duration::from_millis(50);

/// The way to a writing thread. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something waits.
    arrived: Condvar,
    /// Something was written.
    written: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    is_writing: bool,
    /// Lines that were not written, ever.
    dropped: u64,
    /// Those of them that nobody has been told of.
    unreported: u64,
}

impl Sink {
    /// Starts a thread that writes to a copy of this descriptor. `report` is called there when lines
    /// were lost and writing works again.
    pub(crate) fn start(to: impl AsFd, name: &str, report: fn(u64)) -> Self {
        let sink = Self { shared: Arc::default() };
        // A copy: the standard library's own handle is locked while somebody writes.
        let Ok(copy) = to.as_fd().try_clone_to_owned() else { return sink };
        let shared = Arc::clone(&sink.shared);
        let work = move || shared.write_all(File::from(copy), report);
        // Without the thread nothing is written, and all is counted as lost.
        let _ = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        sink
    }

    /// Queues a line, which brings its own end. Never waits for who reads it.
    pub(crate) fn write(&self, line: Vec<u8>) {
        let mut queue = self.shared.lock();
        if queue.bytes.saturating_add(line.len()) > WAITING_BYTES_MAX {
            queue.dropped += 1;
            queue.unreported += 1;
            return;
        }
        queue.bytes += line.len();
        queue.lines.push_back(line);
        drop(queue);
        self.shared.arrived.notify_one();
    }

    /// How many lines were lost so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.lock().dropped
    }

    /// Waits until all is written, but no longer than this.
    pub(crate) fn flush(&self, within: Duration) {
        let until = Instant::now() + within;
        let mut queue = self.shared.lock();
        while !queue.lines.is_empty() || queue.is_writing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let waited = self.shared.written.wait_timeout(queue, left);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes; never returns.
    fn write_all(&self, mut out: File, report: fn(u64)) {
        let mut is_torn = false;
        loop {
            let (batch, lines) = self.next();
            let mut rest = batch.as_slice();
            if is_torn {
                is_torn = write(&mut out, &mut b"\n".as_slice()).is_err();
            }
            let result = if is_torn { Err(()) } else { write(&mut out, &mut rest) };
            is_torn |= result.is_err() && rest.len() < batch.len();
            let mut queue = self.lock();
            queue.is_writing = false;
            let lost = match result {
                Ok(()) => std::mem::take(&mut queue.unreported),
                Err(()) => {
                    queue.dropped += lines;
                    queue.unreported += lines;
                    0
                }
            };
            drop(queue);
            self.written.notify_all();
            match result {
                Ok(()) if lost > 0 => report(lost),
                Ok(()) => {}
                Err(()) => std::thread::sleep(PAUSE),
            }
        }
    }

    /// Waits for lines; takes some together.
    fn next(&self) -> (Vec<u8>, u64) {
        let mut queue = self.lock();
        while queue.lines.is_empty() {
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.is_writing = true;
        let (mut batch, mut count) = (Vec::new(), 0);
        while batch.len() < BATCH_BYTES
            && let Some(line) = queue.lines.pop_front()
        {
            queue.bytes -= line.len();
            batch.extend_from_slice(&line);
            count += 1;
        }
        (batch, count)
    }
}

/// Writes all of it, or as much as can be; what is left stays in `rest`.
fn write(out: &mut File, rest: &mut &[u8]) -> Result<(), ()> {
    while !rest.is_empty() {
        match out.write(rest) {
            Ok(0) => return Err(()),
            Ok(count) => *rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Somebody who shares the pipe has made it one that does not wait.
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(_) => return Err(()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn nothing(_: u64) {}

    #[test]
    fn nobody_waits_for_a_pipe_that_is_not_read_and_the_first_lines_are_kept() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let sink = Sink::start(&writer, "test", nothing);
        drop(writer);
        let line = |n: usize| format!("{n:07} {}\n", "x".repeat(1015)).into_bytes();
        for n in 0..3000 {
            sink.write(line(n));
        }
        let dropped = sink.dropped();
        assert!((1000..3000).contains(&dropped), "{dropped}");
        let mut first = [0; 8];
        reader.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"0000000 ");
        // From now on somebody reads.
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            let mut buffer = vec![0; 65_536];
            while !text.contains("the last line") {
                let count = reader.read(&mut buffer).unwrap();
                text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            }
        });
        sink.flush(PATIENCE);
        sink.write(b"the last line\n".to_vec());
        reading.join().unwrap();
        assert_eq!(sink.dropped(), dropped);
    }

    #[test]
    fn a_reader_that_is_gone_costs_lines_and_nothing_else() {
        let (reader, writer) = std::io::pipe().unwrap();
        let sink = Sink::start(&writer, "test", nothing);
        drop(reader);
        for _ in 0..3 {
            sink.write(b"nobody hears this\n".to_vec());
            sink.flush(PATIENCE);
        }
        assert_eq!(sink.dropped(), 3);
    }

    #[test]
    fn losses_are_told_when_writing_works_again() {
        static TOLD: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let (mut reader, writer) = std::io::pipe().unwrap();
        let sink = Sink::start(&writer, "test", |lost| {
            // The first batch fits into the pipe, so some may be told before anybody reads.
            TOLD.fetch_add(lost, std::sync::atomic::Ordering::SeqCst);
        });
        drop(writer);
        let line = [b'x'; 65_535];
        for _ in 0..40 {
            sink.write([&line[..], b"\n"].concat());
        }
        let lost = sink.dropped();
        assert!(lost > 0);
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        let until = Instant::now() + PATIENCE;
        while TOLD.load(std::sync::atomic::Ordering::SeqCst) != lost {
            assert!(Instant::now() < until, "nobody was told of {lost} lost lines");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
