//! The tables of the user service, step by step. Only ever appended to.

use ordersys_store::answers;

/// Statements run once each, in order.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE user(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        name TEXT NOT NULL,
        email TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX user_by_email ON user(email, id);
",
    "
    ALTER TABLE user ADD COLUMN password TEXT;
    ALTER TABLE user ADD COLUMN login TEXT CHECK ((login IS NULL) = (password IS NULL));
    ALTER TABLE user ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));
    ALTER TABLE user ADD COLUMN token_epoch INTEGER NOT NULL DEFAULT 0 CHECK (token_epoch >= 0);
    CREATE UNIQUE INDEX user_by_login ON user(login) WHERE login IS NOT NULL;

    CREATE TABLE session(
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        user_id BLOB NOT NULL,
        token BLOB NOT NULL CHECK (length(token) = 32),
        refreshed_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX session_by_user ON session(user_id, refreshed_at);
    CREATE INDEX session_by_expiry ON session(expires_at);
",
    // The form in which addresses are compared. That of plain ones is their lower case; the others are completed
    // by `addresses.rs`.
    "
    ALTER TABLE user ADD COLUMN address TEXT;
    UPDATE user SET address = lower(trim(email))
        WHERE email NOT GLOB '*[^!-~]*' AND email NOT LIKE '%xn--%' AND email NOT LIKE '%.';
    DROP INDEX user_by_email;
    CREATE INDEX user_by_address ON user(address, id);
",
    // What a user was called before, as JSON, the latest last; null stands for names that are forgotten.
    "ALTER TABLE user ADD COLUMN former_names TEXT NOT NULL DEFAULT '[null]'",
    "
    -- The networks that a user logged in from, newest some only: strangers cannot shut them out.
    CREATE TABLE network(
        user_id BLOB NOT NULL,
        prefix TEXT NOT NULL,
        used_at INTEGER NOT NULL,
        PRIMARY KEY (user_id, prefix)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- Test data, and whether an order may have been made for it: see cleanup.rs.
    ALTER TABLE user ADD COLUMN test INTEGER NOT NULL DEFAULT 0 CHECK (test IN (0, 1));
    ALTER TABLE user ADD COLUMN used INTEGER NOT NULL DEFAULT 0 CHECK (used IN (0, 1));
    CREATE INDEX test_user ON user(id) WHERE test = 1;
",
    answers::TABLE,
];
