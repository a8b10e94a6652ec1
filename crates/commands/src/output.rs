//! Everything that the commands print: results on standard output, all else on standard error.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};

use reef_client::Answer;
use reef_domain::shown::{as_text, in_line};
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Bold red, bold yellow, and back; `anstream` drops them where they would disturb.
const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const PLAIN: &str = "\u{1b}[0m";

/// The other screen of the terminal without a cursor; and back.
const TAKE_SCREEN: &[u8] = b"\x1b[?1049h\x1b[?25l";
const GIVE_SCREEN: &[u8] = b"\x1b[?25h\x1b[?1049l";
const HOME: &str = "\u{1b}[H";
const CLEAR_LINE: &str = "\u{1b}[K\r\n";
const CLEAR_BELOW: &str = "\u{1b}[J";

/// A terminal that was taken as a whole.
#[derive(Debug)]
pub(crate) struct Screen;

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        // Nothing can be done about a terminal that is gone.
        let _ = out.write_all(GIVE_SCREEN).and_then(|()| out.flush());
    }
}

/// Standard output, for one command.
#[derive(Debug)]
pub(crate) struct Output {
    is_json: bool,
    is_terminal: bool,
    /// The last text did not end its line.
    in_line: Cell<bool>,
}

impl Output {
    pub(crate) fn new(is_json: bool) -> Self {
        Self { is_json, is_terminal: io::stdout().is_terminal(), in_line: Cell::new(false) }
    }

    /// Whether the output is for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Whether people read it as it comes.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Takes the whole terminal, until what is returned is dropped.
    pub(crate) fn take_screen(&self) -> io::Result<Screen> {
        self.write(TAKE_SCREEN, b"")?;
        Ok(Screen)
    }

    /// Fills the terminal with these lines.
    pub(crate) fn draw(&self, text: &str) -> io::Result<()> {
        // From the top, and clear behind each line instead of everything first: nothing flickers.
        let mut picture = HOME.to_owned();
        for line in as_text(text).lines() {
            picture.push_str(line);
            picture.push_str(CLEAR_LINE);
        }
        picture.push_str(CLEAR_BELOW);
        self.write(picture.as_bytes(), b"")
    }

    /// Reads an answer. Of parts that cannot be read it is said which they are; they are shown as
    /// the text that they are.
    pub(crate) fn read<T: DeserializeOwned>(&self, answer: &Answer<T>) -> Result<T, Failure> {
        let read = answer.lenient()?;
        for part in &read.unreadable {
            self.note(&format!("{part}"));
        }
        Ok(read.value)
    }

    /// Says how a list goes on, if it does.
    pub(crate) fn tell_next<T>(&self, answer: &Answer<T>) {
        if let Some(cursor) = answer.next_cursor() {
            self.note(&format!("there are more: --cursor {cursor}"));
        }
    }

    /// Prints an answer: as it came for programs, else as `people` would like to see it.
    pub(crate) fn answer<T: DeserializeOwned>(
        &self,
        answer: &Answer<T>,
        people: impl FnOnce(T) -> String,
    ) -> Result<(), Failure> {
        if self.is_json {
            self.as_it_came(answer)?;
        } else {
            self.line(&people(self.read(answer)?))?;
        }
        Ok(())
    }

    /// Prints an answer for programs: what it says, with characters that are not seen as JSON writes
    /// them.
    fn as_it_came<T>(&self, answer: &Answer<T>) -> Result<(), Failure> {
        match std::str::from_utf8(answer.body()) {
            Ok(text) => self.line(text.trim_end())?,
            Err(_) => self.line(&answer.json::<serde_json::Value>()?.to_string())?,
        }
        Ok(())
    }

    /// Prints an answer that was read before.
    pub(crate) fn shown<T>(
        &self,
        answer: &Answer<T>,
        people: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.is_json {
            self.as_it_came(answer)?;
        } else {
            self.line(&people())?;
        }
        Ok(())
    }

    /// Prints lines; nothing if there are none. What they hold of others' texts is written out
    /// where it would do something else than be read, also for programs: these ask for JSON.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let shown = if self.is_json { Cow::Owned(json(text)) } else { as_text(text) };
        self.write(shown.as_bytes(), b"\n")
    }

    /// Prints a part of a text at once. What is read by a program is exactly the text.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.in_line.set(!text.ends_with('\n'));
        self.write(self.fit(text).as_bytes(), b"")
    }

    /// Prints a line to the letter: whoever asks for that knows what a terminal does with it.
    pub(crate) fn raw_line(&self, text: &str) -> io::Result<()> {
        self.write(text.as_bytes(), b"\n")
    }

    /// Says something beside the result.
    pub(crate) fn note(&self, text: &str) {
        if self.is_terminal && self.in_line.take() {
            // Nothing is lost if this fails: the note is for people.
            let _ = self.write(b"", b"\n");
        }
        aside(text);
    }

    /// Ends the last line on a terminal, so that the prompt begins a new one.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        if self.is_terminal && self.in_line.take() {
            self.write(b"", b"\n")?;
        }
        Ok(())
    }

    /// Texts are other people's. On a terminal they must not move the cursor, or worse.
    fn fit<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_terminal { as_text(text) } else { Cow::Borrowed(text) }
    }

    fn write(&self, text: &[u8], end: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text)?;
        out.write_all(end)?;
        out.flush()
    }
}

/// JSON that says the same and holds nothing that is not seen. Line breaks and tabs stand only
/// between its parts.
pub(crate) fn json(text: &str) -> String {
    let lines = text.lines().map(|line| in_line(&line.replace('\t', " ")).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Says what went wrong.
pub(crate) fn error(sentence: &str) {
    said(&format!("{RED}error:{PLAIN} "), sentence);
}

/// Says what to do next.
pub(crate) fn hint(sentence: &str) {
    said(&format!("{YELLOW}hint:{PLAIN} "), sentence);
}

/// Says something to people, in one line: what it holds may be a hub's, or a stranger's.
pub(crate) fn aside(text: &str) {
    said("", text);
}

fn said(prefix: &str, text: &str) {
    // Nothing sensible is left to do when standard error itself is gone.
    let _ = writeln!(anstream::stderr(), "{prefix}{}", in_line(text));
}
/// A message for a program, on a line of its own.
pub(crate) fn message(message: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{message}")?;
    out.flush()
}
