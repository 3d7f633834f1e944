//! How the types of the wire look in an OpenAPI document, where that cannot be derived: types that
//! read and write themselves, and limits that are constants.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::id::Kind;
use crate::product::{MAX_NAME_BYTES, MAX_PRICE_MINOR, MAX_STOCK};
use crate::user::{MAX_PASSWORD_BYTES, MAX_TEXT_BYTES, MIN_PASSWORD_BYTES};
use crate::{Code, Currency, Id, Money, Quantity, RequestId, Timestamp, TraceParent};

/// At least one character that is seen, and none that controls.
const NAME: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
/// One `@` between texts without spaces; spaces around are dropped.
const ADDRESS: &str = r"^ *[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+ *$";

/// A member of the shared example that stands for any id.
pub(crate) const AN_ID: &str = "0198c5a1-7a50-7c3e-9d3c-3f1f0b1f6c11";

macro_rules! named {
    ($($type:ty = $name:literal: $schema:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }
        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )*};
}

named! {
    Money = "Money": money();
    Currency = "Currency": text("A currency by its ISO 4217 code. One that is no money (metals, funds, test codes) has no prices.").pattern(Some("^[A-Z]{3}$")).examples(["USD"]);
    Quantity = "Quantity": whole(1, u64::from(Quantity::MAX), "A number of units.");
    RequestId = "RequestId": text("Names a request.").pattern(Some("^[A-Za-z0-9._-]{1,128}$"));
    TraceParent = "TraceParent": text("A place in a trace, as in the header `traceparent`. One that is not valid is ignored.");
    Timestamp = "Timestamp": text("RFC 3339, UTC, milliseconds.")
        .format(Some(SchemaFormat::Custom("date-time".into())))
        .examples(["2026-01-31T12:00:00.000Z"]);
    Code = "Code": text("A stable name of what went wrong.")
        .enum_values(Some(Code::ALL.iter().map(|code| code.as_str())));
}

impl<K: Kind> PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        uuid_text(&format!("The id of one {}.", K::NAME)).into()
    }
}

impl<K: Kind> ToSchema for Id<K> {
    fn name() -> Cow<'static, str> {
        let mut name = format!("{}Id", K::NAME);
        name[..1].make_ascii_uppercase();
        name.into()
    }
}

fn text(what: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(what))
}

fn uuid_text(what: &str) -> ObjectBuilder {
    text(what).format(Some(SchemaFormat::Custom("uuid".into()))).examples([AN_ID])
}

fn whole(least: u64, most: u64, what: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
        .maximum(Some(most))
        .description(Some(what))
}

fn money() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Number)
        .minimum(Some(0))
        .multiple_of(Some(0.001))
        .description(Some(
            "An amount with the decimals of its currency, as many as ISO 4217 says, read and written digit by digit: \
             `149.99` dollars, `500` yen, `0.125` dinars.",
        ))
        .examples([149.99])
}

/// A price of one unit as a client may set it.
pub(crate) fn price() -> Object {
    #[expect(clippy::cast_precision_loss, reason = "the bound is a round number far below 2^53")]
    let most = MAX_PRICE_MINOR as f64;
    let what = format!("At most {MAX_PRICE_MINOR} minor units, with no more decimals than the currency has.");
    money().maximum(Some(most)).description(Some(what)).build()
}

/// A number of units that a product starts with.
pub(crate) fn stock() -> Object {
    whole(0, MAX_STOCK, "Units to start with.").build()
}

/// A number of units that a restock adds.
pub(crate) fn restock() -> Object {
    whole(1, MAX_STOCK, "Units to add.").build()
}

/// The name of a product.
pub(crate) fn product_name() -> Object {
    let what = format!("What to call the product: 1 to {MAX_NAME_BYTES} bytes without control characters.");
    text(&what).pattern(Some(NAME)).max_length(Some(MAX_NAME_BYTES)).examples(["Mechanical Keyboard"]).build()
}

/// The name of a user.
pub(crate) fn user_name() -> Object {
    let what = format!("What to call the user: 1 to {MAX_TEXT_BYTES} bytes without control characters.");
    text(&what).pattern(Some(NAME)).max_length(Some(MAX_TEXT_BYTES)).build()
}

/// Where to reach a user.
pub(crate) fn email() -> Object {
    let what = format!(
        "Looks like name@host: at most {MAX_TEXT_BYTES} bytes, without characters that cannot be seen."
    );
    text(&what).pattern(Some(ADDRESS)).max_length(Some(MAX_TEXT_BYTES)).build()
}

/// A password; never shown.
pub(crate) fn password() -> Object {
    let what = format!("{MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes.");
    text(&what)
        .format(Some(SchemaFormat::Custom("password".into())))
        .min_length(Some(MIN_PASSWORD_BYTES))
        .max_length(Some(MAX_PASSWORD_BYTES))
        .write_only(true)
        .build()
}

/// A token as it was given.
pub(crate) fn token() -> Object {
    text("Visible ASCII characters.").pattern(Some("^[!-~]+$")).build()
}

/// The id of a user or product in an order.
pub(crate) fn id_text() -> Object {
    uuid_text("A text that is no id of ours names something unknown: 422.").build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::NewOrder;
    use crate::reservation::Batch;
    use crate::user::Lookup;
    use crate::{MAX_BATCH, MAX_ORDER_LINES};

    /// Attributes take no constants, so the limits of lists are numbers there.
    #[test]
    fn documented_limits_are_those_that_hold() {
        let limit = |schema: RefOr<Schema>, member: &str| {
            let json = serde_json::to_value(schema).expect("is JSON");
            json["properties"][member]["maxItems"].as_u64()
        };
        assert_eq!(limit(NewOrder::schema(), "items"), Some(MAX_ORDER_LINES as u64));
        assert_eq!(limit(Batch::schema(), "operations"), Some(MAX_BATCH as u64));
        assert_eq!(limit(Lookup::schema(), "ids"), Some(MAX_BATCH as u64));
    }
}
