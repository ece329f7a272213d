//! The folders that the settings ask for. Whole folders, because files in them are replaced: an editor, certbot and a mounted
//! secret put a new file in the place of the old one. But of a folder that others use too, the file alone.

use secbeat_settings::Settings;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Folders in which others have their files, by their real paths; each home is one too.
const SHARED: &[&str] = &[
    "/",
    "/dev/shm",
    "/etc",
    "/home",
    "/opt",
    "/root",
    "/run",
    "/srv",
    "/tmp",
    "/usr",
    "/usr/local",
    "/usr/local/etc",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/tmp",
];

/// Files of Debian's package `modsecurity-crs`.
const DEBIANS_RULE_SET: &[&str] = &[
    "/usr/share/modsecurity-crs/owasp-crs.load",
    "/usr/share/modsecurity-crs/rules/*",
    "/etc/modsecurity/*",
    "/etc/modsecurity/crs/crs-setup.conf",
];

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It is read.
    Read,
    /// It is read, written, made and removed.
    Write,
}

/// A file that the settings name.
pub struct Named {
    /// The key that names it, `sites[0].rules_path`.
    pub key: String,
    /// The file, or a pattern of files.
    pub path: PathBuf,
    /// What is done with it.
    pub access: Access,
}

/// Every file that these settings name and that a reload may open.
pub fn named(settings: &Settings) -> Vec<Named> {
    let mut files: Vec<(String, Option<&PathBuf>, Access)> = vec![
        ("waf.rules_path".into(), settings.waf.rules_path.as_ref(), Access::Read),
        ("error_pages.html".into(), settings.error_pages.html.as_ref(), Access::Read),
        ("error_pages.json".into(), settings.error_pages.json.as_ref(), Access::Read),
        ("metrics.api_token_file".into(), settings.metrics.api_token_file.as_ref(), Access::Read),
        ("metrics.viewer_token_file".into(), settings.metrics.viewer_token_file.as_ref(), Access::Read),
        (
            "syn_proxy.syn_cookie_secret_file".into(),
            settings.syn_proxy.syn_cookie_secret_file.as_ref(),
            Access::Read,
        ),
        ("logging.file".into(), settings.logging.file.as_ref(), Access::Write),
        (
            "access_log.file".into(),
            settings.access_log.enable.then_some(&settings.access_log.file),
            Access::Write,
        ),
        (
            "audit_log.file".into(),
            settings.audit_log.enable.then_some(&settings.audit_log.file),
            Access::Write,
        ),
        ("waf.crs.setup".into(), settings.crs.setup.as_ref(), Access::Read),
    ];
    if let Some(tls) = &settings.tls {
        files.push(("tls.cert_path".into(), Some(&tls.cert_path), Access::Read));
        files.push(("tls.key_path".into(), Some(&tls.key_path), Access::Read));
    }
    if let Some(orchestrator) = &settings.orchestrator {
        let file = orchestrator.join_token_file.as_ref();
        files.push(("orchestrator.join_token_file".into(), file, Access::Read));
    }
    for (number, site) in settings.sites.iter().enumerate() {
        let key = |name: &str| format!("sites[{number}].{name}");
        files.push((key("rules_path"), site.rules_path.as_ref(), Access::Read));
        files.push((key("error_page_html"), site.error_page_html.as_ref(), Access::Read));
        files.push((key("error_page_json"), site.error_page_json.as_ref(), Access::Read));
    }
    files.extend(settings.waf.include.iter().map(|file| ("waf.include".into(), Some(file), Access::Read)));
    // Of the rule set, all that is in its folder.
    let rule_set = settings.crs.path.as_ref().map(|folder| folder.join("*"));
    files.push(("waf.crs.path".into(), rule_set.as_ref(), Access::Read));
    let there = files.into_iter().filter_map(|(key, path, access)| Some((key, path?, access)));
    there.map(|(key, path, access)| Named { key, path: path.clone(), access }).collect()
}

/// A file in a folder that others use too: this one, and none that comes in its place.
#[derive(Debug, PartialEq, Eq)]
pub struct Single {
    /// Its real path.
    pub path: PathBuf,
    /// What may be done with it.
    pub access: Access,
    /// Device and inode.
    id: (u64, u64),
}

/// Folders, and a few files, by their real paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Folders {
    /// Where files may be removed.
    pub remove: Vec<PathBuf>,
    /// Files without their folders.
    pub files: Vec<Single>,
    /// What may be read.
    pub read: Vec<PathBuf>,
    /// What may be read and written.
    pub write: Vec<PathBuf>,
}

impl Folders {
    /// Those of a node with this configuration file and these settings, whose rules were read from `rule_files`. Makes the folders
    /// of its logs, as opening them would.
    ///
    /// # Errors
    /// A folder that is listed, or one that is to be written, is not there and cannot be made.
    pub fn of(config: &Path, settings: &Settings, rule_files: &[PathBuf]) -> Result<Self, String> {
        let mut folders = Self::listed(settings)?;
        folders.add(config, Access::Read);
        for Named { key, path, access } in named(settings) {
            if access == Access::Write {
                fs::create_dir_all(folder_of(&path))
                    .map_err(|error| format!("{key}: {}: {error}", folder_of(&path).display()))?;
                if folder_of(&path).canonicalize().is_ok_and(|folder| is_shared(&folder)) {
                    // Nothing can be made there later.
                    let file = OpenOptions::new().append(true).create(true).open(&path);
                    file.map_err(|error| format!("{key}: {}: {error}", path.display()))?;
                }
            }
            folders.add(&path, access);
        }
        // An operator may switch it on while the node runs.
        folders.add(&settings.access_log.file, Access::Write);
        folders.add(&settings.audit_log.file, Access::Write);
        // So may they the rule set, and it may have files beside those that were read.
        let read = rule_files.iter().map(PathBuf::as_path).chain(DEBIANS_RULE_SET.iter().map(Path::new));
        read.for_each(|file| folders.add(file, Access::Read));
        // It is bound before; where it cannot be removed at the end, the next start does it.
        let socket = settings.metrics.unix_socket.as_deref();
        let folder = socket.and_then(|socket| folder_of(socket).canonicalize().ok());
        folders.remove.extend(folder.filter(|folder| !is_shared(folder)));
        folders.write.push(real("server.data_dir", &settings.server.data_dir)?);
        Ok(folders)
    }

    /// Those that the operator lists.
    ///
    /// # Errors
    /// One of them is not there.
    pub fn listed(settings: &Settings) -> Result<Self, String> {
        let sandbox = &settings.sandbox;
        let read = sandbox.read_paths.iter().map(|path| real("sandbox.read_paths", path));
        let write = sandbox.write_paths.iter().map(|path| real("sandbox.write_paths", path));
        let (read, write) = (read.collect::<Result<_, _>>()?, write.collect::<Result<_, _>>()?);
        Ok(Self { read, write, ..Self::default() })
    }

    /// Whether this may be done with the file at `path`, as far as folders go. What is to be read and is not there at all is
    /// held: whoever opens it says so better. What is to be written lies where the first folder above it is that is there.
    pub fn hold(&self, path: &Path, access: Access) -> bool {
        let real = path.canonicalize().or_else(|_| folder_of(path).canonicalize());
        let real = real.or_else(|error| match access {
            Access::Read => Err(error),
            Access::Write => path
                .ancestors()
                .skip(1)
                .map(or_here)
                .find_map(|folder| folder.canonicalize().ok())
                .ok_or(error),
        });
        let Ok(real) = real else { return true };
        let readable: &[PathBuf] = if access == Access::Read { &self.read } else { &[] };
        self.write.iter().chain(readable).any(|folder| real.starts_with(folder))
            || self.files.iter().any(|single| {
                single.path == real
                    && (single.access == access || access == Access::Read)
                    && Some(single.id) == id(&real)
            })
    }

    /// Adds the folder of a file, and the folder of the file that it is a link to; or the file alone.
    fn add(&mut self, file: &Path, access: Access) {
        let target = file.canonicalize().ok();
        for file in [Some(file), target.as_deref()].into_iter().flatten() {
            // What is not there is told by whoever opens it.
            let Ok(folder) = folder_of(file).canonicalize() else { continue };
            let folders = match access {
                Access::Read => &mut self.read,
                Access::Write => &mut self.write,
            };
            if folders.contains(&folder) {
                continue;
            }
            if !is_shared(&folder) || (access == Access::Read && is_open_to_all(&folder)) {
                folders.push(folder);
                continue;
            }
            let Some(path) = target.clone().filter(|path| path.parent() == Some(&folder)) else { continue };
            let known = self.files.iter().any(|single| single.path == path && single.access == access);
            if let Some(id) = id(&path).filter(|_| !known) {
                self.files.push(Single { path, access, id });
            }
        }
    }
}

/// Whether others have their files in it.
pub fn is_shared(folder: &Path) -> bool {
    let is_home = folder.parent() == Some(Path::new("/home"))
        || std::env::home_dir().is_some_and(|home| home.canonicalize().is_ok_and(|home| home == folder));
    is_home || SHARED.iter().any(|shared| folder == Path::new(shared))
}

/// Of `/etc` the system shows all but root only what everybody may see.
fn is_open_to_all(folder: &Path) -> bool {
    folder == Path::new("/etc") && !rustix::process::geteuid().is_root()
}

fn id(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|file| (file.dev(), file.ino()))
}

fn real(key: &str, path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| {
        format!("{key}: {}: {error}; make it before the start, or take it out of the list", path.display())
    })
}

fn folder_of(file: &Path) -> &Path {
    or_here(file.parent().unwrap_or(Path::new("")))
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_link_leads_to_both_folders_and_what_is_put_there_later_is_held() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        for folder in ["live", "archive", "data", "elsewhere"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        fs::write(root.join("archive/cert1.pem"), "").unwrap();
        symlink("../archive/cert1.pem", root.join("live/cert.pem")).unwrap();
        let mut folders = Folders::default();
        folders.add(&root.join("live/cert.pem"), Access::Read);
        folders.add(&root.join("data/log"), Access::Write);
        assert_eq!(folders.read, [root.join("live"), root.join("archive")]);

        fs::write(root.join("archive/cert2.pem"), "").unwrap();
        fs::remove_file(root.join("live/cert.pem")).unwrap();
        symlink("../archive/cert2.pem", root.join("live/cert.pem")).unwrap();
        assert!(folders.hold(&root.join("live/cert.pem"), Access::Read));
        assert!(!folders.hold(&root.join("live/cert.pem"), Access::Write));
        assert!(folders.hold(&root.join("data/new"), Access::Write));
        assert!(!folders.hold(&root.join("elsewhere/new"), Access::Read));
        assert!(folders.hold(&root.join("data/not/there/new"), Access::Write));
        assert!(!folders.hold(&root.join("elsewhere/not/there/new"), Access::Write));
        symlink("../elsewhere/key", root.join("live/key.pem")).unwrap();
        fs::write(root.join("elsewhere/key"), "").unwrap();
        assert!(!folders.hold(&root.join("live/key.pem"), Access::Read), "it leads elsewhere");
        assert!(!folders.hold(&root.join("live/../elsewhere/key"), Access::Read));
    }

    #[test]
    fn of_a_folder_that_others_use_too_it_is_the_file_alone_and_no_new_one() {
        let name = format!("secbeat-{}.toml", std::process::id());
        let path = Path::new("/tmp").canonicalize().unwrap().join(&name);
        fs::write(&path, "").unwrap();
        let mut folders = Folders::default();
        folders.add(&path, Access::Read);
        assert!(folders.read.is_empty() && folders.files.len() == 1, "{folders:?}");
        assert!(folders.hold(&path, Access::Read));
        assert!(!folders.hold(&path, Access::Write));
        assert!(!folders.hold(&path.with_extension("other"), Access::Read));
        let beside = path.with_extension("new");
        fs::write(&beside, "").unwrap();
        fs::rename(&beside, &path).unwrap();
        assert!(!folders.hold(&path, Access::Read), "it is another file");
        fs::remove_file(&path).unwrap();
        folders.add(Path::new("/secbeat.toml"), Access::Read);
        assert!(folders.read.is_empty());
    }

    #[test]
    fn a_listed_folder_that_is_not_there_is_refused_by_its_key() {
        let mut settings = Settings::default();
        settings.server.data_dir = std::env::temp_dir();
        settings.sandbox.read_paths = vec!["/not/there".into()];
        let error = Folders::of(Path::new("node.toml"), &settings, &[]).unwrap_err();
        assert!(error.starts_with("sandbox.read_paths: /not/there: "), "{error}");
    }
}
