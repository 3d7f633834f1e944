//! The tables, in a schema of their own.

/// The schema.
pub(super) const SCHEMA: &str = "products";

/// What makes it. Only ever appended to.
pub(super) const MIGRATIONS: &[&str] = &["
    -- Rows of products in demand are updated all the time: the room left in each page keeps them in it.
    CREATE TABLE products.product(
        id uuid PRIMARY KEY,
        name text NOT NULL,
        price bigint NOT NULL CHECK (price >= 0),
        currency text NOT NULL CHECK (length(currency) = 3),
        version bigint NOT NULL,
        created_at bigint NOT NULL,
        initial bigint NOT NULL CHECK (initial >= 0),
        restocked bigint NOT NULL DEFAULT 0 CHECK (restocked >= 0),
        available bigint NOT NULL CHECK (available >= 0),
        reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
        sold bigint NOT NULL DEFAULT 0 CHECK (sold >= 0),
        test boolean NOT NULL DEFAULT false,
        used boolean NOT NULL DEFAULT false,
        CHECK (initial + restocked = available + reserved + sold)
    ) WITH (fillfactor = 50);
    CREATE INDEX test_product ON products.product(id) WHERE test;

    -- Leases end, and rows have an age, by the clock of the database alone. A lease that is longer than time is
    -- counted has a length and no end.
    CREATE TABLE products.reservation(
        order_id uuid PRIMARY KEY,
        state smallint NOT NULL CHECK (state BETWEEN 0 AND 5),
        lines text NOT NULL,
        short bytea,
        lease_ms bigint CHECK (lease_ms >= 0),
        lease_until timestamptz,
        direct_product uuid,
        written timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX held_by_lease ON products.reservation(lease_until) WHERE state = 0 AND lease_until IS NOT NULL;
    CREATE INDEX held_directly ON products.reservation(direct_product, order_id)
        WHERE state = 0 AND direct_product IS NOT NULL;
    CREATE INDEX refused ON products.reservation(order_id) WHERE state BETWEEN 2 AND 4;

    -- What a product was in each version: what reservations and the product itself are held to.
    CREATE TABLE products.edition(
        product_id uuid NOT NULL,
        version bigint NOT NULL,
        name text NOT NULL,
        price bigint NOT NULL,
        currency text NOT NULL,
        initial bigint NOT NULL,
        at bigint NOT NULL,
        PRIMARY KEY (product_id, version)
    );
    -- The sum of what was added to a product, a second time.
    CREATE TABLE products.added(product_id uuid PRIMARY KEY, units bigint NOT NULL);

    CREATE TABLE products.seeded(one int PRIMARY KEY CHECK (one = 1));
    -- What was answered to commands that must not be done twice, as JSON, for minutes.
    CREATE TABLE products.answered(
        id uuid PRIMARY KEY,
        answer text NOT NULL,
        written timestamptz NOT NULL DEFAULT now()
    );
"];
