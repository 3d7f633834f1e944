//! What a commit means on a server, as it is set.

use ordersys_contract::Secret;
use ordersys_contract::settings::DatabaseAddress;

use super::open;
use super::{PgOpenError, PgOptions};
use crate::{OpenError, pg_params};

/// Where a commit is before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// In memory: a power cut may lose the last commits.
    Memory,
    /// On the disk of one machine.
    OneDisk,
    /// On the disk of one machine, and with a synchronous standby on another.
    Standby,
}

/// What is known of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// Its version.
    pub version: String,
    /// Where a commit is before it is answered.
    pub reach: Reach,
}

/// Asks the server that can be written.
pub async fn promise(address: DatabaseAddress, password: Option<Secret>) -> Result<Promise, OpenError> {
    let shown = address.to_string();
    let options =
        PgOptions { address, password, name: "doctor", schema: "public", migrations: &[], oldest: 0 };
    let unusable = |error: super::PgError| {
        OpenError::Postgres(PgOpenError::Unreachable { address: shown.clone(), why: error.to_string() })
    };
    let session = open::found(&open::target(&options)).await?;
    let select = "SELECT current_setting('server_version'), current_setting('fsync') = 'on',
                  current_setting('synchronous_commit'), current_setting('synchronous_standby_names') <> ''";
    let row = session.query_opt(select, pg_params![]).await.map_err(unusable)?;
    let row = row.ok_or_else(|| unusable(super::PgError::unreadable("no settings")))?;
    let read = || -> super::PgResult<_> {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get::<_, String>(2)?, row.try_get(3)?))
    };
    let (version, synced, waits, standby) = read().map_err(unusable)?;
    Ok(Promise { version, reach: reach(synced, &waits, standby) })
}

/// By `fsync`, `synchronous_commit`, and whether there are synchronous standbys.
fn reach(synced: bool, waits: &str, standby: bool) -> Reach {
    match waits {
        "off" => Reach::Memory,
        _ if !synced => Reach::Memory,
        "local" => Reach::OneDisk,
        _ if standby => Reach::Standby,
        _ => Reach::OneDisk,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_where_the_settings_say() {
        for (synced, waits, standby, expected) in [
            (true, "on", false, Reach::OneDisk),
            (true, "on", true, Reach::Standby),
            (true, "remote_apply", true, Reach::Standby),
            (true, "local", true, Reach::OneDisk),
            (true, "off", true, Reach::Memory),
            (false, "on", true, Reach::Memory),
        ] {
            assert_eq!(reach(synced, waits, standby), expected, "{synced} {waits} {standby}");
        }
    }
}
