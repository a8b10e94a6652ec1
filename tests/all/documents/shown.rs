//! Reads a document: what it shows to be typed, where it links to, what can be linked to.

/// A command that a document shows, and what it is said to print.
#[derive(Debug)]
pub struct Shown {
    pub command: String,
    pub output: String,
}

/// The commands of a document's console blocks, in order.
pub fn commands(text: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut in_block = false;
    let mut goes_on = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = line == "```console";
        } else if in_block {
            if let Some(command) = line.strip_prefix("$ ") {
                shown.push(Shown { command: command.to_owned(), output: String::new() });
            } else {
                let last = shown.last_mut().expect("a console block begins with a command");
                let part = if goes_on { &mut last.command } else { &mut last.output };
                part.push('\n');
                part.push_str(line);
            }
            goes_on = line.ends_with('\\') && (goes_on || line.starts_with("$ "));
        }
    }
    shown
}

/// The targets of a document's links, outside of its blocks.
pub fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in outside_of_blocks(text) {
        for part in line.split("](").skip(1) {
            found.extend(part.split(')').next().map(str::to_owned));
        }
    }
    found
}

/// What the headings of a document are called in links, as GitHub does it.
pub fn anchors(text: &str) -> impl Iterator<Item = String> {
    outside_of_blocks(text).filter(|line| line.starts_with('#')).map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

fn outside_of_blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut in_block = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        in_block ^= is_fence;
        !in_block && !is_fence
    })
}
