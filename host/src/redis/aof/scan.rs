//! Reads an append-only file as Redis wrote it, and says up to where it is whole.
//!
//! The format is strict here: Redis writes it in one way only, so that most flipped bits outside the
//! values show. A flipped bit in a value keeps the format; that is what the seal is for (see
//! [`super::seal`]).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

/// How much is read at once.
const CHUNK_BYTES: usize = 256 << 10;
/// The longest value that Redis takes (`proto-max-bulk-len`), and the most arguments.
const VALUE_BYTES_MAX: u64 = 512 << 20;
const ARGUMENTS_MAX: u64 = 1 << 20;
/// How many places are looked at for a command behind a fault.
const ATTEMPTS_MAX: usize = 100_000;
/// The longest name of a command that is looked at.
const NAME_MAX: usize = 32;

/// Something that Redis does not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Where it stands.
    pub(super) at: u64,
    /// Where the command or transaction begins that it is part of.
    pub(super) unit: u64,
    /// What is wrong.
    pub(super) what: String,
}

/// How a file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// With the end of a command or a transaction.
    Whole,
    /// In the middle of one, as a writer leaves it that is killed.
    Torn {
        /// Where that begins.
        from: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a command.
    Start,
    /// In a line of remarks.
    Remark,
    /// In a number behind `*` or `$`, with what was read of it.
    Number {
        is_count: bool,
        value: u64,
        digits: u8,
    },
    NumberEnd {
        is_count: bool,
        value: u64,
    },
    /// Before an argument.
    Argument,
    /// In a value, of which so much is to come.
    Value(u64),
    ValueEnd,
    ValueEnd2,
}

/// Reads piece by piece.
#[derive(Debug, Clone)]
pub(super) struct Scanner {
    state: State,
    /// What was read.
    at: u64,
    /// Up to where it is whole.
    good: u64,
    /// Where the present command begins.
    command: u64,
    /// Arguments to come of it.
    to_come: u64,
    arguments: u64,
    /// Where the present value begins.
    value_at: u64,
    name: Vec<u8>,
    in_transaction: bool,
    /// Commands and transactions that are whole.
    pub(super) units: u64,
    /// Of all that was read, and of what is whole.
    running: Sha256,
    whole: Sha256,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self {
            state: State::Start,
            at: 0,
            good: 0,
            command: 0,
            to_come: 0,
            arguments: 0,
            value_at: 0,
            name: Vec::new(),
            in_transaction: false,
            units: 0,
            running: Sha256::new(),
            whole: Sha256::new(),
        }
    }

    /// How much was read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Up to where it is whole, and the SHA-256 up to there.
    pub(super) fn whole(&self) -> (u64, String) {
        (self.good, hex(&self.whole.clone().finalize()))
    }

    /// Reads on. After a fault nothing more can be read.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (start, good) = (self.at, self.good);
        let result = self.read(bytes);
        let hashed = if self.good > good {
            let end = usize::try_from(self.good - start).unwrap_or(bytes.len());
            let (whole, _) = bytes.split_at(end.min(bytes.len()));
            self.running.update(whole);
            self.whole = self.running.clone();
            whole.len()
        } else {
            0
        };
        self.running.update(bytes.get(hashed..).unwrap_or_default());
        result
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut rest = bytes;
        while let Some((&byte, tail)) = rest.split_first() {
            if let State::Value(left) = self.state {
                let some = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                self.value(rest.get(..some).unwrap_or_default(), left);
                rest = rest.get(some..).unwrap_or_default();
                continue;
            }
            self.byte(byte)?;
            self.at += 1;
            rest = tail;
            if self.state == State::Start && byte == b'\n' {
                self.complete()?;
            }
        }
        Ok(())
    }

    fn value(&mut self, some: &[u8], left: u64) {
        if self.arguments == self.to_come + 1 {
            let room = NAME_MAX.saturating_sub(self.name.len()).min(some.len());
            self.name.extend_from_slice(some.get(..room).unwrap_or_default());
        }
        let count = some.len() as u64;
        self.at += count;
        let left = left - count;
        self.state = if left == 0 { State::ValueEnd } else { State::Value(left) };
    }

    fn byte(&mut self, byte: u8) -> Result<(), Fault> {
        let number = |is_count| State::Number { is_count, value: 0, digits: 0 };
        self.state = match (self.state, byte) {
            (State::Start, b'*') => {
                self.command = self.at;
                number(true)
            }
            (State::Start, b'#') => {
                self.command = self.at;
                State::Remark
            }
            (State::Remark, b'\n') => State::Start,
            (State::Remark, b' '..=b'~' | b'\r') => State::Remark,
            (State::Argument, b'$') => number(false),
            (State::Number { is_count, value, digits }, b'0'..=b'9')
                if digits < 10 && !(digits > 0 && value == 0) =>
            {
                let value = value * 10 + u64::from(byte - b'0');
                State::Number { is_count, value, digits: digits + 1 }
            }
            (State::Number { is_count, value, digits: 1.. }, b'\r') => {
                State::NumberEnd { is_count, value }
            }
            (State::NumberEnd { is_count: true, value }, b'\n') => self.count(value)?,
            (State::NumberEnd { is_count: false, value }, b'\n') => self.length(value)?,
            (State::ValueEnd, b'\r') => State::ValueEnd2,
            (State::ValueEnd2, b'\n') if self.to_come > 0 => self.next_argument()?,
            (State::ValueEnd2, b'\n') => State::Start,
            (state, byte) => return Err(self.fault(&expected(state), byte)),
        };
        Ok(())
    }

    fn count(&mut self, count: u64) -> Result<State, Fault> {
        if !(1..=ARGUMENTS_MAX).contains(&count) {
            return Err(self.fault_of(format!("a command of {count} arguments")));
        }
        (self.to_come, self.arguments) = (count, count);
        self.name.clear();
        Ok(State::Argument)
    }

    fn length(&mut self, length: u64) -> Result<State, Fault> {
        if length > VALUE_BYTES_MAX {
            return Err(self.fault_of(format!("a value of {length} bytes")));
        }
        self.to_come -= 1;
        self.value_at = self.at + 1;
        Ok(if length == 0 { State::ValueEnd } else { State::Value(length) })
    }

    /// Between two arguments; behind the first it is known which command it is.
    fn next_argument(&self) -> Result<State, Fault> {
        if self.to_come + 1 == self.arguments {
            self.check_name()?;
        }
        Ok(State::Argument)
    }

    fn check_name(&self) -> Result<(), Fault> {
        let is_name = (1..NAME_MAX).contains(&self.name.len());
        if !is_name || !self.name.iter().all(u8::is_ascii_alphabetic) {
            return Err(self.fault_of("no name of a command".to_owned()));
        }
        if (self.is("MULTI") || self.is("EXEC")) && self.arguments != 1 {
            return Err(self.fault_of("the bounds of a transaction with arguments".to_owned()));
        }
        Ok(())
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    fn is_flush(&self) -> bool {
        self.is("FLUSHALL") || self.is("FLUSHDB")
    }

    /// At the end of a command, or of a remark.
    fn complete(&mut self) -> Result<(), Fault> {
        if self.arguments == 0 {
            if !self.in_transaction {
                self.good = self.at;
            }
            return Ok(());
        }
        self.check_name()?;
        match (self.in_transaction, self.is("MULTI"), self.is("EXEC")) {
            (false, true, _) => self.in_transaction = true,
            (true, true, _) => {
                return Err(self.fault_of("a transaction within another".to_owned()));
            }
            (false, _, true) => {
                return Err(self.fault_of("the end of a transaction that has not begun".to_owned()));
            }
            // Nothing but the end of a transaction has no arguments there: else that end was altered,
            // and all behind it would look like an unfinished transaction.
            (true, _, false) if self.arguments == 1 && !self.is_flush() => {
                return Err(self.fault_of("a transaction whose end cannot be read".to_owned()));
            }
            (true, _, false) => {}
            (true, _, true) | (false, _, false) => {
                self.in_transaction = false;
                self.good = self.at;
                self.units += 1;
            }
        }
        self.arguments = 0;
        Ok(())
    }

    /// What it is when the file ends here.
    pub(super) fn end(&self) -> End {
        if self.good == self.at { End::Whole } else { End::Torn { from: self.good } }
    }

    /// Whether the file ends within a value.
    fn is_in_value(&self) -> bool {
        matches!(self.state, State::Value(_) | State::ValueEnd)
    }

    fn fault(&self, expected: &str, byte: u8) -> Fault {
        let found = byte.escape_ascii();
        let what = format!("'{found}' stands where {expected} should");
        Fault { at: self.at, unit: self.good, what }
    }

    fn fault_of(&self, what: String) -> Fault {
        Fault { at: self.command, unit: self.good, what }
    }
}

fn expected(state: State) -> String {
    match state {
        State::Start => "the '*' of a command",
        State::Argument => "the '$' of an argument",
        State::Number { .. } => "a number",
        State::Remark => "a remark",
        State::NumberEnd { .. } | State::Value(_) | State::ValueEnd | State::ValueEnd2 => {
            "the end of a line"
        }
    }
    .to_owned()
}

/// Reads a file from where a scanner stands up to `end`.
pub(super) fn scan(
    file: &Path,
    scanner: &mut Scanner,
    end: u64,
) -> std::io::Result<Result<(), Fault>> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(scanner.at()))?;
    let mut file = file.take(end.saturating_sub(scanner.at()));
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut buffer)?;
        let Some(some) = buffer.get(..count).filter(|some| !some.is_empty()) else {
            return Ok(Ok(()));
        };
        if let Err(fault) = scanner.feed(some) {
            return Ok(Err(fault));
        }
    }
}

/// Whether the torn end of a file is not one: a length that was altered makes all behind it look like
/// the beginning of one long value. `tail` is what follows the last whole unit.
///
/// What a killed writer leaves is a beginning of one command or transaction. It does not hold whole
/// commands within a value, and hardly ends with the end of a line there.
pub(super) fn hides_commands(tail: &[u8]) -> bool {
    let mut scanner = Scanner::new();
    if scanner.read(tail).is_err() || !scanner.is_in_value() {
        return false;
    }
    let value = usize::try_from(scanner.value_at).ok().and_then(|at| tail.get(at..));
    value.is_some_and(|value| value.ends_with(b"\r\n") || readable(value).0 > 0)
}

/// How many commands, and how many bytes of them, can be read somewhere behind the first byte.
pub(super) fn readable(bytes: &[u8]) -> (u64, u64) {
    let (mut units, mut sum, mut from) = (0, 0, 1);
    for _ in 0..ATTEMPTS_MAX {
        let Some(start) = next_command(bytes, from) else { break };
        let rest = bytes.get(start..).unwrap_or_default();
        let mut scanner = Scanner::new();
        // What was whole before a fault counts.
        let _ = scanner.read(rest);
        units += scanner.units;
        sum += scanner.good;
        from = start + usize::try_from(scanner.good).unwrap_or(rest.len()).max(1);
    }
    (units, sum)
}

fn next_command(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from.saturating_sub(2)..)?;
    let found = rest.windows(3).position(|three| three == b"\r\n*")?;
    Some(from.saturating_sub(2) + found + 2)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> Vec<u8> {
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        text.into_bytes()
    }

    /// A single command, and a transaction of two.
    fn file() -> Vec<u8> {
        let mut file = command(&["SELECT", "0"]);
        file.extend(command(&["MULTI"]));
        file.extend(command(&["SET", "k", "some value"]));
        file.extend(command(&["HSET", "h", "f", ""]));
        file.extend(command(&["EXEC"]));
        file
    }

    fn read(bytes: &[u8], piece: usize) -> Result<Scanner, Fault> {
        let mut scanner = Scanner::new();
        for some in bytes.chunks(piece) {
            scanner.feed(some)?;
        }
        Ok(scanner)
    }

    #[test]
    fn what_redis_writes_is_whole_however_it_is_read() {
        let mut file = file();
        file.extend(b"#TS:1700000000\r\n");
        file.extend(command(&["SET", "a", &"x\r\n*1\r\n".repeat(9)]));
        let whole = (file.len() as u64, hex(&Sha256::digest(&file)));
        for piece in [1, 2, 7, 1000] {
            let scanner = read(&file, piece).unwrap();
            assert_eq!(scanner.end(), End::Whole);
            assert_eq!((scanner.units, scanner.whole()), (3, whole.clone()));
        }
    }

    #[test]
    fn every_beginning_is_whole_or_torn_and_never_damaged() {
        let file = file();
        let first = command(&["SELECT", "0"]).len();
        for end in 0..file.len() {
            let scanner = read(&file[..end], 5).unwrap();
            let from = if end < first { 0 } else { first };
            let expected = if end == from { End::Whole } else { End::Torn { from: from as u64 } };
            assert_eq!(scanner.end(), expected, "{end}");
            assert!(!hides_commands(&file[from..end]), "{end}");
            let digest = hex(&Sha256::digest(&file[..from]));
            assert_eq!(scanner.whole(), (from as u64, digest));
        }
    }

    #[test]
    fn no_flipped_bit_outside_the_values_is_taken_for_whole() {
        let mut all = file();
        for n in 0..20 {
            all.extend(command(&["SET", &format!("key:{n}"), "another value"]));
        }
        let mut unseen = Vec::new();
        for at in 0..all.len() {
            for bit in 0..8 {
                let mut bytes = all.clone();
                bytes[at] ^= 1 << bit;
                let Ok(scanner) = read(&bytes, 64) else { continue };
                match scanner.end() {
                    End::Whole => unseen.push(at),
                    End::Torn { from } => {
                        let tail = &bytes[usize::try_from(from).unwrap()..];
                        // Only what the last command says of itself can look like a torn end.
                        let is_last = all.len() - at <= command(&["SET", "key:19", ""]).len() + 15;
                        assert!(hides_commands(tail) || is_last, "{at} {bit}");
                    }
                }
            }
        }
        // Names of commands are looked at by Redis; the rest are values.
        let is_value = |at: usize| all[at].is_ascii_alphanumeric() || b" :".contains(&all[at]);
        assert!(unseen.iter().all(|at| is_value(*at)), "{unseen:?}");
    }

    #[test]
    fn a_length_that_swallows_the_rest_is_no_torn_end() {
        let mut file = command(&["SET", "key", &"v".repeat(1000)]);
        file.extend(command(&["SET", "next", "value"]));
        file.extend(command(&["SET", "last", "value"]));
        let at = file.windows(5).position(|five| five == b"$1000").unwrap();
        file[at + 1] = b'9';
        assert_eq!(read(&file, 64).unwrap().end(), End::Torn { from: 0 });
        assert!(hides_commands(&file));
        assert_eq!(readable(&file).0, 2);
        // The same in the last command of all.
        let mut file = command(&["SET", "key", "value"]);
        let at = file.windows(2).rposition(|two| two == b"$5").unwrap();
        file[at + 1] = b'7';
        assert!(hides_commands(&file));
    }

    #[test]
    fn faults_are_named_with_their_place() {
        let mut bad = file();
        let first = command(&["SELECT", "0"]).len();
        bad[first] = b'+';
        let fault = read(&bad, 1000).unwrap_err();
        assert_eq!((fault.at, fault.unit), (first as u64, first as u64));
        assert!(fault.what.contains('+') && fault.what.contains('*'), "{fault:?}");
        let nested = [command(&["MULTI"]), command(&["MULTI"])].concat();
        assert!(read(&nested, 9).unwrap_err().what.contains("within another"));
        assert!(read(&command(&["EXEC"]), 9).unwrap_err().what.contains("not begun"));
        for bad in ["*0\r\n", "*01\r\n", "*1\r\n$-1\r\n", "*1\r\n$4\r\nSET\r\n\r\n", "\0\0", "*1\n"]
        {
            assert!(read(bad.as_bytes(), 9).is_err(), "{bad:?}");
        }
    }
}
