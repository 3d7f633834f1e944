//! Orders as rows.

use ordersys_contract::order::{Order, OrderState};
use ordersys_contract::user::UserKindName;
use ordersys_contract::{IdempotencyKey, OrderId, Timestamp, UserId, WriteJson};
use ordersys_store::pg_params;
use ordersys_store::postgres::{Params, PgError, PgResult, Row, Uuid, get};

use crate::domain::odd::Odd;
use crate::domain::order::{Reason, StoredOrder};
use crate::store::form;
use crate::store::form::{code, history};

pub(super) const COLUMNS: &str = "id, user_id, user_name, state, version, total, currency, items, reason, history, \
                                  created_at, updated_at, registered, key";

/// A new order and the key it was placed with.
pub(super) type New = (std::sync::Arc<StoredOrder>, Option<IdempotencyKey>);

pub(super) fn uuid(id: OrderId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

pub(super) fn user_uuid(id: UserId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

pub(super) fn order_id(id: Uuid) -> OrderId {
    OrderId::from_bytes(id.into_bytes())
}

/// One column of many orders.
fn column<T>(orders: &[New], of: impl Fn(&StoredOrder) -> T) -> Vec<T> {
    orders.iter().map(|(stored, _)| of(stored)).collect()
}

fn reason(stored: &StoredOrder) -> PgResult<Option<String>> {
    stored.reason.as_ref().map(serde_json::to_string).transpose().map_err(PgError::unreadable)
}

/// The parameters of new rows, in the order of [`COLUMNS`], and the owner after them.
pub(super) fn new(orders: &[New], owner: Uuid) -> PgResult<Params> {
    let reasons = orders.iter().map(|(stored, _)| reason(stored)).collect::<PgResult<Vec<_>>>()?;
    let keys: Vec<_> =
        orders.iter().map(|(_, key)| key.as_ref().map(|key| key.as_str().to_owned())).collect();
    Ok(pg_params![
        column(orders, |stored| uuid(stored.order.id)),
        column(orders, |stored| user_uuid(stored.order.user_id)),
        column(orders, |stored| stored.order.user_name.clone()),
        column(orders, |stored| code(stored.order.status)),
        column(orders, |stored| i64::try_from(stored.order.version).unwrap_or(i64::MAX)),
        column(orders, |stored| stored.order.total.minor()),
        column(orders, |stored| stored.order.currency.as_str().to_owned()),
        column(orders, |stored| stored.order.items.to_json()),
        reasons,
        column(orders, |stored| history(&stored.history)),
        column(orders, |stored| stored.order.created_at.as_millis()),
        column(orders, |stored| stored.order.updated_at.as_millis()),
        column(orders, |stored| stored.owner == UserKindName::Registered),
        keys,
        owner,
    ])
}

/// The parameters of what a step may change: id, version, state, total, currency, items, reason, history, time.
pub(super) fn changed(orders: &[&StoredOrder]) -> PgResult<Params> {
    fn column<T>(orders: &[&StoredOrder], of: impl Fn(&StoredOrder) -> T) -> Vec<T> {
        orders.iter().map(|stored| of(stored)).collect()
    }
    let reasons = orders.iter().map(|stored| reason(stored)).collect::<PgResult<Vec<_>>>()?;
    Ok(pg_params![
        column(orders, |stored| uuid(stored.order.id)),
        column(orders, |stored| i64::try_from(stored.order.version).unwrap_or(i64::MAX)),
        column(orders, |stored| code(stored.order.status)),
        column(orders, |stored| stored.order.total.minor()),
        column(orders, |stored| stored.order.currency.as_str().to_owned()),
        column(orders, |stored| stored.order.items.to_json()),
        reasons,
        column(orders, |stored| history(&stored.history)),
        column(orders, |stored| stored.order.updated_at.as_millis()),
    ])
}

/// Reads a row that begins with [`COLUMNS`].
pub(super) fn order(row: &Row) -> PgResult<StoredOrder> {
    let (minor, version): (i64, i64) = (get(row, 5)?, get(row, 4)?);
    let currency = get::<&str>(row, 6)?.parse().map_err(PgError::unreadable)?;
    let items: Vec<_> = serde_json::from_str(get(row, 7)?).map_err(PgError::unreadable)?;
    let reason = get::<Option<&str>>(row, 8)?.map(serde_json::from_str::<Reason>).transpose();
    let reason = reason.map_err(PgError::unreadable)?;
    let status = state(get(row, 3)?)?;
    let no_total = || PgError::unreadable(format!("a total of {minor}"));
    let order = Order {
        id: order_id(get(row, 0)?),
        user_id: UserId::from_bytes(get::<Uuid>(row, 1)?.into_bytes()),
        user_name: get(row, 2)?,
        status,
        version: version.try_into().map_err(PgError::unreadable)?,
        total: form::total(minor, currency, &items).ok_or_else(no_total)?,
        currency,
        items,
        created_at: Timestamp::from_millis(get(row, 10)?),
        updated_at: Timestamp::from_millis(get(row, 11)?),
        rejection: None,
    };
    let history = form::steps(get::<&str>(row, 9)?.as_bytes()).map_err(PgError::unreadable)?;
    let owner = if get(row, 12)? { UserKindName::Registered } else { UserKindName::Guest };
    let key = get::<Option<&str>>(row, 13)?.map(IdempotencyKey::parse);
    let odd = [reason.is_some() && status != OrderState::Rejected, false, false, key == Some(None)];
    let key_print = Some(key.flatten().map_or(0, |key| key.print()));
    Ok(StoredOrder { order, owner, reason, history, key_print, in_place: true, odd: Odd::of(odd) })
}

pub(super) fn state(stored: i64) -> PgResult<OrderState> {
    form::state(stored).ok_or_else(|| PgError::unreadable(format!("a state with the number {stored}")))
}
