//! Whether this process is on the network. Off it, a service takes no connections and makes no calls,
//! as if its cable were pulled: that is how a failing network is tried out without a container.

use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Capacity;

/// Pause between two looks at the file that cuts a process off: each wakes a process that may be idle.
const LOOK: Duration = Duration::from_millis(100);

/// This process's link to the network.
#[derive(Debug, Clone, Default)]
pub struct Network(Option<watch::Receiver<Link>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Up,
    Down,
}

impl Network {
    /// Cut off for as long as there is a file at this path. Watches it from now on, in the background.
    #[must_use]
    pub fn up_unless(file: PathBuf) -> Self {
        let link = move || if file.exists() { Link::Down } else { Link::Up };
        let (sender, receiver) = watch::channel(link());
        tokio::spawn(async move {
            while !sender.is_closed() {
                tokio::time::sleep(LOOK).await;
                let now = link();
                if sender.send_if_modified(|known| std::mem::replace(known, now) != now) {
                    tracing::warn!(link = ?now, "the link to the network was switched on purpose");
                }
            }
        });
        Self(Some(receiver))
    }

    /// Returns as soon as the process is on the network.
    pub async fn up(&mut self) {
        if let Some(link) = &mut self.0 {
            let _ = link.wait_for(|link| *link == Link::Up).await; // unwatched: as it was, for good
        }
    }

    /// Returns as soon as the process is cut off.
    pub async fn down(&mut self) {
        if let Some(link) = &mut self.0
            && link.wait_for(|link| *link == Link::Down).await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }

    /// Does something that needs the network; never returns once it was cut off in between, as
    /// nothing comes from a peer that cannot be reached.
    pub async fn reach<T>(mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            () = self.down() => std::future::pending().await,
            result = work => result,
        }
    }
}

/// Where a service listens, the network it does that on, and how much it takes from there.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// The network.
    pub network: Network,
    /// What callers may make it hold.
    pub capacity: Capacity,
}

impl From<TcpListener> for Listener {
    /// On a network that is never cut.
    fn from(socket: TcpListener) -> Self {
        Self { socket, network: Network::default(), capacity: Capacity::default() }
    }
}
