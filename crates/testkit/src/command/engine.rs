//! The Docker engine as tests see it from beside the program: through the docker command, and through a
//! socket that breaks when told.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// What the docker command prints.
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("the docker command runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "docker {args:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Everything the engine has of a project, by label.
pub fn left_of(project: &str) -> Vec<String> {
    let filter = format!("label=ordersys.project={project}");
    let lists = [
        docker(&["ps", "-aq", "--filter", &filter]),
        docker(&["network", "ls", "-q", "--filter", &filter]),
        docker(&["volume", "ls", "-q", "--filter", &filter]),
    ];
    lists.iter().flat_map(|list| list.lines()).map(str::to_owned).collect()
}

/// Bytes in one piece at most on their way to the engine.
const PIECE_BYTES: usize = 64 * 1024;

/// Is shown each piece before the engine gets it.
type Eye = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// A socket that leads to the engine, and whose connections break when told.
pub struct Wire {
    path: PathBuf,
    open: Arc<Mutex<JoinSet<()>>>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// A socket at this path.
    pub fn new(path: PathBuf) -> Self {
        Self::watched(path, |_| {})
    }

    /// A socket at this path, on which every piece is seen before the engine gets it.
    pub fn watched(path: PathBuf, eye: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        let eye: Eye = Arc::new(eye);
        let engine = docker(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
        let engine = engine.strip_prefix("unix://").expect("an engine on this machine").to_owned();
        let listener = UnixListener::bind(&path).expect("binds");
        let open = Arc::new(Mutex::new(JoinSet::new()));
        let connections = Arc::clone(&open);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let task = through(stream, engine.clone(), Arc::clone(&eye));
                connections.lock().expect("not poisoned").spawn(task);
            }
        });
        Self { path, open, accepting }
    }

    /// Where the socket is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Breaks every connection there is now.
    pub fn break_now(&self) {
        self.open.lock().expect("not poisoned").abort_all();
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn through(from: UnixStream, engine: String, eye: Eye) {
    if let Ok(to) = UnixStream::connect(engine).await {
        let ((mut asked, mut told), (mut answers, mut engine)) = (from.into_split(), to.into_split());
        let there = async {
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                let length = asked.read(&mut piece).await?;
                if length == 0 {
                    return engine.shutdown().await;
                }
                tokio::task::block_in_place(|| eye(&piece[..length]));
                engine.write_all(&piece[..length]).await?;
            }
        };
        let back = async {
            tokio::io::copy(&mut answers, &mut told).await?;
            told.shutdown().await
        };
        let _ = tokio::try_join!(there, back); // it ends or is broken
    }
}
