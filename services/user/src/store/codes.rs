//! What columns of a user stand for.

use ordersys_contract::user::{UserKindName, UserStatus};

pub(super) fn kind(registered: bool) -> UserKindName {
    if registered { UserKindName::Registered } else { UserKindName::Guest }
}

pub(super) fn status(disabled: bool) -> UserStatus {
    if disabled { UserStatus::Disabled } else { UserStatus::Active }
}
