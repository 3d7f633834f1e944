//! Who a command acts as, and to whom it shows whose credential.
//!
//! Flags count first: `--token-file`, then `--as`. Else commands on one's own orders act as the account
//! that logged in last; all others, and these while no account is logged in, act as the project's admin.
//! What the project keeps, the admin's credential and tokens, goes to the services it belongs to only.

use std::fmt;
use std::str::FromStr;

use anyhow::Context as _;
use ordersys_contract::client::Endpoints;
use ordersys_contract::email::is_same_email;
use ordersys_contract::{Client, ClientError, Code, Secret, UserId};

use crate::accounts;
use crate::accounts::{Account, Login, Services};
use crate::cli::unanswered::doubt;
use crate::cli::{Globals, block_on};
use ordersys_command::{Exit, Failure, OrFail as _, Outcome};
use ordersys_stack::model::project::quoted;
use ordersys_stack::model::record::StackRecord;

/// Who `--as` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum As {
    /// The project's admin.
    Admin,
    /// A caller without a credential.
    Anyone,
    /// The account that logged in with this address.
    Account(String),
}

impl FromStr for As {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "admin" => Ok(Self::Admin),
            "anyone" => Ok(Self::Anyone),
            _ if text.contains('@') => Ok(Self::Account(text.to_owned())),
            _ => Err("name the e-mail address of an account, `admin` or `anyone`".to_owned()),
        }
    }
}

impl fmt::Display for As {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Admin => "admin",
            Self::Anyone => "anyone",
            Self::Account(email) => email,
        })
    }
}

/// Where a command's calls go.
pub(super) struct Target {
    pub(super) endpoints: Endpoints,
    pub(super) services: Services,
}

/// Who a command acts as.
#[derive(Debug)]
pub(super) struct Caller {
    /// Calls as this.
    pub(super) client: Client,
    /// Looks up whom a person means: as the admin, where the project's admin may.
    pub(super) directory: Client,
    /// The account it is, if it is one.
    pub(super) account: Option<Account>,
}

impl Caller {
    fn new(client: Client) -> Self {
        Self { directory: client.clone(), client, account: None }
    }

    /// The user it is, if `email` is its address or no address is given.
    pub(super) fn own_id(&self, email: Option<&str>) -> Option<UserId> {
        let account = self.account.as_ref()?;
        email.is_none_or(|email| is_same_email(&account.email, email)).then_some(account.user_id)
    }

    /// Says as whom something was refused, where that may be why.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        let Some(Account { email, .. }) = &self.account else { return failure };
        let problem = failure.error.downcast_ref().and_then(ClientError::problem);
        match problem.map(|problem| problem.code) {
            Some(Code::Unauthenticated) => failure.hint(format!(
                "the session has ended; log in again: `ordersys user login {}`",
                quoted(email)
            )),
            Some(Code::NotFound | Code::UnknownUser | Code::Forbidden) => failure
                .hint(format!("{email} is logged in and reaches its own; --as admin reaches everything")),
            _ => failure,
        }
    }
}

impl Globals {
    /// Where calls go, and whether these are the project's own services.
    pub(super) fn target(&self) -> Outcome<Target> {
        let endpoints = self.endpoints()?;
        let record = StackRecord::load(&self.project()?).ok().flatten();
        let services = if record.is_some_and(|record| endpoints.are_among(&record.endpoints)) {
            Services::Project
        } else {
            Services::Elsewhere(endpoints.clone())
        };
        Ok(Target { endpoints, services })
    }

    /// Who acts in commands of the admin.
    pub(super) fn admin(&self) -> Outcome<Caller> {
        let target = self.target()?;
        match self.flagged(&target)? {
            Some(caller) => Ok(caller),
            None => Ok(Caller::new(self.admin_client(&target)?)),
        }
    }

    /// A client for commands of the admin.
    pub(super) fn client(&self) -> Outcome<Client> {
        Ok(self.admin()?.client)
    }

    /// Who acts in commands on one's own orders and account.
    pub(super) fn caller(&self) -> Outcome<Caller> {
        let target = self.target()?;
        if let Some(caller) = self.flagged(&target)? {
            return Ok(caller);
        }
        match self.account(&target, None)? {
            Some(caller) => Ok(caller),
            None => Ok(Caller::new(self.admin_client(&target)?)),
        }
    }

    /// The caller that the flags name, if they name one.
    fn flagged(&self, target: &Target) -> Outcome<Option<Caller>> {
        let plain = || self.calls(target);
        if let Some(path) = &self.token_file {
            let token =
                Secret::read(path).with_context(|| format!("cannot use the token in {}", path.display()));
            let token = token.exit(Exit::Usage).hint("the first line of the file has to be the token")?;
            return Ok(Some(Caller::new(plain().with_credential(Some(token)))));
        }
        match &self.acting_as {
            None => Ok(None),
            Some(As::Anyone) => Ok(Some(Caller::new(plain()))),
            Some(As::Admin) => Ok(Some(Caller::new(self.admin_client(target)?))),
            Some(As::Account(email)) => self.account(target, Some(email)),
        }
    }

    /// An account that is logged in: the one with this address, or the current one.
    fn account(&self, target: &Target, email: Option<&str>) -> Outcome<Option<Caller>> {
        let (project, client) = (self.project()?, self.calls(target));
        let at = Login { project: &project, services: &target.services, client: &client };
        let Some(account) = block_on(accounts::access(at, email))? else { return Ok(None) };
        // Connections belong to the runtime they were made on: one client each.
        let client = self.calls(target).with_credential(Some(account.access_token.clone()));
        let directory = match &target.services {
            Services::Project => self.admin_client(target)?,
            Services::Elsewhere(_) => client.clone(),
        };
        Ok(Some(Caller { client, directory, account: Some(account) }))
    }

    /// A client without a credential.
    pub(super) fn calls(&self, target: &Target) -> Client {
        let client = Client::new(target.endpoints.clone());
        match (&target.services, self.project()) {
            (Services::Project, Ok(project)) => client.doubting(doubt(self, &project)),
            _ => client,
        }
    }

    fn admin_client(&self, target: &Target) -> Outcome<Client> {
        let client = self.calls(target);
        let credential = self.project()?.admin_credential();
        match &target.services {
            Services::Project => Ok(client.with_credential(credential)),
            Services::Elsewhere(_) => {
                if credential.is_some() {
                    self.printer().say(format!(
                        "note: these are not the services of project `{}`, so its credentials are not sent; \
                         --token-file FILE sends another",
                        self.project
                    ));
                }
                Ok(client)
            }
        }
    }
}
