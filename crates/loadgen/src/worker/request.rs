//! What one request does, once it is settled what it names: how it is written, what its answer means and
//! what it may change. Pure.

use std::borrow::Cow;

use ordersys_contract::client::percent;
use ordersys_contract::health::LIVEZ;
use ordersys_contract::{order, product};
use serde::Deserialize;

use crate::conn::target::{Call, Target};
use crate::worker::recent_orders::RecentOrder;
use ordersys_workload::endpoint::Endpoint;
use ordersys_workload::evidence::answer;
use ordersys_workload::evidence::answer::{Ending, Judged};
use ordersys_workload::evidence::ledger::{Change, OrderRef, Refusal, Told};
use ordersys_workload::plan::operation::Fault;
use ordersys_workload::plan::{Draft, Plan};

/// What one request does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// Places the order of its number.
    Order,
    /// Sends the order of an earlier number again.
    Repeat(u64),
    /// Sends the order of its number with a fault.
    Bad(Fault),
    /// Reads the product at this place.
    Read(u32),
    /// Reads an order.
    Track(RecentOrder),
    /// Cancels an order.
    Cancel(RecentOrder),
    /// Adds so many units to the product at this place.
    Restock(u32, u32),
    /// Asks the order service whether it lives.
    Live,
}

/// Which service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// The order service.
    Orders,
    /// The product service.
    Products,
}

/// Memory for requests, used again for each.
#[derive(Debug, Default)]
pub(crate) struct RequestBuffer {
    draft: Draft,
    body: Vec<u8>,
    /// The request that was written last.
    pub(crate) bytes: Vec<u8>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Stocked {
    stock: i64,
}

impl Request {
    /// Where it is counted.
    pub(crate) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Order => Endpoint::Order,
            Self::Repeat(_) => Endpoint::Repeat,
            Self::Bad(_) => Endpoint::Bad,
            Self::Read(_) => Endpoint::Read,
            Self::Track(_) => Endpoint::Track,
            Self::Cancel(_) => Endpoint::Cancel,
            Self::Restock(..) => Endpoint::Restock,
            Self::Live => Endpoint::Live,
        }
    }

    /// Who answers it.
    pub(crate) fn service(&self) -> Service {
        match self {
            Self::Read(_) | Self::Restock(..) => Service::Products,
            _ => Service::Orders,
        }
    }

    /// What it may change, as the request of this number.
    pub(crate) fn change(&self, number: u64) -> Change {
        match self {
            Self::Order => Change::Order(number),
            Self::Repeat(of) => Change::Again(*of),
            Self::Bad(_) => Change::Bad,
            Self::Cancel(known) => Change::Cancel(known.number),
            Self::Restock(product, units) => Change::Restock(*product, *units),
            Self::Read(_) | Self::Track(_) | Self::Live => Change::Nothing,
        }
    }

    /// Whether sending it twice does no more than sending it once.
    pub(crate) fn may_be_resent(&self) -> bool {
        matches!(self, Self::Order | Self::Repeat(_) | Self::Read(_) | Self::Track(_) | Self::Live)
    }

    /// Writes the whole request of this number.
    pub(crate) fn write(&self, number: u64, plan: &Plan, target: &Target, buffer: &mut RequestBuffer) {
        buffer.bytes.clear();
        buffer.body.clear();
        match self {
            Self::Order => place(number, plan, target, buffer),
            Self::Repeat(of) => place(*of, plan, target, buffer),
            Self::Bad(fault) => {
                plan.draft(number, &mut buffer.draft);
                plan.render_bad(*fault, &buffer.draft, &mut buffer.body);
                let bearer = plan.bearer(buffer.draft.user);
                target.render(plan.key(number).as_bytes(), bearer, &buffer.body, &mut buffer.bytes);
            }
            Self::Read(place) => {
                let path = at(product::PRODUCT, &plan.products()[*place as usize].id);
                target.call(&Call::read(&path), &mut buffer.bytes);
            }
            Self::Track(known) => {
                let bearer = plan.bearer_of(known.number, &mut buffer.draft);
                let path = at(order::ORDER, &known.order.to_string());
                target.call(&Call::read(&path).by(bearer), &mut buffer.bytes);
            }
            Self::Cancel(known) => {
                let path = at(order::CANCEL, &known.order.to_string());
                let bearer = plan.bearer_of(known.number, &mut buffer.draft);
                target.call(&Call::change(&path, b"").by(bearer), &mut buffer.bytes);
            }
            Self::Restock(place, units) => {
                let path = at(product::RESTOCK, &plan.products()[*place as usize].id);
                let body = format!("{{\"quantity\":{units}}}");
                target.call(&Call::change(&path, body.as_bytes()), &mut buffer.bytes);
            }
            Self::Live => target.call(&Call::read(LIVEZ), &mut buffer.bytes),
        }
    }

    /// What its answer means.
    pub(crate) fn judge<'a>(&self, status: u16, body: &'a [u8]) -> Judged<'a> {
        if let Self::Order | Self::Repeat(_) = self {
            return answer::judge(status, body);
        }
        let wrong =
            |code| Judged { ending: Ending::Failed, status, code: Cow::Borrowed(code), told: Told::Unknown };
        let done = || Judged { ending: Ending::Ok, status, code: Cow::Borrowed(""), told: Told::Done };
        match (self, status) {
            (Self::Bad(fault), _) => judge_bad(*fault, status, body),
            (Self::Read(_) | Self::Restock(..), 200..300) => match stock(body) {
                None => wrong("bad-answer"),
                Some(..0) => wrong("negative-stock"),
                Some(_) => done(),
            },
            (Self::Track(known) | Self::Cancel(known), 200..300) => {
                match serde_json::from_slice::<Named<'_>>(body) {
                    Ok(named) if OrderRef::from(&*named.id) == known.order => done(),
                    Ok(_) => wrong("another-order"),
                    Err(_) => wrong("bad-answer"),
                }
            }
            (Self::Live, 200) => done(),
            // What was there a moment ago has to be found.
            (Self::Read(_) | Self::Track(_) | Self::Live, 404) => {
                Judged { ending: Ending::Failed, ..answer::judge(status, body) }
            }
            _ => answer::judge(status, body),
        }
    }
}

/// The stock a product was answered with.
pub(crate) fn stock(body: &[u8]) -> Option<i64> {
    serde_json::from_slice::<Stocked>(body).ok().map(|product| product.stock)
}

fn place(number: u64, plan: &Plan, target: &Target, buffer: &mut RequestBuffer) {
    plan.draft(number, &mut buffer.draft);
    plan.render(&buffer.draft, &mut buffer.body);
    let bearer = plan.bearer(buffer.draft.user);
    target.render(plan.key(number).as_bytes(), bearer, &buffer.body, &mut buffer.bytes);
}

/// A bad order has to be refused for its fault; a system that has no time for it may say so instead.
fn judge_bad(fault: Fault, status: u16, body: &[u8]) -> Judged<'_> {
    let judged = answer::judge(status, body);
    if status == fault.status() {
        return Judged { ending: Ending::Ok, told: Told::Refused(Refusal::Other), ..judged };
    }
    match judged.ending {
        Ending::Refused if matches!(status, 429 | 503) => judged,
        Ending::Ok | Ending::Refused => Judged {
            ending: Ending::Failed,
            status,
            code: Cow::Borrowed(if status < 300 { "bad-order-taken" } else { "wrong-refusal" }),
            told: judged.told,
        },
        _ => judged,
    }
}

/// A path constant with an id put in.
fn at(path: &str, id: &str) -> String {
    path.replace("{id}", &percent(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> RecentOrder {
        RecentOrder { number: 7, order: OrderRef::from("o7") }
    }

    #[test]
    fn answers_are_judged_by_what_was_asked() {
        let (track, cancel) = (Request::Track(known()), Request::Cancel(known()));
        let (read, restock) = (Request::Read(0), Request::Restock(0, 3));
        let bad = Request::Bad(Fault::UnknownUser);
        let other = Told::Refused(Refusal::Other);
        let unknown_user = r#"{"code":"unknown-user"}"#;
        let cases = [
            (&track, 200, r#"{"id":"o7"}"#, Ending::Ok, "", Told::Done),
            (&track, 200, r#"{"id":"o8"}"#, Ending::Failed, "another-order", Told::Unknown),
            (&track, 404, r#"{"code":"not-found"}"#, Ending::Failed, "not-found", other.clone()),
            (&cancel, 202, r#"{"id":"o7"}"#, Ending::Ok, "", Told::Done),
            (&cancel, 409, r#"{"code":"wrong-state"}"#, Ending::Refused, "wrong-state", other.clone()),
            (&cancel, 500, "", Ending::Failed, "server-error", Told::Unknown),
            (&read, 200, r#"{"stock":0}"#, Ending::Ok, "", Told::Done),
            (&read, 200, r#"{"stock":-1}"#, Ending::Failed, "negative-stock", Told::Unknown),
            (&read, 200, "[]", Ending::Failed, "bad-answer", Told::Unknown),
            (&restock, 200, r#"{"stock":9}"#, Ending::Ok, "", Told::Done),
            (&restock, 403, r#"{"code":"forbidden"}"#, Ending::Refused, "forbidden", other.clone()),
            (&Request::Live, 200, "ok", Ending::Ok, "", Told::Done),
            (
                &Request::Live,
                404,
                r#"{"code":"unknown-route"}"#,
                Ending::Failed,
                "unknown-route",
                other.clone(),
            ),
            (&bad, 422, unknown_user, Ending::Ok, "unknown-user", other.clone()),
            (&bad, 400, unknown_user, Ending::Failed, "wrong-refusal", other),
            (&bad, 201, r#"{"id":"o9"}"#, Ending::Failed, "bad-order-taken", confirmed("o9")),
            (
                &bad,
                503,
                r#"{"code":"overloaded"}"#,
                Ending::Refused,
                "overloaded",
                Told::Refused(Refusal::NotNow),
            ),
        ];
        for (request, status, body, ending, code, told) in cases {
            let judged = request.judge(status, body.as_bytes());
            assert_eq!((judged.ending, &*judged.code), (ending, code), "{request:?} {status} {body}");
            assert_eq!(judged.told, told, "{request:?} {status} {body}");
        }
    }

    fn confirmed(order: &str) -> Told {
        Told::Confirmed { order: OrderRef::from(order), total: None }
    }

    #[test]
    fn what_must_not_happen_twice_is_not_resent() {
        for (request, resent) in [
            (Request::Order, true),
            (Request::Repeat(3), true),
            (Request::Restock(0, 1), false),
            (Request::Cancel(known()), false),
        ] {
            assert_eq!(request.may_be_resent(), resent, "{request:?}");
        }
    }
}
