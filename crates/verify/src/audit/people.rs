//! I11 of users, sessions and the keys for access tokens.

use std::time::Duration;

use ordersys_contract::Timestamp;
use ordersys_contract::evidence::{KeyEvidence, SessionRecord, SigningKey, UnownedNetworks, UserRecord};
use ordersys_contract::user::{UserKindName, UserStatus};

use crate::audit::Invariant;
use crate::audit::report::{AuditCounts, Mismatch};
use crate::audit::times::{EARLY, ahead, made};
use crate::audit::values::{no_name, unwritten};
use crate::finding::Witness;

/// How long after it was refreshed a session ends, written down a second time on purpose.
const SESSION: Duration = Duration::from_hours(30 * 24);
/// How long an access token is good, so that the key that signed it has to be there.
const TOKEN: Duration = Duration::from_mins(10);
/// How far the time of a session may lie before that of the key that signed its first token.
const MOMENT: Duration = Duration::from_secs(1);

pub(crate) fn kind(kind: UserKindName) -> &'static str {
    match kind {
        UserKindName::Guest => "a guest",
        UserKindName::Registered => "a registered user",
    }
}

fn note(row: String, mismatch: Option<Mismatch>, counts: &mut AuditCounts) {
    counts.looked_at(Invariant::TrueToOrigin);
    if let Some((expected, found)) = mismatch {
        let witness = Witness { row: Some(row), expected, found, ..Witness::default() };
        counts.add((Invariant::TrueToOrigin, witness));
    }
}

/// One user.
pub(crate) fn user(user: &UserRecord, now: Timestamp, counts: &mut AuditCounts) {
    // The plainest form is one that any version may have stored.
    let forms = [user.email.trim().to_lowercase(), user.address_form.clone()];
    let strange = user.login.as_ref().filter(|stored| !forms.contains(stored));
    let mismatch = if let Some(stored) = strange {
        Some((format!("the login `{}` of its address", forms[1]), format!("`{stored}`")))
    } else if let Some(stored) = user.address.as_ref().filter(|stored| **stored != user.address_form) {
        Some((format!("the form `{}` of its address", user.address_form), format!("`{stored}`")))
    } else if user.kind == UserKindName::Registered && !user.has_password {
        Some(("a hash that a password can be compared with".to_owned(), "something else".to_owned()))
    } else if user.status == UserStatus::Disabled && user.token_epoch == 0 {
        Some(("tokens revoked when it was disabled".to_owned(), "disabled, none was ever revoked".to_owned()))
    } else {
        let id_time = user.id.made().unwrap_or(user.created_at);
        let times = [("createdAt", user.created_at), ("the time in its id", id_time)];
        made(user.id.made(), user.created_at).or_else(|| ahead(&times, now))
    };
    let unmarked = (user.used && !user.test)
        .then(|| ("the mark of test data, as its use is noted".to_owned(), "no mark".to_owned()));
    let mismatch = mismatch.or(unmarked).or_else(|| unwritten(&user.odd)).or_else(|| no_name(&user.name));
    let mismatch = mismatch.or_else(|| user.former_names.iter().flatten().find_map(|name| no_name(name)));
    note(format!("user {}", user.id), mismatch, counts);
}

/// One session, with the user it is of.
pub(crate) fn session(session: &SessionRecord, now: Timestamp, counts: &mut AuditCounts) {
    let SessionRecord { user_id, refreshed_at, expires_at, .. } = session;
    let mismatch = match (session.kind, session.status) {
        (Some(UserKindName::Registered), Some(UserStatus::Active)) => {
            let end = refreshed_at.after(SESSION);
            let ends = (*expires_at != end).then(|| {
                (
                    format!("an end at {end}, {} days after it was refreshed", days(SESSION)),
                    expires_at.to_string(),
                )
            });
            ends.or_else(|| ahead(&[("refreshedAt", *refreshed_at)], now)).or_else(|| before_user(session))
        }
        (Some(kind_of), status) => {
            let found =
                if status == Some(UserStatus::Disabled) { "one that is disabled" } else { kind(kind_of) };
            Some((format!("user {user_id} to be one that may log in"), found.to_owned()))
        }
        (None, _) => Some((format!("user {user_id}, whose session it is"), "no such user".to_owned())),
    };
    note(format!("session {}", session.id), mismatch, counts);
}

/// A session that is older than its user. If a clock was ahead and was set back, it may be, by as much as rows may be
/// older than their ids.
fn before_user(session: &SessionRecord) -> Option<Mismatch> {
    let made = session.user_created_at.filter(|made| session.refreshed_at < made.before(EARLY))?;
    let expected = format!("refreshed after its user was made, {made}");
    Some((expected, format!("refreshed {}", session.refreshed_at)))
}

/// Networks that are remembered of users who are not there.
pub(crate) fn networks(unowned: &UnownedNetworks, counts: &mut AuditCounts) {
    for user in &unowned.users {
        let found = Some((format!("user {user}, whose networks they are"), "no such user".to_owned()));
        note(format!("networks of user {user}"), found, counts);
    }
}

fn days(span: Duration) -> u64 {
    span.as_secs() / (24 * 60 * 60)
}

/// Whether a token of this session may still be good, so that a key has to be there for it.
pub(crate) fn is_recent(session: &SessionRecord, now: Timestamp) -> bool {
    session.refreshed_at.after(TOKEN) > now
}

/// Whether the keys in use are those that are stored; a new one is stored first.
pub(crate) fn is_settled(keys: &KeyEvidence) -> bool {
    keys.stored.as_ref() == Some(&keys.used)
}

/// The keys, with the earliest session of which a token may still be good.
pub(crate) fn keys(
    keys: &KeyEvidence,
    earliest: Option<Timestamp>,
    now: Timestamp,
    counts: &mut AuditCounts,
) {
    let name = |keys: &[SigningKey]| {
        let keys: Vec<_> = keys.iter().map(|key| format!("{} of {}", key.kid, key.made)).collect();
        if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
    };
    let mismatch = if is_settled(keys) {
        let times: Vec<_> = keys.used.iter().map(|key| ("made", key.made)).collect();
        let signed = match (keys.used.first(), earliest) {
            (None, _) => Some(("at least one key".to_owned(), "none".to_owned())),
            (Some(oldest), Some(session)) if oldest.made > session.after(MOMENT) => {
                let expected = format!("the key of a session that was refreshed {session}");
                Some((expected, format!("none before {}", oldest.made)))
            }
            _ => None,
        };
        signed.or_else(|| ahead(&times, now))
    } else {
        let stored = keys.stored.as_deref().map_or_else(|| "none that can be read".to_owned(), name);
        Some((format!("the keys in use, {}, to be stored", name(&keys.used)), stored))
    };
    note("signing keys of the user service (keys.json)".to_owned(), mismatch, counts);
}
