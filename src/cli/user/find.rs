//! Which user a person means.

use ordersys_contract::client::UserFilter;
use ordersys_contract::user::{User, UserKindName};
use ordersys_contract::{Client, TestData, UserId};

use crate::cli::caller::Caller;
use crate::cli::client_failure;
use crate::cli::listing::{Part, read};
use crate::cli::meant::{did_you_mean, has_part, is_part, quoted, similar};
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_report::Table;
use ordersys_stack::model::project::Project;

/// Users that are looked through for one that is nearly named.
const SEARCHED: u64 = 10_000;

/// Whom a command is about: the one that is named, else the account that calls.
pub(in crate::cli) async fn find(caller: &Caller, project: &Project, user: Option<&str>) -> Outcome<UserId> {
    if let Some(id) = caller.own_id(user) {
        return Ok(id);
    }
    if let Some(user) = user {
        return look_up(&caller.directory, project, user).await;
    }
    let log_in = project.command("user login --help");
    let what = "no account is logged in, so the user has to be named";
    Err(Failure::new(Exit::Usage, what)
        .hint(format!("name one by id or e-mail address, or log in: `{log_in}`")))
}

/// The user with this e-mail address, or this id or a part of it. Two are not guessed between.
pub(super) async fn look_up(client: &Client, project: &Project, user: &str) -> Outcome<UserId> {
    if let Ok(id) = user.parse() {
        return Ok(id);
    }
    if user.contains('@') {
        return by_address(client, project, user).await;
    }
    let show = project.command("user list");
    if !is_part(user) {
        let what = format!("`{user}` is neither a user's id, nor a part of one, nor an e-mail address");
        return Err(Failure::new(Exit::NotFound, what).hint(format!("`{show}` shows all users")));
    }
    let users = some(client, TestData::Include).await?;
    let with_part: Vec<_> = users.iter().filter(|found| has_part(&found.id, user)).collect();
    match with_part.as_slice() {
        [user] => Ok(user.id),
        [] => {
            let what = format!("no user's id begins or ends with `{user}`");
            Err(Failure::new(Exit::NotFound, what).hint(format!("`{show}` shows all users")))
        }
        several => Err(ambiguous(several, &format!("have ids that begin or end with `{user}`"))),
    }
}

async fn by_address(client: &Client, project: &Project, email: &str) -> Outcome<UserId> {
    let filter = UserFilter { email: Some(email), test: TestData::Include, limit: None };
    let found = client.users(&filter).await.map_err(client_failure)?.items;
    let real: Vec<_> = found.iter().filter(|user| !user.test).collect();
    let found = if real.is_empty() { found.iter().collect() } else { real };
    match found.as_slice() {
        [user] => Ok(user.id),
        [] => {
            let near = some(client, TestData::Exclude).await.unwrap_or_default();
            let near = similar(email, near.iter().map(|user| user.email.as_str()));
            let create = project.command(&format!("user create --name Guest --email {}", quoted(email)));
            let hint = did_you_mean(&near).unwrap_or_else(|| format!("create one: `{create}`"));
            let what = format!("there is no user with the e-mail address {email}");
            Err(Failure::new(Exit::NotFound, what).hint(hint))
        }
        several => Err(ambiguous(several, &format!("have the e-mail address {email}"))),
    }
}

/// Some of the users there are, for what is nearly named.
async fn some(client: &Client, test: TestData) -> Outcome<Vec<User>> {
    let part = Part::page(1, Some(SEARCHED));
    let filter = UserFilter { test, limit: part.call_limit(), ..UserFilter::default() };
    let first = client.users(&filter).await;
    Ok(read("users", part, first, async |next: &str| client.more_users(next).await).await?.items)
}

fn ambiguous(several: &[&User], have: &str) -> Failure {
    let mut table = Table::new(["ID", "NAME", "EMAIL", "KIND", "CREATED"]).names(&[1]);
    for User { id, name, email, kind, created_at, .. } in several.iter().take(20) {
        let kind = match kind {
            UserKindName::Guest => "guest",
            UserKindName::Registered => "registered",
        };
        table.row([id.to_string(), name.clone(), email.clone(), kind.to_owned(), created_at.to_string()]);
    }
    let what = format!("{} users {have}", several.len());
    Failure::new(Exit::Usage, what).hint(format!("name one by its id:\n{table}"))
}
