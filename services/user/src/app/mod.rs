//! What the user service does.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use ordersys_chassis::{Caller, ClockSkew, Deadline};
use ordersys_contract::evidence::{KeyEvidence, SessionRecord, UserRecord};
use ordersys_contract::session::Jwks;
use ordersys_contract::test_data::{Cleaned, Cleanup};
use ordersys_contract::user::{Lookup, NewUser, User, UserKindName, UserPatch, UserStatus, UserSummary};
use ordersys_contract::{Password, SessionId, Timestamp, UserId};
use ordersys_spans::{SpanContexts, Tracer};
use ordersys_store::Add;
use ordersys_store::answers::CommandId;

use crate::domain::ring::Certainty;
use crate::domain::{Profile, Role, checked_name, login};
use crate::hasher::{Hasher, PasswordHash, Verdict};
use crate::keys::{Keys, KeysError};
use crate::store::{Account, Change, Filter, Reached, Registration, Users};
use crate::throttle::Throttle;
use crate::{NAME, UserError};

mod sessions;

/// The use cases; clones share everything.
#[derive(Clone)]
pub struct App(Arc<Dependencies>);

/// What the use cases work with.
pub(crate) struct Dependencies {
    pub(crate) users: Users,
    pub(crate) hasher: Hasher,
    pub(crate) throttle: Throttle,
    pub(crate) keys: Keys,
    pub(crate) newest: ClockSkew,
    pub(crate) tracer: Tracer,
}

/// Who asks, and from where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requester {
    pub(crate) caller: Caller,
    pub(crate) address: IpAddr,
}

impl App {
    pub(crate) fn new(dependencies: Dependencies) -> Self {
        Self(Arc::new(dependencies))
    }

    /// Takes note of the newest stored time, and warns if it lies ahead of the clock.
    pub(crate) async fn see_newest(&self) -> Result<(), UserError> {
        if let Some(newest) = self.0.users.newest().await? {
            self.0.newest.saw(newest);
        }
        self.0.newest.warn_if_ahead();
        Ok(())
    }

    pub(crate) async fn close(&self) {
        self.0.users.close().await;
    }

    /// Makes a guest, or a registered user if there is a password.
    pub(crate) async fn create(
        &self,
        new: NewUser,
        requester: Requester,
        now: Timestamp,
    ) -> Result<User, UserError> {
        if new.test && !requester.caller.is_admin() {
            return Err(UserError::MarkedByOther(requester.caller));
        }
        let profile = Profile::new(&new.name, &new.email)?;
        let (test, status) = (new.test, UserStatus::Active);
        let registration = match new.password {
            None => {
                self.admit_guest(requester).await?;
                None
            }
            Some(password) => Some(self.register(&profile, password, requester).await?),
        };
        let kind = if registration.is_some() { UserKindName::Registered } else { UserKindName::Guest };
        let Profile { name, email } = profile;
        let user = User { id: UserId::now(), name, email, kind, status, created_at: now, test };
        if self.0.users.insert(user.clone(), registration).await? {
            self.0.newest.saw(now);
            Ok(user)
        } else {
            Err(UserError::EmailTaken)
        }
    }

    async fn register(
        &self,
        profile: &Profile,
        password: Password,
        Requester { caller, address }: Requester,
    ) -> Result<Registration, UserError> {
        profile.accepts(&password)?;
        let login = login(&profile.email);
        if !caller.is_admin() {
            self.0.throttle.registration(address).await?;
        }
        let password = self.0.hasher.hash(password).await?;
        Ok(Registration { login, password })
    }

    async fn admit_guest(&self, Requester { caller, address }: Requester) -> Result<(), UserError> {
        if caller.is_admin() { Ok(()) } else { self.0.throttle.guest(address).await }
    }

    pub(crate) async fn get(&self, id: UserId, caller: Caller) -> Result<User, UserError> {
        reached(self.0.users.get(id, Role::of(caller, id)).await?)
    }

    /// Gives users of earlier versions the form of their address in which it is compared now.
    pub(crate) async fn complete_addresses(&self) -> Result<(), UserError> {
        Ok(self.0.users.complete_addresses().await?)
    }

    /// Lets answers go that were kept for minutes, some at a time.
    pub(crate) async fn forget_answers(&self) -> Result<usize, UserError> {
        Ok(self.0.users.forget_answers().await?)
    }

    pub(crate) async fn list<P: Send + 'static>(
        &self,
        filter: Filter,
        page: P,
        add: Add<P, User>,
    ) -> Result<(P, Option<UserId>), UserError> {
        Ok(self.0.users.list(filter, page, add).await?)
    }

    /// Removes some of the test data that no order needs.
    pub(crate) async fn clean_up(&self, step: Cleanup<UserId>) -> Result<Cleaned<UserId>, UserError> {
        let cleaned = self.0.users.clean_up(CommandId::now(), step).await?;
        tracing::info!(service = NAME, removed = cleaned.removed, "test data was removed");
        Ok(cleaned)
    }

    /// Changes a user's name or password, as the user or the admin.
    pub(crate) async fn edit(&self, id: UserId, patch: UserPatch, caller: Caller) -> Result<User, UserError> {
        let role = Role::of(caller, id);
        if role == Role::Stranger {
            return Err(UserError::NotFound);
        }
        let UserPatch { name, password, current_password } = patch;
        let name = name.as_deref().map(checked_name).transpose()?;
        let before = self.get(id, caller).await?;
        let password = match password {
            Some(password) => {
                let account = self.0.users.account(id).await?.ok_or(UserError::GuestPassword)?;
                Some(self.replace(&account, password, role, current_password).await?)
            }
            None if name.is_none() => return Err(UserError::NothingToChange),
            None => None,
        };
        let change = Change { command: CommandId::now(), name, password };
        let changed = reached(self.0.users.change(id, role, change).await?)?;
        tracing::info!(service = NAME, userId = %before.id, "a user was changed");
        changed.ok_or(UserError::WrongPassword)
    }

    /// The hash of a new password, and the one it replaces, once the old password was shown.
    async fn replace(
        &self,
        account: &Account,
        password: Password,
        role: Role,
        current: Option<Password>,
    ) -> Result<(PasswordHash, PasswordHash), UserError> {
        let profile = Profile { name: account.name.clone(), email: account.email.clone() };
        profile.accepts(&password)?;
        if role != Role::Admin {
            let current = current.ok_or(UserError::CurrentPasswordMissing)?;
            self.0.throttle.change(account.id).await?;
            match self.0.hasher.check(current, Some(account.password.clone())).await? {
                Verdict::Right | Verdict::Outdated(_) => {}
                Verdict::Wrong => return Err(UserError::WrongPassword),
            }
        }
        Ok((account.password.clone(), self.0.hasher.hash(password).await?))
    }

    pub(crate) async fn set_status(&self, id: UserId, status: UserStatus) -> Result<User, UserError> {
        let user = reached(self.0.users.set_status(id, status).await?)?;
        tracing::info!(service = NAME, userId = %id, ?status, "a user was disabled or enabled");
        Ok(user)
    }

    /// The public keys that access tokens are verified with.
    pub async fn public_keys(&self) -> Jwks {
        self.0.keys.public().await
    }

    pub(crate) async fn records(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<UserRecord>, UserError> {
        Ok(self.0.users.records(after, limit).await?)
    }

    pub(crate) async fn records_of(&self, ids: Vec<UserId>) -> Result<Vec<Option<UserRecord>>, UserError> {
        Ok(self.0.users.records_of(ids).await?)
    }

    pub(crate) async fn session_records(
        &self,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<SessionRecord>, UserError> {
        Ok(self.0.users.sessions(after, limit).await?)
    }

    pub(crate) async fn unowned_networks(&self) -> Result<Vec<UserId>, UserError> {
        Ok(self.0.users.unowned_networks().await?)
    }

    pub(crate) async fn key_evidence(&self) -> KeyEvidence {
        self.0.keys.evidence().await
    }

    pub(crate) async fn turn_keys(&self, now: Timestamp, certainty: Certainty) -> Result<(), KeysError> {
        self.0.keys.turn(now, certainty).await
    }

    /// Looks up many users at once; one answer each, in order. Past its deadline it does nothing.
    pub async fn lookup(
        &self,
        Lookup { ids, request_ids, trace_parents }: Lookup,
        deadline: Deadline,
    ) -> Result<Vec<Option<UserSummary>>, UserError> {
        let began = Instant::now();
        let (_, mut spans) = self.0.tracer.parts(trace_parents.into_iter(), "look up");
        let reading = self.0.users.summaries(ids.clone(), deadline);
        let found = SpanContexts::below(&spans).around(reading).await;
        if let Err(error) = &found {
            for span in &mut spans {
                span.fail(|| error.to_string());
            }
        }
        drop(spans);
        let found = found?;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        for ((id, summary), request) in ids.iter().zip(&found).zip(&request_ids) {
            let known = summary.is_some();
            tracing::info!(
                service = NAME,
                requestId = request.as_str(),
                userId = %id,
                known,
                durationUs = took,
                "looked up"
            );
        }
        Ok(found)
    }
}

fn reached<T>(reached: Reached<T>) -> Result<T, UserError> {
    match reached {
        Reached::Done(found) => Ok(found),
        Reached::NotFound => Err(UserError::NotFound),
        Reached::Revoked => Err(UserError::Revoked),
    }
}
