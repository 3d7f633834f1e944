//! Sessions as the use cases know them: how one begins, goes on and ends.

use std::net::IpAddr;

use ordersys_contract::{SessionId, Timestamp, UserId};
use ordersys_store::answers::CommandId;

use crate::hasher::PasswordHash;

/// Sessions a user may have; one more ends the one that was idle longest.
pub(super) const MAX_SESSIONS: u32 = 10;
/// Sessions that are swept in one transaction.
pub(super) const SWEEP_ROWS: u32 = 500;

/// Networks that are remembered of a user: those used last.
pub(super) const MAX_NETWORKS: u32 = 8;

/// A refresh token as it is stored.
pub(crate) type TokenHash = [u8; 32];

/// A session that is to begin after its user's password was checked.
#[derive(Debug, Clone)]
pub(crate) struct NewLogin {
    pub(crate) user: UserId,
    /// The hash the password was compared with.
    pub(crate) checked: PasswordHash,
    /// What it is to be replaced by, if it is outdated.
    pub(crate) better: Option<PasswordHash>,
    pub(crate) session: SessionId,
    /// Where it comes from.
    pub(crate) network: IpAddr,
    pub(crate) token: TokenHash,
    pub(crate) now: Timestamp,
    pub(crate) expires: Timestamp,
}

/// How beginning a session ended.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It began; the user's epoch.
    Done { epoch: u64 },
    /// The password was changed meanwhile.
    PasswordChanged,
    /// The user was disabled meanwhile.
    Disabled,
}

/// A refresh token that is to be replaced.
#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    pub(crate) command: CommandId,
    pub(crate) session: SessionId,
    pub(crate) old: TokenHash,
    pub(crate) new: TokenHash,
    pub(crate) now: Timestamp,
    pub(crate) expires: Timestamp,
}

/// How replacing a refresh token ended.
#[derive(Debug)]
pub(crate) enum Rotated {
    Done {
        user: UserId,
        epoch: u64,
    },
    /// There is no such session any more.
    Ended,
    /// The token was replaced before: it is in the wrong hands, or was. All of it is revoked.
    Reused {
        user: UserId,
    },
}
