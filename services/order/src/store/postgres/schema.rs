//! The tables of the order service in PostgreSQL, step by step. Only ever appended to, and so that programs that know
//! fewer steps still work.

/// The schema that holds them.
pub(super) const SCHEMA: &str = "orders";

/// Statements run once each, in order.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE orders.placed(
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        user_name text NOT NULL,
        state int8 NOT NULL CHECK (state BETWEEN 0 AND 10),
        version int8 NOT NULL CHECK (version >= 1),
        total int8 NOT NULL CHECK (total >= 0),
        currency text NOT NULL,
        items text NOT NULL,
        reason text,
        history text NOT NULL,
        created_at int8 NOT NULL,
        updated_at int8 NOT NULL,
        registered boolean NOT NULL,
        key text,
        -- The instance that drives it as long as its outcome is open.
        owner uuid NOT NULL,
        -- When this row was written, by the one clock that all instances share.
        written timestamptz NOT NULL DEFAULT now()
    ) WITH (fillfactor = 60);
    CREATE INDEX placed_by_user ON orders.placed(user_id, id);
    CREATE INDEX unfinished ON orders.placed(created_at) WHERE state IN (0, 6, 8);
    CREATE INDEX refused ON orders.placed(id) WHERE state IN (5, 7, 10);

    CREATE TABLE orders.keys(
        key text COLLATE \"C\" NOT NULL,
        user_id uuid NOT NULL,
        order_id uuid NOT NULL,
        PRIMARY KEY (key, user_id)
    );

    CREATE TABLE orders.instance(
        id uuid PRIMARY KEY,
        version text NOT NULL,
        lease_until timestamptz NOT NULL
    );
"];
