//! The tables of the user service on PostgreSQL, step by step. Only ever appended to.

/// The schema of the user service alone.
pub(super) const SCHEMA: &str = "users";

/// The first of the migrations that programs before it cannot work with.
pub(super) const OLDEST: usize = 0;

/// Statements run once each, in order. Columns mean what those on SQLite do; times are milliseconds since 1970.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE users.user(
        id uuid PRIMARY KEY,
        name text NOT NULL,
        -- What the user was called before, as JSON, the latest last; null stands for names that are forgotten.
        former_names text NOT NULL,
        email text NOT NULL,
        -- The form in which addresses are compared; missing of users that came from earlier versions.
        address text,
        login text,
        password text,
        disabled boolean NOT NULL DEFAULT false,
        token_epoch bigint NOT NULL DEFAULT 0 CHECK (token_epoch >= 0),
        test boolean NOT NULL DEFAULT false,
        -- Whether an order may have been made for this user, who is test data.
        used boolean NOT NULL DEFAULT false,
        created_at bigint NOT NULL,
        CHECK ((login IS NULL) = (password IS NULL))
    );
    CREATE UNIQUE INDEX user_by_login ON users.user(login) WHERE login IS NOT NULL;
    CREATE INDEX user_by_address ON users.user(address, id);
    CREATE INDEX test_user ON users.user(id) WHERE test;

    CREATE TABLE users.session(
        id uuid PRIMARY KEY,
        user_id uuid NOT NULL,
        token bytea NOT NULL CHECK (length(token) = 32),
        refreshed_at bigint NOT NULL,
        expires_at bigint NOT NULL
    );
    CREATE INDEX session_by_user ON users.session(user_id);
    CREATE INDEX session_by_expiry ON users.session(expires_at);

    -- The networks that a user logged in from, newest some only: strangers cannot shut them out.
    CREATE TABLE users.network(
        user_id uuid NOT NULL,
        prefix text NOT NULL,
        used_at bigint NOT NULL,
        PRIMARY KEY (user_id, prefix)
    );

    -- What was answered to commands that must not be done twice, as JSON, for minutes.
    CREATE TABLE users.answered(
        id uuid PRIMARY KEY,
        answer text NOT NULL,
        at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX answered_by_age ON users.answered(at);

    -- The keys that sign access tokens. No condition is put on a seed: a failed one would show it.
    CREATE TABLE users.signing_key(
        kid text PRIMARY KEY,
        made bigint NOT NULL,
        seed text NOT NULL
    );
    -- One row: who holds it may change the keys.
    CREATE TABLE users.keyring(
        one int PRIMARY KEY CHECK (one = 1),
        version bigint NOT NULL
    );
    INSERT INTO users.keyring(one, version) VALUES (1, 0);
"];
