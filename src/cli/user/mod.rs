//! `ordersys user`: who orders.

use ordersys_contract::client::UserFilter;
use ordersys_contract::user::{NewUser, User, UserKindName, UserStatus};
use ordersys_contract::{Client, Timestamp};

use crate::cli::listing::{ListFlags, Listed, read};
use crate::cli::meant::quoted;
use crate::cli::password::Passwords;
use crate::cli::{Globals, block_on, client_failure};
use crate::render::Printer;
use ordersys_command::Outcome;
use ordersys_report::Table;
use ordersys_report::draw::words::age;

mod find;
mod session;

pub(super) use find::find;
use find::look_up;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys user create --name Alice --email alice@example.com
  ordersys user create --name Bob --email bob@example.com --registered
  ordersys user login bob@example.com
  ordersys user login bob@example.com --password-stdin < password.txt
  ordersys user get alice@example.com
  ordersys user list -o json
  ordersys user disable bob@example.com
  ordersys user enable bob@example.com
  ordersys user logout")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create a guest, or a registered user with a password
    #[command(after_help = "Examples:
  ordersys user create --name Carol --email carol@example.com
  ordersys user create --name Dan --email dan@example.com --registered")]
    Create {
        /// What to call the user
        #[arg(long)]
        name: String,
        /// Where to reach the user
        #[arg(long)]
        email: String,
        /// With a password, which is asked for
        #[arg(long)]
        registered: bool,
        /// With a password: the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show one user
    #[command(after_help = "Examples:
  ordersys user get carol@example.com")]
    Get {
        /// The user: an e-mail address, an id, or 4 or more characters that the id begins or ends with [default: who is logged in]
        user: Option<String>,
    },
    /// List users, without the test data that runs and seeds made
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  ordersys user list
  ordersys user list --email carol@example.com -o json | jq -r '.users[].id'
  ordersys user list --test"
    )]
    List(ListArgs),
    Login(session::LoginArgs),
    Logout(session::LogoutArgs),
    Passwd(session::PasswdArgs),
    /// Bar a user from logging in and ordering, at once
    #[command(after_help = "Examples:
  ordersys user disable carol@example.com")]
    Disable {
        /// The user: an e-mail address, an id, or 4 or more characters that the id begins or ends with
        user: String,
    },
    /// Let a disabled user in again
    #[command(after_help = "Examples:
  ordersys user enable carol@example.com")]
    Enable {
        /// The user: an e-mail address, an id, or 4 or more characters that the id begins or ends with
        user: String,
    },
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only users with this e-mail address, in whichever case it is written
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    flags: ListFlags,
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let user = match args.command {
        Command::Login(args) => return session::log_in(globals, args),
        Command::Logout(args) => return session::log_out(globals, &args),
        Command::Passwd(args) => return session::change_password(globals, &args),
        Command::List(args) => return list(globals, &args),
        Command::Create { name, email, registered, password_stdin } => {
            let passwords = (registered || password_stdin).then(|| Passwords::from_flag(password_stdin));
            return create(globals, name, email, passwords);
        }
        Command::Get { user } => get(globals, user.as_deref())?,
        Command::Disable { user } => switch(globals, &user, UserStatus::Disabled)?,
        Command::Enable { user } => switch(globals, &user, UserStatus::Active)?,
    };
    globals.printer().data(&user, || table(std::slice::from_ref(&user)));
    Ok(())
}

fn create(globals: &Globals, name: String, email: String, passwords: Option<Passwords>) -> Outcome {
    let (client, printer) = (globals.client()?, globals.printer());
    let password = passwords.map(|from| from.chosen(&format!("password of {email}"))).transpose()?;
    let new = NewUser { name, email, password, test: false };
    let user = block_on(async {
        let user = client.create_user(&new).await.map_err(client_failure)?;
        if user.kind == UserKindName::Guest {
            note_others(&client, &printer, &user).await;
        }
        Outcome::Ok(user)
    })?;
    printer.data(&user, || table(std::slice::from_ref(&user)));
    let project = globals.project()?;
    printer.next(&project.command(&match user.kind {
        UserKindName::Guest => format!("order place --user {} --item \"USB-C Hub\"", user.id),
        UserKindName::Registered => format!("user login {}", quoted(&user.email)),
    }));
    Ok(())
}

/// Says which others have a guest's address: any number may.
async fn note_others(client: &Client, printer: &Printer, made: &User) {
    let filter = UserFilter { email: Some(&made.email), ..UserFilter::default() };
    let Ok(found) = client.users(&filter).await else { return };
    for User { id, name, created_at, .. } in found.items.iter().filter(|other| other.id != made.id) {
        let email = &made.email;
        printer.say(format!(
            "note: another user has the address {email} too: {id}, {name}, created {created_at}"
        ));
    }
}

fn list(globals: &Globals, args: &ListArgs) -> Outcome {
    let (client, printer) = (globals.client()?, globals.printer());
    let email = args.email.as_deref().map(|email| format!(" --email {}", quoted(email)));
    let words = format!("user list{}{}", email.unwrap_or_default(), args.flags.words());
    let again = globals.project()?.command(&words);
    block_on(listed(&client, args))?.print(&printer, table, &again);
    Ok(())
}

async fn listed(client: &Client, args: &ListArgs) -> Outcome<Listed<User>> {
    let (part, test) = (args.flags.part(), args.flags.shown());
    let filter = UserFilter { email: args.email.as_deref(), test, limit: part.call_limit() };
    let first = client.users(&filter).await;
    read("users", part, first, async |next: &str| client.more_users(next).await).await
}

fn get(globals: &Globals, user: Option<&str>) -> Outcome<User> {
    let (caller, project) = (globals.caller()?, globals.project()?);
    let found = block_on(async {
        let id = find(&caller, &project, user).await?;
        caller.client.user(id).await.map_err(client_failure)
    });
    found.map_err(|failure| caller.explain(failure))
}

fn switch(globals: &Globals, user: &str, status: UserStatus) -> Outcome<User> {
    let (client, project) = (globals.client()?, globals.project()?);
    block_on(async {
        let id = look_up(&client, &project, user).await?;
        let switched = match status {
            UserStatus::Active => client.enable_user(id).await,
            UserStatus::Disabled => client.disable_user(id).await,
        };
        switched.map_err(client_failure)
    })
}

fn table(users: &[User]) -> String {
    let mut table = Table::new(["ID", "NAME", "EMAIL", "KIND", "CREATED"]).names(&[1]).least(&[4, 3, 1]);
    let now = Timestamp::now();
    for user in users {
        let User { id, name, email, created_at, .. } = user;
        let kind = match (user.kind, user.status) {
            (UserKindName::Guest, UserStatus::Active) => "guest",
            (UserKindName::Guest, UserStatus::Disabled) => "guest, disabled",
            (UserKindName::Registered, UserStatus::Active) => "registered",
            (UserKindName::Registered, UserStatus::Disabled) => "registered, disabled",
        };
        let created = age(*created_at, now);
        table.row([id.to_string(), name.clone(), email.clone(), kind.to_owned(), created]);
    }
    table.to_string()
}
