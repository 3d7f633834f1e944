//! `ordersys user login|logout|passwd`: an account's session on this machine.

use ordersys_contract::UserId;
use ordersys_contract::session::NewSession;
use ordersys_contract::user::{User, UserPatch};
use serde::Serialize;

use crate::accounts;
use crate::accounts::{Account, Ending, Login};
use crate::cli::caller::{As, Caller, Target};
use crate::cli::password::Passwords;
use crate::cli::user::find;
use crate::cli::{Globals, block_on, client_failure};
use ordersys_command::Outcome;
use ordersys_stack::model::project::Project;

/// Log in: commands on orders then act as this account, until it logs out
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys user login bob@example.com
  ordersys user login bob@example.com --password-stdin < password.txt
  ordersys order place --item \"USB-C Hub=1\"
  ordersys order list
  ordersys order list --as admin")]
pub(super) struct LoginArgs {
    /// The address the user registered with
    email: String,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

/// Log out: end the session and forget its tokens
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys user logout
  ordersys user logout --as bob@example.com
  ordersys user logout --everywhere")]
pub(super) struct LogoutArgs {
    /// End all sessions of the account, on every machine
    #[arg(long)]
    everywhere: bool,
}

/// Change a password: one's own, or as the admin another's
///
/// Ends all sessions of the account. One's own account is logged in again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys user passwd
  ordersys user passwd bob@example.com --as admin
  printf '%s\\n' OLD NEW | ordersys user passwd --password-stdin

Passwords are read from a file or the terminal: in a command they would stay in the history.")]
pub(super) struct PasswdArgs {
    /// Whose, by id or e-mail address [default: who is logged in]
    user: Option<String>,
    /// Read the current password (only one's own) and the new one from lines of standard input
    #[arg(long)]
    password_stdin: bool,
}

/// Who is logged in, without the tokens.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedIn<'a> {
    email: &'a str,
    user_id: UserId,
}

/// Who was logged out, if anybody was logged in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedOut {
    email: Option<String>,
}

pub(super) fn log_in(globals: &Globals, args: LoginArgs) -> Outcome {
    let target = globals.target()?;
    let password =
        Passwords::from_flag(args.password_stdin).existing(&format!("password of {}", args.email))?;
    let account = start(globals, &target, NewSession { email: args.email, password })?;
    let printer = globals.printer();
    let Account { email, user_id, .. } = &account;
    printer.data(&LoggedIn { email, user_id: *user_id }, || format!("logged in as {email} (user {user_id})"));
    printer.next("ordersys order place --item \"USB-C Hub=1\"");
    Ok(())
}

fn start(globals: &Globals, target: &Target, new: NewSession) -> Outcome<Account> {
    let (project, client) = (globals.project()?, globals.calls(target));
    let at = Login { project: &project, services: &target.services, client: &client };
    block_on(accounts::log_in(at, new))
}

pub(super) fn log_out(globals: &Globals, args: &LogoutArgs) -> Outcome {
    let (target, project) = (globals.target()?, globals.project()?);
    let client = globals.calls(&target);
    let at = Login { project: &project, services: &target.services, client: &client };
    let ending = if args.everywhere { Ending::Everywhere } else { Ending::Current };
    let email = match &globals.acting_as {
        Some(As::Account(email)) => Some(email.as_str()),
        Some(As::Admin | As::Anyone) | None => None,
    };
    let email = block_on(accounts::log_out(at, email, ending))?;
    let ended = LoggedOut { email };
    globals.printer().data(&ended, || match &ended.email {
        Some(email) => format!("{email} is logged out"),
        None => "no account is logged in".to_owned(),
    });
    Ok(())
}

pub(super) fn change_password(globals: &Globals, args: &PasswdArgs) -> Outcome {
    let (caller, target) = (globals.caller()?, globals.target()?);
    let project = globals.project()?;
    let changed = block_on(change(&caller, &project, args));
    let Changed { user, own } = changed.map_err(|failure| caller.explain(failure))?;
    if let Some(new) = own {
        start(globals, &target, new)?;
    }
    globals
        .printer()
        .data(&user, || format!("the password of {} is changed; its other sessions have ended", user.email));
    Ok(())
}

/// A changed password.
struct Changed {
    user: User,
    /// What logs the calling account in again, if it was its own.
    own: Option<NewSession>,
}

async fn change(caller: &Caller, project: &Project, args: &PasswdArgs) -> Outcome<Changed> {
    let id = find(caller, project, args.user.as_deref()).await?;
    let own = caller.account.as_ref().filter(|account| account.user_id == id);
    let passwords = Passwords::from_flag(args.password_stdin);
    let current_password = own.map(|_| passwords.existing("current password")).transpose()?;
    let password = passwords.chosen("new password")?;
    let patch = UserPatch { password: Some(password.clone()), current_password, name: None };
    let user = caller.client.edit_user(id, &patch).await.map_err(client_failure)?;
    Ok(Changed { user, own: own.map(|own| NewSession { email: own.email.clone(), password }) })
}
