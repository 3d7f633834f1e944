//! A registered user who is logged in.

use ordersys_contract::session::{NewSession, Session};
use ordersys_contract::user::{NewUser, User};
use ordersys_contract::{Client, ClientError, Password};

use crate::Stack;

/// Every member's password.
pub const PASSWORD: &str = "correct horse battery";

/// A registered user who is logged in.
pub struct Member {
    /// The user.
    pub user: User,
    /// The first session.
    pub session: Session,
    /// Calls with the session's access token.
    pub client: Client,
}

impl Member {
    /// Registers a user of this name and logs in.
    pub async fn join(stack: &Stack, name: &str) -> Self {
        let new = NewUser::registered(name, format!("{name}@example.com"), Password::new(PASSWORD));
        let user = stack.admin().create_user(&new).await.expect("registers");
        let session = log_in(stack, &user.email, PASSWORD).await.expect("logs in");
        Self { user, client: client(stack, &session), session }
    }

    /// The header that shows the session's access token.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.session.access_token.expose())
    }
}

/// Logs in.
pub async fn log_in(stack: &Stack, email: &str, password: &str) -> Result<Session, ClientError> {
    let new = NewSession { email: email.to_owned(), password: Password::new(password) };
    stack.anyone().log_in(&new).await
}

/// Calls with the access token of a session.
pub fn client(stack: &Stack, session: &Session) -> Client {
    stack.anyone().with_credential(Some(session.access_token.clone()))
}
