//! Sessions of accounts: made with a password, refreshed when a token runs out, ended.

use std::time::Duration;

use http::StatusCode;
use ordersys_contract::session::{NewSession, RefreshSession, Session};
use ordersys_contract::{Client, ClientError, Code, Timestamp};

use crate::accounts::file::{Locked, read};
use crate::accounts::{Account, Accounts, Services};
use crate::cli::client_failure;
use ordersys_command::{Exit, Failure, OrFail as _, Outcome};
use ordersys_stack::model::project::{Project, quoted};

/// An access token is not used in the last part of its life, so that it does not run out on the way.
const RESERVE: Duration = Duration::from_secs(30);

/// No access token lives longer: one that seems to was got while the clock was wrong.
const LONGEST_LIFE: Duration = Duration::from_hours(1);

/// Where and for whom sessions are kept.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The project that keeps them.
    pub project: &'a Project,
    /// The services they are for.
    pub services: &'a Services,
    /// Calls these services, without a credential.
    pub client: &'a Client,
}

/// Logs in, keeps the session and makes its account the current one.
pub async fn log_in(at: Login<'_>, new: NewSession) -> Outcome<Account> {
    let session = at.client.log_in(&new).await.map_err(|error| refused(error, &new.email))?;
    let account = account(new.email, at.services.clone(), session);
    let locked = Locked::take(at.project).await?;
    let mut accounts = read(at.project)?;
    accounts.logged_in(account.clone());
    locked.write(&accounts)?;
    Ok(account)
}

fn refused(error: ClientError, email: &str) -> Failure {
    let wrong = error.problem().is_some_and(|problem| problem.code == Code::InvalidCredentials);
    let failure = client_failure(error);
    if !wrong {
        return failure;
    }
    failure.hint(format!(
        "create one with `ordersys user create --name Me --email {} --registered`",
        quoted(email)
    ))
}

fn account(email: String, services: Services, session: Session) -> Account {
    let life = Duration::from_secs(session.expires_in.into());
    Account {
        email,
        user_id: session.user_id,
        services,
        access_token: session.access_token,
        refresh_at: Timestamp::now().after(life.saturating_sub(RESERVE.min(life / 2))),
        refresh_token: session.refresh_token,
    }
}

/// What became of a search for an account whose access token is good.
enum Fresh {
    /// No account is logged in.
    LoggedOut,
    /// Here it is.
    Good(Account),
    /// The account's session has ended.
    Ended(String),
}

/// The account with this address, or the current one, with an access token that is good.
pub async fn access(at: Login<'_>, email: Option<&str>) -> Outcome<Option<Account>> {
    match fresh(at, email).await? {
        Fresh::LoggedOut => Ok(None),
        Fresh::Good(account) => Ok(Some(account)),
        Fresh::Ended(email) => {
            let failure = Failure::new(Exit::Failed, format!("the session of {email} has ended"));
            Err(failure.hint(format!(
                "log in again: `ordersys user login {0}`; `ordersys user logout --as {0}` forgets it",
                quoted(&email)
            )))
        }
    }
}

/// A refresh token is good for one use. So one command at a time refreshes, and the next token is on
/// disk before anything is done with it.
async fn fresh(at: Login<'_>, email: Option<&str>) -> Outcome<Fresh> {
    let Some(stored) = find(&read(at.project)?, at.services, email)? else { return Ok(Fresh::LoggedOut) };
    if is_good(&stored) {
        return Ok(Fresh::Good(stored));
    }
    let locked = Locked::take(at.project).await?;
    let mut accounts = read(at.project)?;
    let Some(stored) = accounts.find(at.services, Some(&stored.email)).cloned() else {
        return Ok(Fresh::Ended(stored.email)); // logged out meanwhile
    };
    if is_good(&stored) {
        return Ok(Fresh::Good(stored)); // refreshed meanwhile
    }
    let refresh = RefreshSession { refresh_token: stored.refresh_token };
    let session = match at.client.refresh(&refresh).await {
        Ok(session) => session,
        Err(error) if is_over(&error) => return Ok(Fresh::Ended(stored.email)),
        Err(error) => return Err(client_failure(error)),
    };
    let next = account(stored.email, stored.services, session);
    accounts.refreshed(&next);
    locked.write(&accounts)?;
    Ok(Fresh::Good(next))
}

/// Whether the services no longer know the session.
fn is_over(error: &ClientError) -> bool {
    error.problem().is_some_and(|problem| problem.code.status() == StatusCode::UNAUTHORIZED)
}

/// Whether the access token is good, as far as the clock tells.
fn is_good(account: &Account) -> bool {
    is_good_at(account.refresh_at, Timestamp::now())
}

fn is_good_at(refresh_at: Timestamp, now: Timestamp) -> bool {
    let left = refresh_at.since(now);
    !left.is_zero() && left <= LONGEST_LIFE
}

fn find(accounts: &Accounts, services: &Services, email: Option<&str>) -> Outcome<Option<Account>> {
    let found = accounts.find(services, email);
    let (None, Some(email)) = (found, email) else { return Ok(found.cloned()) };
    let known = match accounts.known(services).as_slice() {
        [] => "no account is logged in".to_owned(),
        known => format!("logged in are {}", known.join(", ")),
    };
    let failure = Failure::new(Exit::NotFound, format!("{email} is not logged in: {known}"));
    Err(failure.hint(format!("log in: `ordersys user login {}`", quoted(email))))
}

/// How a session is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// This one.
    Current,
    /// This one and all others of the account.
    Everywhere,
}

/// Ends the session of an account. It is forgotten here in any case; an error says that the user
/// service could not be told.
pub async fn log_out(at: Login<'_>, email: Option<&str>, ending: Ending) -> Outcome<Option<String>> {
    let Some(stored) = find(&read(at.project)?, at.services, email)? else { return Ok(None) };
    let told = tell(at, &stored.email, ending).await;
    let locked = Locked::take(at.project).await?;
    let mut accounts = read(at.project)?;
    accounts.remove(&stored.services, &stored.email);
    locked.write(&accounts)?;
    match told {
        Ok(()) => Ok(Some(stored.email)),
        Err(failure) => Err(failure).hint(format!(
            "the login of {} is forgotten here, but its session goes on until it expires",
            stored.email
        )),
    }
}

/// A session that is over already is fine.
async fn tell(at: Login<'_>, email: &str, ending: Ending) -> Outcome {
    let Fresh::Good(account) = fresh(at, Some(email)).await? else { return Ok(()) };
    let client = at.client.clone().with_credential(Some(account.access_token));
    let ended = match ending {
        Ending::Current => client.log_out().await,
        Ending::Everywhere => client.log_out_everywhere().await,
    };
    match ended {
        Err(error) if !is_over(&error) => Err(client_failure(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_was_got_while_the_clock_was_ahead_is_not_relied_on() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        assert!(is_good_at(now.after(Duration::from_mins(9)), now));
        assert!(!is_good_at(now, now), "it is to be refreshed");
        assert!(!is_good_at(now.after(Duration::from_mins(69)), now), "no token lives that long");
    }
}
