//! What ends a run early: a signal, or a key where a view has the terminal.

use tokio::sync::mpsc::UnboundedReceiver;

use ordersys_command::Signals;

/// Signals and keys, from when it is made on: none is lost between two waits.
#[derive(Debug)]
pub struct Stop {
    signals: Signals,
    keys: Option<UnboundedReceiver<()>>,
}

impl Stop {
    /// Listens for signals from now on.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self { signals: Signals::listen()?, keys: None })
    }

    /// Listens for these keys as well.
    pub(crate) fn also(&mut self, keys: UnboundedReceiver<()>) {
        self.keys = Some(keys);
    }

    /// Waits for the next.
    pub async fn next(&mut self) {
        let Some(keys) = &mut self.keys else { return self.signals.next().await };
        tokio::select! {
            () = self.signals.next() => {}
            Some(()) = keys.recv() => {} // without keys there are still signals
        }
    }
}
