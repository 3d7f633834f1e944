//! Reading the columns of rows: what is never written is damage, not a lost session.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::fault::{PgError, PgResult};

/// The value of a column, counted from 0.
///
/// # Errors
/// It is of another type.
pub fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> PgResult<T> {
    row.try_get(column).map_err(PgError::unreadable)
}

/// A count.
///
/// # Errors
/// It is of another type, or below zero.
pub fn unsigned(row: &Row, column: usize) -> PgResult<u64> {
    u64::try_from(get::<i64>(row, column)?).map_err(PgError::unreadable)
}
