//! Hashing passwords, on a thread of its own: slow and hungry for memory by design, so it must
//! neither hold up other requests nor run more than once at a time.
//!
//! The thread is the permit. A caller that goes away frees nothing: its work is done to its end, or
//! never begun.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use ordersys_chassis::prometheus_client::metrics::counter::Counter;
use ordersys_chassis::prometheus_client::registry::Registry;
use ordersys_contract::Password;
use ordersys_store::OpenError;
use tokio::sync::oneshot;

use crate::UserError;

/// Memory of one hash, in KiB. There is one at a time.
const MEMORY_KIB: u32 = 19_456;
/// Passes over that memory.
const PASSES: u32 = 2;
/// Lanes of that memory.
const LANES: u32 = 1;
/// Callers that may wait for the thread; further ones are turned away.
const QUEUE: usize = 64;
/// How much less than others the thread wants the processor, from 0 to 19.
const NICENESS: i32 = 10;

/// Stands in for the hash of an account that does not exist, so that looking for one takes the same
/// work as a wrong password. Nothing is known that has this hash.
const NO_ACCOUNT: &str = "$argon2id$v=19$m=19456,t=2,p=1$b3JkZXJzeXMtbm9ib2R5\
                      $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A hashed password as it is stored: a PHC string. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

impl PasswordHash {
    /// A hash as it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// Whether a password can be compared with it.
    pub(crate) fn is_usable(&self) -> bool {
        Phc::new(&self.0).is_ok_and(|hash| hash.hash.is_some())
    }

    /// Whether it was made with less work than passwords are worth: by no version of this program.
    pub(crate) fn is_weak(&self) -> bool {
        let cost = |hash: &Phc| Params::try_from(hash).map(|params| (params.m_cost(), params.t_cost()));
        let weak = |(memory, passes): (u32, u32)| memory < MEMORY_KIB || passes < PASSES;
        Phc::new(&self.0)
            .is_ok_and(|hash| hash.algorithm.as_str() != "argon2id" || cost(&hash).is_ok_and(weak))
    }

    /// The text to store.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

/// What checking a password found.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is not the password, or there is no account.
    Wrong,
    /// It is, and its hash is as it should be.
    Right,
    /// It is, and this hash should replace the stored one: that was made with other parameters.
    Outdated(PasswordHash),
}

type Job = Box<dyn FnOnce(&Argon2<'_>) + Send>;

/// The hashing thread; clones share it. It ends with the last of them.
#[derive(Clone)]
pub(crate) struct Hasher {
    jobs: SyncSender<Job>,
    hashes: Counter,
}

impl Hasher {
    /// Starts the thread.
    pub(crate) fn start() -> Result<Self, OpenError> {
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("user-hasher".to_owned());
        thread.spawn(move || work(&queue)).map_err(OpenError::Thread)?;
        Ok(Self { jobs, hashes: Counter::default() })
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("password_hashes", "Passwords hashed to store or to compare", self.hashes.clone());
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: Password) -> Result<PasswordHash, UserError> {
        self.run(move |argon2| hash(argon2, &password)).await?
    }

    /// Compares a password with the stored hash of an account, or with one of no account.
    pub(crate) async fn check(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, UserError> {
        self.run(move |argon2| check(argon2, &password, stored.as_ref())).await?
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, UserError> {
        let (sender, answer) = oneshot::channel();
        let hashes = self.hashes.clone();
        let job: Job = Box::new(move |argon2| {
            if !sender.is_closed() {
                hashes.inc();
                let _ = sender.send(work(argon2));
            }
        });
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => UserError::HasherBusy,
            TrySendError::Disconnected(_) => UserError::HasherFailed,
        })?;
        answer.await.map_err(|_| UserError::HasherFailed)
    }
}

fn work(queue: &Receiver<Job>) {
    // Linux takes "this process" for the calling thread; where it is not, all stays as it is.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(service = crate::NAME, %error, "hashing passwords keeps its priority");
    }
    let argon2 = argon2();
    for job in queue {
        job(&argon2);
    }
}

fn argon2() -> Argon2<'static> {
    with_params(Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or_default())
}

fn with_params(params: Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(argon2: &Argon2<'_>, password: &Password) -> Result<PasswordHash, UserError> {
    let hashed: Phc =
        argon2.hash_password(password.expose().as_bytes()).map_err(|_| UserError::HasherFailed)?;
    Ok(PasswordHash(hashed.to_string()))
}

fn check(
    argon2: &Argon2<'_>,
    password: &Password,
    stored: Option<&PasswordHash>,
) -> Result<Verdict, UserError> {
    let text = stored.map_or(NO_ACCOUNT, PasswordHash::as_str);
    let compared = Phc::new(text).map_err(|_| UserError::HasherFailed)?;
    let same = argon2.verify_password(password.expose().as_bytes(), &compared).is_ok();
    match (same, stored) {
        (true, Some(_)) if is_current(&compared) => Ok(Verdict::Right),
        (true, Some(_)) => hash(argon2, password).map(Verdict::Outdated),
        (true, None) | (false, _) => Ok(Verdict::Wrong),
    }
}

/// Whether a hash was made with the parameters of today.
fn is_current(hash: &Phc) -> bool {
    let params = Params::try_from(hash);
    let same =
        |params: Params| (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES);
    hash.algorithm.as_str() == "argon2id" && hash.version == Some(0x13) && params.is_ok_and(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashes_are_salted_and_a_missing_account_has_no_password() {
        let hasher = Hasher::start().expect("starts");
        let password = || Password::new("correct horse");
        let (one, two) = (hasher.hash(password()).await, hasher.hash(password()).await);
        let (one, two) = (one.expect("hashes"), two.expect("hashes"));
        assert_ne!(one, two);
        assert!(one.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.as_str());
        assert!(!format!("{one:?}").contains("argon2"));
        assert!(matches!(hasher.check(password(), Some(one)).await, Ok(Verdict::Right)));
        let wrong = hasher.check(Password::new("wrong horse"), Some(two)).await;
        assert!(matches!(wrong, Ok(Verdict::Wrong)));
        assert!(matches!(hasher.check(password(), None).await, Ok(Verdict::Wrong)));
        assert!(is_current(&Phc::new(NO_ACCOUNT).expect("parses")), "the same work without an account");
        assert_eq!(hasher.hashes.get(), 5);
    }

    #[test]
    fn a_hash_of_other_parameters_is_replaced() {
        let weak = Params::new(8, 1, 1, None).expect("valid");
        let weak = with_params(weak);
        let password = Password::new("correct horse");
        let stored = hash(&weak, &password).expect("hashes");
        let Ok(Verdict::Outdated(better)) = check(&argon2(), &password, Some(&stored)) else {
            panic!("was made with other parameters");
        };
        assert!(matches!(check(&argon2(), &password, Some(&better)), Ok(Verdict::Right)));
        assert!(matches!(check(&argon2(), &Password::new("wrong"), Some(&stored)), Ok(Verdict::Wrong)));
    }

    #[tokio::test]
    async fn a_job_without_a_caller_is_not_begun_and_the_queue_ends() {
        let hasher = Hasher::start().expect("starts");
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let (began, begun) = oneshot::channel();
        let blocked = tokio::spawn({
            let hasher = hasher.clone();
            async move {
                let wait = move |_: &Argon2<'_>| {
                    let _ = began.send(());
                    let _ = gate.recv();
                };
                hasher.run(wait).await
            }
        });
        begun.await.expect("begins");
        let mut waiting: Vec<_> = (0..QUEUE).map(|_| Box::pin(hasher.run(|_| ()))).collect();
        for queued in &mut waiting {
            let polled = std::future::poll_fn(|context| {
                std::task::Poll::Ready(queued.as_mut().poll(context).is_pending())
            });
            assert!(polled.await);
        }
        assert!(matches!(hasher.run(|_| ()).await, Err(UserError::HasherBusy)));
        drop(waiting);
        release.send(()).expect("is waited for");
        blocked.await.expect("runs").expect("is done");
        // The thread passes over jobs without a caller one by one: until then there may be no room.
        let retry = async {
            while let Err(UserError::HasherBusy) = hasher.run(|_| ()).await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), retry).await.expect("there is room again");
        assert_eq!(hasher.hashes.get(), 2, "the callers that went away cost nothing");
    }
}
