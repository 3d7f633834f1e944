//! `ordersys user`: who orders.

use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Client, UserId};

use super::{Exit, Failure, Globals, Outcome, block_on};
use crate::ui::Table;

/// Create and look up users
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ordersys user create --name Alice --email alice@example.com
  ordersys user get alice@example.com
  ordersys user list -o json")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create a guest
    Create {
        /// What to call the user
        #[arg(long)]
        name: String,
        /// Where to reach the user
        #[arg(long)]
        email: String,
    },
    /// Show one user
    Get {
        /// The user's id or e-mail address
        user: String,
    },
    /// List users
    List {
        /// Only users with this e-mail address
        #[arg(long, default_value = "")]
        email: String,
    },
}

pub(super) fn run(globals: &Globals, args: Args) -> Outcome {
    let (client, printer) = (globals.client()?, globals.printer());
    block_on(async {
        match args.command {
            Command::Create { name, email } => {
                let user = client.create_user(&NewUser::guest(name, email)).await.map_err(client_failure)?;
                printer.data(&user, || table(std::slice::from_ref(&user)));
                printer.next(&format!("ordersys order place --user {} --item \"USB-C Hub=1\"", user.id));
            }
            Command::Get { user } => {
                let id = find(&client, &user).await?;
                let user = client.user(id).await.map_err(client_failure)?;
                printer.data(&user, || table(std::slice::from_ref(&user)));
            }
            Command::List { email } => {
                let email = Some(email).filter(|email| !email.is_empty());
                let users = client.users(email.as_deref()).await.map_err(client_failure)?;
                printer.data(&users, || table(&users));
            }
        }
        Ok(())
    })
}

fn table(users: &[User]) -> String {
    let mut table = Table::new(["ID", "NAME", "EMAIL", "CREATED"]);
    for user in users {
        let User { id, name, email, created_at, .. } = user;
        table.row([id.to_string(), name.clone(), email.clone(), created_at.to_string()]);
    }
    table.to_string()
}

/// The user with this id or e-mail address. Two users with one address are not guessed between.
pub(super) async fn find(client: &Client, user: &str) -> Outcome<UserId> {
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
            .hint(format!("create one: ordersys user create --name NAME --email {user}"))),
        several => {
            let ids: Vec<_> = several.iter().map(|user| user.id.to_string()).collect();
            let what = format!("{} users have the e-mail address {user}", several.len());
            Err(Failure::new(Exit::Usage, what).hint(format!("name one by its id: {}", ids.join(", "))))
        }
    }
}

/// A failed call as a failed command: the right exit code, and a next step where there is one.
pub(super) fn client_failure(error: ordersys_contract::ClientError) -> Failure {
    use ordersys_contract::{ClientError, Code};
    let exit = match &error {
        ClientError::Refused { problem } => match problem.code {
            Code::NotFound | Code::UnknownUser | Code::UnknownProduct => Exit::NotFound,
            _ => Exit::Failed,
        },
        ClientError::Unreachable { .. } => Exit::Environment,
        ClientError::TimedOut { .. } => Exit::TimedOut,
        ClientError::BadAnswer { .. } => Exit::Failed,
    };
    let hint = match &error {
        ClientError::Unreachable { .. } | ClientError::TimedOut { .. } => {
            Some("`ordersys status` shows what is running, `ordersys up` starts it")
        }
        ClientError::Refused { .. } | ClientError::BadAnswer { .. } => None,
    };
    let failure = Failure { exit, error: error.into(), hint: None };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
