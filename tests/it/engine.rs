//! The Docker engine as tests see it from beside the program: through the docker command, and through a
//! socket that breaks when told.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// What the docker command prints.
pub(crate) fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("the docker command runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "docker {args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Everything the engine has of a project, by label.
pub(crate) fn left_of(project: &str) -> Vec<String> {
    let filter = format!("label=ordersys.project={project}");
    let lists = [
        docker(&["ps", "-aq", "--filter", &filter]),
        docker(&["network", "ls", "-q", "--filter", &filter]),
        docker(&["volume", "ls", "-q", "--filter", &filter]),
    ];
    lists.iter().flat_map(|list| list.lines()).map(str::to_owned).collect()
}

/// A socket that leads to the engine, and whose connections break when told.
pub(crate) struct Wire {
    path: PathBuf,
    open: Arc<Mutex<JoinSet<()>>>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// A socket at this path.
    pub(crate) fn new(path: PathBuf) -> Self {
        let engine = docker(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
        let engine = engine.strip_prefix("unix://").expect("an engine on this machine").to_owned();
        let listener = UnixListener::bind(&path).expect("binds");
        let open = Arc::new(Mutex::new(JoinSet::new()));
        let connections = Arc::clone(&open);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let task = through(stream, engine.clone());
                connections.lock().expect("not poisoned").spawn(task);
            }
        });
        Self { path, open, accepting }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Breaks every connection there is now.
    pub(crate) fn break_now(&self) {
        self.open.lock().expect("not poisoned").abort_all();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn through(mut from: UnixStream, engine: String) {
    if let Ok(mut to) = UnixStream::connect(engine).await {
        let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await; // it ends or is broken
    }
}
