//! The accounts that logged in on this machine: which there are, and which one is current.
//!
//! Here is the pure part. `file` keeps them in a private file of the project, `session` makes,
//! refreshes and ends their sessions.

use ordersys_contract::client::Endpoints;
use ordersys_contract::email::is_same_email;
use ordersys_contract::{Secret, Timestamp, UserId};
use serde::{Deserialize, Serialize};

mod file;
mod session;

pub use crate::accounts::file::{forget, forget_own};
pub use crate::accounts::session::{Ending, Login, access, log_in, log_out};

/// The services that an account's tokens are for. They are sent to no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Services {
    /// Those of the project's stack, wherever it listens.
    Project,
    /// Others, at these addresses.
    Elsewhere(Endpoints),
}

/// An account and the tokens of its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The address it logged in with.
    pub email: String,
    /// The user it is.
    pub user_id: UserId,
    /// Whose account it is.
    pub services: Services,
    /// Proves who calls, for some minutes.
    pub access_token: Secret,
    /// From then on the access token has to be refreshed first.
    pub refresh_at: Timestamp,
    /// Brings the next access token, once.
    pub refresh_token: Secret,
}

impl Account {
    fn is(&self, services: &Services, email: &str) -> bool {
        self.services == *services && is_same_email(&self.email, email)
    }
}

/// All accounts of a project's directory, in the order of their logins.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Accounts {
    accounts: Vec<Account>,
}

impl Accounts {
    /// The account with this address, or the one that logged in last.
    fn find(&self, services: &Services, email: Option<&str>) -> Option<&Account> {
        let mut of_services = self.accounts.iter().rev().filter(|account| account.services == *services);
        match email {
            Some(email) => of_services.find(|account| account.is(services, email)),
            None => of_services.next(),
        }
    }

    /// The addresses of all accounts at these services.
    fn known(&self, services: &Services) -> Vec<&str> {
        let of_services = self.accounts.iter().filter(|account| account.services == *services);
        of_services.map(|account| account.email.as_str()).collect()
    }

    /// Adds an account, or its new session, and makes it the current one.
    fn logged_in(&mut self, account: Account) {
        self.remove(&account.services, &account.email);
        self.accounts.push(account);
    }

    /// Stores the next tokens of an account; which one is current stays.
    fn refreshed(&mut self, next: &Account) {
        if let Some(account) =
            self.accounts.iter_mut().find(|account| account.is(&next.services, &next.email))
        {
            account.clone_from(next);
        }
    }

    fn remove(&mut self, services: &Services, email: &str) {
        self.accounts.retain(|account| !account.is(services, email));
    }

    /// Drops all accounts of the project's own services; says how many there were.
    fn remove_own(&mut self) -> usize {
        let before = self.accounts.len();
        self.accounts.retain(|account| account.services != Services::Project);
        before - self.accounts.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(email: &str, services: Services) -> Account {
        let token = || Secret::new(email).expect("visible");
        let (access_token, refresh_token) = (token(), token());
        let refresh_at = Timestamp::from_millis(0);
        Account {
            email: email.to_owned(),
            user_id: UserId::random(),
            services,
            access_token,
            refresh_at,
            refresh_token,
        }
    }

    fn elsewhere() -> Services {
        let url = || "http://elsewhere".to_owned();
        Services::Elsewhere(Endpoints { user: url(), product: url(), order: url(), ..Endpoints::default() })
    }

    #[test]
    fn the_last_login_is_the_current_account() {
        let mut accounts = Accounts::default();
        let current =
            |accounts: &Accounts, at: &Services| accounts.find(at, None).map(|account| account.email.clone());
        assert_eq!(current(&accounts, &Services::Project), None);
        for email in ["a@x", "b@x"] {
            accounts.logged_in(account(email, Services::Project));
        }
        accounts.logged_in(account("c@x", elsewhere()));
        assert_eq!(current(&accounts, &Services::Project).as_deref(), Some("b@x"));
        assert_eq!(current(&accounts, &elsewhere()).as_deref(), Some("c@x"));
        accounts.refreshed(&account("a@x", Services::Project));
        assert_eq!(current(&accounts, &Services::Project).as_deref(), Some("b@x"), "a refresh is no login");
        accounts.logged_in(account("A@x", Services::Project));
        assert_eq!(accounts.known(&Services::Project), ["b@x", "A@x"]);
        accounts.remove(&Services::Project, "a@x");
        assert_eq!(current(&accounts, &Services::Project).as_deref(), Some("b@x"));
    }

    #[test]
    fn accounts_of_other_services_are_not_found() {
        let mut accounts = Accounts::default();
        accounts.logged_in(account("a@x", elsewhere()));
        assert_eq!(accounts.find(&Services::Project, Some("a@x")), None);
        accounts.logged_in(account("a@x", Services::Project));
        assert_eq!(accounts.remove_own(), 1);
        assert!(accounts.find(&elsewhere(), Some("a@x")).is_some());
    }
}
