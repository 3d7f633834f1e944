//! A data directory, and the server on it.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ordersys_contract::Secret;

use crate::Installation;

/// The role that owns the cluster and everything in it.
pub const ROLE: &str = "ordersys";
/// The database that is made in it.
pub const DATABASE: &str = "ordersys";
/// Connections that the server takes: those of many replicas.
const MAX_CONNECTIONS: &str = "max_connections=300";

/// A data directory of PostgreSQL, and what runs it.
#[derive(Debug, Clone)]
pub struct Cluster {
    installation: Installation,
    dir: PathBuf,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// It was made by another major version.
    #[error("{} is of PostgreSQL {found}, and this machine has {installed}", dir.display())]
    OtherVersion {
        /// The data directory.
        dir: PathBuf,
        /// The version that made it.
        found: String,
        /// The version that is installed.
        installed: u32,
    },
    /// A program of PostgreSQL failed.
    #[error("`{program}` failed for {}: {why}", dir.display())]
    Failed {
        /// Which program.
        program: &'static str,
        /// The data directory.
        dir: PathBuf,
        /// The end of what it said.
        why: String,
    },
    /// Files cannot be written.
    #[error("the data directory {} cannot be made", dir.display())]
    Files {
        /// The data directory.
        dir: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl Cluster {
    /// The cluster in a directory, which need not be there yet.
    #[must_use]
    pub fn new(installation: Installation, dir: &Path) -> Self {
        Self { installation, dir: dir.to_owned() }
    }

    /// Makes the directory with a role that has this password, and a database, unless it is there.
    pub fn make(&self, password: &Secret) -> Result<(), ClusterError> {
        match std::fs::read_to_string(self.dir.join("PG_VERSION")) {
            Ok(found) if found.trim() == self.installation.version().to_string() => Ok(()),
            Ok(found) => Err(ClusterError::OtherVersion {
                dir: self.dir.clone(),
                found: found.trim().to_owned(),
                installed: self.installation.version(),
            }),
            Err(_) => self.init(password),
        }
    }

    /// Made beside its place and moved there when it is whole.
    fn init(&self, password: &Secret) -> Result<(), ClusterError> {
        let files = |source| ClusterError::Files { dir: self.dir.clone(), source };
        let parent = self.dir.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).map_err(files)?;
        let scratch = tempfile::Builder::new().prefix(".postgres-").tempdir_in(parent).map_err(files)?;
        let mut file = tempfile::NamedTempFile::new_in(scratch.path()).map_err(files)?;
        writeln!(file, "{}", password.expose()).map_err(files)?;
        let new = scratch.path().join("data");
        let mut initdb = self.program("initdb");
        initdb.arg("-D").arg(&new).args(["-U", ROLE, "-E", "UTF8", "--locale=C.UTF-8"]);
        initdb.args(["--auth=scram-sha-256", "--pwfile"]).arg(file.path());
        self.checked("initdb", initdb.output())?;
        self.checked("postgres", self.create_database(&new))?;
        std::fs::rename(&new, &self.dir).map_err(files)?;
        std::fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(files)
    }

    /// In a server that serves nobody else.
    fn create_database(&self, dir: &Path) -> std::io::Result<Output> {
        let mut single = self.program("postgres");
        single.arg("--single").arg("-D").arg(dir).arg("postgres");
        single.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = single.spawn()?;
        if let Some(mut stdin) = server.stdin.take() {
            writeln!(stdin, "CREATE DATABASE {DATABASE}")?;
        }
        server.wait_with_output()
    }

    fn checked(&self, program: &'static str, ran: std::io::Result<Output>) -> Result<(), ClusterError> {
        let why = match ran {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                said.lines()
                    .rev()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or("it says nothing")
                    .to_owned()
            }
            Err(error) => error.to_string(),
        };
        Err(ClusterError::Failed { program, dir: self.dir.clone(), why })
    }

    /// The command that runs the server in the foreground, on this port of loopback.
    #[must_use]
    pub fn server(&self, port: u16) -> Vec<OsString> {
        let mut words = words(&self.installation.program("postgres"));
        words.extend([OsString::from("-D"), self.dir.clone().into()]);
        let port = port.to_string();
        let settings = [
            "-p",
            &port,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            MAX_CONNECTIONS,
        ];
        words.extend(settings.map(OsString::from));
        words
    }

    fn program(&self, name: &str) -> Command {
        let words = words(&self.installation.program(name));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}

/// A program as it is started. PostgreSQL refuses to run as root: to it, and to it alone, root then is another user.
fn words(program: &Path) -> Vec<OsString> {
    let mut words = Vec::new();
    if rustix::process::geteuid().is_root() {
        words.extend(["unshare", "--user", "--map-user=1000", "--map-group=1000"].map(OsString::from));
    }
    words.push(program.into());
    words
}
