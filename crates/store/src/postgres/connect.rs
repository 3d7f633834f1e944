//! Finding the server that can be written, among those of a cluster.

use std::net::IpAddr;
use std::time::Duration;

use ordersys_contract::settings::{DatabaseAddress, DatabaseHost};
use ordersys_contract::{Names, Secret};
use tokio::task::JoinSet;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Config, NoTls};

use super::Session;
use super::fault::PgError;

/// How long a server may take to accept a connection and say who it is.
const CONNECT: Duration = Duration::from_secs(2);
/// How long sent bytes may stay unacknowledged before a connection counts as lost: without it a host that is cut off
/// is waited for without end.
const UNACKNOWLEDGED: Duration = Duration::from_secs(3);
/// How long an idle connection is quiet before it is asked for a sign of life, and how often it is asked again.
const KEEPALIVE: Duration = Duration::from_secs(1);
/// Unanswered such questions after which a connection counts as lost.
const KEEPALIVES: u32 = 3;

/// Where a store's sessions go.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: DatabaseAddress,
    pub(crate) password: Option<Secret>,
    /// What the sessions are called in the server's own views.
    pub(crate) application: String,
    pub(crate) names: Names,
}

/// Why no server took a session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSession {
    /// The name of a host has no address.
    #[error("the name {0} is not known ({1})")]
    Name(String, String),
    /// A server does not answer, or says no.
    #[error("{host}: {error}")]
    Refused {
        /// Which one.
        host: DatabaseHost,
        /// What it says.
        error: PgError,
    },
}

/// What is in the way of a session. The later ones say more than that another server is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Obstacle {
    /// No answer, or no name.
    Silence,
    /// It cannot be written.
    ReadOnly,
    /// Something else that the server says.
    Other,
    /// There is no connection to spare.
    Crowd,
    /// The server knows who asks, and for what, and says no: asking again brings nothing.
    Refusal,
}

/// What the client says of a server that cannot be written, and of one that asks for a password where there is none:
/// it has no codes for them.
const NO_WRITES: &str = "database does not allow writes";
const NO_PASSWORD: &str = "password missing";

impl NoSession {
    pub(crate) fn obstacle(&self) -> Obstacle {
        let Self::Refused { error: PgError::Server(error), .. } = self else { return Obstacle::Silence };
        let Some(state) = error.code() else {
            return match std::error::Error::source(error).map(ToString::to_string).as_deref() {
                Some(NO_WRITES) => Obstacle::ReadOnly,
                Some(NO_PASSWORD) => Obstacle::Refusal,
                _ => Obstacle::Silence,
            };
        };
        match state.code() {
            // Wrong password or role, no such database, no right to connect.
            "28000" | "28P01" | "3D000" | "42501" => Obstacle::Refusal,
            "53300" => Obstacle::Crowd,
            _ => Obstacle::Other,
        }
    }
}

impl Target {
    /// Asks all servers at once and takes the first that can be written.
    pub(crate) async fn connect(&self) -> Result<Session, NoSession> {
        let mut tries = JoinSet::new();
        for host in &self.address.hosts {
            let (target, host) = (self.clone(), host.clone());
            tries.spawn(async move { target.connect_to(host).await });
        }
        let mut why: Option<NoSession> = None;
        while let Some(tried) = tries.join_next().await {
            match tried {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(error)) if why.as_ref().is_none_or(|why| why.obstacle() < error.obstacle()) => {
                    why = Some(error);
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Err(why.unwrap_or_else(|| NoSession::Name(self.address.to_string(), "no host".to_owned())))
    }

    async fn connect_to(&self, host: DatabaseHost) -> Result<Session, NoSession> {
        let unknown = |why: String| NoSession::Name(host.name.clone(), why);
        let addresses: Vec<IpAddr> = match host.name.parse() {
            Ok(address) => vec![address],
            Err(_) => self.names.addresses(&host.name).await.map_err(|error| unknown(error.to_string()))?,
        };
        let mut last = unknown("it has no address".to_owned());
        for address in addresses {
            match self.open(&host, address).await {
                Ok(session) => return Ok(session),
                Err(error) => last = NoSession::Refused { host: host.clone(), error },
            }
        }
        Err(last)
    }

    async fn open(&self, host: &DatabaseHost, address: IpAddr) -> Result<Session, PgError> {
        let mut config = Config::new();
        config
            .host(host.name.as_str())
            .hostaddr(address)
            .port(host.port)
            .user(&self.address.user)
            .dbname(&self.address.database)
            .application_name(&self.application)
            .connect_timeout(CONNECT)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .keepalives_idle(KEEPALIVE)
            .keepalives_interval(KEEPALIVE)
            .keepalives_retries(KEEPALIVES)
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        if let Some(password) = &self.password {
            config.password(password.expose());
        }
        let connecting = tokio::time::timeout(CONNECT, config.connect(NoTls));
        let (client, connection) = connecting.await.map_err(|_| PgError::Silent(CONNECT.as_secs()))??;
        // It ends with the last handle on its client; what ends it earlier the next statement tells.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Session::new(client))
    }
}
