//! Whether a port is free, and which process of this machine has it if not.

use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener};
use std::path::Path;

use crate::os::table;

/// A process that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
}

impl Listener {
    /// The project whose service it is, if it is one of this machine's processes.
    #[must_use]
    pub fn project(&self) -> Option<String> {
        let words = table::words_of(self.pid);
        let data_dir = words.windows(2).find(|pair| pair[0] == "--data-dir").map(|pair| pair[1].clone())?;
        let is_service = words.get(1).is_some_and(|word| word == "serve");
        let project = Path::new(&data_dir).parent()?.file_name()?.to_str()?.to_owned();
        is_service.then_some(project)
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({}", self.pid, self.name)?;
        match self.project() {
            Some(project) => write!(f, ", project {project})"),
            None => f.write_str(")"),
        }
    }
}

/// Whether no process listens there. Ports that may not be tried (below 1024 for most users) count as
/// free: the engine may be allowed what this process is not.
#[must_use]
pub fn is_free(bind: IpAddr, port: u16) -> bool {
    match TcpListener::bind((bind, port)) {
        Ok(_) => true,
        Err(error) => error.kind() != ErrorKind::AddrInUse,
    }
}

/// The process that listens on a port, where the system tells (Linux, and the process is visible).
#[cfg(target_os = "linux")]
#[must_use]
pub fn listener(port: u16) -> Option<Listener> {
    let tables =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let inodes: Vec<String> = tables.iter().flat_map(|table| listening_inodes(table, port)).collect();
    let links: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let holds = |pid: u32| {
        let Ok(files) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        let mut targets = files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
        targets.any(|target| links.iter().any(|link| target.as_os_str() == link.as_str()))
    };
    let pids = std::fs::read_dir("/proc").ok()?.flatten();
    let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let pid = pids.find(|pid| holds(*pid))?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(Listener { pid, name: name.trim().to_owned() })
}

/// Nothing is known elsewhere.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn listener(_port: u16) -> Option<Listener> {
    None
}

/// The inodes of sockets that listen on a port, from the kernel's table (proc(5), `/proc/net/tcp`).
#[cfg(target_os = "linux")]
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let listens = fields.get(1)?.ends_with(&wanted) && *fields.get(3)? == LISTEN;
        listens.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    };
    table.lines().skip(1).filter_map(inode).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:0BB9 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n   \
             1: 0100007F:0BB9 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0\n   \
             2: 00000000:0BBA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0\n";
        assert_eq!(listening_inodes(table, 3001), ["4711"]);
        assert_eq!(listening_inodes(table, 3002), ["4713"]);
        assert!(listening_inodes(table, 3003).is_empty());
    }

    #[test]
    fn a_taken_port_names_its_process() {
        let here = IpAddr::from([127, 0, 0, 1]);
        let socket = TcpListener::bind((here, 0)).expect("a port");
        let port = socket.local_addr().expect("bound").port();
        assert!(!is_free(here, port));
        assert_eq!(listener(port).expect("found").pid, std::process::id());
        drop(socket);
        assert!(is_free(here, port));
    }
}
