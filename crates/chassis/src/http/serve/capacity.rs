//! How much callers can make a service hold: connections, and bytes that go over them.

/// Connections that a service holds at a time, unless set otherwise.
pub const DEFAULT_CONNECTIONS: usize = 4096;
/// Bytes of large bodies and answers that a service holds at a time: eight of the largest pages.
const DEFAULT_BYTES: usize = 16 * 1024 * 1024;

/// What callers can make a service hold at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Connections. The few that are open for a probe only come on top.
    pub connections: usize,
    /// Bytes of large bodies and answers on their way. Small ones are bounded by the number of connections.
    pub bytes: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { connections: DEFAULT_CONNECTIONS, bytes: DEFAULT_BYTES }
    }
}

impl Capacity {
    /// The usual capacity, but for so many connections.
    #[must_use]
    pub fn with_connections(connections: usize) -> Self {
        Self { connections, ..Self::default() }
    }
}
