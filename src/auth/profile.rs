//! Profiles of `.databrickscfg`.
//!
//! Source: databricks-sdk-go `config/config_file.go`: the default path, `DEFAULT` without a name, a comment begins with ` #`; profiles of
//! newer CLIs may name another default under `[__settings__]`.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where a profile is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    path: PathBuf,
    name: String,
}

/// What a profile says.
#[derive(Debug, Default)]
pub struct Contents {
    pub keys: HashMap<String, String>,
    /// Something is unsafe about the file, and this is what.
    pub warning: Option<String>,
}

/// The most that is read: a file of profiles is a few kilobytes.
const MOST: u64 = 1024 * 1024;

impl Profile {
    /// The profile called `name`, or the default one, in the file at `path` (`~/.databrickscfg`). `None` when nobody asked for one by name
    /// and there is none.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn find(path: Option<&str>, name: Option<&str>, variables: &HashMap<String, String>) -> Result<Option<(Self, Contents)>, String> {
        let home = ["HOME", "USERPROFILE"].into_iter().find_map(|name| variables.get(name)).filter(|home| !home.is_empty());
        let path = match path {
            Some(path) => match (path.strip_prefix("~"), home) {
                (Some(rest), Some(home)) => PathBuf::from(format!("{home}{rest}")),
                _ => PathBuf::from(path),
            },
            None => match home {
                Some(home) => Path::new(home).join(".databrickscfg"),
                None if name.is_some() => return Err("no home directory is known to look for .databrickscfg in".into()),
                None => return Ok(None),
            },
        };
        let file = match File::read(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && name.is_none() => return Ok(None),
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let warning = check_mode(&path, file.mode)?;
        let chosen = name.or_else(|| file.key("__settings__", "default_profile")).unwrap_or("DEFAULT").to_owned();
        let profile = Self { path, name: chosen };
        match (profile.keys(file), name) {
            (Ok(keys), _) => Ok(Some((profile, Contents { keys, warning }))),
            (Err(_), None) if profile.name == "DEFAULT" => Ok(None),
            (Err(reason), _) => Err(reason),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The profile as it is now.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(&self) -> Result<HashMap<String, String>, String> {
        let file = File::read(&self.path).map_err(|error| unreadable(&self.path, &error))?;
        check_mode(&self.path, file.mode)?;
        self.keys(file)
    }

    fn keys(&self, mut file: File) -> Result<HashMap<String, String>, String> {
        match file.sections.remove(&self.name) {
            Some(keys) if !keys.is_empty() => Ok(keys),
            _ => Err(format!("{} has no profile {:?}", self.path.display(), self.name)),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be read: {}", path.display(), error.kind())
}

/// Whoever can write the file decides where tokens are sent; whoever can read it has them.
fn check_mode(path: &Path, mode: u32) -> Result<Option<String>, String> {
    let path = path.display();
    if mode & 0o022 != 0 {
        return Err(format!("{path} can be changed by other users of this machine: chmod 600 {path}"));
    }
    Ok((mode & 0o044 != 0).then(|| format!("{path} can be read by other users of this machine: chmod 600 {path}")))
}

struct File {
    sections: HashMap<String, HashMap<String, String>>,
    /// The permission bits; 0 where there are none.
    mode: u32,
}

impl File {
    fn read(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        if !found.is_file() || found.len() > MOST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        #[cfg(unix)]
        let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777;
        #[cfg(not(unix))]
        let mode = 0;
        Ok(Self { sections: parse(&fs::read_to_string(path)?), mode })
    }

    fn key(&self, section: &str, key: &str) -> Option<&str> {
        self.sections.get(section)?.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// INI. Keys before any section are DEFAULT's.
fn parse(text: &str) -> HashMap<String, HashMap<String, String>> {
    let mut sections: HashMap<String, HashMap<String, String>> = HashMap::new();
    let mut section = "DEFAULT".to_owned();
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name) {
            section = name.trim().to_owned();
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else { continue };
        // Values may hold a # of their own: a comment begins with a space and one.
        let end = [" #", " ;", "\t#", "\t;"].into_iter().filter_map(|comment| value.find(comment)).min().unwrap_or(value.len());
        let value = value[..end].trim();
        let unquoted = ['"', '\'', '`'].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
        sections.entry(section.clone()).or_default().insert(key.trim().to_owned(), unquoted.unwrap_or(value).to_owned());
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_comments_and_quotes_are_read() {
        let text = "\u{feff}host = https://a.example # where\n; nothing\n[ws]\ntoken=dapi#1 ; mine\nclient_id : \"x y\"\nbroken\n[__settings__]\ndefault_profile = ws\n";
        let sections = parse(text);
        assert_eq!(sections["DEFAULT"]["host"], "https://a.example");
        assert_eq!(sections["ws"]["token"], "dapi#1");
        assert_eq!(sections["ws"]["client_id"], "x y");
        assert_eq!(sections["ws"].len(), 2);
        assert_eq!(sections["__settings__"]["default_profile"], "ws");
    }

    #[test]
    fn a_file_that_others_can_write_is_refused_and_one_that_they_can_read_warned_of() {
        let check = |mode| check_mode(Path::new("cfg"), mode);
        assert_eq!(check(0o600), Ok(None));
        assert_eq!(check(0), Ok(None));
        assert!(check(0o640).unwrap().unwrap().contains("chmod 600"));
        assert!(check(0o620).unwrap_err().contains("chmod 600") && check(0o602).is_err());
    }
}
