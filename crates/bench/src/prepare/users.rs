//! Makes the users that order: guests, or registered users who log in before anything is counted.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use ordersys_contract::session::NewSession;
use ordersys_contract::user::{self, NewUser};
use ordersys_contract::{Client, ClientError, Code, Password, Secret};

use crate::prepare::cannot_make;
use crate::profile::{Profile, UserKind};
use ordersys_command::Progress;
use ordersys_command::{Exit, Failure, Outcome};
use ordersys_verify::system::ApiContract;
use ordersys_verify::system::http::Http;
use ordersys_verify::system::wire;
use ordersys_workload::model::StopCondition;

/// Guests that are made at a time.
const IN_FLIGHT: usize = 16;
/// Registered users that are made at a time: their passwords are hashed one after the other.
const HASHED: usize = 4;
/// How long a service may put off a user that is made or logs in, since it limits how often it hashes.
const PATIENCE: Duration = Duration::from_mins(2);
/// The pause where a service does not say how long to wait.
const PAUSE: Duration = Duration::from_secs(1);

/// The users of a run.
#[derive(Debug)]
pub(crate) struct Made {
    /// Their ids.
    pub(crate) ids: Vec<String>,
    /// Their access tokens, one each; none of guests.
    pub(crate) tokens: Vec<Secret>,
}

/// What the users of one run have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    /// Tells the run's users from those of others.
    pub(crate) label: &'a str,
    /// What the system promises.
    pub(crate) contract: ApiContract,
    /// Counts them.
    pub(crate) progress: &'a Progress,
}

impl Run<'_> {
    fn name(self, number: u32) -> (String, String) {
        let label = self.label;
        (format!("Bench {label} {number}"), format!("bench-{label}-{number}@example.com"))
    }

    /// The user marked as test data, where the system knows such marks.
    fn marked(self, new: NewUser) -> NewUser {
        match self.contract {
            ApiContract::Full => new.for_test(),
            ApiContract::Article => new,
        }
    }
}

/// Makes the users of a run.
pub(crate) async fn make(profile: &Profile, run: Run<'_>, client: &Client) -> Outcome<Made> {
    match profile.buyers {
        UserKind::Guests => {
            let ids = guests(profile, run, client).await?;
            Ok(Made { ids, tokens: Vec::new() })
        }
        UserKind::Registered => registered(profile, run, client).await,
    }
}

async fn guests(profile: &Profile, run: Run<'_>, client: &Client) -> Outcome<Vec<String>> {
    let url = format!("{}{}", client.endpoints().user, user::USERS);
    let make = |number: u32| {
        let url = url.clone();
        async move {
            let (name, email) = run.name(number);
            let body = serde_json::to_vec(&run.marked(NewUser::guest(name, email)))?;
            let (status, body) = Http::new(client).post(&url, None, body).await?;
            let made = serde_json::from_slice::<wire::User>(&body).ok().filter(|_| status.is_success());
            run.progress.add(1);
            made.map(|user| user.id).ok_or_else(|| {
                let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
                anyhow::anyhow!("{url} answers {status}: {said}")
            })
        }
    };
    let users = stream::iter((0..profile.users).map(make)).buffered(IN_FLIGHT).try_collect().await;
    users.map_err(|error| cannot_make("users", error))
}

/// A registered user that is logged in.
struct LoggedIn {
    id: String,
    token: Secret,
    until: Instant,
}

async fn registered(profile: &Profile, run: Run<'_>, client: &Client) -> Outcome<Made> {
    let deadline = Instant::now() + PATIENCE;
    let anyone = &client.clone().with_credential(None);
    let make = |number: u32| async move {
        let (name, email) = run.name(number);
        let password = Password::new(Secret::random().expose());
        let new = run.marked(NewUser::registered(name, email.clone(), password.clone()));
        patiently(deadline, || client.create_user(&new)).await?;
        let new = NewSession { email, password };
        let asked = Instant::now();
        let session = patiently(deadline, || anyone.log_in(&new)).await?;
        run.progress.add(1);
        let until = asked + Duration::from_secs(session.expires_in.into());
        Ok(LoggedIn { id: session.user_id.to_string(), token: session.access_token, until })
    };
    let made = stream::iter((0..profile.users).map(make)).buffered(HASHED).try_collect().await;
    let made: Vec<_> = made.map_err(|error| {
        cannot_make::<ClientError>("registered users", error)
            .hint("without --registered guests order, which any system that keeps the article's contract has")
    })?;
    outlast(profile, made.iter().map(|user| user.until).min())?;
    let (ids, tokens) = made.into_iter().map(|user| (user.id, user.token)).unzip();
    Ok(Made { ids, tokens })
}

/// Calls again, as long as the service only says that it has no time now.
async fn patiently<T>(
    deadline: Instant,
    call: impl AsyncFn() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    loop {
        let refused = match call().await {
            Err(ClientError::Refused { problem }) => problem,
            definite => return definite,
        };
        let later = matches!(refused.code, Code::TooManyRequests | Code::Overloaded);
        let pause = refused.retry_after.map_or(PAUSE, |seconds| Duration::from_secs(seconds.into()));
        if !later || Instant::now() + pause > deadline {
            return Err(ClientError::Refused { problem: refused });
        }
        tokio::time::sleep(pause).await;
    }
}

/// Refuses a run that is longer than its access tokens are good for.
fn outlast(profile: &Profile, until: Option<Instant>) -> Outcome {
    let (StopCondition::For(duration), Some(until)) = (profile.stop_condition, until) else { return Ok(()) };
    let needed = profile.warmup + duration + profile.timeout;
    let left = until.saturating_duration_since(Instant::now());
    if needed <= left {
        return Ok(());
    }
    let what = format!(
        "the access tokens of the registered users are good for another {} s, and the run takes up to {} s",
        left.as_secs(),
        needed.as_secs()
    );
    Err(Failure::new(Exit::Usage, what).hint("shorten --duration, or leave out --registered"))
}
