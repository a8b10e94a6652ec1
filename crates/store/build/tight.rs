//! Spaces that are nothing to Lua: scripts are sent to Redis, and bounded, by their bytes.

/// A line, or some lines, without the spaces beside what ends a word anyway; strings stay as they are. Those
/// beside a minus stay, since two of them begin a comment, and what follows a comment's begin.
pub(crate) fn tight(code: &str) -> String {
    let (code, comment) = match code.find(" -- ") {
        Some(at) => code.split_at(at),
        None => (code, ""),
    };
    let chars: Vec<char> = code.chars().collect();
    let mut tight = String::with_capacity(code.len());
    let (mut quote, mut is_escaped) = (None, false);
    for (at, c) in chars.iter().copied().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let next = chars.get(at + 1).copied();
        match quote {
            Some(mark) if c == mark && !is_escaped => quote = None,
            Some(_) => is_escaped = c == '\\' && !is_escaped,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c == ' ' && is_spare(before, next) => continue,
            None => {}
        }
        tight.push(c);
    }
    tight + comment
}

fn is_spare(before: Option<char>, next: Option<char>) -> bool {
    let ends_word = |c: Option<char>| c.is_some_and(|c| ",=+*/%(){}<>~#".contains(c));
    let joins = |c: Option<char>| c == Some('.');
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    ends_word(before)
        || ends_word(next)
        || (joins(next) && !is_digit(before))
        || (joins(before) && !is_digit(next))
}
