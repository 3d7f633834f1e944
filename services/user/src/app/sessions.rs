//! Logging in, refreshing and logging out.

use std::net::IpAddr;
use std::time::Duration;

use ordersys_chassis::Holder;
use ordersys_chassis::resilience::rate_limit::network;
use ordersys_contract::session::{NewSession, Session, TokenType};
use ordersys_contract::user::UserStatus;
use ordersys_contract::{Secret, SessionId, Timestamp, UserId};
use ordersys_store::answers::CommandId;
use ordersys_token::{Claims, LIFETIME, RefreshToken};

use super::App;
use crate::domain::{earlier_login, login};
use crate::hasher::Verdict;
use crate::store::{Begun, NewLogin, Rotated, Rotation};
use crate::{NAME, UserError};

/// How long a session lasts without being refreshed.
const SESSION_LIFETIME: Duration = Duration::from_hours(30 * 24);

impl App {
    /// Begins a session. An unknown address takes the work, and gets the answer, of a wrong password.
    pub(crate) async fn log_in(
        &self,
        new: NewSession,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Session, UserError> {
        let login = login(&new.email);
        let known =
            async { self.0.users.logged_in_from(login.clone(), network(from)).await.unwrap_or(false) };
        self.0.throttle.log_in(from, &login, known).await?;
        let account = self.0.users.by_login([earlier_login(&new.email), login]).await?;
        let stored = account.as_ref().map(|account| account.password.clone());
        let better = match self.0.hasher.check(new.password, stored).await? {
            Verdict::Wrong => return Err(UserError::WrongCredentials),
            Verdict::Right => None,
            Verdict::Outdated(better) => Some(better),
        };
        let account = account.ok_or(UserError::WrongCredentials)?;
        if account.status == UserStatus::Disabled {
            return Err(UserError::Disabled);
        }
        let token = RefreshToken::next(SessionId::random());
        let begun = self.0.users.begin_session(NewLogin {
            user: account.id,
            checked: account.password,
            better,
            session: token.session(),
            network: network(from),
            token: token.hash(),
            now,
            expires: now.after(SESSION_LIFETIME),
        });
        match begun.await? {
            Begun::Done { epoch } => self.session(account.id, &token, epoch, now),
            Begun::PasswordChanged => Err(UserError::WrongCredentials),
            Begun::Disabled => Err(UserError::Disabled),
        }
    }

    /// The next tokens of a session. Presenting an old token ends the session: it was stolen, or the
    /// newer one was.
    pub(crate) async fn refresh(
        &self,
        presented: &Secret,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Session, UserError> {
        let old = RefreshToken::read(presented).ok_or(UserError::SessionEnded);
        let lives = async {
            let Ok(old) = &old else { return false };
            self.0.users.session_lives(old.session(), old.hash(), now).await.unwrap_or(false)
        };
        self.0.throttle.refresh(from, lives).await?;
        let old = old?;
        let new = RefreshToken::next(old.session());
        let rotated = self.0.users.rotate(Rotation {
            command: CommandId::now(),
            session: old.session(),
            old: old.hash(),
            new: new.hash(),
            now,
            expires: now.after(SESSION_LIFETIME),
        });
        match rotated.await? {
            Rotated::Done { user, epoch } => self.session(user, &new, epoch, now),
            Rotated::Ended => Err(UserError::SessionEnded),
            Rotated::Reused { user } => {
                tracing::warn!(service = NAME, userId = %user, "a used refresh token came again; its session ends");
                Err(UserError::SessionEnded)
            }
        }
    }

    /// Ends the session that an access token belongs to.
    pub(crate) async fn log_out(&self, holder: Holder) -> Result<(), UserError> {
        let ended = self.0.users.end_session(holder.session, holder.user, holder.epoch).await?;
        if ended { Ok(()) } else { Err(UserError::Revoked) }
    }

    /// Ends all sessions of a user and makes all access tokens useless.
    pub(crate) async fn log_out_everywhere(&self, holder: Holder) -> Result<(), UserError> {
        let ended = self.0.users.end_sessions(CommandId::now(), holder.user, holder.epoch).await?;
        if ended { Ok(()) } else { Err(UserError::Revoked) }
    }

    /// Forgets what is over, some at a time, and shortens what was begun while the clock was ahead.
    pub(crate) async fn forget_expired(&self, now: Timestamp) -> Result<usize, UserError> {
        self.0.users.shorten(now, now.after(SESSION_LIFETIME)).await?;
        Ok(self.0.users.forget_expired(now).await?)
    }

    fn session(
        &self,
        user: UserId,
        refresh: &RefreshToken,
        epoch: u64,
        now: Timestamp,
    ) -> Result<Session, UserError> {
        let claims = Claims::new(user, refresh.session(), epoch, now);
        Ok(Session {
            access_token: self.0.keys.sign(&claims, now).ok_or(UserError::NoToken)?,
            token_type: TokenType::Bearer,
            expires_in: u32::try_from(LIFETIME.as_secs()).unwrap_or(u32::MAX),
            refresh_token: refresh.text().ok_or(UserError::NoToken)?,
            user_id: user,
        })
    }
}
