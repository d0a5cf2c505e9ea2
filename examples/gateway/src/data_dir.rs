//! The folder in which the gateway keeps what it must not lose: keys, accounts, its own secrets.
//!
//! The folder says whom it belongs to, so that demo accounts, whose secrets lie in a file beside them, never end up
//! behind a configuration that means it.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::config::Demo;

/// The folder, found or made.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

/// For whom a data directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// The profile; `None` for a configuration file.
    pub profile: Option<&'a str>,
    /// Whether it holds demo accounts.
    pub demo: Demo,
}

/// Why a data directory cannot be used.
#[derive(Debug)]
pub enum DataDirError {
    /// It belongs to somebody else; says what to do.
    Foreign(String),
    /// The file system refuses.
    Io(PathBuf, io::Error),
}

impl fmt::Display for DataDirError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(why) => f.write_str(why),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for DataDirError {}

/// The file that says whom the folder belongs to.
const MARK: &str = "belongs-to";

/// What the mark says for configuration files.
const FILE: &str = "a configuration file";

impl DataDir {
    /// Finds or makes the folder, readable to its owner alone.
    ///
    /// A configuration file with `[demo]` may use the demo accounts of a profile; nobody else may use anybody's.
    ///
    /// # Errors
    /// It belongs to another profile, or holds demo accounts that are not meant, or is not ours at all.
    pub fn open(path: &Path, owner: Owner<'_>) -> Result<Self, DataDirError> {
        let io_error = |error| DataDirError::Io(path.to_owned(), error);
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_error)?;
        let folder = Self(path.to_owned());
        let mark = format!("{}\n{}\n", owner.profile.unwrap_or(FILE), demo_word(owner.demo));
        let is_empty = fs::read_dir(path).map_err(io_error)?.next().is_none();
        let found = match folder.read(MARK)? {
            Some(found) => found,
            None if is_empty => folder.read_or_create(MARK, mark.into_bytes())?,
            None => {
                return Err(DataDirError::Foreign(format!(
                    "{} is not empty and not a data directory of the gateway: choose another with --data-dir",
                    path.display()
                )));
            }
        };
        check_owner(path, &String::from_utf8_lossy(&found), owner).map(|()| folder)
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What a file holds; `None` where it is not there.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DataDirError> {
        let path = self.file(name);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(DataDirError::Io(path, error)),
        }
    }

    /// What a file holds; where it is not there, it is made with this content, readable to its owner alone.
    ///
    /// Of several processes that do so at once, one makes the file and all answer what that one wrote.
    ///
    /// # Errors
    /// The file can be neither read nor made.
    pub fn read_or_create(&self, name: &str, content: Vec<u8>) -> Result<Vec<u8>, DataDirError> {
        if let Some(found) = self.read(name)? {
            return Ok(found);
        }
        let draft = self.draft(name, &content)?;
        let path = self.file(name);
        let linked = fs::hard_link(&draft, &path);
        // the draft is of no use to anybody once the link is there or another process was first
        let _ = fs::remove_file(&draft);
        match linked {
            Ok(()) => self.sync().map(|()| content),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(self.read(name)?.unwrap_or(content)),
            Err(error) => Err(DataDirError::Io(path, error)),
        }
    }

    /// Replaces a file in one step: readers see the old content or the new, nothing between.
    ///
    /// # Errors
    /// The file cannot be written; then the old one is as it was.
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<(), DataDirError> {
        let draft = self.draft(name, content)?;
        let path = self.file(name);
        fs::rename(&draft, &path).map_err(|error| DataDirError::Io(path, error))?;
        self.sync()
    }

    /// Waits until nobody else has a turn, and has it until the value is dropped: for reading a file and then replacing it.
    ///
    /// # Errors
    /// The folder cannot be locked.
    pub fn turn(&self) -> Result<File, DataDirError> {
        let locked = File::open(&self.0).and_then(|folder| folder.lock().map(|()| folder));
        locked.map_err(|error| DataDirError::Io(self.0.clone(), error))
    }

    /// Writes a file under a name of its own, down to the disk.
    fn draft(&self, name: &str, content: &[u8]) -> Result<PathBuf, DataDirError> {
        let path = self.file(&format!(".{name}.{}", std::process::id()));
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            // what an earlier process of the same id left behind may have another mode
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
            file.write_all(content)?;
            file.sync_all()
        };
        write().map_err(|error| DataDirError::Io(path.clone(), error))?;
        Ok(path)
    }

    /// Makes sure that new names survive a crash too.
    fn sync(&self) -> Result<(), DataDirError> {
        File::open(&self.0)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| DataDirError::Io(self.0.clone(), error))
    }
}

fn demo_word(demo: Demo) -> &'static str {
    match demo {
        Demo::Enabled => "demo",
        Demo::Disabled => "no demo",
    }
}

fn check_owner(path: &Path, mark: &str, owner: Owner<'_>) -> Result<(), DataDirError> {
    let mut lines = mark.lines();
    let (profile, demo) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let foreign = |why: String| Err(DataDirError::Foreign(format!("the data directory {} {why}", path.display())));
    let same_profile = owner.profile.is_none_or(|name| name == profile);
    if !same_profile {
        let whose = if profile == FILE { FILE.to_owned() } else { format!("the profile `{profile}`") };
        return foreign(format!("belongs to {whose}: choose another with --data-dir"));
    }
    match owner.demo {
        Demo::Disabled if demo == demo_word(Demo::Enabled) => foreign(
            "holds demo accounts, whose secrets lie in its demo.json: choose another with --data-dir, or enable [demo]"
                .to_owned(),
        ),
        Demo::Enabled if demo != demo_word(Demo::Enabled) => {
            foreign("is in real use, so no demo accounts are made there: choose another with --data-dir".to_owned())
        }
        Demo::Enabled | Demo::Disabled => Ok(()),
    }
}
