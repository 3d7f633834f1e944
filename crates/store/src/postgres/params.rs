//! Parameters of statements, each with its type in the database.

use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::fault::{PgError, PgResult};

/// The form of a count in a parameter.
///
/// # Errors
/// More than a column holds.
pub fn signed(count: u64) -> PgResult<i64> {
    i64::try_from(count).map_err(PgError::unreadable)
}

/// A value and its type.
type Typed = (Box<dyn ToSql + Sync + Send>, Type);

/// The parameters of a statement, `$1` first.
#[derive(Default)]
pub struct Params(Vec<Typed>);

impl Params {
    /// No parameters yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    #[must_use]
    pub fn with<T: Param>(mut self, value: T) -> Self {
        self.0.push((Box::new(value), T::TYPE));
        self
    }

    pub(super) fn into_typed(self) -> Vec<Typed> {
        self.0
    }
}

/// What can be a parameter.
pub trait Param: ToSql + Sync + Send + 'static {
    /// Its type in the database.
    const TYPE: Type;
}

macro_rules! params {
    ($($rust:ty => $one:ident, $many:ident;)*) => {$(
        impl Param for $rust { const TYPE: Type = Type::$one; }
        impl Param for Option<$rust> { const TYPE: Type = Type::$one; }
        impl Param for Vec<$rust> { const TYPE: Type = Type::$many; }
        impl Param for Vec<Option<$rust>> { const TYPE: Type = Type::$many; }
    )*};
}

params! {
    Uuid => UUID, UUID_ARRAY;
    String => TEXT, TEXT_ARRAY;
    Vec<u8> => BYTEA, BYTEA_ARRAY;
    i16 => INT2, INT2_ARRAY;
    i32 => INT4, INT4_ARRAY;
    i64 => INT8, INT8_ARRAY;
    bool => BOOL, BOOL_ARRAY;
}

/// The parameters of a statement, `$1` first, each of a type that the database has.
#[macro_export]
macro_rules! pg_params {
    ($($value:expr),* $(,)?) => { $crate::postgres::Params::new()$(.with($value))* };
}
