//! What callers can make a service hold: answers that they do not read, connections that they keep, open
//! files. Each time the service stays small, goes on for others, and names the true cause.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ordersys_testkit::{LIMIT, binary};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

mod connections;
mod ending;
mod reading;

/// Bytes of a page, as the documentation says.
const PAGE_BYTES: usize = 2 * 1024 * 1024;

fn address(base: &str) -> SocketAddr {
    base.trim_start_matches("http://").parse().expect("an address")
}

/// Connects from an address of this machine, with a small buffer for what is received.
async fn connect_from(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    socket.bind(SocketAddr::from((from, 0)))?;
    socket.connect(to).await
}

/// How many files a process has open.
fn open_files(child: &Child) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", child.id())).expect("runs").count()
}

/// One request on a new connection; its status, and how long that took.
async fn one(from: [u8; 4], to: SocketAddr, path: &str) -> (String, Duration) {
    let began = Instant::now();
    let asked = async {
        let mut stream = connect_from(from, to).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        std::io::Result::Ok(String::from_utf8_lossy(&status[9..]).into_owned())
    };
    let answer = tokio::time::timeout(LIMIT, asked).await.expect("in time");
    (answer.unwrap_or_else(|error| error.to_string()), began.elapsed())
}

/// One service with its output to where it is wanted.
struct Served {
    child: Child,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Served {
    async fn user(arguments: &[&str], output: Stdio) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let port = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            free.local_addr().expect("bound").port()
        };
        let child = Command::new(binary())
            .args(["serve", "user", "--port", &port.to_string(), "--data-dir"])
            .arg(dir.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let served = Self { child, address, _dir: dir };
        let began = Instant::now();
        while one([127, 0, 0, 1], address, "/readyz").await.0 != "200" {
            assert!(began.elapsed() < LIMIT, "is not ready");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        served
    }

    /// Asks it to end; how long that took.
    fn end(&mut self, signal: Signal) -> Duration {
        let began = Instant::now();
        kill_process(Pid::from_child(&self.child), signal).expect("is running");
        while self.child.try_wait().expect("a child").is_none() {
            assert!(began.elapsed() < LIMIT, "does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
