//! What a person can have done about a damaged file: nothing is lost that was not shown, and all
//! files are kept as they were.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::{Cure, Damage, Found, cut, look, manifest, scan, seal, shorten, stamp, tail};

/// Damage in a server's files.
#[derive(Debug)]
pub(crate) struct Plan {
    data: PathBuf,
    damage: Damage,
}

/// Looks for damage; `None` if there is none, or only what a start mends by itself.
///
/// # Errors
/// A file cannot be read at all.
pub(crate) fn plan(data: &Path) -> Result<Option<Plan>> {
    Ok(match look(data)? {
        Found::Whole(_) | Found::Torn(..) => None,
        Found::Damaged(damage) => Some(Plan { data: data.to_owned(), damage }),
    })
}

impl Plan {
    /// What is wrong, in one sentence.
    pub(crate) fn damage(&self) -> String {
        sentence(&self.damage)
    }

    /// Whether anything but a backup helps.
    pub(crate) fn is_repairable(&self) -> bool {
        self.damage.cure != Cure::Restore
    }

    /// What would be done, and lost.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn what_is_lost(&self) -> Result<String> {
        let later = self.later_files()?;
        Ok(match &self.damage.cure {
            Cure::Restore => "nothing can be saved from the file itself".to_owned(),
            Cure::Accept => "the file would be taken as it is. It can be read to its end, but \
                             something in it is not what the hub has written, and what that is, \
                             nobody can tell; `reef ledger verify` tells whether it is money"
                .to_owned(),
            Cure::Cut { bytes, .. } if *bytes == 0 && later.is_empty() => {
                "the file would be taken as it is; what is missing stays lost".to_owned()
            }
            Cure::Cut { at, bytes } => {
                let (units, _) = scan::readable(&tail(&self.damage.file, *at)?);
                let mut text = format!(
                    "everything from byte {at} on would be cut off: {bytes} bytes, in which {units} \
                     later commands can still be recognized. All that they have changed is lost"
                );
                if !later.is_empty() {
                    text.push_str(&format!(", and all of {}", later.join(", ")));
                }
                text
            }
        })
    }

    /// Does it, after all files were copied; says where to.
    ///
    /// # Errors
    /// They cannot be copied, and nothing was changed; or damage remains.
    pub(crate) fn carry_out(self) -> Result<PathBuf> {
        let folder = self.data.join(manifest::FOLDER);
        let copy = self.data.join(format!("damaged-{}", stamp()));
        copy_all(&folder, &copy)
            .with_context(|| format!("cannot keep a copy in {}", copy.display()))?;
        match &self.damage.cure {
            Cure::Restore => bail!("{}; only a backup helps", self.damage()),
            Cure::Accept => {}
            Cure::Cut { at, .. } => {
                self.forget_later_files(&folder)?;
                shorten(&self.damage.file, *at)?;
            }
        }
        match std::fs::remove_file(folder.join(seal::NAME)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)?,
            _ => {}
        }
        match look(&self.data)? {
            Found::Whole(_) => {}
            Found::Torn(torn, _) => drop(cut(&torn, &self.data)?),
            Found::Damaged(damage) => {
                bail!("there is more: {}; run this again", sentence(&damage))
            }
        }
        Ok(copy)
    }

    /// The files that were written to after the damaged one.
    fn later_files(&self) -> Result<Vec<String>> {
        if !matches!(self.damage.cure, Cure::Cut { .. }) {
            return Ok(Vec::new());
        }
        let name = self.damage.file.file_name().unwrap_or_default().to_string_lossy();
        let read = manifest::read(&self.data.join(manifest::FOLDER));
        let read = read.map_err(|what| anyhow::anyhow!("the manifest {what}"))?;
        let increments = read.map(|read| read.increments).unwrap_or_default();
        let later = increments.into_iter().map(|file| file.name);
        Ok(later.skip_while(|file| *file != name).skip(1).collect())
    }

    fn forget_later_files(&self, folder: &Path) -> Result<()> {
        if self.later_files()?.is_empty() {
            return Ok(());
        }
        let name = self.damage.file.file_name().unwrap_or_default().to_string_lossy();
        let Ok(Some(read)) = manifest::read(folder) else { bail!("the manifest is gone") };
        let unfinished = folder.join("reef.manifest.new");
        std::fs::write(&unfinished, read.up_to(&name))?;
        std::fs::File::open(&unfinished)?.sync_all()?;
        std::fs::rename(&unfinished, folder.join(manifest::NAME))?;
        for later in self.later_names(&read, &name) {
            std::fs::remove_file(folder.join(later))?;
        }
        Ok(())
    }

    fn later_names<'m>(&self, read: &'m manifest::Manifest, name: &str) -> Vec<&'m str> {
        let names = read.increments.iter().map(|file| file.name.as_str());
        names.skip_while(|file| *file != name).skip(1).collect()
    }
}

/// What is wrong.
pub(crate) fn sentence(damage: &Damage) -> String {
    format!("{} {}", damage.file.display(), damage.what)
}

fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let copy = to.join(entry.file_name());
            std::fs::copy(entry.path(), &copy)?;
            std::fs::File::open(&copy)?.sync_all()?;
        }
    }
    std::fs::File::open(to)?.sync_all()
}
