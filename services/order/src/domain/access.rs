//! Who may order for whom, and who reaches which orders. Pure.

use ordersys_chassis::Caller;
use ordersys_contract::UserId;
use ordersys_contract::user::{UserKindName, UserStatus, UserSummary};

/// The user an order belongs to, as of its making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The user's id.
    pub id: UserId,
    /// What to call the user.
    pub name: String,
    /// A guest's order is open to all who have its id, a registered user's to that user.
    pub kind: UserKindName,
}

/// Why a caller may not order for a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The user is registered, and the caller has shown no token.
    TokenNeeded,
    /// The user is registered, and the caller is another one.
    NotTheOwner,
    /// The caller's token was revoked.
    Revoked,
    /// The account is disabled.
    Disabled,
}

/// Whether a caller may order for a user. What is wrong with an account is answered to its owner only.
pub fn may_order(caller: Caller, user: &UserSummary) -> Result<(), Denied> {
    let disabled = match user.status {
        UserStatus::Active => Ok(()),
        UserStatus::Disabled => Err(Denied::Disabled),
    };
    match (user.kind, caller) {
        (UserKindName::Guest, _) | (UserKindName::Registered, Caller::Admin | Caller::Trusted) => disabled,
        (UserKindName::Registered, Caller::User(holder)) if holder.user == user.id => {
            let current = holder.epoch == user.token_epoch;
            disabled.and(if current { Ok(()) } else { Err(Denied::Revoked) })
        }
        (UserKindName::Registered, Caller::Anyone) => Err(Denied::TokenNeeded),
        (UserKindName::Registered, Caller::User(_) | Caller::Service) => Err(Denied::NotTheOwner),
    }
}

/// The orders a caller reaches; to the caller there are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Every order.
    All,
    /// Orders of guests.
    Guests,
    /// Orders of guests and of this user.
    GuestsAnd(UserId),
}

impl Reach {
    /// What a caller reaches.
    #[must_use]
    pub fn of(caller: Caller) -> Self {
        match caller {
            Caller::Admin | Caller::Trusted => Self::All,
            Caller::User(holder) => Self::GuestsAnd(holder.user),
            Caller::Anyone | Caller::Service => Self::Guests,
        }
    }

    /// Whether an order of this user is among them.
    #[must_use]
    pub fn includes(self, user: UserId, kind: UserKindName) -> bool {
        match (self, kind) {
            (Self::All, _) | (_, UserKindName::Guest) => true,
            (Self::GuestsAnd(own), UserKindName::Registered) => own == user,
            (Self::Guests, UserKindName::Registered) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use ordersys_chassis::Holder;
    use ordersys_contract::SessionId;

    use super::*;

    fn summary(kind: UserKindName, status: UserStatus) -> UserSummary {
        UserSummary { id: UserId::now(), name: "Ada".to_owned(), kind, status, token_epoch: 3 }
    }

    fn holder(user: UserId, epoch: u64) -> Caller {
        Caller::User(Holder { user, epoch, session: SessionId::random() })
    }

    #[test]
    fn registered_users_order_for_themselves() {
        let user = summary(UserKindName::Registered, UserStatus::Active);
        assert_eq!(may_order(holder(user.id, 3), &user), Ok(()));
        assert_eq!(may_order(Caller::Admin, &user), Ok(()));
        assert_eq!(may_order(Caller::Trusted, &user), Ok(()));
        assert_eq!(may_order(holder(user.id, 2), &user), Err(Denied::Revoked));
        assert_eq!(may_order(holder(user.id, 4), &user), Err(Denied::Revoked), "from before a restore");
        assert_eq!(may_order(Caller::Anyone, &user), Err(Denied::TokenNeeded));
        assert_eq!(may_order(holder(UserId::now(), 3), &user), Err(Denied::NotTheOwner));
        assert_eq!(may_order(Caller::Service, &user), Err(Denied::NotTheOwner));
        let disabled = UserSummary { status: UserStatus::Disabled, ..user };
        assert_eq!(may_order(holder(disabled.id, 2), &disabled), Err(Denied::Disabled));
        assert_eq!(may_order(Caller::Admin, &disabled), Err(Denied::Disabled));
        assert_eq!(may_order(Caller::Anyone, &disabled), Err(Denied::TokenNeeded), "is not revealed");
    }

    #[test]
    fn any_caller_orders_for_a_guest_unless_disabled() {
        let user = summary(UserKindName::Guest, UserStatus::Active);
        let disabled = UserSummary { status: UserStatus::Disabled, ..user.clone() };
        for caller in [Caller::Anyone, Caller::Service, Caller::Admin, holder(UserId::now(), 0)] {
            assert_eq!(may_order(caller, &user), Ok(()));
            assert_eq!(may_order(caller, &disabled), Err(Denied::Disabled));
        }
    }

    #[test]
    fn orders_of_guests_are_open_and_those_of_users_are_theirs() {
        let (own, other) = (UserId::now(), UserId::now());
        for (caller, reaches_own, reaches_other) in [
            (Caller::Admin, true, true),
            (Caller::Trusted, true, true),
            (holder(own, 3), true, false),
            (Caller::Anyone, false, false),
            (Caller::Service, false, false),
        ] {
            let reach = Reach::of(caller);
            assert_eq!(reach.includes(own, UserKindName::Registered), reaches_own, "{caller:?}");
            assert_eq!(reach.includes(other, UserKindName::Registered), reaches_other, "{caller:?}");
            assert!(reach.includes(own, UserKindName::Guest) && reach.includes(other, UserKindName::Guest));
        }
    }
}
