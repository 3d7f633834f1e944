//! `ordersys user`: who orders.

use ordersys_contract::user::{NewUser, User, UserKindName, UserStatus};
use ordersys_contract::{Client, UserId};

use crate::cli::caller::Caller;
use crate::cli::password::Passwords;
use crate::cli::{Globals, block_on, client_failure};
use crate::render::Table;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_stack::model::project::quoted;

mod session;

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
    Get {
        /// The user's id or e-mail address [default: who is logged in]
        user: Option<String>,
    },
    /// List users
    List {
        /// Only users with this e-mail address
        #[arg(long, default_value = "")]
        email: String,
    },
    Login(session::LoginArgs),
    Logout(session::LogoutArgs),
    Passwd(session::PasswdArgs),
    /// Bar a user from logging in and ordering, at once
    Disable {
        /// The user's id or e-mail address
        user: String,
    },
    /// Let a disabled user in again
    Enable {
        /// The user's id or e-mail address
        user: String,
    },
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let user = match args.command {
        Command::Login(args) => return session::log_in(globals, args),
        Command::Logout(args) => return session::log_out(globals, &args),
        Command::Passwd(args) => return session::change_password(globals, &args),
        Command::List { email } => {
            return list(globals, Some(email.as_str()).filter(|email| !email.is_empty()));
        }
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
    let password = passwords.map(|from| from.chosen("password")).transpose()?;
    let new = NewUser { name, email, password };
    let user = block_on(async { client.create_user(&new).await.map_err(client_failure) })?;
    printer.data(&user, || table(std::slice::from_ref(&user)));
    printer.next(&match user.kind {
        UserKindName::Guest => format!("ordersys order place --user {} --item \"USB-C Hub=1\"", user.id),
        UserKindName::Registered => format!("ordersys user login {}", quoted(&user.email)),
    });
    Ok(())
}

fn list(globals: &Globals, email: Option<&str>) -> Outcome {
    let (client, printer) = (globals.client()?, globals.printer());
    let users = block_on(async { client.users(email).await.map_err(client_failure) })?;
    printer.data(&users, || table(&users));
    Ok(())
}

fn get(globals: &Globals, user: Option<&str>) -> Outcome<User> {
    let caller = globals.caller()?;
    let found = block_on(async {
        let id = find(&caller, user).await?;
        caller.client.user(id).await.map_err(client_failure)
    });
    found.map_err(|failure| caller.explain(failure))
}

fn switch(globals: &Globals, user: &str, status: UserStatus) -> Outcome<User> {
    let client = globals.client()?;
    block_on(async {
        let id = look_up(&client, user).await?;
        let switched = match status {
            UserStatus::Active => client.enable_user(id).await,
            UserStatus::Disabled => client.disable_user(id).await,
        };
        switched.map_err(client_failure)
    })
}

fn table(users: &[User]) -> String {
    let mut table = Table::new(["ID", "NAME", "EMAIL", "KIND", "CREATED"]);
    for user in users {
        let User { id, name, email, created_at, .. } = user;
        let kind = match (user.kind, user.status) {
            (UserKindName::Guest, UserStatus::Active) => "guest",
            (UserKindName::Guest, UserStatus::Disabled) => "guest, disabled",
            (UserKindName::Registered, UserStatus::Active) => "registered",
            (UserKindName::Registered, UserStatus::Disabled) => "registered, disabled",
        };
        table.row([id.to_string(), name.clone(), email.clone(), kind.to_owned(), created_at.to_string()]);
    }
    table.to_string()
}

/// Whom a command is about: the one that is named, else the account that calls.
pub(super) async fn find(caller: &Caller, user: Option<&str>) -> Outcome<UserId> {
    if let Some(id) = caller.own_id(user) {
        return Ok(id);
    }
    match user {
        Some(user) => look_up(&caller.directory, user).await,
        None => Err(Failure::new(Exit::Usage, "no account is logged in, so the user has to be named")
            .hint("name one by id or e-mail address (`ordersys user list`), or log in (`ordersys user login --help`)")),
    }
}

/// The user with this id or e-mail address. Two users with one address are not guessed between.
async fn look_up(client: &Client, user: &str) -> Outcome<UserId> {
    if let Ok(id) = user.parse() {
        return Ok(id);
    }
    if !user.contains('@') {
        return Err(Failure::new(
            Exit::NotFound,
            format!("`{user}` is neither a user's id nor an e-mail address"),
        )
        .hint("`ordersys user list` shows all users"));
    }
    let users = client.users(Some(user)).await.map_err(client_failure)?;
    match users.as_slice() {
        [user] => Ok(user.id),
        [] => Err(Failure::new(Exit::NotFound, format!("there is no user with the e-mail address {user}"))
            .hint(format!("create one: `ordersys user create --name Guest --email {}`", quoted(user)))),
        several => {
            let ids: Vec<_> = several.iter().map(|user| user.id.to_string()).collect();
            let what = format!("{} users have the e-mail address {user}", several.len());
            Err(Failure::new(Exit::Usage, what).hint(format!("name one by its id: {}", ids.join(", "))))
        }
    }
}
