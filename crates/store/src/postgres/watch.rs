//! Looking after the database while nobody asks for anything: whether it can be reached, and whether it can be written
//! again after it could not.

use std::sync::Weak;
use std::time::Duration;

use super::Shared;
use super::fault::Fault;
use super::session::Session;
use crate::pg_params;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How long the database may take to answer such a look.
const ANSWER: Duration = Duration::from_secs(5);

/// Looks until the store is gone.
pub(super) async fn run(store: Weak<Shared>, schema: &'static str) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(store) = store.upgrade() else { return };
        // A session that ended is noticed here, and a new one made.
        let session = store.reads.lock().await.session().await;
        if let Ok(session) = session
            && store.reachability.reason().is_some()
        {
            probe(&store, &session, schema).await;
        }
    }
}

/// Writes something that changes nothing.
async fn probe(store: &Shared, session: &Session, schema: &'static str) {
    let written = async {
        let update = format!("UPDATE {schema}.meta SET one = one");
        session.execute(update, pg_params![]).await
    };
    match tokio::time::timeout(ANSWER, written).await {
        Ok(Ok(_)) => store.reachability.reached(),
        Ok(Err(error)) if error.fault() == Fault::Full => store.reachability.full(&error.to_string()),
        Ok(Err(error)) => store.reachability.unreachable(&error.to_string()),
        Err(_) => store.reachability.unreachable("no answer"),
    }
}
