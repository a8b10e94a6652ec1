//! Writes every script, as Redis gets it, into a folder: `<folder>/<noun>/<verb>.lua`. There luacheck
//! sees what a file below `lua/` does not show alone: its includes, and the names of its keys.

use std::path::Path;
use std::{env, fs, io};

use reef_store::script::ALL;

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| io::Error::other("name the folder"))?;
    for script in ALL {
        let file = Path::new(&folder).join(script.name).with_extension("lua");
        fs::create_dir_all(file.parent().unwrap_or(&file))?;
        fs::write(file, format!("{}return main(KEYS, ARGV)\n", script.code))?;
    }
    Ok(())
}
