//! The tables of the order service, step by step. Only ever appended to.

/// Statements run once each, in order.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE orders(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        user_id BLOB NOT NULL,
        user_name TEXT NOT NULL,
        state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 10),
        version INTEGER NOT NULL,
        total INTEGER NOT NULL CHECK (total >= 0),
        currency TEXT NOT NULL,
        items TEXT NOT NULL,
        reason TEXT,
        history TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deadline INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX orders_by_user ON orders(user_id, id);
    CREATE INDEX unfinished_orders ON orders(created_at) WHERE state IN (0, 6, 8);

    CREATE TABLE idempotency(
        user_id BLOB NOT NULL,
        key TEXT NOT NULL,
        fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16),
        order_id BLOB NOT NULL,
        PRIMARY KEY (user_id, key)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- For a list of three, SQLite builds a table in memory each time a row is written.
    DROP INDEX unfinished_orders;
    CREATE INDEX unfinished_orders ON orders(created_at) WHERE state = 0 OR state = 6 OR state = 8;
",
    "ALTER TABLE orders ADD COLUMN registered INTEGER NOT NULL DEFAULT 0 CHECK (registered IN (0, 1))",
    "
    -- Whole rows in the inner nodes of a table without rowids leave it few branches; here they hold
    -- numbers, and new rows go to its end. For `place` see rows.rs.
    CREATE TABLE placed(
        place INTEGER PRIMARY KEY,
        id BLOB NOT NULL CHECK (length(id) = 16),
        user_id BLOB NOT NULL,
        user_name TEXT NOT NULL,
        state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 10),
        version INTEGER NOT NULL,
        total INTEGER NOT NULL CHECK (total >= 0),
        currency TEXT NOT NULL,
        items TEXT NOT NULL,
        reason TEXT,
        history TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        deadline INTEGER NOT NULL,
        registered INTEGER NOT NULL CHECK (registered IN (0, 1)),
        room BLOB
    ) STRICT;

    CREATE TEMP TABLE digit(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    INSERT INTO digit VALUES ('0', 0), ('1', 1), ('2', 2), ('3', 3), ('4', 4), ('5', 5), ('6', 6), ('7', 7),
        ('8', 8), ('9', 9), ('A', 10), ('B', 11), ('C', 12), ('D', 13), ('E', 14), ('F', 15);
    CREATE TEMP TABLE part(at INTEGER PRIMARY KEY, shift INTEGER NOT NULL, mask INTEGER NOT NULL);
    INSERT INTO part VALUES (1, 59, 15), (2, 55, 15), (3, 51, 15), (4, 47, 15), (5, 43, 15), (6, 39, 15),
        (7, 35, 15), (8, 31, 15), (9, 27, 15), (10, 23, 15), (11, 19, 15), (12, 15, 15),
        (21, 12, 7), (22, 8, 15), (23, 4, 15), (24, 0, 15);
    INSERT INTO placed
        SELECT (SELECT sum((value & mask) << shift) FROM part JOIN digit ON name = substr(hex(id), at, 1)),
               id, user_id, user_name, state, version, total, currency, items, reason, history, created_at,
               updated_at, deadline, registered, NULL
        FROM orders ORDER BY id;
    DROP TABLE temp.part;
    DROP TABLE temp.digit;
    DROP TABLE orders;
    CREATE INDEX placed_by_user ON placed(user_id);
    CREATE INDEX unfinished ON placed(created_at) WHERE state = 0 OR state = 6 OR state = 8;
",
    "
    -- By the key before the user: keys that rise with time, as UUIDs of version 7 do, go to the end. What a
    -- key was first used for is told by the lines of its order.
    CREATE TABLE keys(
        key TEXT NOT NULL,
        user_id BLOB NOT NULL,
        order_id BLOB NOT NULL,
        PRIMARY KEY (key, user_id)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO keys SELECT key, user_id, order_id FROM idempotency ORDER BY key, user_id;
    DROP TABLE idempotency;
",
    "
    -- What is left of the key of an order in its own row: 0 without one, NULL where it was not noted.
    ALTER TABLE placed ADD COLUMN key_print INTEGER;
",
    "
    -- Lines and reason of a refused order, in the form of refused.rs. The index finds them by their age. An
    -- order that is refused, or may be, keeps its key in `room`, so that both go together.
    ALTER TABLE placed ADD COLUMN refused BLOB;
    CREATE INDEX refused ON placed(place) WHERE state = 5 OR state = 7 OR state = 10;

    CREATE TEMP TABLE mortal(id BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO mortal SELECT id, place FROM placed INDEXED BY refused
        WHERE state = 5 OR state = 7 OR state = 10;
    INSERT INTO mortal SELECT id, place FROM placed INDEXED BY unfinished
        WHERE state = 0 OR state = 6 OR state = 8;
    CREATE TEMP TABLE named(place INTEGER PRIMARY KEY, key BLOB NOT NULL);
    INSERT INTO named SELECT mortal.place, CAST(keys.key AS BLOB)
        FROM keys CROSS JOIN mortal ON mortal.id = keys.order_id;
    UPDATE placed SET room = (SELECT key FROM named WHERE named.place = placed.place)
        WHERE place IN (SELECT place FROM named);
    DROP TABLE temp.named;
    DROP TABLE temp.mortal;
",
];

#[cfg(test)]
mod tests {
    use ordersys_contract::{IdempotencyKey, OrderId, UserId};
    use rusqlite::{Connection, params};

    use super::*;
    use crate::store::sqlite::by_key;
    use crate::store::sqlite::rows::{COLUMNS, order, place};

    #[test]
    fn orders_and_keys_of_the_first_schema_keep_their_content_and_can_be_found() {
        let connection = Connection::open_in_memory().expect("opens");
        for migration in &MIGRATIONS[..3] {
            connection.execute_batch(migration).expect("migrates");
        }
        let ids: Vec<_> = (0..100).map(|_| OrderId::now()).collect();
        for (id, state) in ids.iter().zip([1, 5].into_iter().cycle()) {
            let insert = "INSERT INTO orders VALUES (?1, ?1, 'Ada', ?2, 2, 500, 'EUR', '[]', NULL,
                          '[[\"pending\",\"2026-01-01T00:00:00.000Z\",\"r-1\"]]', 7, 8, 9, 1)";
            connection.execute(insert, params![id.as_bytes(), state]).expect("inserts");
            let insert = "INSERT INTO idempotency VALUES (?1, 'k', zeroblob(16), ?1)";
            connection.execute(insert, params![id.as_bytes()]).expect("inserts");
        }
        for migration in &MIGRATIONS[3..] {
            connection.execute_batch(migration).expect("migrates");
        }
        let with_key = "SELECT count(*) FROM placed WHERE state = 5 AND CAST(room AS TEXT) = 'k'";
        let with_key: u32 = connection.query_row(with_key, [], |row| row.get(0)).expect("counts");
        assert_eq!(with_key, 50, "refused ones know their key");
        let select = format!("SELECT {COLUMNS} FROM placed WHERE place = ?1");
        let key = IdempotencyKey::parse("k").expect("a key");
        for id in ids {
            let found = connection.query_row(&select, [place(id)], order).expect("is found");
            let named = by_key(&connection, UserId::from_bytes(*id.as_bytes()), &key).expect("reads");
            assert_eq!(named.map(|named| named.order.id), Some(id));
            let (total, at) = (found.order.total.minor(), found.order.updated_at.as_millis());
            assert_eq!((found.order.id, total, at, found.history.len()), (id, 500, 8, 1));
        }
    }
}
