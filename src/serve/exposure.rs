//! Whether a service may listen where other machines reach it.

use std::net::IpAddr;

use ordersys_command::{Exit, Failure, Outcome};

/// Refuses to serve other machines without credentials.
pub fn check_exposure(bind: IpAddr, closed: Exposure) -> Outcome {
    if bind.is_loopback() || closed == Exposure::Guarded {
        return Ok(());
    }
    let what = format!("{bind} can be reached from other machines, and no credentials are configured");
    Err(Failure::new(Exit::Usage, what)
        .hint("name a directory with service.token and admin.token with --secrets-dir, or accept it with --insecure"))
}

/// Who may call internal routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// Callers with a credential, or every caller because that was asked for.
    Guarded,
    /// Every caller.
    Open,
}
